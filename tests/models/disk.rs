use std::io;
use std::os::fd::{AsRawFd as _, RawFd};

use super::*;
use crate::file::sink::commit::Commit;

/// Group commit as `File` uses it: lines are written under the lock of the output, and waited for without it.
#[derive(Debug)]
pub struct Disk {
    group: Arc<Group>,
    window: Option<Duration>,
    owed: Arc<Owed>,
    /// The lock of the output, and its files: the last one is written to. The others stay open, so that no two have one number.
    files: Mutex<Vec<Arc<fs::File>>>,
}

impl Disk {
    /// `window`: how long lines wait for the group's own thread; without one, the waiting threads sync.
    pub fn new(window: Option<Duration>, sync: impl Fn(RawFd) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let group = Group::with_sync(Path::new("app.log"), Box::new(move |file| sync(file.as_raw_fd())));
        Self { group: Arc::new(group), window, owed: Arc::default(), files: Mutex::new(vec![file()]) }
    }

    /// Calls `write` for one line, and returns what the writer waits for: nothing if another
    /// thread has synced it meanwhile. Fails if the line cannot be trusted.
    pub fn line(&self, write: impl FnOnce(RawFd)) -> io::Result<Option<Commit>> {
        let mut files = lock(&self.files);
        if self.group.distrusts() {
            self.open(&mut files);
        }
        let file = &files[files.len() - 1];
        write(file.as_raw_fd());
        let gathered = self.group.wrote(&self.owed, 1, self.window, file)?;
        Ok(self.commit(self.group.ticket(&self.owed, gathered.round)))
    }

    /// What a flush waits for.
    pub fn flush(&self) -> Option<Commit> {
        let _files = lock(&self.files);
        self.commit(self.group.ticket_for_all(&self.owed))
    }

    /// Leaves the file for a new one, as rotation does: `settled` is called between the two.
    pub fn rotate(&self, settled: impl FnOnce()) {
        let mut files = lock(&self.files);
        self.group.settle();
        settled();
        self.open(&mut files);
    }

    /// Leaves the file for a new one that another process has put in its place.
    pub fn reopen(&self) {
        self.open(&mut lock(&self.files));
    }

    /// Ends the group's thread.
    pub fn close(&self) {
        self.group.close();
    }

    pub fn pending(&self) -> usize {
        self.owed.pending()
    }

    pub fn take_lost(&self) -> usize {
        self.owed.take_lost()
    }

    /// Whether nothing is kept for callers that have returned.
    pub fn keeps_nothing(&self) -> bool {
        let state = lock(&self.group.state);
        state.failed.is_empty() && state.gathered.shares.tickets() == 0 && state.syncing.is_none()
    }

    fn open(&self, files: &mut Vec<Arc<fs::File>>) {
        files.push(file());
        self.group.trust();
    }

    fn commit(&self, ticket: Option<Ticket>) -> Option<Commit> {
        ticket.map(|ticket| Commit::new(self.group.clone(), ticket))
    }
}

/// No line goes there: what was written and synced is the model's to know.
fn file() -> Arc<fs::File> {
    Arc::new(fs::File::open("/dev/null").expect("/dev/null can be opened"))
}
