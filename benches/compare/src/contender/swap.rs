//! Formatted by the caller, two buffers swapped with a thread that writes: what a queue can come near.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::buffer::create;
use super::floor::{Formatting, shape};
use super::{Check, Contender, Job, Kind, Running};

pub fn contender() -> Contender {
    Contender {
        name: "floor-swap",
        kind: Kind::Floor,
        note: "no tracing; formatted by the caller",
        check: Check::Bytes,
        serves: |scenario| scenario.is_queued(),
        start,
    }
}

fn start(job: &Job) -> Running {
    let shared = Arc::new(Shared::default());
    let (writing, drained, file) = (shared.clone(), shared.clone(), create(&job.file()));
    let writer = std::thread::spawn(move || writing.write_until_closed(file));
    Running {
        logger: Box::new(Formatting { line: shape(&job.scenario, false), write: move |line: &[u8]| shared.push(line) }),
        drain: Box::new(move || {
            drained.state.lock().expect(SANE).closed = true;
            drained.work.notify_one();
            writer.join().expect("it does not panic");
        }),
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
}

#[derive(Default)]
struct State {
    front: Vec<u8>,
    closed: bool,
}

impl Shared {
    #[inline]
    fn push(&self, line: &[u8]) {
        let mut state = self.state.lock().expect(SANE);
        while state.front.len() > LIMIT {
            state = self.room.wait(state).expect(SANE);
        }
        let before = state.front.len();
        state.front.extend_from_slice(line);
        let crossed = before < MARK && state.front.len() >= MARK;
        drop(state);
        if crossed {
            self.work.notify_one();
        }
    }

    fn write_until_closed(&self, mut file: File) {
        let mut back = Vec::new();
        let mut state = self.state.lock().expect(SANE);
        loop {
            if state.front.len() < MARK && !state.closed {
                state = self.work.wait_timeout(state, PAUSE).expect(SANE).0;
            }
            let last = state.closed;
            std::mem::swap(&mut state.front, &mut back);
            drop(state);
            self.room.notify_all();
            file.write_all(&back).expect("there is room on the disk");
            back.clear();
            if last {
                return;
            }
            state = self.state.lock().expect(SANE);
        }
    }
}

/// The writer comes when so much lies there, or after so long.
const MARK: usize = 64 << 10;
const PAUSE: Duration = Duration::from_millis(2);
/// The caller waits beyond this.
const LIMIT: usize = 1 << 20;
const SANE: &str = "nobody panics with it";
