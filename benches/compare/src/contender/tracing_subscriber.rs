//! tracing-subscriber's fmt layer, with tracing-appender if a queue is wanted and rolling-file for rotation.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use rolling_file::{RollingConditionBasic, RollingFileAppender};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{DefaultFields, Format, Json, JsonFields};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::buffer::create;
use super::layer::{Idle, install};
use super::{BUFFER, Check, Contender, Job, Kind, Running};
use crate::event::Tracing;
use crate::scenario::{Sink, Task};

pub fn contender() -> Contender {
    Contender {
        name: "ts",
        kind: Kind::Rival,
        note: "tracing-subscriber fmt; queue: tracing-appender; rotation: rolling-file",
        check: Check::Spans,
        serves: |_| true,
        start,
    }
}

fn start(job: &Job) -> Running {
    match (job.scenario.task, job.scenario.sink) {
        (Task::ThreeOutputs, _) => three_outputs(job),
        (Task::Rotation, _) => rotating(job),
        (_, Sink::Buffered) => {
            let writer = buffered(&job.file());
            to_writer(job, writer.clone());
            flushing(vec![writer])
        }
        (_, Sink::Unbuffered) => {
            to_writer(job, Arc::new(create(&job.file())));
            Running { logger: Box::new(Tracing), drain: Box::new(|| {}) }
        }
        (_, queued) => {
            let (writer, guard) = queue(job, queued == Sink::Default);
            to_writer(job, writer);
            Running { logger: Box::new(Tracing), drain: Box::new(|| drop(guard)) }
        }
    }
}

fn to_writer(job: &Job, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let registry = tracing_subscriber::registry();
    match job.scenario.task {
        Task::Off => install(registry.with(json(writer).with_filter(LevelFilter::INFO))),
        Task::OffHere => install(registry.with(Idle).with(json(writer).with_filter(LevelFilter::INFO))),
        _ if job.scenario.text => install(registry.with(text(writer))),
        _ => install(registry.with(json(writer))),
    }
}

/// The same content as the others: fields in the object itself, and each span once in a list.
fn json<S, W>(writer: W) -> fmt::Layer<S, JsonFields, Format<Json>, W>
where
    W: for<'w> MakeWriter<'w> + 'static,
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
{
    fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer)
}

fn text<S, W>(writer: W) -> fmt::Layer<S, DefaultFields, Format, W>
where
    W: for<'w> MakeWriter<'w> + 'static,
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
{
    fmt::layer().with_ansi(false).with_writer(writer)
}

fn three_outputs(job: &Job) -> Running {
    let writers = job.files().map(|file| buffered(&file));
    let [all, info, warn] = writers.clone();
    install(
        tracing_subscriber::registry()
            .with(json(all))
            .with(text(info).with_filter(LevelFilter::INFO))
            .with(json(warn).with_filter(LevelFilter::WARN)),
    );
    flushing(writers.to_vec())
}

fn rotating(job: &Job) -> Running {
    let condition = RollingConditionBasic::new().max_size(crate::check::ROTATE_AT);
    let appender = RollingFileAppender::new_with_buffer_capacity(job.file(), condition, 5, BUFFER);
    let writer = Locked::new(appender.expect("the directory is ours"));
    to_writer(job, writer.clone());
    flushing(vec![writer])
}

/// A channel of lines; a buffer before the file, which its thread flushes when it has nothing to do.
pub fn queue(job: &Job, lossy: bool) -> (tracing_appender::non_blocking::NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().lossy(lossy).finish(BufWriter::with_capacity(BUFFER, create(&job.file())))
}

pub fn buffered(path: &Path) -> Locked<BufWriter<File>> {
    Locked::new(BufWriter::with_capacity(BUFFER, create(path)))
}

pub fn flushing<W: Write + Send + 'static>(writers: Vec<Locked<W>>) -> Running {
    let flush = move || writers.iter().for_each(|writer| writer.lock().flush().expect("there is room on the disk"));
    Running { logger: Box::new(Tracing), drain: Box::new(flush) }
}

/// A writer under a lock, as `Mutex` is for the fmt layer, that can be flushed from outside.
pub struct Locked<W>(Arc<Mutex<W>>);

impl<W> Locked<W> {
    fn new(writer: W) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }

    fn lock(&self) -> MutexGuard<'_, W> {
        self.0.lock().expect("nobody panics with it")
    }
}

impl<W> Clone for Locked<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<'w, W: Write + 'w> MakeWriter<'w> for Locked<W> {
    type Writer = Guard<'w, W>;

    fn make_writer(&'w self) -> Self::Writer {
        Guard(self.lock())
    }
}

pub struct Guard<'w, W>(MutexGuard<'w, W>);

impl<W: Write> Write for Guard<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
