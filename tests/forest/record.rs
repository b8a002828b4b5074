//! Records, in the form of the model and in that of the handlers.

use std::sync::{Arc, Mutex, OnceLock};

use proptest::prelude::*;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::handler::Handler;
use tracing_handlers::record::{Kind, SpanEvents};
use tracing_handlers::{Error, Record, RecordBuf, Severity};
use tracing_subscriber::prelude::*;

/// A record, as plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct Rec {
    pub kind: Kind,
    pub severity: u8,
    pub target: String,
    pub message: String,
    /// Names and values, as text.
    pub fields: Vec<(String, String)>,
    /// In seconds.
    pub time: i64,
    /// The number of the request whose span the record is in.
    pub request: Option<usize>,
}

impl Rec {
    pub fn event(severity: u8, target: &str, message: &str, time: i64) -> Self {
        let (target, message) = (target.to_owned(), message.to_owned());
        Self { kind: Kind::Event, severity, target, message, fields: Vec::new(), time, request: None }
    }

    /// The record of the closing span of a request.
    pub fn close(request: usize, time: i64) -> Self {
        let of_span = Self::event(9, TARGETS[0], "", time);
        Self { kind: Kind::SpanClose, request: Some(request), ..of_span }
    }

    /// A notice of `lost` records.
    pub fn notice(lost: u64, message: &str, reason: &str, time: i64) -> Self {
        let mut notice = Self::event(13, "tracing_handlers", message, time);
        notice.kind = Kind::Loss;
        notice.with("lost", lost).with("reason", reason)
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.fields.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn is_of_span(&self) -> bool {
        self.kind == Kind::SpanClose
    }

    /// The line that an end writes.
    pub fn line(&self) -> String {
        let Self { severity, target, message, .. } = self;
        if self.is_of_span() {
            return format!("{severity} {target} close");
        }
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{severity} {target} {message}{}", fields.concat())
    }

    pub fn real(&self) -> RecordBuf {
        let severity = Severity::from_number(self.severity).expect("1 to 24");
        let mut record = match self.request {
            None => RecordBuf::new(severity, &self.target, &self.message),
            Some(request) if self.is_of_span() => requests()[request].close.clone(),
            Some(request) => {
                let mut event = requests()[request].event(severity, &self.target);
                event.set_message(&self.message);
                event
            }
        };
        for (name, value) in &self.fields {
            match value.parse::<u64>() {
                Ok(number) => record.push_field(name, number.into()),
                Err(_) => record.push_field(name, value.as_str().into()),
            }
        }
        record.with_time(Timestamp::new(1_000 + self.time, 0))
    }
}

/// As [`Rec::line`], for a real record.
pub fn line(record: &Record<'_>) -> String {
    let (severity, target) = (record.severity().number(), record.target());
    if record.kind().is_of_span() {
        return format!("{severity} {target} close");
    }
    let fields: Vec<_> = record.fields().map(|field| format!(" {}={}", field.name, field.value)).collect();
    format!("{severity} {target} {}{}", record.message(), fields.concat())
}

/// What a caller logs.
#[derive(Clone, Debug)]
pub struct Say {
    severity: u8,
    target: usize,
    text: usize,
    area: Option<usize>,
    number: Option<u64>,
    request: Option<usize>,
}

impl Say {
    /// The record, in the request that is open at its place.
    pub fn record(&self, time: i64, requests: &Current) -> Rec {
        let request = self.request.and_then(|request| requests.of(request));
        // A captured record has one of tracing's five levels.
        let severity = if request.is_some() { (self.severity - 1).min(19) / 4 * 4 + 1 } else { self.severity };
        let mut record = Rec::event(severity, TARGETS[self.target], TEXTS[self.text], time);
        record.request = request;
        let record = self.area.map_or(record.clone(), |area| record.with("area", AREAS[area]));
        self.number.map_or(record.clone(), |number| record.with("n", number))
    }
}

pub fn says() -> impl Strategy<Value = Say> {
    let severity = prop_oneof![3 => prop::sample::select(vec![1_u8, 5, 9, 13, 17]), 1 => 1_u8..=24];
    let small = prop::option::weighted(0.4, 0_usize..AREAS.len());
    let request = prop::option::weighted(0.4, 0..PLACES);
    (severity, 0..TARGETS.len(), 0..TEXTS.len(), small, prop::option::weighted(0.3, 0_u64..2), request).prop_map(
        |(severity, target, text, area, number, request)| Say { severity, target, text, area, number, request },
    )
}

/// The requests that are open. When one ends, the next one takes its place.
#[derive(Default)]
pub struct Current([usize; PLACES]);

impl Current {
    pub fn of(&self, place: usize) -> Option<usize> {
        let request = place + PLACES * self.0[place];
        (request < REQUESTS).then_some(request)
    }

    pub fn end(&mut self, place: usize) {
        self.0[place] += 1;
    }
}

/// Records captured from tracing, one of each callsite, in a span of their own.
struct Request {
    events: Vec<RecordBuf>,
    close: RecordBuf,
}

impl Request {
    fn event(&self, severity: Severity, target: &str) -> RecordBuf {
        let is_it = |event: &&RecordBuf| {
            event.as_record().severity().number() == severity.number() && event.as_record().target() == target
        };
        self.events.iter().find(is_it).expect("every callsite has logged").clone()
    }
}

fn requests() -> &'static [Request] {
    static ALL: OnceLock<Vec<Request>> = OnceLock::new();
    ALL.get_or_init(|| {
        let kept = Kept::default();
        // All spans stay open until the last one is made, so that their ids differ.
        let spans = tracing::subscriber::with_default(
            tracing_subscriber::registry().with(tracing_handlers::layer(kept.clone())),
            || (0..REQUESTS).map(|_| log_all()).collect::<Vec<_>>(),
        );
        let events = std::mem::take(&mut *kept.0.lock().unwrap());
        drop(spans);
        let closes = std::mem::take(&mut *kept.0.lock().unwrap());
        let events = events.chunks(events.len() / REQUESTS).map(<[RecordBuf]>::to_vec);
        events.zip(closes).map(|(events, close)| Request { events, close }).collect()
    })
}

fn log_all() -> tracing::Span {
    let span = tracing::info_span!(target: "shop", "request");
    macro_rules! log {
        ($($target:literal)*) => {$(
            tracing::trace!(target: $target, "");
            tracing::debug!(target: $target, "");
            tracing::info!(target: $target, "");
            tracing::warn!(target: $target, "");
            tracing::error!(target: $target, "");
        )*};
    }
    span.in_scope(|| {
        log!("shop" "shop::till" "shopping");
    });
    span
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<RecordBuf>>>);

impl Handler for Kept {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.lock().unwrap().push(RecordBuf::from(record));
        Ok(())
    }

    fn span_events(&self) -> SpanEvents {
        SpanEvents::CLOSE
    }
}

pub const TARGETS: [&str; 3] = ["shop", "shop::till", "shopping"];
pub const AREAS: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 3] = ["one", "two", "three"];
/// The number of requests that are open at a time.
pub const PLACES: usize = 3;
/// The number of requests in all.
const REQUESTS: usize = 12;
