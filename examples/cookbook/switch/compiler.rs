//! A compiler-like tool, as rustc and rust-analyzer: directives in a variable pick out single queries by span and field, and each line
//! carries the time since the start.

use tracing_handlers::sink::Memory;

use super::side_by_side::{QUOTES, SPANS, code, compare, stream, under, zeros};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-compiler", about: "directives with spans and fields", make, shows: SHOWS };

mod before {
    use tracing::Dispatch;
    use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
    use tracing_subscriber::fmt::{self, format::FmtSpan, writer::BoxMakeWriter};
    use tracing_subscriber::prelude::*;

    pub fn set_up(directives: &str, stderr: BoxMakeWriter) -> Result<Dispatch, ParseError> {
        let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse(directives)?;
        let layer = fmt::layer()
            .with_timer(fmt::time::uptime())
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(stderr);
        Ok(tracing_subscriber::registry().with(filter).with(layer).into())
    }
}

mod after {
    use tracing::{Dispatch, Level};
    use tracing_handlers::filter::EnvFilter;
    use tracing_handlers::format::{Text, Time};
    use tracing_handlers::record::SpanEvents;
    use tracing_handlers::{Error, Handler, Output, Sink};
    use tracing_subscriber::prelude::*;

    pub fn set_up(directives: &str, stderr: impl Sink) -> Result<Dispatch, Error> {
        let filter = EnvFilter::builder().with_default_directive(Level::WARN.into()).parse(directives)?;
        let output =
            Output::new(Text::new().time(Time::uptime()), stderr).span_events(SpanEvents::CLOSE).filter(filter);
        Ok(tracing_subscriber::registry().with(output.layer()).into())
    }
}

fn program() {
    for (name, krate) in [("types", "core"), ("borrows", "app")] {
        let query = tracing::info_span!(target: "query", "query", name, krate).entered();
        tracing::debug!(target: "query::cache", hits = 3, "looked up");
        if krate == "app" {
            tracing::warn!(target: "check", line = 17, "unused variable");
        }
        drop(query);
    }
    tracing::info!(target: "link", "linked");
}

/// Removes what is not the same twice: the time since the start, and how long spans took.
fn without_times(text: &str) -> String {
    let word = |word: &'static str| move |text: &str| text.starts_with(word).then_some(word);
    let (busy, idle) = (word("time.busy="), word("time.idle="));
    let line = |line: &str| {
        let (start, rest) = line.split_at_checked(SINCE_START).unwrap_or((line, ""));
        let words = rest.split(' ').map(|word| busy(word).or(idle(word)).unwrap_or(word));
        format!("{}{}\n", zeros(start), words.collect::<Vec<_>>().join(" "))
    };
    text.lines().map(line).collect()
}

/// The length of `   0.000412907s`.
const SINCE_START: usize = 15;

fn make() -> String {
    let mut shown = code(include_str!("compiler.rs"));
    for directives in ["", "debug", "warn,[query{krate=app}]=debug", "off,query=trace"] {
        let (stock, ours) = (Memory::new(), Memory::new());
        under(before::set_up(directives, stream(&stock)).expect("directives"), program);
        under(after::set_up(directives, ours.clone()).expect("directives"), program);
        let [stock, ours] = [stock, ours].map(|memory| without_times(&memory.text()));
        let listed: &[_] = if directives.is_empty() { &[SPANS] } else { &[QUOTES] };
        shown += &compare(&format!("{directives:?}"), &stock, &ours, listed);
    }
    shown
}

const SHOWS: &str = r#"
code: 13 lines before, 12 after
"": 1 line, equal but for spans that the filter before hides
"debug": 6 lines, equal but for quotation marks around single words
"warn,[query{krate=app}]=debug": 4 lines, equal but for quotation marks around single words
"off,query=trace": 4 lines, equal but for quotation marks around single words
"#;
