use std::fmt;
use std::str::FromStr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

#[cfg(feature = "env-filter")]
use super::env_filter::EnvFilter as Directives;
use super::targets::Targets;
#[cfg(not(feature = "env-filter"))]
use super::targets::Targets as Directives;
use super::text::Piece;
use crate::filter::{Filter, LevelFilter};
use crate::record::{Meta, Record};
use crate::sync::lock;
use crate::{Error, ErrorKind, changes, threads};

/// Directives that can be changed at run time, by a text such as one from an administrator: permanently, for a period, or for the
/// lifetime of a guard. Beside it, [`LevelSwitch`](super::super::LevelSwitch) changes a level.
///
/// The directives are those of [`Targets`](super::Targets), or, with the feature `env-filter`, those of `EnvFilter`.
///
/// Clones share the directives: one is the filter of a handler, another changes it. A change makes tracing reconsider every callsite,
/// so it should be rare. A directive of a span applies to spans that existed before the change only if some handler wanted them then. A
/// record is judged when it reaches the filter, which behind a [`Queue`](crate::Queue) is later than the log
/// call: there, put the switch in front of the queue with [`Filtered`](crate::handler::Filtered).
///
/// ```
/// use tracing_handlers::filter::DirectiveSwitch;
/// use tracing_handlers::{Output, format::Text, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let (directives, memory) = (DirectiveSwitch::new("info")?, Memory::new());
/// let output = Output::new(Text::new(), memory.clone()).filter(directives.clone());
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
///     tracing::debug!(target: "shop", "not yet");
///     directives.set("info,shop=debug").unwrap();
///     tracing::debug!(target: "shop", "now");
///     assert!(directives.set("info,shop=loud").is_err());
/// });
/// assert_eq!((memory.lines().len(), directives.get().as_str()), (1, "shop=debug,info"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone)]
pub struct DirectiveSwitch(Arc<SwitchCore>);

struct SwitchCore {
    now: ArcSwap<Directives>,
    settings: Mutex<Settings>,
}

struct Settings {
    base: Arc<Directives>,
    /// The temporary directives, with their numbers; the last ones apply.
    temporary: Vec<(u64, Arc<Directives>)>,
    next: u64,
    /// Those of [`DirectiveSwitch::set_for`]; dropping the sender cancels their timer.
    timed: Option<(u64, Sender<()>)>,
}

impl DirectiveSwitch {
    /// Creates a switch with these directives.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if one is not valid, or if there is none.
    pub fn new(directives: impl AsRef<str>) -> Result<Self, Error> {
        parse(directives.as_ref()).map(Self::with)
    }

    fn with(directives: Directives) -> Self {
        let base = Arc::new(directives);
        let settings = Settings { base: base.clone(), temporary: Vec::new(), next: 1, timed: None };
        Self(Arc::new(SwitchCore { now: ArcSwap::new(base), settings: Mutex::new(settings) }))
    }

    /// Returns the current directives as they are parsed.
    pub fn get(&self) -> String {
        self.0.now.load().to_string()
    }

    /// Changes the directives permanently. Temporary ones remain until they end.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if a directive is not valid, or if there is none. Nothing is changed then.
    pub fn set(&self, directives: impl AsRef<str>) -> Result<(), Error> {
        let directives = Arc::new(parse(directives.as_ref())?);
        self.0.change(|settings| settings.base = directives);
        Ok(())
    }

    /// Changes the directives for `time`. A second call replaces the first.
    ///
    /// A thread waits for the end of the period. It does not exist in a forked child: there they stay until the next change.
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set); [`Io`](ErrorKind::Io) if the thread cannot be started. Nothing is changed then.
    pub fn set_for(&self, directives: impl AsRef<str>, time: Duration) -> Result<(), Error> {
        let directives = Arc::new(parse(directives.as_ref())?);
        let (timer, canceled) = mpsc::channel();
        let number = self.0.change(|settings| {
            if let Some((before, _)) = settings.timed.take() {
                settings.remove(before);
            }
            let number = settings.add(directives);
            settings.timed = Some((number, timer));
            number
        });
        let core = Arc::downgrade(&self.0);
        let started = threads::start("log-directives", move || {
            if canceled.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                restore(&core, number);
            }
        });
        if started.is_err() {
            restore(&Arc::downgrade(&self.0), number);
        }
        started.map(drop).map_err(|error| Error::io("cannot start the thread that restores directives", error))
    }

    /// Changes the directives for the lifetime of the guard.
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set).
    pub fn scoped(&self, directives: impl AsRef<str>) -> Result<ScopedDirectives, Error> {
        let directives = Arc::new(parse(directives.as_ref())?);
        let number = self.0.change(|settings| settings.add(directives));
        Ok(ScopedDirectives { switch: self.0.clone(), number })
    }
}

/// Keeps temporary directives until it is dropped: see [`DirectiveSwitch::scoped`].
#[must_use = "the directives end when the guard is dropped"]
pub struct ScopedDirectives {
    switch: Arc<SwitchCore>,
    number: u64,
}

impl Drop for ScopedDirectives {
    fn drop(&mut self) {
        self.switch.change(|settings| settings.remove(self.number));
    }
}

fn parse(text: &str) -> Result<Directives, Error> {
    match Piece::new(text).split_at_commas().next() {
        Some(_) => text.parse(),
        None => Err(Error::new(ErrorKind::Config, "expected directives, found none; `off` passes nothing")),
    }
}

fn restore(switch: &Weak<SwitchCore>, number: u64) {
    if let Some(switch) = switch.upgrade() {
        switch.change(|settings| {
            settings.remove(number);
            settings.timed.take_if(|(timed, _)| *timed == number);
        });
    }
}

impl SwitchCore {
    fn change<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> T {
        let mut settings = lock(&self.settings);
        let changed = change(&mut settings);
        self.now.store(settings.now());
        drop(settings);
        changes::announce();
        changed
    }
}

impl Settings {
    fn now(&self) -> Arc<Directives> {
        self.temporary.last().map_or(&self.base, |(_, directives)| directives).clone()
    }

    fn add(&mut self, directives: Arc<Directives>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.temporary.push((number, directives));
        number
    }

    fn remove(&mut self, number: u64) {
        self.temporary.retain(|(known, _)| *known != number);
    }
}

impl From<Targets> for DirectiveSwitch {
    #[cfg_attr(
        not(feature = "env-filter"),
        expect(clippy::useless_conversion, reason = "these are all directives then")
    )]
    fn from(targets: Targets) -> Self {
        Self::with(targets.into())
    }
}

#[cfg(feature = "env-filter")]
impl From<Directives> for DirectiveSwitch {
    fn from(directives: Directives) -> Self {
        Self::with(directives)
    }
}

impl FromStr for DirectiveSwitch {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// Writes the current directives as they are parsed.
impl fmt::Display for DirectiveSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.now.load().fmt(f)
    }
}

impl fmt::Debug for DirectiveSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirectiveSwitch").field(&format_args!("{self}")).finish()
    }
}

impl fmt::Debug for ScopedDirectives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedDirectives").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Filter for DirectiveSwitch {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.0.now.load().enabled(meta)
    }

    fn max_level(&self) -> LevelFilter {
        self.0.now.load().max_level()
    }

    /// A record may have been logged under other directives.
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.0.now.load().passes(record)
    }

    fn looks_at_spans(&self) -> bool {
        self.0.now.load().looks_at_spans()
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        self.0.now.load().passes_in(record)
    }

    fn span_level(&self) -> LevelFilter {
        self.0.now.load().span_level()
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        self.0.now.load().needs_span(meta)
    }
}
