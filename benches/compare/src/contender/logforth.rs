//! logforth, behind the `log` crate.

use logforth::append::asynchronous::AsyncBuilder;
use logforth::append::file::FileBuilder;
use logforth::append::{Append, File};
use logforth::layout::{JsonLayout, TextLayout};

use super::log_crate::{running, serves};
use super::{Check, Contender, Job, Kind, Running};
use crate::scenario::Sink;

pub fn contender() -> Contender {
    Contender {
        name: "logforth",
        kind: Kind::Rival,
        note: "local time, file and line; its file has no buffer",
        check: Check::Fields,
        serves: |scenario| serves(scenario) && (scenario.sink != Sink::Buffered || !scenario.writes()),
        start,
    }
}

fn start(job: &Job) -> Running {
    let append: Box<dyn Append> = match job.scenario.sink {
        // As many as ours has room for.
        Sink::Lossless => Box::new(
            AsyncBuilder::new("logforth").buffered_lines_limit(Some(8192)).overflow_block().append(file(job)).build(),
        ),
        Sink::Default => Box::new(AsyncBuilder::new("logforth").append(file(job)).build()),
        _ => Box::new(file(job)),
    };
    logforth::starter_log::builder().dispatch(|dispatch| dispatch.append(append)).apply();
    running(&job.scenario, || log::logger().flush())
}

fn file(job: &Job) -> File {
    let file = FileBuilder::new(&job.dir, "out").filename_suffix("log");
    let file = match job.scenario.text {
        false => file.layout(JsonLayout::default()),
        true => file.layout(TextLayout::default().no_color()),
    };
    file.build().expect("the directory is ours")
}
