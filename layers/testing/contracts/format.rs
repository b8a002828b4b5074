use std::sync::Arc;

use super::Failures;
use super::samples::{self, is_large};
use super::trial::{Trial, Verdict, quietly, that};
use crate::format::{Caps, Format, Out};
use crate::record::{RecordBuf, Severity, Value};

/// Checks the contracts that hold for every format whose output is text. `make` creates a format; it is called for each contract.
///
/// | contract | what must hold |
/// |---|---|
/// | `no panic` | it panics on no record: empty, large, with every kind of value, in 200 spans |
/// | `takes every record` | no record is an error, except one of 1 MiB |
/// | `appends only` | earlier contents of the buffer are kept, and make no difference |
/// | `deterministic` | the same record produces the same bytes, on other threads too |
/// | `nothing kept` | unusual records make no difference to later ones |
/// | `utf-8` | the output is UTF-8 |
/// | `no line end` | a record has no line end: that is up to the framing |
/// | `one line` | a line feed in a message, a name, a value … does not add a line |
/// | `no controls` | control characters (C0, DEL, C1) and those that change the direction of text are not written, and there is no ESC if no colors are wanted |
/// | `preamble` | it is always the same, and ends with a line end |
///
/// ```
/// use tracing_handlers::format::{self, Json};
/// use tracing_handlers::testing::check_format;
///
/// check_format(Json::new).unwrap();
///
/// let naive = || format::from_fn(|record, out| {
///     out.push_str(record.message());
///     Ok(())
/// });
/// assert_eq!(check_format(naive).unwrap_err().contracts(), ["one line", "no controls"]);
/// ```
///
/// Formats with several lines per record (`Text::pretty`) obey `one line` too: the number of lines does not depend on the contents.
///
/// # Errors
///
/// Returns the broken contracts, with what happened. An implementation that hangs is given 5 s per contract; then its thread is abandoned.
pub fn check_format<F: Format>(make: impl Fn() -> F) -> Result<(), Failures> {
    let mut trial = Trial::default();
    common_contracts(&mut trial, &make);
    trial.check("utf-8", &make, |format| {
        every_output(&format, |what, line| {
            that(str::from_utf8(line).is_ok(), || format!("a record {what} is not UTF-8"))
        })
    });
    trial.check("no line end", &make, no_line_end);
    trial.check("one line", &make, |format| {
        adds_none(&format, &['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
    });
    trial.check("no controls", &make, no_controls);
    trial.check("preamble", &make, preamble);
    trial.result()
}

/// Checks the contracts that hold for formats whose output is not text: those of [`check_format`] from `no panic` to `nothing kept`.
///
/// ```
/// use tracing_handlers::format;
/// use tracing_handlers::testing::check_binary_format;
///
/// check_binary_format(|| format::from_fn(|record, out| {
///     out.buffer().extend_from_slice(&(record.message().len() as u32).to_be_bytes());
///     out.push_str(record.message());
///     Ok(())
/// }))
/// .unwrap();
/// ```
///
/// # Errors
///
/// Returns the broken contracts, with what happened. An implementation that hangs is given 5 s per contract; then its thread is abandoned.
pub fn check_binary_format<F: Format>(make: impl Fn() -> F) -> Result<(), Failures> {
    let mut trial = Trial::default();
    common_contracts(&mut trial, &make);
    trial.result()
}

fn common_contracts<F: Format>(trial: &mut Trial, make: &impl Fn() -> F) {
    trial.check("no panic", make, no_panic);
    trial.check("takes every record", make, takes_every_record);
    trial.check("appends only", make, appends_only);
    trial.check("deterministic", || Arc::new(make()), deterministic);
    trial.check("nothing kept", || (make(), make()), nothing_kept);
}

fn no_panic<F: Format>(format: F) -> Verdict {
    for (what, record) in samples::odd() {
        quietly(|| drop(bytes_of(&format, record))).map_err(|how| format!("for a record {what} {how}"))?;
    }
    Ok(())
}

fn takes_every_record<F: Format>(format: F) -> Verdict {
    for (what, record) in samples::odd() {
        if let Ok(Err(error)) = quietly(|| bytes_of(&format, record))
            && !is_large(what)
        {
            return Err(format!("a record {what} is an error: {error:#}"));
        }
    }
    Ok(())
}

fn appends_only<F: Format>(format: F) -> Verdict {
    let before = b"before {\"\\";
    for (what, record) in samples::odd() {
        let Some(alone) = output_of(&format, record) else { continue };
        let mut bytes = before.to_vec();
        let _ = quietly(|| format.format(&record.as_record(), &mut Out::new(&mut bytes, Caps::default())));
        let after = bytes.strip_prefix(before.as_slice());
        let after = after.ok_or_else(|| format!("a record {what} changes what is in the buffer before it"))?;
        that(after == alone, || {
            format!("a record {what} is formatted differently after other bytes: {}", show(after))
        })?;
    }
    Ok(())
}

fn deterministic<F: Format>(format: Arc<F>) -> Verdict {
    let outputs = |format: &F| samples::odd().iter().map(|(_, record)| output_of(format, record)).collect::<Vec<_>>();
    let once = outputs(&format);
    let threads = [(); 2].map(|()| {
        let format = format.clone();
        std::thread::spawn(move || outputs(&format))
    });
    for thread in threads {
        let again = thread.join().map_err(|_| "another thread panicked".to_owned())?;
        let differs = once.iter().zip(&again).zip(samples::odd()).find(|((one, other), _)| one != other);
        if let Some(((one, other), (what, _))) = differs {
            let show = |output: &Option<Vec<u8>>| output.as_deref().map_or("nothing".to_owned(), show);
            return Err(format!("a record {what} is once {}, once {}", show(one), show(other)));
        }
    }
    Ok(())
}

fn nothing_kept<F: Format>((used, new): (F, F)) -> Verdict {
    samples::odd().iter().for_each(|(_, record)| drop(output_of(&used, record)));
    let (used, new) = (output_of(&used, &samples::plain()), output_of(&new, &samples::plain()));
    that(used == new, || {
        format!(
            "after odd records it is {}, before {}",
            show(&used.unwrap_or_default()),
            show(&new.unwrap_or_default())
        )
    })
}

fn no_line_end<F: Format>(format: F) -> Verdict {
    let line = output_of(&format, &samples::plain()).unwrap_or_default();
    that(!line.ends_with(b"\n") && !line.ends_with(b"\r"), || format!("{} has one", show(&line)))
}

fn no_controls<F: Format>(format: F) -> Verdict {
    every_output(&format, |what, line| {
        that(!line.contains(&0x1b), || format!("a record {what} has an ESC: {}", show(line)))
    })?;
    let is_break = |char: &char| ['\n', '\r', '\u{b}', '\u{c}', '\u{85}'].contains(char);
    let controls = (0..0xa0_u8).map(char::from).filter(|char| char.is_control() && !is_break(char));
    // Unicode's Bidi_Control.
    let turning =
        ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter().chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    adds_none(&format, &controls.chain(turning).collect::<Vec<_>>())
}

fn preamble<F: Format>(format: F) -> Verdict {
    let text = || {
        let mut bytes = Vec::new();
        format.preamble(&mut Out::new(&mut bytes, Caps::default()));
        bytes
    };
    let (once, again) = (text(), text());
    that(once == again, || format!("it is once {}, once {}", show(&once), show(&again)))?;
    that(once.is_empty() || once.ends_with(b"\n"), || format!("{} has no line end", show(&once)))
}

/// Checks that none of these characters is written, wherever it occurs: the output has as many of them as with `_` in its place.
fn adds_none<F: Format>(format: &F, chars: &[char]) -> Verdict {
    let innocent = places("a_b");
    for char in chars {
        for ((place, record), (_, innocent)) in places(&format!("a{char}b")).iter().zip(&innocent) {
            let (Some(line), Some(innocent)) = (output_of(format, record), output_of(format, innocent)) else {
                continue;
            };
            let mut utf_8 = [0; 4];
            let utf_8 = char.encode_utf8(&mut utf_8).as_bytes();
            let count = |line: &[u8]| line.windows(utf_8.len()).filter(|window| *window == utf_8).count();
            that(count(&line) == count(&innocent), || format!("{char:?} in {place} gets through: {}", show(&line)))?;
        }
    }
    Ok(())
}

/// Returns records that each have `text` in one place.
fn places(text: &str) -> Vec<(&'static str, RecordBuf)> {
    let plain = samples::plain;
    // JSON has no unescaped ASCII control characters in its texts.
    let json = if text.contains(|char| char < ' ') { "\"a_b\"".to_owned() } else { format!("\"{text}\"") };
    let of_target = RecordBuf::new(Severity::INFO, text, "sold").with_time(plain().as_record().time());
    vec![
        ("the message", samples::saying(text)),
        ("the target", of_target),
        ("a field's name", plain().with_field(text, 1)),
        ("a string", plain().with_field("s", text)),
        ("a Debug or Display value", plain().with_field("t", Value::Text(text))),
        ("a nested value", plain().with_field("n", Value::Json(&json))),
        ("an error", plain().with_error("error", &["outer", text])),
        ("a span's name", plain().with_span(text, [])),
        ("a span's field's name", plain().with_span("span", [(text, 1.into())])),
        ("a span's string", plain().with_span("span", [("s", text.into())])),
        ("the file", plain().with_location("shop", text, 7)),
        ("the module", plain().with_location(text, "src/till.rs", 7)),
        ("the thread's name", plain().with_thread(text, 1)),
    ]
}

fn every_output<F: Format>(format: &F, check: impl Fn(&str, &[u8]) -> Verdict) -> Verdict {
    for (what, record) in samples::odd() {
        if let Some(line) = output_of(format, record) {
            check(what, &line)?;
        }
    }
    Ok(())
}

/// Returns `None` after an error or a panic, for which there are other contracts.
fn output_of<F: Format>(format: &F, record: &RecordBuf) -> Option<Vec<u8>> {
    quietly(|| bytes_of(format, record)).ok()?.ok()
}

fn bytes_of<F: Format>(format: &F, record: &RecordBuf) -> Result<Vec<u8>, crate::Error> {
    let mut bytes = Vec::new();
    format.format(&record.as_record(), &mut Out::new(&mut bytes, Caps::default()))?;
    Ok(bytes)
}

/// Shows bytes for people, shortened.
fn show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let short: String = text.chars().take(200).collect();
    format!("{short:?}{}", if short.len() < text.len() { "…" } else { "" })
}
