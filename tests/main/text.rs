//! Text of events that tracing captured: their names come from callsites, and their spans may have been rendered before.

use std::backtrace::Backtrace;
use std::sync::{Arc, Mutex};
use std::thread;

use tracing::level_filters::LevelFilter;
use tracing::{debug_span, info, info_span};
use tracing_handlers::format::{Caps, Format, FormatFn, Out, Text, Time, from_fn};
use tracing_handlers::handler::Rewriting;
use tracing_handlers::rewrite::Redact;
use tracing_handlers::sink::{Memory, Null};
use tracing_handlers::{Error, Output, Record};
use tracing_subscriber::prelude::*;

/// What was written of each record, beside the same as a thread writes it that has kept nothing.
type Pairs = Arc<Mutex<Vec<(String, String)>>>;

fn line(text: &Text, record: &Record<'_>, color: bool) -> String {
    let mut out = Vec::new();
    text.format(record, &mut Out::new(&mut out, Caps::default().with_color(color))).unwrap();
    String::from_utf8(out).unwrap()
}

fn line_of_a_new_thread(text: &Text, record: &Record<'_>, color: bool) -> String {
    thread::scope(|scope| scope.spawn(|| line(text, record, color)).join().unwrap())
}

fn settings() -> Vec<Text> {
    [Text::full(), Text::compact(), Text::pretty()]
        .into_iter()
        .flat_map(|text| {
            let bare = text.clone().time(Time::none()).level(false).target(false);
            [text.clone().file(true), text.clone().thread_ids(true), text.clone().spans(false), bare, text]
        })
        .collect()
}

/// Every record in all settings, with colors and without, with all spans and the important ones.
fn compare(texts: &[Text], record: &Record<'_>, pairs: &Pairs) {
    let mut pairs = pairs.lock().unwrap();
    for text in texts {
        for color in [false, true] {
            for level in [LevelFilter::TRACE, LevelFilter::INFO, LevelFilter::OFF] {
                let record = record.with_span_level(level);
                let anew = line_of_a_new_thread(text, &record, color);
                // The second time it is kept, the third time put.
                pairs.extend((0..3).map(|_| (line(text, &record, color), anew.clone())));
            }
        }
    }
}

fn comparing(
    texts: Vec<Text>,
    pairs: Pairs,
) -> FormatFn<impl Fn(&Record<'_>, &mut Out<'_>) -> Result<(), Error> + Send + Sync + 'static> {
    from_fn(move |record, _| {
        compare(&texts, record, &pairs);
        Ok(())
    })
}

fn log() {
    let order = info_span!("order", secret = "s3cret", items = 3, late = tracing::field::Empty).entered();
    let _query = debug_span!("query", r#type = "two words").entered();
    let _empty = info_span!("empty").entered();
    for number in 0..4 {
        info!(number, "one of four");
    }
    order.record("late", true);
    for _ in 0..4 {
        info!("");
    }
}

#[test]
fn spans_that_were_kept_read_like_those_rendered_anew() {
    let (seen, redacted) = (Pairs::default(), Pairs::default());
    let texts = settings();
    let redact =
        Rewriting::new(Redact::fields(["secret"]), Output::new(comparing(texts.clone(), redacted.clone()), Null));
    let handlers = (Output::new(comparing(texts.clone(), seen.clone()), Null), redact);
    let layer = tracing_handlers::layer(handlers);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    for pairs in [&seen, &redacted] {
        let pairs = pairs.lock().unwrap();
        assert_eq!(pairs.len(), 8 * texts.len() * 2 * 3 * 3);
        for (kept, anew) in &*pairs {
            assert_eq!(kept, anew);
        }
    }
    let shown = |pairs: &Pairs, what: &str| pairs.lock().unwrap().iter().any(|(line, _)| line.contains(what));
    assert!(shown(&seen, "s3cret") && shown(&seen, "late=true"));
    assert!(!shown(&redacted, "s3cret") && shown(&redacted, "secret=***"));
}

#[test]
fn names_and_targets_that_are_not_plain_are_still_made_safe() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (text, to) = (Text::full().time(Time::none()), lines.clone());
    let format = from_fn(move |record: &Record<'_>, _: &mut Out<'_>| {
        to.lock().unwrap().push(line(&text, record, false));
        Ok(())
    });
    let layer = tracing_handlers::layer(Output::new(format, Null));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!(target: "a\nb", plain = 1, "not plain=x" = "bare", "é" = "x=y", "sold");
        info!(target: "", other = ?Some(1), written = %"a=b c", "sold");
        let _span = info_span!("a\u{202e}b", "x y" = 1).entered();
        info!(target: "two words", "sold");
    });
    assert_eq!(
        *lines.lock().unwrap(),
        [
            r#" INFO a\nb: sold plain=1 "not plain=x"=bare é="x=y""#,
            r#" INFO sold other=Some(1) written="a=b c""#,
            r#" INFO a\u{202e}b{"x y"=1}: two words: sold"#,
        ]
    );
}

#[test]
fn a_true_backtrace_is_read_back_from_the_lines_below() {
    let memory = Memory::new();
    let text = Text::full().time(Time::none()).backtrace_below(true);
    let layer = tracing_handlers::layer(Output::new(text, memory.clone()));
    let backtrace = Backtrace::force_capture();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::error!(target: "panic", %backtrace, thread = "till", "panicked: no more stock");
        info!(target: "shop", "closed");
    });
    let written = memory.text();
    let (first, rest) = written.split_once('\n').unwrap();
    assert_eq!(first, "ERROR panic: panicked: no more stock thread=till");
    let (below, last) = rest.split_at(rest.find(" INFO shop: closed\n").unwrap());
    assert_eq!(last, " INFO shop: closed\n");
    let frames = below.strip_prefix("    backtrace:\n").unwrap().lines();
    let frames: Vec<_> = frames.map(|line| line.strip_prefix("        ").unwrap()).collect();
    assert!(frames.len() > 3);
    assert_eq!(frames, backtrace.to_string().lines().collect::<Vec<_>>());
}
