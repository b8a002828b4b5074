//! What the machine allows: nothing, a ready line, a line made of raw values.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use super::buffer::{Buffer, create};
use super::{Check, Contender, Job, Kind, Running};
use crate::event::{Call, Level, Logger, Tracing, Values};
use crate::line::{self, Path, Stamp};
use crate::scenario::{Scenario, Sink, Spans, Task};

pub fn all() -> Vec<Contender> {
    let floor = |name, note, check, serves, start| Contender { name, kind: Kind::Floor, note, check, serves, start };
    vec![
        floor("floor-none", "tracing's macro, no subscriber", Check::Nothing, |scenario| !scenario.writes(), none),
        floor("floor-memcpy", "a ready line", Check::Lines, |scenario| single(scenario, Sink::Buffered), memcpy),
        floor("floor-write1", "a ready line", Check::Lines, |scenario| single(scenario, Sink::Unbuffered), write1),
        floor(
            "floor-format",
            "no tracing",
            Check::Bytes,
            |scenario| scenario.sink == Sink::Buffered && scenario.writes(),
            format,
        ),
        floor("floor-fmtargs", "no tracing", Check::Bytes, |scenario| single(scenario, Sink::Buffered), fmtargs),
    ]
}

fn single(scenario: &Scenario, sink: Sink) -> bool {
    scenario.sink == sink && scenario.is_plain() && scenario.spans != Spans::Each
}

fn none(_: &Job) -> Running {
    Running { logger: Box::new(Tracing), drain: Box::new(|| {}) }
}

fn memcpy(job: &Job) -> Running {
    let buffer = Arc::new(Buffer::new(&job.file()));
    let (line, flushed) = (ready_line(&job.scenario), buffer.clone());
    Running {
        logger: Box::new(Ready { line, write: move |line: &[u8]| buffer.push(line) }),
        drain: Box::new(move || flushed.flush()),
    }
}

fn write1(job: &Job) -> Running {
    let (line, file) = (ready_line(&job.scenario), create(&job.file()));
    let write = move |line: &[u8]| (&mut &file as &mut &File).write_all(line).expect("there is room on the disk");
    Running { logger: Box::new(Ready { line, write }), drain: Box::new(|| {}) }
}

fn ready_line(scenario: &Scenario) -> Vec<u8> {
    let values = Values::of(crate::event::first_number(0));
    let path = if scenario.spans == Spans::Three { Path::Three(1) } else { Path::None };
    let mut out = Vec::new();
    shape(scenario, false)(&mut out, &mut Stamp::new(), "INFO", &values, path);
    out
}

fn format(job: &Job) -> Running {
    formatting(job, false)
}

fn fmtargs(job: &Job) -> Running {
    formatting(job, true)
}

fn formatting(job: &Job, fmtargs: bool) -> Running {
    let line = shape(&job.scenario, fmtargs);
    if job.scenario.task == Task::ThreeOutputs {
        let outputs = Arc::new(job.files().map(|file| Buffer::new(&file)));
        let flushed = outputs.clone();
        return Running {
            logger: Box::new(Three(outputs)),
            drain: Box::new(move || flushed.iter().for_each(Buffer::flush)),
        };
    }
    let buffer = Arc::new(match job.scenario.task {
        Task::Rotation => Buffer::rotating(&job.file()),
        _ => Buffer::new(&job.file()),
    });
    let flushed = buffer.clone();
    Running {
        logger: Box::new(Formatting { line, write: move |line: &[u8]| buffer.push(line) }),
        drain: Box::new(move || flushed.flush()),
    }
}

pub type Line = fn(&mut Vec<u8>, &mut Stamp, &str, &Values, Path);

pub fn shape(scenario: &Scenario, fmtargs: bool) -> Line {
    match (scenario.text, fmtargs) {
        (false, false) => line::json,
        (false, true) => line::json_fmtargs,
        (true, false) => line::text,
        (true, true) => line::text_fmtargs,
    }
}

struct Ready<W> {
    line: Vec<u8>,
    write: W,
}

impl<W: Fn(&[u8]) + Sync> Logger for Ready<W> {
    fn log(&self, _: Call, numbers: Range<u64>) {
        for _ in numbers {
            (self.write)(black_box(&self.line));
        }
    }

    fn in_spans(&self, _: u64, work: &mut dyn FnMut()) {
        work();
    }
}

/// Formats on the calling thread, and hands the line on.
pub struct Formatting<W> {
    pub line: Line,
    pub write: W,
}

impl<W: Fn(&[u8]) + Sync> Logger for Formatting<W> {
    fn log(&self, call: Call, numbers: Range<u64>) {
        let around = SPANS.get();
        SCRATCH.with_borrow_mut(|(out, stamp)| {
            for number in numbers {
                let values = Values::of(number);
                let path = match call {
                    Call::Span => Path::One(number),
                    _ => around.map_or(Path::None, Path::Three),
                };
                out.clear();
                (self.line)(out, stamp, "INFO", &values, path);
                (self.write)(out);
            }
        });
    }

    fn in_spans(&self, id: u64, work: &mut dyn FnMut()) {
        SPANS.set(Some(id));
        work();
        SPANS.set(None);
    }
}

/// One JSON line for two files, and one of text.
struct Three(Arc<[Buffer; 3]>);

impl Logger for Three {
    fn log(&self, _: Call, numbers: Range<u64>) {
        let [all, info, warn] = &*self.0;
        SCRATCH.with_borrow_mut(|(out, stamp)| {
            for number in numbers {
                let (values, level) = (Values::of(number), Level::of(number));
                out.clear();
                line::json(out, stamp, level.name(), &values, Path::None);
                all.push(out);
                if level >= Level::Warn {
                    warn.push(out);
                }
                if level >= Level::Info {
                    out.clear();
                    line::text(out, stamp, level.name(), &values, Path::None);
                    info.push(out);
                }
            }
        });
    }

    fn in_spans(&self, _: u64, work: &mut dyn FnMut()) {
        work();
    }
}

thread_local! {
    static SPANS: Cell<Option<u64>> = const { Cell::new(None) };
    static SCRATCH: RefCell<(Vec<u8>, Stamp)> = const { RefCell::new((Vec::new(), Stamp::new())) };
}
