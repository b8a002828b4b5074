//! A build tool, as turborepo: a quiet terminal with lines of its own form, and a file with all details.

use tracing_handlers::sink::Memory;

use super::side_by_side::{Difference, QUOTES, code, compare, files, stream, under};
use crate::Recipe;

pub const RECIPE: Recipe = Recipe {
    name: "switch-build",
    about: "a build tool with a quiet terminal and a detailed file",
    make,
    shows: SHOWS,
};

mod before {
    use std::fmt;
    use std::path::Path;

    use tracing::{Dispatch, Event, Subscriber};
    use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
    use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::fmt::format::Writer;
    use tracing_subscriber::fmt::writer::BoxMakeWriter;
    use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
    use tracing_subscriber::prelude::*;
    use tracing_subscriber::registry::LookupSpan;

    struct Terse;

    impl<S, N> FormatEvent<S, N> for Terse
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
    {
        fn format_event(
            &self,
            context: &FmtContext<'_, S, N>,
            mut writer: Writer<'_>,
            event: &Event<'_>,
        ) -> fmt::Result {
            write!(writer, "{}: ", event.metadata().level().as_str().to_lowercase())?;
            context.field_format().format_fields(writer.by_ref(), event)?;
            writeln!(writer)
        }
    }

    pub fn set_up(stderr: BoxMakeWriter, logs: &Path) -> Result<(Dispatch, WorkerGuard), InitError> {
        let file = RollingFileAppender::builder().rotation(Rotation::DAILY).filename_prefix("build.log").build(logs)?;
        let (writer, guard) = NonBlocking::new(file);
        let terminal = tracing_subscriber::fmt::layer().event_format(Terse).with_ansi(false).with_writer(stderr);
        let details = tracing_subscriber::fmt::layer().with_ansi(false).with_thread_names(true).with_writer(writer);
        let subscriber = tracing_subscriber::registry()
            .with(terminal.with_filter(LevelFilter::WARN))
            .with(details.with_filter(LevelFilter::DEBUG));
        Ok((subscriber.into(), guard))
    }
}

mod after {
    use std::path::Path;

    use tracing::{Dispatch, Level};
    use tracing_handlers::format::{Pattern, Text};
    use tracing_handlers::rotation::{Rotation, Schedule};
    use tracing_handlers::{Error, Handler, Output, Queue, Sink, sink::File};
    use tracing_subscriber::prelude::*;

    pub fn set_up(stderr: impl Sink, logs: &Path) -> Result<Dispatch, Error> {
        let terse = Pattern::new("{level:lower}: {message} {fields}")?;
        let daily = Rotation::tracing_appender(Schedule::daily(), "build.log", "")?;
        let file = File::options().rotation(daily).open(logs.join("build.log"))?;
        let terminal = Output::new(terse, stderr).level(Level::WARN);
        let details = Queue::new(Output::new(Text::new().thread_names(true), file).level(Level::DEBUG));
        Ok(tracing_subscriber::registry().with(terminal.layer()).with(details.layer()).into())
    }
}

fn program() {
    let task = tracing::debug_span!(target: "build", "task", package = "web", name = "lint").entered();
    tracing::debug!(target: "build::cache", hash = "a1b2c3", "miss");
    tracing::info!(target: "build::run", command = "npm run lint", "started");
    tracing::warn!(target: "build::run", seconds = 31, "slow task");
    tracing::error!(target: "build::run", code = 1, "failed");
    drop(task);
}

/// `Text` writes the name of the thread as `[main]`, so that it cannot be taken for something else.
const BRACKETS: Difference =
    Difference { about: "brackets around the name of the thread", without: |line| line.replacen(['[', ']'], "", 2) };

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let [old, new] = ["before", "after"].map(|name| folder.path().join(name));
    let (stock, ours) = (Memory::new(), Memory::new());
    let (subscriber, guard) = before::set_up(stream(&stock), &old).expect("a file");
    under(subscriber, program);
    drop(guard);
    under(after::set_up(ours.clone(), &new).expect("a file"), program);
    let name = "build.log.0000-00-00";
    code(include_str!("build_tool.rs"))
        + &compare("stderr", &stock.text(), &ours.text(), &[])
        + &compare("file", &files(&old)[name], &files(&new)[name], &[QUOTES, BRACKETS])
}

const SHOWS: &str = "
code: 38 lines before, 14 after
stderr: 2 lines, equal
file: 4 lines, equal but for quotation marks around single words, brackets around the name of the thread
";
