use std::io;

use super::run::{self, Run};

/// The rest of a line that was written in part, on a stream on which writes cannot be undone.
///
/// The line counts as taken and [`pending`](super::Sink::pending); its rest is written before anything else, so that a
/// stream that was temporarily full shows no partial line.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    /// Writes `run`. An error includes how many of its lines were taken.
    pub(super) fn write(&mut self, to: &mut impl io::Write, run: Run<'_>) -> Result<(), (usize, io::Error)> {
        self.write_pieces(to, run, None)
    }

    /// Writes `run` in [pieces](Run::pieces).
    pub(super) fn write_pieces(
        &mut self,
        to: &mut impl io::Write,
        run: Run<'_>,
        size: Option<u64>,
    ) -> Result<(), (usize, io::Error)> {
        self.finish(to).map_err(|error| (0, error))?;
        let Err(stopped) = run.write_pieces_to(to, size) else { return Ok(()) };
        // A closed pipe will never take the rest of the line: it is refused like the lines behind it.
        if stopped.torn == 0 || stopped.error.kind() == io::ErrorKind::BrokenPipe {
            return Err((stopped.lines, stopped.error));
        }
        let (line, _) = run.split_at(stopped.lines).1.split_at(1);
        self.0.extend_from_slice(&line.bytes()[stopped.torn..]);
        Err((stopped.lines + 1, stopped.error))
    }

    /// Writes the rest of the line, if there is any.
    pub(super) fn finish(&mut self, to: &mut impl io::Write) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (written, result) = match run::write_all(to, &self.0) {
            Ok(()) => (self.0.len(), Ok(())),
            Err((written, error)) => (written, Err(error)),
        };
        self.0.drain(..written);
        result
    }

    /// 1 while the rest of a line is to be written, 0 otherwise.
    pub(super) fn pending(&self) -> usize {
        usize::from(!self.0.is_empty())
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;
    use crate::sink::RecordEnd;

    /// Takes `room` bytes, then fails with `kind`.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
        kind: io::ErrorKind,
    }

    impl io::Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let some = bytes.len().min(self.room);
            if some == 0 {
                return Err(self.kind.into());
            }
            self.room -= some;
            self.taken.extend_from_slice(&bytes[..some]);
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LINES: [RecordEnd; 2] = [RecordEnd::new(4, Severity::INFO), RecordEnd::new(8, Severity::INFO)];

    #[test]
    fn a_torn_line_is_taken_and_finished_first() {
        let mut to = Narrow { taken: Vec::new(), room: 6, kind: io::ErrorKind::TimedOut };
        let mut tail = Tail::default();
        let (taken, _) = tail.write(&mut to, Run::new(b"one\ntwo\n", &LINES)).unwrap_err();
        assert_eq!((taken, tail.pending()), (2, 1));

        to.room = 100;
        tail.write(&mut to, Run::new(b"six\n", &LINES[..1])).unwrap();
        assert_eq!((to.taken, tail.pending()), (b"one\ntwo\nsix\n".to_vec(), 0));
    }

    #[test]
    fn a_stop_between_two_lines_leaves_nothing_pending() {
        let mut to = Narrow { taken: Vec::new(), room: 4, kind: io::ErrorKind::TimedOut };
        let mut tail = Tail::default();
        let (taken, _) = tail.write(&mut to, Run::new(b"one\ntwo\n", &LINES)).unwrap_err();
        assert_eq!((taken, tail.pending()), (1, 0));
    }

    #[test]
    fn a_line_torn_by_a_closed_pipe_is_refused() {
        let mut to = Narrow { taken: Vec::new(), room: 6, kind: io::ErrorKind::BrokenPipe };
        let mut tail = Tail::default();
        let (taken, _) = tail.write(&mut to, Run::new(b"one\ntwo\n", &LINES)).unwrap_err();
        assert_eq!((taken, tail.pending()), (1, 0));
    }
}
