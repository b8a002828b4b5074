//! Sealed files at the end of a process.

use tracing_handlers::seal::{Key, Seal, verify};
use tracing_handlers::sink;

use super::*;

cases! {
    a_sealed_file_is_closed_when_main_returns => |ended| ended.succeeds().has_sealed(100);
    a_sealed_file_is_closed_at_process_exit_behind_a_queue => |ended| ended.exits(7).has_sealed(1_000);
    a_forked_child_replaces_a_sealed_log_that_its_parent_has_closed => |ended| ended.succeeds().has_sealed(2);
}

impl Ended {
    #[track_caller]
    fn has_sealed(&self, lines: u64) -> &Self {
        let verified = verify(self.directory.join("log"), &key()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((verified.lines, verified.closed), (lines, true));
        self
    }
}

fn sealed(directory: &Path) -> impl Handler {
    output(sink::File::options().seal(Seal::new(key())).open(directory.join("log")).unwrap())
}

pub(super) fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn a_sealed_file_is_closed_when_main_returns(directory: &Path) {
    install(sealed(directory));
    log_lines(0..100);
}

fn a_sealed_file_is_closed_at_process_exit_behind_a_queue(directory: &Path) {
    install(Queue::new(sealed(directory)));
    log_lines(0..1_000);
    std::process::exit(7);
}

/// As `Handle::swap` does: the new opening is there before the old one is dropped.
fn a_forked_child_replaces_a_sealed_log_that_its_parent_has_closed(directory: &Path) {
    let open = || sink::File::options().seal(Seal::new(key())).open(directory.join("log")).unwrap();
    let (mut closed, mut close) = std::io::pipe().unwrap();
    let mut first = Some(open());
    writeln!(first.as_mut().unwrap(), "of the parent").unwrap();
    let child = fork(|| {
        std::io::Read::read_exact(&mut closed, &mut [0]).unwrap();
        let mut second = open();
        drop(first.take());
        writeln!(second, "of the child").unwrap();
    });
    drop(first.take());
    close.write_all(b"x").unwrap();
    wait_for(child);
}
