//! `Text` beside `fmt()`: equal but for the differences that the docs of `Text` list.

use tracing::{Level, info_span};
use tracing_handlers::Output;
use tracing_handlers::format::Text;
use tracing_handlers::record::SpanEvents;
use tracing_handlers::sink::Memory;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;

use super::program::{event_fields, span_fields};
use super::{Said, run};

type Fields = Vec<(String, String)>;

/// A line, parsed.
#[derive(Clone, Debug, Default, PartialEq)]
struct Line {
    level: String,
    spans: Vec<(String, Fields)>,
    target: String,
    message: String,
    fields: Fields,
}

/// Reads a line of which it knows the names of spans and fields.
struct Reader<'l> {
    rest: &'l str,
}

impl Reader<'_> {
    fn line(line: &str, said: &Said) -> Line {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok() && time.len() == 27, "{line:?}");
        let mut reader = Reader { rest: rest.trim_start() };
        let level = reader.until(" ");
        let spans: Vec<_> = said.spans.iter().map(|name| reader.span(name)).collect();
        if !spans.is_empty() {
            reader.take(" ");
        }
        let target = match said.site {
            // Ours omits it.
            8 => String::new(),
            // Nothing follows it.
            16 => reader.until(":"),
            _ => reader.until(": "),
        };
        if said.site == 8 && reader.rest.starts_with(": ") {
            reader.take(": ");
        }
        reader.rest = if said.site == 16 { reader.rest.trim_start() } else { reader.rest };
        let names = event_fields(said.site);
        let end = start_of_field(reader.rest, names).unwrap_or(reader.rest.len());
        let before = &reader.rest[..end];
        let message = plain(if end < reader.rest.len() { before.strip_suffix(' ').unwrap_or(before) } else { before });
        reader.rest = &reader.rest[end..];
        let fields = reader.fields(names, None);
        assert_eq!(reader.rest, "", "{line:?}");
        Line { level, spans, target, message, fields }
    }

    fn take(&mut self, text: &str) {
        self.rest = self.rest.strip_prefix(text).unwrap_or_else(|| panic!("no {text:?} in front of {:?}", self.rest));
    }

    fn until(&mut self, text: &str) -> String {
        let (before, rest) = self.rest.split_once(text).unwrap_or_else(|| panic!("no {text:?} in {:?}", self.rest));
        self.rest = rest;
        before.to_owned()
    }

    fn span(&mut self, name: &str) -> (String, Fields) {
        self.take(name);
        let mut fields = Vec::new();
        if self.rest.starts_with('{') {
            self.take("{");
            fields = self.fields(span_fields(name), Some("}:"));
            self.take("}");
        }
        self.take(":");
        (name.to_owned(), fields)
    }

    /// Reads fields up to `end`, or to the end of the line.
    fn fields(&mut self, names: &[&str], end: Option<&str>) -> Fields {
        let mut fields = Vec::new();
        while start_of_field(self.rest, names) == Some(0) {
            let (name, written) = names
                .iter()
                .find_map(|name| {
                    written(name).into_iter().find(|key| self.rest.starts_with(key)).map(|key| (*name, key))
                })
                .unwrap();
            self.take(&written);
            fields.push((name.to_owned(), self.value(names, end)));
            self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
        }
        fields
    }

    fn value(&mut self, names: &[&str], end: Option<&str>) -> String {
        let length = match self.rest.starts_with('"') {
            true => quoted(self.rest),
            false => {
                let stop = end.and_then(|end| self.rest.find(end)).unwrap_or(self.rest.len());
                match start_of_field(&self.rest[..stop], names) {
                    Some(next) => next - 1,
                    None => stop,
                }
            }
        };
        let (value, rest) = self.rest.split_at(length);
        self.rest = rest;
        match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
            Some(inner) => plain(&plain(inner)),
            None => plain(value),
        }
    }
}

/// Where the first field of one of these names begins.
fn start_of_field(text: &str, names: &[&str]) -> Option<usize> {
    let keys = names.iter().flat_map(|name| written(name));
    let at = |key: String| match text.starts_with(&key) {
        true => Some(0),
        false => text.find(&format!(" {key}")).map(|at| at + 1),
    };
    keys.filter_map(at).min()
}

/// How a name may be written in front of a value.
fn written(name: &str) -> [String; 2] {
    [format!("{name}="), format!("{name:?}=")]
}

/// The length of the text in quotes that `text` begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, letter)| {
        let ends = *letter == '"' && !escaped;
        escaped = *letter == '\\' && !escaped;
        ends
    });
    end.unwrap_or_else(|| panic!("no end of {text:?}")).0 + 1
}

/// Reads escapes; a backslash in front of anything else is one.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (letter, length) = escape(after).unwrap_or(('\\', 0));
        out.push(letter);
        rest = &after[length..];
    }
    out + rest
}

fn escape(text: &str) -> Option<(char, usize)> {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    match text.chars().next()? {
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        '0' => Some(('\0', 1)),
        letter @ ('"' | '\\' | '\'') => Some((letter, 1)),
        'x' => Some((hex(text.get(1..3)?)?, 3)),
        'u' => {
            let digits = text.strip_prefix("u{")?.split('}').next()?;
            Some((hex(digits)?, digits.len() + 3))
        }
        _ => None,
    }
}

/// The listed differences, as what they make of a line of fmt's.
fn as_ours(mut line: Line, site: usize) -> Line {
    line.spans.iter_mut().for_each(|(_, fields)| {
        replace_recorded(fields);
        fields.iter_mut().for_each(value_as_ours);
    });
    line.fields.iter_mut().for_each(value_as_ours);
    match site {
        11 => {
            let (before, message) = line.fields[0].1.split_once(' ').unwrap();
            line.message = message.to_owned();
            line.fields[0].1 = before.to_owned();
        }
        13 => {
            let (message, field) = line.message.split_at("of the format".len());
            line.fields.push(("message".to_owned(), field.strip_prefix(' ').unwrap_or(field).to_owned()));
            line.message = message.to_owned();
        }
        _ => {}
    }
    line
}

fn replace_recorded(fields: &mut Fields) {
    let mut kept = Fields::new();
    for (name, value) in fields.drain(..) {
        match kept.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => kept.push((name, value)),
        }
    }
    *fields = kept;
}

fn value_as_ours((name, value): &mut (String, String)) {
    match name.as_str() {
        "bytes" => *value = value.replace(['[', ']', ' '], ""),
        "error" => {
            if let Some((own, sources)) = value.split_once(" error.sources=[") {
                *value = format!("{own}: {}", sources.trim_end_matches(']').replace(", ", ": "));
            }
        }
        _ => {}
    }
}

/// Numbers in one form.
fn normal(mut line: Line) -> Line {
    let of_spans = line.spans.iter_mut().flat_map(|(_, fields)| fields);
    for (_, value) in line.fields.iter_mut().chain(of_spans) {
        if let Ok(number) = value.parse::<f64>()
            && value.contains(['.', 'e', 'E'])
        {
            *value = format!("{number:?}");
        }
    }
    line
}

fn written_by<L>(seed: u64, layer: impl FnOnce(Memory) -> L) -> (Vec<String>, Vec<Said>)
where
    L: tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync,
{
    let memory = Memory::new();
    let said = run(seed, 1_000, tracing_subscriber::registry().with(layer(memory.clone())));
    assert_eq!(memory.lines().len(), said.len());
    (memory.lines(), said)
}

#[test]
fn generated_programs_are_written_as_fmt_writes_them() {
    let mut lines = 0;
    for seed in 1..=5 {
        let (fmt, said) = written_by(seed * 15_485_863, |memory| {
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || memory.clone())
        });
        let (ours, _) = written_by(seed * 15_485_863, |memory| {
            tracing_handlers::layer(Output::new(Text::new(), memory).level(Level::TRACE))
        });
        for ((fmt, ours), said) in fmt.iter().zip(&ours).zip(&said) {
            let expected = normal(as_ours(Reader::line(fmt, said), said.site));
            assert_eq!(normal(Reader::line(ours, said)), expected, "{said:?}\n{fmt}\n{ours}");
            lines += 1;
        }
    }
    assert!(lines > 2_000, "{lines}");
}

/// A text with each run of digits and dots, and each unit, as one sign.
fn without_times(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_once('=') {
        Some((name, value)) if value.trim_end_matches(char::is_alphabetic).parse::<f64>().is_ok() => {
            let unit = value.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
            assert!(["ns", "µs", "ms", "s"].contains(&unit), "{word}");
            format!("{name}=T")
        }
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_events_of_spans_are_written_as_fmt_writes_them() {
    let (fmt, ours) = (Memory::new(), Memory::new());
    let to = fmt.clone();
    // `without_time` would take the times of the closed span too.
    let stock = tracing_subscriber::fmt::layer().with_ansi(false).with_timer(()).with_span_events(FmtSpan::FULL);
    let stock = stock.with_writer(move || to.clone());
    let output = Output::new(Text::new().time(tracing_handlers::format::Time::none()), ours.clone());
    let ours_layer = tracing_handlers::layer(output.span_events(SpanEvents::ALL));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(stock).with(ours_layer), || {
        info_span!(target: "shop", "request", id = 7).in_scope(|| tracing::info!(target: "shop", "sold"));
    });
    let shown = |memory: &Memory| memory.lines().iter().map(|line| without_times(line)).collect::<Vec<_>>();
    assert_eq!(
        shown(&ours),
        [
            " INFO request{id=7}: shop: new",
            " INFO request{id=7}: shop: enter",
            " INFO request{id=7}: shop: sold",
            " INFO request{id=7}: shop: exit",
            " INFO request{id=7}: shop: close time.busy=T time.idle=T",
        ]
    );
    let trimmed = |lines: Vec<String>| lines.iter().map(|line| line.trim_start().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(shown(&fmt)), trimmed(shown(&ours)));
}
