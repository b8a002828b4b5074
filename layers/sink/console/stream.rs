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

/// libtest captures only these macros, which panic if they cannot write.
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

    /// Calls `write(2)` once, and again while the descriptor is non-blocking and full.
    pub(super) fn write(stream: Stream, bytes: &[u8]) -> io::Result<usize> {
        let descriptor = match stream {
            Stream::Out => libc::STDOUT_FILENO,
            Stream::Err => libc::STDERR_FILENO,
        };
        // SAFETY: 1 and 2 are open for the life of the process, and ManuallyDrop keeps them so; if an application has
        // closed them nevertheless, the write fails with EBADF.
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

    /// Waits until the descriptor is writable or a signal arrives. Fails only if the deadline has passed.
    fn wait(descriptor: libc::c_int, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nothing was read from it for a second"));
        }
        let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
        // Rounded up, so that the last millisecond is not spent in a busy loop.
        let millis = left.as_millis() as libc::c_int + 1;
        // SAFETY: `poll` is one valid pollfd for the length of the call.
        unsafe { libc::poll(&raw mut poll, 1, millis) };
        Ok(())
    }

    /// A reader that reads nothing for this long has stopped reading.
    const PATIENCE: Duration = Duration::from_secs(1);
}

#[cfg(not(unix))]
mod raw {
    use std::io::{self, Write as _};

    use super::Stream;

    /// Flushes standard output at once, since it is given whole lines.
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
