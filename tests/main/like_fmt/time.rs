//! Times as texts of the user's choice.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::{Caps, Csv, Format, Json, Logfmt, Out, Preset, Text, Time};
use tracing_handlers::handler::Buffer;
use tracing_handlers::sink::Memory;
use tracing_handlers::{ErrorKind, Handler, Output, Part, RecordBuf, Severity};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, Uptime};
use tracing_subscriber::prelude::*;

use crate::until::soon;

/// What each format writes of an event with this time, through a callsite as the layer captures it.
fn lines(time: impl Fn() -> Time) -> Vec<String> {
    let memory = Memory::new();
    let output = |format: Box<dyn Format>| Output::new(format, memory.clone());
    let handlers = vec![
        output(Box::new(Text::new().time(time()))),
        output(Box::new(Json::new().time(time()).keys([Part::Time, Part::Message]))),
        output(Box::new(Json::new().time(time()).keys([Part::Time, Part::Name]))),
        output(Box::new(Preset::tracing().time(time()).level(false).target(false))),
        output(Box::new(Logfmt::new().time(time()).keys([Part::Time, Part::Message]))),
        output(Box::new(Csv::new().columns([Part::Time, Part::Message]).header(false).time(time()))),
    ];
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(handlers)), || {
        tracing::info!(name: "sale", target: "shop", "sold");
    });
    memory.lines()
}

#[test]
fn a_text_is_escaped_as_each_format_escapes_texts() {
    let hostile = || Time::from_fn(|_, out| out.push_str("a \"b\"\n\\c, \u{1b}[31m"));
    assert_eq!(
        lines(hostile),
        [
            r#"a "b"\n\c, \x1b[31m  INFO shop: sold"#,
            r#"{"timestamp":"a \"b\"\n\\c, \u001b[31m","message":"sold"}"#,
            r#"{"timestamp":"a \"b\"\n\\c, \u001b[31m","name":"sale"}"#,
            r#"{"timestamp":"a \"b\"\n\\c, \u001b[31m","fields":{"message":"sold"}}"#,
            r#"time="a \"b\"\n\\c, \u001b[31m" message=sold"#,
            r#""a ""b""\n\\c, \u001b[31m",sold"#,
        ]
    );
    let broken = || Time::from_fn(|_, out| out.buffer().extend_from_slice(b"\xff"));
    assert!(lines(broken).iter().all(|line| line.contains('\u{fffd}')));
}

#[test]
fn a_calendar_with_spaces_is_one_value() {
    let day = || Time::strftime("%d %B, %H").unwrap();
    let shown = lines(day);
    let expected = day().text(Timestamp::now());
    assert!(expected.len() > "1 May, 00".len() && expected.contains(", "), "{expected}");
    assert!(shown[0].starts_with(&format!("{expected}  INFO")), "{shown:?}");
    assert!(shown[1].starts_with(&format!(r#"{{"timestamp":"{expected}","#)), "{shown:?}");
    assert!(shown[4].starts_with(&format!(r#"time="{expected}" "#)), "{shown:?}");
    assert!(shown[5].starts_with(&format!(r#""{expected}","#)), "{shown:?}");
}

#[test]
fn a_bad_directive_is_refused_with_its_column() {
    for (format, column) in [("%Q", 1), ("grün %H:%Q", 9), ("%H %", 4), ("%.3Q", 1)] {
        let error = Time::strftime(format).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(&format!("at character {column}: ")), "{format}: {error}");
    }
}

fn text_of(timer: &impl FormatTime) -> String {
    let mut text = String::new();
    timer.format_time(&mut Writer::new(&mut text)).unwrap();
    text
}

#[test]
fn an_uptime_has_the_form_of_fmt_s() {
    let (now, wall) = (Instant::now(), Timestamp::now());
    for seconds in [0, 7, 99_999] {
        let ago = Duration::from_secs(seconds);
        let Some(start) = now.checked_sub(ago) else { continue };
        let fmt = text_of(&Uptime::from(start));
        let ours = Time::since(wall).text(wall.saturating_add(ago));
        assert_eq!(ours.len(), fmt.len(), "{ours:?} {fmt:?}");
        assert_eq!(ours.split_once('.').unwrap().0, fmt.split_once('.').unwrap().0);
        assert!(ours.ends_with('s') && fmt.ends_with('s'));
    }
    let uptime = Time::uptime();
    let text = uptime.text(Timestamp::now());
    assert!(text.starts_with("   0.") && text.len() == "   0.000000000s".len(), "{text:?}");
}

/// Counts.
struct Ticks(Arc<AtomicU32>);

impl FormatTime for Ticks {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            2 => {
                writer.write_str("half of")?;
                Err(fmt::Error)
            }
            tick => write!(writer, "{tick}"),
        }
    }
}

#[test]
fn a_timer_of_tracing_subscriber_is_asked_when_a_record_is_formatted() {
    let ticks = Arc::new(AtomicU32::new(0));
    let memory = Memory::new();
    let text = Text::new().time(Time::format_time(Ticks(ticks.clone()))).level(false);
    let buffer = Buffer::new(Output::new(text, memory.clone()));
    let record = RecordBuf::new(Severity::INFO, "", "sold");
    for _ in 0..4 {
        buffer.handle(&record.as_record()).unwrap();
    }
    assert_eq!(ticks.load(Ordering::Relaxed), 0, "nothing is formatted yet");
    buffer.flush(soon()).unwrap();
    assert_eq!(memory.lines(), ["0 sold", "1 sold", "<unknown time> sold", "3 sold"]);
}

#[test]
fn a_line_with_the_time_of_day_says_which_zone_it_is_in() {
    let time = Timestamp::new(1_795_223_943, 123_456_789);
    let line = |text: Text| {
        let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_time(time);
        let mut out = Vec::new();
        text.format(&record.as_record(), &mut Out::new(&mut out, Caps::default())).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(line(Text::compact()), "01:19:03.123Z  INFO shop: sold");
    assert_eq!(line(Text::compact().time(Time::clock())), "01:19:03.123  INFO shop: sold");
    assert_eq!(line(Text::full().time(Time::rfc3339().offset(false))), "2026-11-21T01:19:03.123456  INFO shop: sold");
    #[cfg(feature = "time-zone")]
    {
        let berlin = |time: Time| line(Text::compact().time(time.in_zone("Europe/Berlin").unwrap()));
        assert_eq!(berlin(Time::clock()), "02:19:03.123  INFO shop: sold");
        assert_eq!(berlin(Time::clock().offset(true)), "02:19:03.123+01:00  INFO shop: sold");
        assert_eq!(berlin(Time::strftime("%T %z").unwrap()), "02:19:03 +0100  INFO shop: sold");
        let local = Time::local().precision(0).short(true).text(time);
        assert_eq!(Time::clock().precision(0).in_local().text(time), local);
    }
}
