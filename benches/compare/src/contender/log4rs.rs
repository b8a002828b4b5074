//! log4rs, behind the `log` crate.

use log::LevelFilter;
use log4rs::append::file::FileAppender;
use log4rs::config::{Appender, Root};
use log4rs::encode::Encode;
use log4rs::encode::json::JsonEncoder;
use log4rs::encode::pattern::PatternEncoder;

use super::log_crate::{running, serves};
use super::{Check, Contender, Job, Kind, Running};
use crate::scenario::Sink;

pub fn contender() -> Contender {
    Contender {
        name: "log4rs",
        kind: Kind::Rival,
        note: "every field is a string in JSON; local time, file and line; its file is flushed after each line",
        check: Check::Fields,
        serves: |scenario| serves(scenario) && (scenario.sink == Sink::Unbuffered || !scenario.writes()),
        start,
    }
}

fn start(job: &Job) -> Running {
    let encoder: Box<dyn Encode> = match job.scenario.text {
        false => Box::new(JsonEncoder::new()),
        true => Box::new(PatternEncoder::new(PATTERN)),
    };
    let file = FileAppender::builder().encoder(encoder).build(job.file()).expect("the directory is ours");
    let level = if job.scenario.writes() { LevelFilter::Trace } else { LevelFilter::Info };
    let config = log4rs::Config::builder()
        .appender(Appender::builder().build("file", Box::new(file)))
        .build(Root::builder().appender("file").build(level));
    log4rs::init_config(config.expect("its one appender is there")).expect("the first logger of this process");
    running(&job.scenario, || log::logger().flush())
}

const PATTERN: &str = "{d(%Y-%m-%dT%H:%M:%S%.6fZ)(utc)} {l} {t}: {m} bytes={K(bytes)} price={K(price)} \
                       article={K(article)} paid={K(paid)}{n}";
