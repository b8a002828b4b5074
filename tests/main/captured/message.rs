//! The message: of a format string, or of a field called `message`.

use std::error::Error;
use std::fmt;

use tracing::field::{self, Empty, Value as Logged};
use tracing::{Level, dispatcher, error, info};
use tracing_handlers::format::{Json, Logfmt, Preset, Text, Time};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Format, Output, RecordBuf, notice};

use super::site::Site;
use crate::collect::{dispatch, seen};

/// The message and the fields.
fn shown(record: &RecordBuf) -> String {
    let record = record.as_record();
    format!("{:?} {:?}", record.message(), record.fields())
}

fn all_shown(log: impl FnOnce()) -> Vec<String> {
    seen(log).all().iter().map(shown).collect()
}

/// How OpenTelemetry's macros log: all arguments are fields, and the format string is empty.
macro_rules! otel_info {
    (name: $name:literal, $($key:ident = $value:expr),+ $(,)?) => {
        info!(name: $name, target: "otel", name = $name, $($key = $value),+, "")
    };
}

#[test]
fn a_field_message_beside_an_empty_format_string_is_the_message() {
    let shown = all_shown(|| {
        otel_info!(name: "sale", message = "sold out", left = 0);
        otel_info!(name: "sale", left = 0, message = "sold out");
        otel_info!(name: "sale", message = String::from("sold out"));
        otel_info!(name: "sale", left = 0);
    });
    let expected = [
        r#""sold out" {name="sale", left=0}"#,
        r#""sold out" {name="sale", left=0}"#,
        r#""sold out" {name="sale"}"#,
        r#""" {name="sale", left=0}"#,
    ];
    assert_eq!(shown, expected);
}

#[test]
fn formats_write_the_message_once_and_under_its_own_name() {
    let formats: [(Box<dyn Format>, &str); 6] = [
        (
            Box::new(Json::new().time(Time::none())),
            r#"{"level":"INFO","target":"otel","message":"sold out","name":"sale","#,
        ),
        (Box::new(Text::new().time(Time::none())), " INFO otel: sold out name=sale "),
        (Box::new(Logfmt::new()), " message=\"sold out\" name=sale "),
        (Box::new(Preset::ecs()), r#""message":"sold out""#),
        (Box::new(Preset::gelf("host")), r#""short_message":"sold out""#),
        (Box::new(Preset::google_cloud("p")), r#""message":"sold out""#),
    ];
    for (format, expected) in formats {
        let memory = Memory::new();
        dispatcher::with_default(&dispatch(Output::new(format, memory.clone())), || {
            otel_info!(name: "sale", message = "sold out", left = 0);
        });
        let line = memory.text();
        assert!(line.contains(expected), "{line}");
        assert_eq!(line.matches("sold out").count(), 1, "{line}");
        assert!(!line.contains("message_2"), "{line}");
    }
}

#[test]
fn values_of_every_type_are_messages_with_and_without_an_empty_format_string() {
    let (text, number) = ("it's", 5);
    let shown = all_shown(|| {
        info!(message = "it's");
        info!(message = 5);
        info!(message = -5_i128);
        info!(message = 1.5);
        info!(message = true);
        info!(message = %text);
        info!(message = ?text);
        info!(message = ?Some(number));
        info!(message = format_args!("{number} of {text}"));
        info!(message = "it's", "");
        info!(message = 5, "");
        info!(message = true, "");
        info!(message = %text, "");
        info!(message = ?text, "");
        info!(message = Empty, "");
        info!(message = &b"\x01\xff"[..], "");
    });
    let messages = [
        "it's",
        "5",
        "-5",
        "1.5",
        "true",
        "it's",
        "\"it's\"",
        "Some(5)",
        "5 of it's",
        "it's",
        "5",
        "true",
        "it's",
        "\"it's\"",
        "",
        "01ff",
    ];
    assert_eq!(shown, messages.map(|message| format!("{message:?} {{}}")));
}

#[test]
fn beside_a_format_string_a_field_message_is_a_field() {
    let shown = all_shown(|| {
        info!(message = "of the field", a = 1, "sold {}", "out");
        info!(message = 5, "sold out");
        info!(a = 1, message = ?"text", "sold out");
        notice!(message = "of the field", "sold out");
        info!(message = "", "sold out");
    });
    let expected = [
        r#""sold out" {message="of the field", a=1}"#,
        r#""sold out" {message=5}"#,
        r#""sold out" {a=1, message="text"}"#,
        r#""sold out" {message="of the field"}"#,
        r#""sold out" {message=""}"#,
    ];
    assert_eq!(shown, expected);
}

#[test]
fn the_first_of_several_texts_is_the_message_in_whatever_order_they_are_visited() {
    let names = ["message", "a", "message", "message"].map(str::to_owned);
    let visited =
        |values: &[(usize, &dyn Logged)]| shown(&seen(|| Site::event(Level::INFO, &names).log(values)).last());
    assert_eq!(visited(&[(0, &""), (1, &1), (2, &"x"), (3, &"y")]), r#""x" {a=1, message="y"}"#);
    assert_eq!(visited(&[(3, &"y"), (2, &"x"), (1, &1), (0, &"")]), r#""y" {message="x", a=1, message=""}"#);
    assert_eq!(visited(&[(0, &""), (2, &""), (3, &field::display("y"))]), r#""y" {}"#);
    assert_eq!(visited(&[(2, &""), (1, &1)]), r#""" {a=1}"#);
}

#[derive(Debug)]
struct Broken(&'static str, Option<Box<Broken>>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

#[test]
fn an_error_as_the_message_keeps_its_causes() {
    let broken = Broken("no sale", Some(Box::new(Broken("no stock", Some(Box::new(Broken("disk full", None)))))));
    let boxed: Box<dyn Error + Send + Sync> = Box::new(Broken("alone", None));
    let shown = all_shown(|| {
        error!(message = &broken as &(dyn Error + 'static), code = 7);
        error!(message = &broken as &(dyn Error + 'static), code = 7, "");
        error!(message = &*boxed as &(dyn Error + 'static));
        error!(message = &broken as &(dyn Error + 'static), "failed");
    });
    let expected = [
        r#""no sale: no stock: disk full" {code=7}"#,
        r#""no sale: no stock: disk full" {code=7}"#,
        r#""alone" {}"#,
        r#""failed" {message=no sale: no stock: disk full}"#,
    ];
    assert_eq!(shown, expected);
}

/// Its own source, with a message that panics the second time.
struct Endless(std::cell::Cell<usize>);

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endless")
    }
}

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        assert!(self.0.get() != 2, "on purpose");
        f.write_str("again")
    }
}

impl Error for Endless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn an_error_that_is_its_own_cause_ends_and_a_panic_costs_one_message() {
    let endless = Endless(std::cell::Cell::new(0));
    let record = seen(|| error!(message = &endless as &(dyn Error + 'static))).last();
    let message = record.as_record().message().to_owned();
    assert!(message.starts_with("again: <formatting panicked>: again: again"), "{message}");
    assert_eq!(message.split(": ").count(), 64);
}
