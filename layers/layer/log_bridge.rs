//! The logger through which records of the `log` crate reach tracing's subscribers, with their key-values.
//!
//! tracing-log's `LogTracer` does the same without the key-values: the fields of a tracing event are fixed where it is written, and
//! those of a `log` record are not. Here they go past the event, see `record::waiting`.

use std::sync::OnceLock;

use log::Log;
use tracing::callsite::{Callsite, Identifier};
use tracing::field::{FieldSet, Value};
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, dispatcher};
use tracing_subscriber::filter::LevelFilter;

use super::log_level;
use super::nesting::Depth;
use crate::record::key_values;
use crate::{Error, ErrorKind};

/// Makes the records of the [`log`] crate events of the subscriber that is current where they are logged, with their origin and
/// their key-values.
///
/// [`init`](crate::init) does this already. A program that installs a subscriber in another way calls this first, and then
/// `tracing::subscriber::set_global_default`. Further calls have no effect.
///
/// A process has one logger for the `log` crate, so it is either this one or `tracing_log::LogTracer`, which loses the key-values:
///
/// | call | effect |
/// |---|---|
/// | `init` of tracing-subscriber, with its default feature `tracing-log` | installs `LogTracer`: records arrive with their origin, without key-values |
/// | the same after this function | installs the subscriber, and panics, since there is a logger; `try_init` returns the error. Records arrive with key-values |
/// | `LogTracer::init()`, then this function | an error; records arrive without key-values |
/// | `LogTracer::init()`, then [`init`](crate::init) | no error; records arrive once, without key-values |
///
/// Key-values keep their types: strings, integers, floats and booleans; errors with their sources if the program turns on log's
/// feature `kv_std`; nested values if it turns on `kv_serde`, and this crate's feature `serde`; otherwise both are texts. A null is
/// a nested `null`. A text called `severity` raises the record's [`Severity`](crate::Severity), as a field of an event does; every other
/// name, `message` too, is that of an ordinary field. Other layers do not see key-values, and see the origin in fields called `log.target`, `log.file` and so on.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config) if another logger has been installed. It keeps all records of the `log` crate.
///
/// ```
/// use tracing_handlers::{Output, format::{Json, Time}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// tracing_handlers::bridge_log()?;
/// let memory = Memory::new();
/// let layer = tracing_handlers::layer(Output::new(Json::new().time(Time::none()), memory.clone()));
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     log::info!(target: "shop", pieces = 3; "sold");
/// });
/// assert_eq!(memory.lines(), [r#"{"level":"INFO","target":"shop","message":"sold","pieces":3}"#]);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn bridge_log() -> Result<(), Error> {
    match install(log_level::start) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Config, "cannot receive records of the `log` crate: it has another logger")),
    }
}

/// The same, for a program whose own logger may stay.
pub(crate) fn bridge_log_if_free() {
    if install(|| ()) {
        log_level::start();
    }
}

/// Returns whether the process's logger is this one, and calls `first` if it was installed now.
fn install(first: fn()) -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    // A logger is never replaced, so there is only one attempt.
    *INSTALLED.get_or_init(|| log::set_logger(&Bridge).inspect(|()| first()).is_ok())
}

struct Bridge;

impl Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        let site = Site::of(metadata.level());
        site.is_enabled() && dispatcher::get_default(|dispatch| dispatch.enabled(&site.origin(metadata)))
    }

    fn log(&self, record: &log::Record<'_>) {
        let site = Site::of(record.level());
        if site.is_enabled() {
            dispatcher::get_default(|dispatch| site.log(record, dispatch));
        }
    }

    fn flush(&self) {}
}

/// What stands for all callsites of the `log` crate with one level, named as in tracing-log.
struct Site {
    metadata: Metadata<'static>,
}

impl Site {
    const fn new(this: &'static Self, level: Level) -> Self {
        let fields = FieldSet::new(FIELDS, Identifier(this));
        Self { metadata: Metadata::new("log event", "log", level, None, None, None, fields, Kind::EVENT) }
    }

    fn of(level: log::Level) -> &'static Self {
        match level {
            log::Level::Error => &ERROR,
            log::Level::Warn => &WARN,
            log::Level::Info => &INFO,
            log::Level::Debug => &DEBUG,
            log::Level::Trace => &TRACE,
        }
    }

    fn is_enabled(&self) -> bool {
        *self.metadata.level() <= LevelFilter::current()
    }

    /// The metadata that filters decide from.
    fn origin<'m>(&'static self, metadata: &log::Metadata<'m>) -> Metadata<'m> {
        self.place(metadata.target(), None, None, None)
    }

    fn place<'m>(
        &'static self,
        target: &'m str,
        file: Option<&'m str>,
        line: Option<u32>,
        module: Option<&'m str>,
    ) -> Metadata<'m> {
        let fields = FieldSet::new(FIELDS, Identifier(self));
        Metadata::new("log record", target, *self.metadata.level(), file, line, module, fields, Kind::EVENT)
    }

    fn log(&'static self, record: &log::Record<'_>, dispatch: &Dispatch) {
        let place = self.place(record.target(), record.file(), record.line(), record.module_path());
        if dispatch.enabled(&place) {
            let source = record.key_values();
            key_values::beside(&self.metadata, source, Depth::enter(), || {
                // What a value logs while it is encoded makes other layers forget what they answered.
                if source.count() == 0 || dispatch.enabled(&place) {
                    self.dispatch(record, dispatch);
                }
            });
        }
    }

    fn dispatch(&'static self, record: &log::Record<'_>, dispatch: &Dispatch) {
        let (target, module, file, line) = (record.target(), record.module_path(), record.file(), record.line());
        let mut names = self.metadata.fields().iter();
        let names: [_; FIELDS.len()] = std::array::from_fn(|_| names.next());
        let [Some(message), Some(of_target), Some(of_module), Some(of_file), Some(of_line)] = &names else { return };
        let values = [
            (message, Some(record.args() as &dyn Value)),
            (of_target, Some(&target as &dyn Value)),
            (of_module, module.as_ref().map(|module| module as &dyn Value)),
            (of_file, file.as_ref().map(|file| file as &dyn Value)),
            (of_line, line.as_ref().map(|line| line as &dyn Value)),
        ];
        dispatch.event(&Event::new(&self.metadata, &self.metadata.fields().value_set(&values)));
    }
}

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &self.metadata
    }
}

static ERROR: Site = Site::new(&ERROR, Level::ERROR);
static WARN: Site = Site::new(&WARN, Level::WARN);
static INFO: Site = Site::new(&INFO, Level::INFO);
static DEBUG: Site = Site::new(&DEBUG, Level::DEBUG);
static TRACE: Site = Site::new(&TRACE, Level::TRACE);

const FIELDS: &[&str] = &["message", "log.target", "log.module_path", "log.file", "log.line"];
