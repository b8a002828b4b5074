//! ftlog, behind the `log` crate: always a queue.

use std::io::BufWriter;

use super::buffer::create;
use super::log_crate::{running, serves};
use super::{BUFFER, Check, Contender, Job, Kind, Running};
use crate::scenario::{Sink, Task};

pub fn contender() -> Contender {
    Contender {
        name: "ftlog",
        kind: Kind::Rival,
        note: "text only, no fields, no target, milliseconds",
        check: Check::Message,
        serves: |scenario| serves(scenario) && scenario.is_queued() && scenario.task == Task::Events,
        start,
    }
}

fn start(job: &Job) -> Running {
    let file = BufWriter::with_capacity(BUFFER, create(&job.file()));
    let builder = ftlog::builder().root(file).utc().max_log_level(ftlog::LevelFilter::Trace);
    let builder = match job.scenario.sink {
        // As many as ours has room for.
        Sink::Lossless => builder.bounded(8192, true),
        _ => builder,
    };
    let guard = builder.try_init().expect("the first logger of this process");
    running(&job.scenario, move || drop(guard))
}
