//! The processes that a scenario starts: this program again.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

#[cfg(feature = "signals")]
use super::stalled;
use super::{clocks, kill, logrotate, processes};
use crate::until::poll;

/// `SCENARIO DIRECTORY SEED RUN`, in a child process.
pub fn run(words: &[&str]) -> std::process::ExitCode {
    let [scenario, directory, seed, run] = words else { return std::process::ExitCode::FAILURE };
    let (Ok(seed), Ok(run)) = (seed.parse(), run.parse()) else { return std::process::ExitCode::FAILURE };
    let directory = Path::new(directory);
    match *scenario {
        "clocks" => clocks::child(directory, seed, run),
        #[cfg(all(feature = "seal", feature = "encryption", feature = "gzip", feature = "zstd"))]
        "corrupt" => super::corrupt::child(directory, run),
        "kill" => kill::child(directory, seed, run),
        "logrotate" => logrotate::child(directory, seed),
        "processes" => processes::child(directory, seed, run),
        #[cfg(feature = "signals")]
        "stalled" => {
            READY.say();
            stalled::child(directory, seed == 1, run);
        }
        _ => return std::process::ExitCode::FAILURE,
    }
    std::process::ExitCode::SUCCESS
}

/// A child at work. Dropped, it is killed.
pub struct Worker {
    child: Child,
    acknowledged: Option<JoinHandle<Vec<Acknowledged>>>,
}

/// "The first `count` lines of `thread` are safe", as a child says it on its standard output: 16 bytes in one write, which
/// a pipe never divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub thread: u64,
    pub count: u64,
}

impl Worker {
    /// Starts a child of `scenario`, and waits until it is at work. What it says of troubles goes to a file of `directory`.
    pub fn start(
        scenario: &str,
        directory: &Path,
        seed: u64,
        run: u64,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let troubles = File::options().create(true).append(true).open(directory.join(TROUBLES)).map_err(text)?;
        let mut child = Command::new(std::env::current_exe().map_err(text)?)
            .args(["--child", scenario])
            .arg(directory)
            .args([seed.to_string(), run.to_string()])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(troubles)
            .spawn()
            .map_err(text)?;
        let mut output = child.stdout.take().ok_or("no pipe")?;
        let ready = Acknowledged::read(&mut output) == Some(READY);
        let acknowledged =
            Some(std::thread::spawn(move || std::iter::from_fn(|| Acknowledged::read(&mut output)).collect()));
        let worker = Self { child, acknowledged };
        // One that kills itself at a point may come to it before it is at work.
        if ready || !variables.is_empty() {
            Ok(worker)
        } else {
            Err(format!("the child did not start; {}", troubles_in(directory)))
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, and says what it had acknowledged.
    pub fn kill(mut self) -> Result<Vec<Acknowledged>, String> {
        self.child.kill().map_err(text)?;
        self.child.wait().map_err(text)?;
        Ok(self.acknowledged())
    }

    /// Kills it when it has been at work for so long, and says whether it was dead by then by its own hand, and what it had
    /// acknowledged.
    pub fn kill_after(mut self, time: Duration) -> Result<(bool, Vec<Acknowledged>), String> {
        match poll(time, || self.child.try_wait().transpose()) {
            Some(ended) => {
                ended.map_err(text)?;
                self.wait().map(|(_, acknowledged)| (true, acknowledged))
            }
            None => self.kill().map(|acknowledged| (false, acknowledged)),
        }
    }

    /// Waits for its end, which must be a success or a kill of its own, and says whether it was a success.
    pub fn wait(mut self) -> Result<(bool, Vec<Acknowledged>), String> {
        use std::os::unix::process::ExitStatusExt as _;
        let ended = poll(WATCHDOG, || self.child.try_wait().transpose());
        let status = ended.ok_or("a child hangs")?.map_err(text)?;
        match (status.success(), status.signal()) {
            (true, _) => Ok((true, self.acknowledged())),
            (_, Some(libc::SIGKILL)) => Ok((false, self.acknowledged())),
            _ => Err(format!("a child ended with {status}")),
        }
    }

    /// Waits for its end, however that comes.
    #[cfg(feature = "signals")]
    pub fn ended(mut self) -> Result<std::process::ExitStatus, String> {
        let ended = poll(WATCHDOG, || self.child.try_wait().transpose());
        ended.ok_or("a child hangs")?.map_err(text)
    }

    fn acknowledged(&mut self) -> Vec<Acknowledged> {
        self.acknowledged.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Acknowledged {
    /// Says it to the parent.
    pub fn say(self) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.thread.to_le_bytes());
        bytes[8..].copy_from_slice(&self.count.to_le_bytes());
        // SAFETY: the bytes are there for the length of the call; descriptor 1 is the pipe to the parent.
        let written = unsafe { libc::write(1, bytes.as_ptr().cast(), bytes.len()) };
        assert_eq!(written, 16, "the parent is gone");
    }

    fn read(output: &mut ChildStdout) -> Option<Self> {
        let (mut thread, mut count) = ([0; 8], [0; 8]);
        output.read_exact(&mut thread).and_then(|()| output.read_exact(&mut count)).ok()?;
        Some(Self { thread: u64::from_le_bytes(thread), count: u64::from_le_bytes(count) })
    }
}

/// What a child says when it begins.
pub const READY: Acknowledged = Acknowledged { thread: u64::MAX, count: u64::MAX };

/// What the children had to say on standard error: there must be nothing.
pub fn no_troubles_in(directory: &Path) -> Result<(), String> {
    let troubles = std::fs::read_to_string(directory.join(TROUBLES)).unwrap_or_default();
    if troubles.is_empty() { Ok(()) } else { Err(troubles_in(directory)) }
}

fn troubles_in(directory: &Path) -> String {
    let troubles = std::fs::read_to_string(directory.join(TROUBLES)).unwrap_or_default();
    format!("troubles: {}", troubles.chars().take(2_000).collect::<String>())
}

fn text(error: std::io::Error) -> String {
    format!("{error:#}")
}

const TROUBLES: &str = "troubles";
/// A child that takes longer hangs.
const WATCHDOG: Duration = Duration::from_secs(300);
