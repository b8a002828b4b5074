//! json-subscriber, with tracing-appender if a queue is wanted.

use std::sync::Arc;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use super::buffer::create;
use super::layer::install;
use super::tracing_subscriber::{buffered, flushing, queue};
use super::{Check, Contender, Job, Kind, Running};
use crate::event::Tracing;
use crate::scenario::Sink;

pub fn contender() -> Contender {
    Contender {
        name: "jsub",
        kind: Kind::Rival,
        note: "json-subscriber; queue: tracing-appender",
        check: Check::Spans,
        serves: |scenario| scenario.is_plain() && !scenario.text,
        start,
    }
}

fn start(job: &Job) -> Running {
    match job.scenario.sink {
        Sink::Buffered => {
            let writer = buffered(&job.file());
            to_writer(writer.clone());
            flushing(vec![writer])
        }
        Sink::Unbuffered => {
            to_writer(Arc::new(create(&job.file())));
            Running { logger: Box::new(Tracing), drain: Box::new(|| {}) }
        }
        queued => {
            let (writer, guard) = queue(job, queued == Sink::Default);
            to_writer(writer);
            Running { logger: Box::new(Tracing), drain: Box::new(|| drop(guard)) }
        }
    }
}

fn to_writer(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let layer = json_subscriber::fmt::layer().flatten_event(true).with_current_span(false).with_writer(writer);
    install(tracing_subscriber::registry().with(layer));
}
