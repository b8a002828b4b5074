//! spdlog-rs, through its own macros.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use spdlog::formatter::{FullFormatter, JsonFormatter};
use spdlog::sink::{AsyncPoolSink, FileSink, OverflowPolicy, RotatingFileSink, RotationPolicy, Sink as SpdlogSink};
use spdlog::{LevelFilter, Logger as Spdlog, ThreadPool};

use super::{BUFFER, Check, Contender, Job, Kind, Running};
use crate::event::{Call, Level, Logger, TARGET, Values};
use crate::scenario::{Sink, Spans, Task};

pub fn contender() -> Contender {
    Contender {
        name: "spdlog",
        kind: Kind::Rival,
        note: "spdlog-rs; milliseconds, as an integer or in local time; its logger's name for a target",
        check: Check::Fields,
        serves: |scenario| {
            let served = matches!(scenario.task, Task::Events | Task::Off | Task::ThreeOutputs | Task::Rotation);
            served && scenario.spans == Spans::None && scenario.sink != Sink::Unbuffered
        },
        start,
    }
}

fn start(job: &Job) -> Running {
    match (job.scenario.task, job.scenario.sink) {
        (Task::ThreeOutputs, _) => {
            let [all, info, warn] = job.files();
            running(
                job,
                vec![
                    file(&all, false, LevelFilter::All),
                    file(&info, true, LevelFilter::MoreSevereEqual(spdlog::Level::Info)),
                    file(&warn, false, LevelFilter::MoreSevereEqual(spdlog::Level::Warn)),
                ],
            )
        }
        (Task::Rotation, _) => running(job, vec![rotating(job)]),
        (_, Sink::Lossless) => queued(job, OverflowPolicy::Block),
        (_, Sink::Default) => queued(job, OverflowPolicy::DropIncoming),
        _ => running(job, vec![file(&job.file(), job.scenario.text, LevelFilter::All)]),
    }
}

fn running(job: &Job, sinks: Vec<Arc<dyn SpdlogSink>>) -> Running {
    let wanted =
        if job.scenario.writes() { LevelFilter::All } else { LevelFilter::MoreSevereEqual(spdlog::Level::Info) };
    let logger = Spdlog::builder().name(TARGET).sinks(sinks).level_filter(wanted).build_arc();
    let logger = logger.expect("the name is one");
    let flushed = logger.clone();
    Running { logger: Box::new(Through(logger)), drain: Box::new(move || flushed.flush()) }
}

/// Flushing a queue of spdlog's does not wait: only the end of its threads does.
fn queued(job: &Job, overflow: OverflowPolicy) -> Running {
    let capacity = NonZeroUsize::new(8192).expect("8192 is not 0");
    let pool = ThreadPool::builder().capacity(capacity).build_arc().expect("threads can be started");
    let file = file(&job.file(), job.scenario.text, LevelFilter::All);
    let sink =
        AsyncPoolSink::builder().sink(file.clone()).overflow_policy(overflow).thread_pool(pool.clone()).build_arc();
    let mut running = running(job, vec![sink.expect("it has a sink")]);
    running.drain = Box::new(move || {
        drop(pool);
        file.flush().expect("there is room on the disk");
    });
    running
}

fn file(path: &Path, text: bool, level: LevelFilter) -> Arc<dyn SpdlogSink> {
    let file = FileSink::builder().path(path).capacity(BUFFER).level_filter(level);
    let file = match text {
        false => file.formatter(JsonFormatter::new()).build_arc(),
        true => file.formatter(FullFormatter::new()).build_arc(),
    };
    file.expect("the directory is ours")
}

fn rotating(job: &Job) -> Arc<dyn SpdlogSink> {
    let file = RotatingFileSink::builder()
        .base_path(job.file())
        .rotation_policy(RotationPolicy::FileSize(crate::check::ROTATE_AT))
        .max_files(6)
        .capacity(BUFFER)
        .formatter(JsonFormatter::new())
        .build_arc();
    file.expect("the directory is ours")
}

struct Through(Arc<Spdlog>);

macro_rules! spdlog_at {
    ($logger:expr, $level:expr, $number:expr) => {{
        let Values { number, bytes, price, article, paid } = Values::of($number);
        spdlog::log!(
            logger: $logger, $level,
            "the customer took article number {number} from the second shelf",
            kv: { bytes = bytes, price = price, article = article, paid = paid }
        );
    }};
}

impl Logger for Through {
    fn log(&self, call: Call, numbers: Range<u64>) {
        let logger = &self.0;
        match call {
            Call::Event | Call::Span => numbers.for_each(|number| spdlog_at!(logger, spdlog::Level::Info, number)),
            Call::Mixed => numbers.for_each(|number| match Level::of(number) {
                Level::Debug => spdlog_at!(logger, spdlog::Level::Debug, number),
                Level::Info => spdlog_at!(logger, spdlog::Level::Info, number),
                Level::Warn => spdlog_at!(logger, spdlog::Level::Warn, number),
                Level::Error => spdlog_at!(logger, spdlog::Level::Error, number),
            }),
            Call::Off => numbers.for_each(|number| {
                spdlog::debug!(logger: logger, "counted", kv: { number = black_box(number) });
            }),
        }
    }

    fn in_spans(&self, _: u64, work: &mut dyn FnMut()) {
        work();
    }
}
