//! A daemon, as zebra and quickwit: a file for each day, of which seven are kept, written by a thread of its own.

use std::path::Path;

use super::side_by_side::{code, compare, files, under};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-daemon", about: "a daemon with a file for each day", make, shows: SHOWS };

mod before {
    use std::path::Path;

    use tracing::Dispatch;
    use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
    use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};

    pub fn set_up(logs: &Path) -> Result<(Dispatch, WorkerGuard), InitError> {
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix("indexer")
            .filename_suffix("log")
            .max_log_files(7)
            .build(logs)?;
        let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(file);
        Ok((tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish().into(), guard))
    }
}

mod after {
    use std::path::Path;

    use tracing::{Dispatch, Level};
    use tracing_handlers::format::Text;
    use tracing_handlers::rotation::{Rotation, Schedule};
    use tracing_handlers::{Error, Handler, Output, Queue, sink::File};
    use tracing_subscriber::prelude::*;

    pub fn set_up(logs: &Path) -> Result<Dispatch, Error> {
        let daily = Rotation::tracing_appender(Schedule::daily(), "indexer", "log")?.keep(6);
        let file = File::options().rotation(daily).open(logs.join("indexer.log"))?;
        let output = Output::new(Text::new(), file).level(Level::INFO);
        Ok(tracing_subscriber::registry().with(Queue::new(output).layer()).into())
    }
}

fn program() {
    let index = tracing::info_span!(target: "indexer", "index", split = 3).entered();
    (0..1_000).for_each(|document| tracing::info!(target: "indexer", document, "indexed"));
    tracing::debug!(target: "indexer", "not at this level");
    tracing::warn!(target: "indexer::merge", seconds = 1.5, "slow");
    drop(index);
    tracing::info!(target: "indexer", "done");
}

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let (stock, ours) = (folder.path().join("before"), folder.path().join("after"));
    // If the directory does not exist, tracing-appender prints an error while looking for old files, and then creates it.
    std::fs::create_dir(&stock).expect("a folder");
    let (subscriber, guard) = before::set_up(&stock).expect("a file");
    under(subscriber, program);
    drop(guard);
    under(after::set_up(&ours).expect("a file"), program);
    let shown = |folder: &Path| {
        let names: Vec<_> = files(folder).into_keys().collect();
        names.join(", ")
    };
    let name = "indexer.0000-00-00.log";
    code(include_str!("daemon.rs"))
        + &compare(name, &files(&stock)[name], &files(&ours)[name], &[])
        + &format!("files before: {}\nfiles after: {}\n", shown(&stock), shown(&ours))
}

const SHOWS: &str = "
code: 14 lines before, 12 after
indexer.0000-00-00.log: 1002 lines, equal
files before: indexer.0000-00-00.log
files after: indexer.0000-00-00.log, indexer.log
";
