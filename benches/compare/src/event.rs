//! The event that all contenders log, and its spans.

use std::hint::black_box;
use std::ops::Range;

/// The kind of a call of the logger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// An INFO event: a message that contains an integer, and four typed fields.
    Event,
    /// A new span around the event.
    Span,
    /// The event at DEBUG, INFO, WARN and ERROR in turn.
    Mixed,
    /// A DEBUG event that no layer wants, or only another layer.
    Off,
}

/// The level of a mixed event, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    #[inline]
    pub fn of(number: u64) -> Self {
        match number % 4 {
            0 => Self::Debug,
            1 => Self::Info,
            2 => Self::Warn,
            _ => Self::Error,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

pub const TARGET: &str = "shop::stock";
pub const MESSAGE: (&str, &str) = ("the customer took article number ", " from the second shelf");
/// The value that `ours-rewrite` removes.
pub const SECRET: &str = "ada lovelace";

/// The event's fields, which are all derived from its number, so that a check needs nothing else.
pub struct Values {
    pub number: u64,
    pub bytes: u64,
    pub price: f64,
    pub article: &'static str,
    pub paid: bool,
}

impl Values {
    #[inline]
    pub fn of(number: u64) -> Self {
        black_box(Self {
            number,
            bytes: number * 7919,
            price: (number % 100_000) as f64 / 100.0,
            article: ARTICLES[number as usize % ARTICLES.len()],
            paid: number.is_multiple_of(2),
        })
    }
}

const ARTICLES: [&str; 4] = ["red umbrella", "green kettle", "brass teapot", "ivory candle"];

/// The first number of a thread; all numbers have eight digits, and all lines one length.
pub fn first_number(thread: u64) -> u64 {
    (thread + 1) * 10_000_000
}

/// The calls of a logger.
pub trait Logger: Sync {
    /// Logs an event per number, by one virtual call for many events, so that its cost is negligible.
    fn log(&self, call: Call, numbers: Range<u64>);

    /// Does `work` inside the three spans, on this thread.
    fn in_spans(&self, id: u64, work: &mut dyn FnMut());
}

/// Logs through tracing's macros.
pub struct Tracing;

impl Logger for Tracing {
    fn log(&self, call: Call, numbers: Range<u64>) {
        match call {
            Call::Event => numbers.for_each(tracing_event),
            Call::Span => numbers.for_each(|number| {
                let _span =
                    tracing::info_span!(target: TARGET, "request", method = "GET", id = black_box(number)).entered();
                tracing_event(number);
            }),
            Call::Mixed => numbers.for_each(tracing_mixed),
            Call::Off => numbers.for_each(tracing_off),
        }
    }

    fn in_spans(&self, id: u64, work: &mut dyn FnMut()) {
        let _request = tracing::info_span!(target: TARGET, "request", method = "GET", id = black_box(id)).entered();
        let _order =
            tracing::info_span!(target: TARGET, "order", customer = SECRET, items = black_box(3_u64)).entered();
        let _query =
            tracing::info_span!(target: TARGET, "query", table = "articles", rows = black_box(42_u64)).entered();
        work();
    }
}

macro_rules! tracing_at {
    ($level:ident, $number:expr) => {{
        let Values { number, bytes, price, article, paid } = Values::of($number);
        tracing::$level!(
            target: TARGET, bytes, price, article, paid,
            "the customer took article number {number} from the second shelf"
        );
    }};
}

#[inline(never)]
fn tracing_event(number: u64) {
    tracing_at!(info, number);
}

#[inline]
fn tracing_mixed(number: u64) {
    match Level::of(number) {
        Level::Debug => tracing_at!(debug, number),
        Level::Info => tracing_at!(info, number),
        Level::Warn => tracing_at!(warn, number),
        Level::Error => tracing_at!(error, number),
    }
}

#[inline(never)]
fn tracing_off(number: u64) {
    tracing::debug!(target: TARGET, number = black_box(number), "counted");
}
