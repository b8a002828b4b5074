//! flexi_logger, behind the `log` crate.

use flexi_logger::{Cleanup, Criterion, FileSpec, FlexiLoggerError, Logger, LoggerHandle, Naming, WriteMode};

use super::log_crate::{running, serves};
use super::{BUFFER, Check, Contender, Job, Kind, Running};
use crate::scenario::{Scenario, Sink, Spans, Task};

pub fn contender() -> Contender {
    Contender {
        name: "flexi",
        kind: Kind::Rival,
        note: "flexi_logger; module, file and line in place of a target; its queue has no bound",
        check: Check::Fields,
        serves: |scenario| serves(scenario) || (scenario.task == Task::Rotation && scenario.spans == Spans::None),
        start,
    }
}

fn start(job: &Job) -> Running {
    let handle = install(job).expect("the first logger of this process");
    running(&job.scenario, move || handle.shutdown())
}

fn install(job: &Job) -> Result<LoggerHandle, FlexiLoggerError> {
    let spec = FileSpec::default().directory(&job.dir).basename("out").suffix("log").suppress_timestamp();
    let level = if job.scenario.writes() { log::LevelFilter::Trace } else { log::LevelFilter::Info };
    let logger = Logger::with(level)
        .log_to_file(spec)
        .format(if job.scenario.text { flexi_logger::opt_format } else { flexi_logger::json_format })
        .use_utc()
        .write_mode(mode(&job.scenario));
    match job.scenario.task {
        Task::Rotation => {
            let size = Criterion::Size(crate::check::ROTATE_AT);
            let logger = logger.rotate(size, Naming::Numbers, Cleanup::KeepLogFiles(5));
            logger.cleanup_in_background_thread(false).start()
        }
        _ => logger.start(),
    }
}

fn mode(scenario: &Scenario) -> WriteMode {
    match scenario.sink {
        Sink::Buffered => WriteMode::BufferDontFlushWith(BUFFER),
        Sink::Unbuffered => WriteMode::Direct,
        Sink::Lossless | Sink::Default => WriteMode::Async,
    }
}
