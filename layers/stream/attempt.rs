use std::io;
use std::time::{Duration, Instant};

use super::Outlet;
use crate::sync::{deadline_in, now};

/// An attempt to write to a standard stream.
///
/// A write that would have to wait for too long fails with `TimedOut`. What a thread is still writing then counts as written, and is
/// [in flight](Outlet::in_flight).
pub(crate) struct Attempt<'o> {
    outlet: &'o mut Outlet,
    /// How long all calls together may wait,
    wait: Duration,
    /// and until when, from the first time one had to wait. The inner `None` means without limit.
    deadline: Option<Option<Instant>>,
    /// Whether to start again with each piece that is taken.
    starts_again: bool,
    written: usize,
    /// How many of these a thread was still writing when the patience ended.
    in_flight: usize,
    progressed: bool,
    timed_out: bool,
}

impl<'o> Attempt<'o> {
    pub(super) fn new(outlet: &'o mut Outlet, wait: Duration, starts_again: bool) -> Self {
        Self {
            outlet,
            wait,
            deadline: None,
            starts_again,
            written: 0,
            in_flight: 0,
            progressed: false,
            timed_out: false,
        }
    }

    /// Limits the waiting to the time until `deadline`.
    pub(crate) fn until(mut self, deadline: Instant) -> Self {
        self.wait = self.wait.min(deadline.saturating_duration_since(now()));
        self
    }

    /// Waits for what an earlier attempt has left in flight.
    pub(crate) fn wait_for_flight(&mut self) -> io::Result<()> {
        if self.outlet.in_flight() > 0 {
            if !self.is_free() {
                return Err(self.timed_out());
            }
            self.progressed = true;
            self.in_flight = 0;
        }
        // Left for the owner of the outlet, which knows what was in flight.
        self.outlet.error().map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// How many of the bytes that count as written a thread was still writing when the patience ended: they will be written when the
    /// stream is read from again, and cannot be taken back.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The number of bytes written since the attempt began, or since the last call.
    pub(crate) fn take_written(&mut self) -> usize {
        std::mem::take(&mut self.written)
    }

    fn deadline(&mut self) -> Option<Instant> {
        let wait = self.wait;
        *self.deadline.get_or_insert_with(|| (wait < FOREVER).then(|| deadline_in(wait)))
    }

    #[cold]
    fn timed_out(&mut self) -> io::Error {
        self.timed_out = true;
        let patience = self.outlet.patience();
        match self.wait == patience {
            true => io::Error::new(io::ErrorKind::TimedOut, format!("nothing was read from it for {patience:?}")),
            false => super::stall::stalled(),
        }
    }

    #[cfg(unix)]
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use super::descriptor::{Tried, wait_until_writable};

        self.wait_for_flight()?;
        let mut polls = 0_u32;
        loop {
            match self.outlet.try_write(bytes) {
                Tried::Done(written) => return written,
                Tried::Unknown => return self.write_by_helper(bytes),
                Tried::Full => {}
            }
            let deadline = self.deadline();
            let is_over = polls > 0 && deadline.is_some_and(|deadline| now() >= deadline);
            if is_over || !wait_until_writable(self.outlet.descriptor(), deadline) {
                return Err(self.timed_out());
            }
            if polls > 1 {
                // A datagram socket may be called writable and have no room for this one.
                std::thread::sleep(Duration::from_millis(1));
            }
            polls += 1;
        }
    }

    /// Elsewhere a write waits as long as it takes.
    #[cfg(not(unix))]
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use std::io::Write as _;

        use super::{Stream, Target};
        let Target::Stream(stream) = self.outlet.target;
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

    /// Waits for the thread.
    #[cold]
    fn is_free(&mut self) -> bool {
        let deadline = self.deadline();
        self.outlet.helper.as_ref().is_none_or(|helper| helper.is_free_by(deadline))
    }

    /// Has a thread write a piece. Before, waits until the stream is writable: what the thread has been given cannot be taken back.
    #[cfg(unix)]
    fn write_by_helper(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use super::descriptor;
        use super::helper::Helper;

        let deadline = self.deadline();
        let number = self.outlet.descriptor();
        if !descriptor::wait_until_writable(number, deadline) {
            return Err(self.timed_out());
        }
        if self.outlet.has_foreign_helper() {
            self.outlet.forget_helper();
        }
        let piece = descriptor::piece(bytes);
        let helper = match &mut self.outlet.helper {
            Some(helper) => helper,
            none => match Helper::start(self.outlet.target.name(), number) {
                Ok(started) => none.insert(started),
                // Without a thread, the caller has to wait.
                Err(_) => return descriptor::write(number, piece),
            },
        };
        // At least for a moment, in which a piece for which there is room is usually written.
        let is_written = helper.write(piece, deadline.map(|deadline| deadline.max(deadline_in(MOMENT))))?;
        self.in_flight = if is_written { 0 } else { piece.len() };
        Ok(piece.len())
    }
}

impl io::Write for Attempt<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.write_some(bytes)?;
        self.written += written;
        self.progressed = true;
        if self.starts_again {
            self.deadline = None;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.timed_out || self.in_flight > 0 {
            self.outlet.stall.timed_out(self.progressed);
        } else if self.progressed {
            self.outlet.stall.works();
        }
    }
}

/// How long even an impatient caller waits for the thread.
#[cfg(unix)]
const MOMENT: Duration = Duration::from_millis(5);
/// A patience that no clock measures.
const FOREVER: Duration = Duration::from_secs(1 << 32);
