//! Lines that can be distinguished from broken ones: each is known in full from the three numbers that it carries.

use tracing_handlers::format::{Format, Json, Text, Time};
use tracing_handlers::{Part, RecordBuf, Severity};

/// Which line it is: of which process, of which of its threads, the how manyth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    pub run: u64,
    pub thread: u64,
    pub number: u64,
}

impl Number {
    pub fn record(self) -> RecordBuf {
        RecordBuf::new(Severity::INFO, "soak", "line")
            .with_field("run", self.run)
            .with_field("thread", self.thread)
            .with_field("number", self.number)
            .with_field("pad", self.pad())
    }

    /// Logs it through tracing.
    pub fn log(self) {
        let Self { run, thread, number } = self;
        tracing::info!(target: "soak", run, thread, number, pad = self.pad(), "line");
    }

    /// Lines of many lengths.
    fn pad(self) -> &'static str {
        const PAD: &str = match std::str::from_utf8(&[b'x'; 160]) {
            Ok(pad) => pad,
            Err(_) => "",
        };
        &PAD[..20 + (self.number * 7 + self.thread * 13) as usize % 140]
    }
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
}

impl Form {
    pub fn format(self) -> Box<dyn Format> {
        match self {
            Self::Text => Box::new(Text::new().time(Time::none()).target(false)),
            Self::Json => Box::new(Json::new().keys([Part::Level, Part::Message, Part::Fields])),
        }
    }

    /// The line of `number`, without its end: written by hand, so that the format is not judged by itself.
    pub fn line(self, number: Number) -> String {
        let pad = number.pad();
        let Number { run, thread, number } = number;
        match self {
            Self::Text => format!(" INFO line run={run} thread={thread} number={number} pad={pad}"),
            Self::Json => format!(
                r#"{{"level":"INFO","message":"line","run":{run},"thread":{thread},"number":{number},"pad":"{pad}"}}"#
            ),
        }
    }

    /// Which line this is, if it is one, whole and nothing else.
    pub fn parse(self, line: &[u8]) -> Option<Number> {
        let text = std::str::from_utf8(line).ok()?;
        let mut rest = text;
        let mut next = |name: &str| {
            let (_, found) = rest.split_once(name)?;
            let digits = found.trim_start_matches(['=', ':', '"']);
            let end = digits.find(|letter: char| !letter.is_ascii_digit())?;
            rest = &digits[end..];
            digits[..end].parse().ok()
        };
        let number = Number { run: next("run")?, thread: next("thread")?, number: next("number")? };
        (self.line(number) == text).then_some(number)
    }
}
