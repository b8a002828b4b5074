//! A generated program: events with values of every type, in spans that are nested, recorded to, entered and closed.

use std::error::Error;
use std::fmt;

use tracing::span::EnteredSpan;
use tracing::{Span, Subscriber, field, info_span};

/// What an event names as its parent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parent {
    /// The span that the thread is in.
    Current,
    /// `parent: None`
    None,
    /// `parent: &span`
    Explicit,
}

/// What the program has logged.
#[derive(Clone, Debug)]
pub struct Said {
    pub parent: Parent,
    /// The names of the enclosing spans, root first.
    pub spans: Vec<&'static str>,
    /// The number of the callsite.
    pub site: usize,
}

/// Runs `steps` steps under `subscriber`, and returns what it has logged. The same seed is the same program.
pub fn run(seed: u64, steps: usize, subscriber: impl Subscriber + Send + Sync + 'static) -> Vec<Said> {
    tracing::subscriber::with_default(subscriber, || {
        let mut program = Program { random: Random(seed), stack: Vec::new(), aside: Vec::new(), said: Vec::new() };
        (0..steps).for_each(|_| program.step());
        while program.stack.pop().is_some() {}
        program.said
    })
}

struct Program {
    random: Random,
    /// Entered.
    stack: Vec<(EnteredSpan, Vec<&'static str>)>,
    /// Never entered.
    aside: Vec<(Span, Vec<&'static str>)>,
    said: Vec<Said>,
}

impl Program {
    fn step(&mut self) {
        match self.random.below(10) {
            0 | 1 if self.stack.len() < 6 => {
                let (span, names) = self.span();
                self.stack.push((span.entered(), names));
            }
            0..=2 => drop(self.stack.pop()),
            3 if self.aside.len() < 4 => {
                let span = self.span();
                self.aside.push(span);
            }
            3 => drop(self.aside.remove(0)),
            4 => self.record(),
            _ => self.event(),
        }
    }

    fn current(&self) -> Vec<&'static str> {
        self.stack.last().map(|(_, names)| names.clone()).unwrap_or_default()
    }

    fn record(&mut self) {
        let value = self.random.value();
        if let Some((span, _)) = self.stack.last() {
            span.record("rows", value.int);
        }
        if let Some((span, _)) = self.aside.last() {
            span.record("method", value.text.as_str());
        }
    }

    fn span(&mut self) -> (Span, Vec<&'static str>) {
        let value = self.random.value();
        let mut names = self.current();
        let span = match self.random.below(6) {
            0 => info_span!(target: "shop", "request", path = %value.text, method = "GET", "user.id" = value.unsigned),
            1 => info_span!(target: "shop", "query", table = ?value.list, rows = field::Empty),
            2 => info_span!(target: "shop", "plain"),
            3 => info_span!(target: "shop", "named", name = value.text.as_str(), zone = 1),
            4 => info_span!(
                target: "shop",
                "numbers",
                wide = value.wide,
                int = value.int,
                float = value.float,
                bytes = &value.bytes[..],
                yes = value.yes
            ),
            _ => {
                names.clear();
                info_span!(target: "shop", parent: None, "root of \"its\" own", error = &value.error() as &dyn Error)
            }
        };
        names.push(span.metadata().expect("the span is enabled").name());
        (span, names)
    }

    fn event(&mut self) {
        let value = self.random.value();
        let site = self.random.below(SITES);
        let (parent, span, spans) = match self.random.below(6) {
            0 => (Parent::None, None, Vec::new()),
            1 if !self.aside.is_empty() => {
                let (span, names) = &self.aside[0];
                (Parent::Explicit, Some(span.clone()), names.clone())
            }
            2 if !self.stack.is_empty() => {
                let (span, names) = &self.stack[0];
                (Parent::Explicit, Some(Span::clone(span)), names.clone())
            }
            _ => (Parent::Current, None, self.current()),
        };
        log(site, parent, span.as_ref(), &value);
        self.said.push(Said { parent, spans, site });
    }
}

/// Logs at one level, with each kind of parent.
macro_rules! log {
    ($parent:ident, $span:ident, $level:ident, $target:literal, $($rest:tt)+) => {
        match ($parent, $span) {
            (Parent::None, _) => tracing::$level!(target: $target, parent: None, $($rest)+),
            (_, Some(span)) => tracing::$level!(target: $target, parent: span, $($rest)+),
            _ => tracing::$level!(target: $target, $($rest)+),
        }
    };
}

fn log(site: usize, parent: Parent, span: Option<&Span>, value: &Value) {
    match site {
        0 => log!(parent, span, info, "shop::stock", "sold {}", value.text),
        1 => log!(
            parent,
            span,
            debug,
            "shop",
            int = value.int,
            unsigned = value.unsigned,
            float = value.float,
            yes = value.yes,
            small = value.int as i8,
            "numbers"
        ),
        2 => log!(parent, span, warn, "shop", wide = value.wide, most = value.wide.unsigned_abs(), "wide"),
        3 => log!(parent, span, error, "shop", error = &value.error() as &dyn Error, "not sold"),
        4 => log!(parent, span, trace, "shop", list = ?value.list, shown = %value.text, "shown"),
        5 => log!(
            parent,
            span,
            info,
            "shop",
            text = value.text.as_str(),
            "quoted \"name\"" = 1,
            a.b.c = 2,
            "two words" = "three more words",
            "dotted."
        ),
        6 => log!(parent, span, info, "shop", bytes = &value.bytes[..], "bytes"),
        7 => log!(parent, span, info, "shop", only = value.int),
        8 => log!(parent, span, info, "", text = value.text.as_str(), ""),
        9 => log!(
            parent,
            span,
            info,
            "shop",
            none = None::<u64>,
            some = Some(value.int),
            empty = field::Empty,
            "options"
        ),
        10 => log!(parent, span, info, "shop", message = value.text.as_str(), after = 1),
        11 => log!(parent, span, info, "shop", before = 1, message = %value.text, after = 2),
        12 => log!(parent, span, info, "shop", "first\nsecond\tcolumn {}", value.text),
        13 => log!(parent, span, info, "shop", message = value.text.as_str(), "of the format"),
        14 => log!(
            parent,
            span,
            info,
            "shop",
            timestamp = value.int,
            level = "gold",
            target = "wall",
            span = 1,
            spans = 2,
            fields = 3,
            "named like parts"
        ),
        15 => log!(parent, span, info, "shop", r#type = "t", r#fn = value.yes, "raw"),
        _ => log!(parent, span, info, "shop", none = None::<u64>),
    }
}

/// The fields of a callsite's events, without messages.
pub fn event_fields(site: usize) -> &'static [&'static str] {
    match site {
        1 => &["int", "unsigned", "float", "yes", "small"],
        2 => &["wide", "most"],
        3 => &["error"],
        4 => &["list", "shown"],
        5 => &["text", "quoted \"name\"", "a.b.c", "two words"],
        6 => &["bytes"],
        7 => &["only"],
        8 => &["text"],
        9 => &["some"],
        10 => &["after"],
        11 => &["before", "after"],
        13 => &["message"],
        14 => &["timestamp", "level", "target", "span", "spans", "fields"],
        15 => &["type", "fn"],
        _ => &[],
    }
}

/// The fields of the spans of this name.
pub fn span_fields(name: &str) -> &'static [&'static str] {
    match name {
        "request" => &["path", "method", "user.id"],
        "query" => &["table", "rows"],
        "named" => &["name", "zone"],
        "numbers" => &["wide", "int", "float", "bytes", "yes"],
        "plain" => &[],
        _ => &["error"],
    }
}

/// The number of callsites above.
const SITES: usize = 17;
/// Values of all types.
struct Value {
    int: i64,
    unsigned: u64,
    wide: i128,
    float: f64,
    yes: bool,
    text: String,
    bytes: Vec<u8>,
    list: Vec<Option<String>>,
}

impl Value {
    fn error(&self) -> Chained {
        Chained { own: format!("cannot sell {}", self.int), sources: if self.yes { 2 } else { 0 } }
    }
}

/// An error with sources.
#[derive(Debug)]
struct Chained {
    own: String,
    sources: usize,
}

impl fmt::Display for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.own)
    }
}

impl Error for Chained {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        static LAST: Cause = Cause("connection refused", None);
        static FIRST: Cause = Cause("the database is down", Some(&LAST));
        (self.sources > 0).then_some(&FIRST as _)
    }
}

#[derive(Debug)]
struct Cause(&'static str, Option<&'static Cause>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.map(|cause| cause as _)
    }
}

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    fn text(&mut self) -> String {
        TEXTS[self.below(TEXTS.len())].to_owned()
    }

    fn value(&mut self) -> Value {
        let bits = self.next();
        let shift = self.below(64) as u32;
        Value {
            int: (bits as i64) >> shift,
            unsigned: bits >> shift,
            wide: i128::from(bits as i64) << self.below(60),
            float: FLOATS[self.below(FLOATS.len())],
            yes: bits & 1 == 0,
            text: self.text(),
            bytes: bits.to_le_bytes()[..self.below(8)].to_vec(),
            list: (0..self.below(3)).map(|_| Some(self.text()).filter(|text| text.len() > 3)).collect(),
        }
    }
}

const FLOATS: &[f64] =
    &[0.0, -0.0, 1.0, 0.1, -1.5e300, 1e16, 123_456_789.25, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, -f64::INFINITY];
const TEXTS: &[&str] = &[
    "",
    "a",
    "two words",
    "a \"quoted\" word",
    "it's",
    "grün 東京 🦀",
    "x=1 y=2",
    "{\"json\": [1, 2]}",
    "ends in space ",
    "\u{1b}[31mred\u{1b}[0m",
    "line\nbreak\r\n\ttab",
    "nul \0 and del \u{7f} and c1 \u{85}",
    "zero\u{200b}width \u{202e}turned",
    "/path/to/file.rs:41",
    "back\\slash",
];
