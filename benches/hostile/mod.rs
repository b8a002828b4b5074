//! What strangers choose the size of: names, nested values, recursions, keys of a route.

use std::hint::black_box;

use tracing::{Span, info, info_span};
use tracing_handlers::format::{Caps, Csv, Format, Json, Logfmt, Out, Preset, Text, csv, json, logfmt};
use tracing_handlers::handler::{Route, from_fn};
use tracing_handlers::rewrite::{Detector, Redact, Rewrite};
use tracing_handlers::sink::Null;
use tracing_handlers::{Error, Handler, Output, Part, Record, RecordBuf, Severity, Value};
use tracing_subscriber::prelude::*;

/// Does one thing again and again.
pub type Work = Box<dyn FnMut()>;

/// A scenario: how it is called, and the work of size `n`.
pub struct Scenario {
    pub name: &'static str,
    pub work: fn(n: usize) -> Work,
    /// Whether the work must not depend on `n`.
    #[allow(dead_code, reason = "not every bench asks")]
    pub constant: bool,
}

pub const SCENARIOS: [Scenario; 19] = [
    linear("json flat, spans of one field", |n| format(json_flat(), recursion(n))),
    linear("json last, fields of one name", |n| {
        format(Box::new(Json::new().duplicates(json::Duplicates::Last)), fields(n, |_| "a".to_owned()))
    }),
    linear("json, distinct fields", |n| format(json_flat(), fields(n, |at| format!("field {at}")))),
    linear("logfmt flat, spans of one field", |n| format(logfmt_flat(), recursion(n))),
    linear("logfmt, distinct fields", |n| format(Box::new(Logfmt::new()), fields(n, |at| format!("field{at}")))),
    linear("logfmt, the field of a span", |n| {
        let keys = [Part::FieldOf { span: "call".to_owned(), field: "n".to_owned() }, Part::SpanFields];
        format(Box::new(Logfmt::new().keys(keys)), recursion(n).with_span("leaf", []))
    }),
    linear("csv pairs, spans of one field", |n| {
        format(Box::new(Csv::new().columns([Part::SpanFields]).fields_as(csv::FieldsAs::Pairs)), recursion(n))
    }),
    linear("ecs, paths into one name", |n| {
        let name = |at| if at == 0 { "a".to_owned() } else { format!("a.{}", at % 7) };
        format(Box::new(Preset::ecs()), fields(n, name))
    }),
    linear("gelf, a nested value of one-letter keys", |n| {
        let members: Vec<_> = (0..n).map(|at| format!("\"{}\":1", char::from(b'a' + (at % 26) as u8))).collect();
        format(Box::new(Preset::gelf("host")), nested(&format!("{{{}}}", members.join(","))))
    }),
    linear("gelf, a nested value with a long key", |n| {
        let members: Vec<_> = (0..n).map(|at| format!("\"{at}\":1")).collect();
        let body = format!("{{\"{}\":{{{}}}}}", "k".repeat(n), members.join(","));
        format(Box::new(Preset::gelf("host")), nested(&body))
    }),
    linear("text, spans of one field", |n| format(Box::new(Text::new()), recursion(n))),
    linear("push_field", |n| {
        Box::new(move || {
            let mut record = RecordBuf::new(Severity::INFO, "shop", "sold");
            (0..n).for_each(|at| record.push_field("a", Value::U64(at as u64)));
            let _ = black_box(record);
        })
    }),
    linear("detectors, schemes in a path", |n| searched("basic/".repeat(n))),
    linear("detectors, schemes in a name", |n| searched("bearer.".repeat(n))),
    linear("an event in spans", |n| in_spans(n, from_fn(take), |_| ())),
    linear("an event in spans as json", |n| in_spans(n, Output::new(Json::new(), Null), |_| ())),
    linear("a value recorded on the root of spans", |n| {
        in_spans(n, Output::new(Json::new(), Null), |root| {
            root.record("v", black_box(7_u64));
        })
    }),
    linear("a value recorded on the leaf of spans", |n| {
        in_spans(n, Output::new(Json::new(), Null), |_| {
            Span::current().record("v", black_box(7_u64));
        })
    }),
    Scenario { name: "a route over its limit", work: |n| route(n), constant: true },
];

fn take(record: &Record<'_>) -> Result<(), Error> {
    black_box(record);
    Ok(())
}

const fn linear(name: &'static str, work: fn(usize) -> Work) -> Scenario {
    Scenario { name, work, constant: false }
}

fn json_flat() -> Box<dyn Format> {
    Box::new(Json::new().spans(json::SpanLayout::Flat))
}

fn logfmt_flat() -> Box<dyn Format> {
    Box::new(Logfmt::new().spans(logfmt::SpanKeys::Flat))
}

fn recursion(n: usize) -> RecordBuf {
    (0..n)
        .fold(RecordBuf::new(Severity::INFO, "shop", "sold"), |record, at| record.with_span("call", [("n", at.into())]))
}

fn fields(n: usize, name: impl Fn(usize) -> String) -> RecordBuf {
    (0..n).fold(RecordBuf::new(Severity::INFO, "shop", "sold"), |record, at| record.with_field(&name(at), at))
}

fn nested(json: &str) -> RecordBuf {
    RecordBuf::new(Severity::INFO, "shop", "sold").with_field("body", Value::Json(json))
}

fn format(format: Box<dyn Format>, record: RecordBuf) -> Work {
    let mut line = Vec::new();
    Box::new(move || {
        line.clear();
        format.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).expect("a line");
        black_box(&line);
    })
}

fn searched(text: String) -> Work {
    let redact = Redact::detectors([Detector::Token]);
    let mut record = RecordBuf::new(Severity::INFO, "shop", &text);
    Box::new(move || {
        redact.rewrite(&mut record);
        black_box(&record);
    })
}

/// An event in `n` nested spans; `before` is called with the root before each one.
fn in_spans(n: usize, handler: impl Handler, before: fn(&Span)) -> Work {
    let guard = tracing_subscriber::registry().with(tracing_handlers::layer(handler)).set_default();
    let root = info_span!("root", v = 0_u64);
    let mut entered = vec![root.clone().entered()];
    entered.extend((1..n as u64).map(|n| info_span!("call", n, v = 0_u64, article = "red umbrella").entered()));
    let spans = Unwound(entered);
    Box::new(move || {
        let _ = (&guard, &spans);
        before(&root);
        info!("sold");
    })
}

/// Left from the innermost out.
struct Unwound(Vec<tracing::span::EnteredSpan>);

impl Drop for Unwound {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

/// Each record has another key than the `n` before it, and there may be `n` handlers.
fn route(n: usize) -> Work {
    let route = Route::by_field("tenant", |_| Ok(from_fn(|_| Ok(())))).limit(n);
    let mut tenant = 0;
    let mut next = move || {
        tenant += 1;
        let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("tenant", tenant as u64);
        route.handle(&record.as_record()).expect("handled");
    };
    (0..2 * n).for_each(|_| next());
    Box::new(next)
}
