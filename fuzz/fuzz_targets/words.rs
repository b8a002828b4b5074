//! Settings in words: whatever has a `FromStr` and is shown as it is read.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use fuzz::{errors, parts};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::clock::{Timestamp, Weekday};
use tracing_handlers::filter::{self, Filter, Modules, Threshold, Verdict};
use tracing_handlers::format::{LevelNames, Pattern};
use tracing_handlers::handler::{Overflow, safe_name};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::rewrite::Detector;
use tracing_handlers::rotation::Compression;
use tracing_handlers::seal::{Head, KeyId};
use tracing_handlers::sink::{Account, Color, Durability};
use tracing_handlers::{Error, Framing, Part, RecordBuf, Severity};

// The text; for filters, the target, message and default name as well.
fuzz_target!(|input: &[u8]| {
    let Some([text, target, name]) = parts(input) else { return };
    read_back::<Account>(text);
    read_back::<Color>(text);
    read_back::<Compression>(text);
    read_back::<Detector>(text);
    read_back::<Durability>(text);
    read_back::<Framing>(text);
    read_back::<Head>(text);
    read_back::<KeyId>(text);
    read_back::<LevelNames>(text);
    read_back::<Overflow>(text);
    read_back::<Part>(text);
    read_back::<Severity>(text);
    read_back::<SpanEvents>(text);
    read_back::<Threshold>(text);
    read_back::<Timestamp>(text);
    read_back::<Verdict>(text);
    read_back::<Weekday>(text);
    check_time(text);
    check_pattern_of(text);
    check_targets(text, target);
    check_hours(text, target);
    check_name(text, name);
});

/// What is read is shown as a line, and is the same after it has been read from that.
fn read_back<T: FromStr<Err = Error> + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    let read = errors::checked(text.parse::<T>(), text)?;
    let shown = read.to_string();
    let again: T = shown.parse().unwrap_or_else(|error| panic!("{read:?} is shown as {shown:?}: {error}"));
    assert_eq!(again, read, "{text:?} is shown as {shown:?}");
    assert_eq!(again.to_string(), shown);
    Some(read)
}

/// A time is the one that jiff reads.
fn check_time(text: &str) {
    let Ok(time) = text.parse::<Timestamp>() else { return };
    // jiff has other limits, counts a leap second of any minute, and reads at most nine digits.
    let theirs = text.trim().parse::<jiff::Timestamp>();
    if let Ok(theirs) = theirs
        && !text.contains(":60")
    {
        assert_eq!(
            (time.seconds(), time.nanos() as i32),
            (
                theirs.as_second() - i64::from(theirs.subsec_nanosecond() < 0),
                theirs.subsec_nanosecond().rem_euclid(1_000_000_000)
            ),
            "{text:?}"
        );
    }
}

/// The name of a part of a record is a piece of a pattern.
fn check_pattern_of(text: &str) {
    if text.parse::<Part>().is_ok() && !text.contains(['{', '}', ':', '|', '\\']) {
        errors::checked(Pattern::new(&format!("{{{text}}}")), text);
    }
}

/// Modules that are shown and read again let the same pass, and that is what a search by hand says.
fn check_targets(text: &str, target: &str) {
    let Some(targets) = errors::checked(text.parse::<Modules>(), text) else { return };
    // Documented limits: commas and equals signs separate, and spaces around them are cut.
    let again: Modules = targets.to_string().parse().expect("targets in words name no commas or equals signs");
    assert_eq!(again, targets, "{text:?}");
    let expected = closest(text, target);
    for number in 1..=24 {
        let severity = Severity::from_number(number).expect("1 to 24 are severities");
        let mut meta = RecordBuf::new(severity, target, "");
        meta.set_severity(severity);
        let passes = targets.enabled(&meta.as_record().meta());
        assert_eq!(passes, expected.allows_number(number), "{text:?} for {target:?} at {number}");
    }
}

/// The level of the longest rule that holds for the target, by the documented grammar.
fn closest(text: &str, target: &str) -> Least {
    let mut best: Option<(usize, Least)> = None;
    let mut otherwise = Least(None);
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (rule, level) = match part.split_once('=') {
            Some((rule, level)) => (rule.trim(), Least::of(level)),
            None if part.parse::<Threshold>().is_ok() => {
                otherwise = Least::of(part);
                continue;
            }
            None => (part, Least(Some(1))),
        };
        let inside =
            target.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rule.is_empty());
        if inside && best.is_none_or(|(length, _)| length <= rule.len()) {
            best = Some((rule.len(), level));
        }
    }
    best.map_or(otherwise, |(_, level)| level)
}

/// The number of the lowest severity that passes, if any does.
#[derive(Clone, Copy)]
struct Least(Option<u8>);

impl Least {
    fn of(text: &str) -> Self {
        Self(text.trim().parse::<Severity>().ok().map(Severity::number))
    }

    fn allows_number(self, number: u8) -> bool {
        self.0.is_some_and(|least| number >= least)
    }
}

/// Each second is within the hours from one time to another or, unless they are equal, within those back.
fn check_hours(from: &str, to: &str) {
    let both =
        [filter::hours(from, to), filter::hours(to, from)].map(|hours| errors::checked(hours, &[from, to].concat()));
    let [Some(one), Some(other)] = both else { return };
    for seconds in (0..86_400).step_by(2_711) {
        let record = RecordBuf::default().with_time(Timestamp::new(seconds, 0));
        let [one, other] = [&one, &other].map(|hours| hours.accepts(&record.as_record()));
        assert!(one || other, "{from:?} {to:?} {seconds}");
    }
}

/// A safe name is a file's, and is safe again.
fn check_name(name: &str, default: &str) {
    let safe = safe_name(name, default);
    assert!((1..=128).contains(&safe.len()), "{safe}");
    assert!(safe.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.%~".contains(&byte)), "{safe:?}");
    assert!(!safe.starts_with(['.', '-']) && !safe.ends_with('.'), "{safe:?}");
    if !name.is_empty() && !default.is_empty() && name != default {
        assert_ne!(safe.to_ascii_lowercase(), safe_name(default, "").to_ascii_lowercase(), "{name:?} {default:?}");
    }
}
