use std::io::{self, IsTerminal as _};
use std::panic::catch_unwind;

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

impl Stream {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }

    pub(super) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    pub(super) fn writer(self, captured: bool) -> Writer {
        Writer { stream: self, captured }
    }
}

/// Writes to a [`Stream`].
pub(super) struct Writer {
    stream: Stream,
    captured: bool,
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.captured {
            true => print(self.stream, bytes),
            false => raw::write(self.stream, bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The macros are all that libtest captures, and they panic where they cannot write.
fn print(stream: Stream, bytes: &[u8]) -> io::Result<usize> {
    let text = String::from_utf8_lossy(bytes);
    let printed = catch_unwind(|| match stream {
        Stream::Out => print!("{text}"),
        Stream::Err => eprint!("{text}"),
    });
    printed.map_err(|_| io::Error::other("print! panicked"))?;
    Ok(bytes.len())
}

#[cfg(unix)]
mod raw {
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd as _;
    use std::time::{Duration, Instant};

    use super::Stream;

    /// One `write(2)`; repeated while the descriptor is non-blocking and full.
    pub(super) fn write(stream: Stream, bytes: &[u8]) -> io::Result<usize> {
        let descriptor = match stream {
            Stream::Out => libc::STDOUT_FILENO,
            Stream::Err => libc::STDERR_FILENO,
        };
        // SAFETY: 1 and 2 are open for the life of the process, and ManuallyDrop keeps them so; where an application has
        // closed them all the same, the write fails with EBADF.
        let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) });
        let mut deadline = None;
        loop {
            match file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(descriptor, *deadline.get_or_insert_with(|| Instant::now() + PATIENCE))?;
                }
                written => return written,
            }
        }
    }

    /// Until the descriptor takes more, a signal comes, or the deadline passes, which is the only error.
    fn wait(descriptor: libc::c_int, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing was read from it for a second"));
        }
        let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
        // Rounded up, so that the last millisecond is not spent turning in circles.
        let millis = left.as_millis() as libc::c_int + 1;
        // SAFETY: `poll` is one valid pollfd for the length of the call.
        unsafe { libc::poll(&raw mut poll, 1, millis) };
        Ok(())
    }

    /// A reader that takes nothing for so long has stopped reading.
    const PATIENCE: Duration = Duration::from_secs(1);
}

#[cfg(not(unix))]
mod raw {
    use std::io::{self, Write as _};

    use super::Stream;

    /// Standard output is flushed at once, as its lines are whole.
    pub(super) fn write(stream: Stream, bytes: &[u8]) -> io::Result<usize> {
        match stream {
            Stream::Out => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()?;
                Ok(bytes.len())
            }
            Stream::Err => io::stderr().write(bytes),
        }
    }
}
