//! tracing-handlers.

use std::path::Path;
use std::time::Duration;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_handlers::format::{Json, Text};
use tracing_handlers::handler::{Overflow, Rewriting};
use tracing_handlers::rewrite::Redact;
use tracing_handlers::rotation::{MIB, Rotation};
use tracing_handlers::{Format, Handler, Output, Queue, sink};
use tracing_subscriber::layer::SubscriberExt;

use super::layer::{Idle, install};
use super::{BUFFER, Check, Contender, Job, Kind, Running};
use crate::event::Tracing;
use crate::scenario::{Sink, Spans, Task};

pub fn all() -> Vec<Contender> {
    let ours = Contender { name: "ours", kind: Kind::Ours, note: "", check: Check::Bytes, serves: |_| true, start };
    vec![
        ours,
        Contender {
            name: "ours-rewrite",
            note: "a field of a span is redacted",
            check: Check::Redacted,
            serves: |scenario| {
                scenario.task == Task::Events
                    && scenario.spans == Spans::Three
                    && matches!(scenario.sink, Sink::Buffered | Sink::Lossless)
            },
            start: start_redacting,
            ..ours
        },
    ]
}

fn start(job: &Job) -> Running {
    if job.scenario.task == Task::ThreeOutputs {
        let [all, info, warn] = job.files();
        return installed(
            job,
            (
                Output::new(Json::new(), file(job, &all)),
                Output::new(Text::new(), file(job, &info)).level(Level::INFO),
                Output::new(Json::new(), file(job, &warn)).level(Level::WARN),
            ),
        );
    }
    match job.scenario.text {
        false => to_one_file(job, Json::new()),
        true => to_one_file(job, Text::new()),
    }
}

fn start_redacting(job: &Job) -> Running {
    let redact = Redact::fields(["customer"]);
    match job.scenario.text {
        false => queued_or_not(job, Rewriting::new(redact, Output::new(Json::new(), file(job, &job.file())))),
        true => queued_or_not(job, Rewriting::new(redact, Output::new(Text::new(), file(job, &job.file())))),
    }
}

fn to_one_file(job: &Job, format: impl Format) -> Running {
    let level = if job.scenario.writes() { LevelFilter::TRACE } else { LevelFilter::INFO };
    queued_or_not(job, Output::new(format, file(job, &job.file())).level(level))
}

fn queued_or_not(job: &Job, handler: impl Handler) -> Running {
    match job.scenario.sink {
        Sink::Lossless => installed(job, Queue::new(handler).overflow(Overflow::Block)),
        Sink::Default => installed(job, Queue::new(handler)),
        Sink::Buffered | Sink::Unbuffered => installed(job, handler),
    }
}

fn installed(job: &Job, handler: impl Handler) -> Running {
    let handle = match job.scenario.task {
        Task::OffHere => {
            let layer = tracing_handlers::layer(handler);
            let handle = layer.handle();
            install(tracing_subscriber::registry().with(Idle).with(layer));
            handle
        }
        _ => tracing_handlers::init(handler).expect("the first of this process"),
    };
    Running {
        logger: Box::new(Tracing),
        drain: Box::new(move || handle.flush(Duration::from_secs(60)).expect("everything is written in time")),
    }
}

fn file(job: &Job, path: &Path) -> sink::File {
    let buffer = if job.scenario.sink == Sink::Unbuffered { 0 } else { BUFFER };
    let file = sink::File::options().buffer(buffer).open(path).expect("the directory is ours");
    match job.scenario.task {
        Task::Rotation => file.rotation(Rotation::size(MIB).keep(5)),
        _ => file,
    }
}
