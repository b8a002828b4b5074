use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::{self, ChildStdin, Command, ExitStatus, Stdio};

use super::Lines;
use crate::handler::Handler;
use crate::sync::JoinHandle;
use crate::{Error, selflog, threads};

/// Starts a program whose standard output and standard error become records, each read by a thread.
///
/// Standard input, arguments and environment are the command's; the command's settings for standard output and standard error are
/// replaced.
///
/// ```
/// use std::process::Command;
/// use tracing::Level;
/// use tracing_handlers::testing::{Captured, expect};
/// use tracing_handlers::receive::{self, Lines};
///
/// let captured = Captured::new();
/// let lines = |severity| Lines::new(captured.clone()).target("backup").severity(severity);
/// let mut command = Command::new("sh");
/// command.args(["-c", "echo 3 files; echo disk is slow >&2; printf done"]);
/// let mut child = receive::spawn(command, lines(Level::INFO), lines(Level::WARN))?;
/// assert!(child.wait()?.success());
/// captured.assert_sequence([expect().message("3 files"), expect().level(Level::INFO).message("done")]);
/// captured.assert_logged(expect().level(Level::WARN).target("backup").message("disk is slow"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// The records of each stream are in the order of its lines; the order between the two streams is not defined. A program that
/// writes faster than the handler accepts records is blocked by its pipe: put a [`Queue`](crate::Queue) in front of a slow handler.
///
/// # Errors
///
/// [`Io`](crate::ErrorKind::Io) if the program, a pipe or a thread could not be created.
pub fn spawn<O: Handler, E: Handler>(command: Command, stdout: Lines<O>, stderr: Lines<E>) -> Result<Child, Error> {
    // A local, dropped before anything waits for the program, because it holds ends of the pipes.
    let mut command = command;
    let program = command.get_program().to_string_lossy().into_owned();
    let cannot = |error| Error::io(format!("cannot start {program}"), error);
    let token = token();
    let readers = [
        Reader::start(stdout, &token, |end| {
            command.stdout(end);
        })
        .map_err(cannot)?,
        Reader::start(stderr, &token, |end| {
            command.stderr(end);
        })
        .map_err(cannot)?,
    ];
    let child = command.spawn().map_err(cannot)?;
    Ok(Child { child, program, token, readers: readers.into() })
}

/// A program whose output becomes records: see [`spawn`].
///
/// Call [`wait`](Self::wait), as for std's `Child`: after that every line that the program wrote has been handed to the handler. If
/// this is dropped before, the program continues, and its lines still become records as long as this process lives.
pub struct Child {
    child: process::Child,
    program: String,
    token: Vec<u8>,
    readers: Vec<Reader>,
}

impl Child {
    /// Returns the program's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes the program's standard input, if the command has it `piped`; `None` when called again.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Kills the program; call [`wait`](Self::wait) after this.
    ///
    /// # Errors
    ///
    /// As std's `Child::kill`.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.child.kill().map_err(|error| Error::io(format!("cannot end {}", self.program), error))
    }

    /// Waits until the program has ended and everything it wrote has been handed to the handler, including a last line without a
    /// line end.
    ///
    /// Programs that it leaves running in the background are not waited for, although they share its output: what they write later
    /// is not read.
    ///
    /// # Errors
    ///
    /// As std's `Child::wait`.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        let status =
            self.child.wait().map_err(|error| Error::io(format!("cannot wait for {}", self.program), error))?;
        self.finish();
        Ok(status)
    }

    /// Does the same as [`wait`](Self::wait) if the program has ended; returns `None` if it is still running.
    ///
    /// # Errors
    ///
    /// As std's `Child::try_wait`.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        let ended = self.child.try_wait();
        let ended = ended.map_err(|error| Error::io(format!("cannot wait for {}", self.program), error))?;
        if ended.is_some() {
            self.finish();
        }
        Ok(ended)
    }

    fn finish(&mut self) {
        for reader in self.readers.drain(..) {
            reader.finish(&self.token);
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("program", &self.program).field("id", &self.id()).finish_non_exhaustive()
    }
}

/// A thread that reads a pipe, and a way to notify it of the end of the output.
///
/// When the program has ended, the pipe may still be open in a process that it started. Therefore this process keeps a writing end
/// too, and writes a token into it when the program has ended, after everything that the program wrote.
struct Reader {
    end: PipeWriter,
    thread: JoinHandle<()>,
}

impl Reader {
    /// Starts the thread, and hands the writing end to `give`.
    fn start<H: Handler>(lines: Lines<H>, token: &[u8], give: impl FnOnce(Stdio)) -> io::Result<Self> {
        let (pipe, end) = io::pipe()?;
        let (given, token) = (end.try_clone()?, token.to_vec());
        let thread = threads::start("log-lines", move || read(pipe, lines, &token))?;
        give(given.into());
        Ok(Self { end, thread })
    }

    fn finish(mut self, token: &[u8]) {
        // An error means that the reader has already ended.
        let _ = self.end.write_all(token);
        drop(self.end);
        // The thread does not panic: `Lines` catches panics of a handler.
        let _ = self.thread.join();
    }
}

fn read<H: Handler>(mut pipe: PipeReader, mut lines: Lines<H>, token: &[u8]) {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                selflog::tell(&format!("cannot read what a child process writes: {error}"));
                break;
            }
        }
        if let Some(at) = bytes.windows(token.len()).position(|window| window == token) {
            bytes.truncate(at);
            break;
        }
        let ready = bytes.len() - start_of(token, &bytes);
        // Writing to `Lines` does not fail.
        let _ = lines.write_all(&bytes[..ready]);
        bytes.drain(..ready);
    }
    let _ = lines.write_all(&bytes);
}

/// Returns how many bytes at the end of `bytes` may be the start of `token`.
fn start_of(token: &[u8], bytes: &[u8]) -> usize {
    (1..token.len()).rev().find(|count| bytes.ends_with(&token[..*count])).unwrap_or(0)
}

/// Returns 24 random bytes, which no program writes, and which a pipe accepts in one piece.
fn token() -> Vec<u8> {
    let random = || RandomState::new().build_hasher().finish().to_ne_bytes();
    [*b"\0\x01lines\0", random(), random()].concat()
}

const CHUNK: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Captured;

    #[test]
    fn reading_ends_at_the_token_in_whatever_pieces_it_comes() {
        let token = token();
        for cut in 0..=token.len() {
            let (captured, (pipe, mut end)) = (Captured::new(), io::pipe().expect("a pipe"));
            let lines = Lines::new(captured.clone());
            let of_reader = token.clone();
            let reader = std::thread::spawn(move || read(pipe, lines, &of_reader));
            // A partial token in front of it is text.
            let before = [b"one\ntwo", &token[..3]].concat();
            for piece in [&before, &token[..cut], &token[cut..]] {
                end.write_all(piece).expect("it reads");
                std::thread::yield_now();
            }
            // The end is still open: only the token can have ended it.
            reader.join().expect("it does not panic");
            assert_eq!(captured.messages(), ["one", "two\0\u{1}l"], "cut at {cut}");
        }
    }

    #[test]
    fn what_may_be_the_start_of_the_token_is_held_back() {
        assert_eq!(start_of(b"token", b"some to"), 2);
        assert_eq!(start_of(b"token", b"some tokens"), 0);
        assert_eq!(start_of(b"token", b""), 0);
    }
}
