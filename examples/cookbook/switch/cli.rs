//! A command-line tool with `-v` flags, as jj and bore: lines without a time on standard error, its own messages at the level of
//! the flags, and only warnings of the crates that it uses.

use tracing_handlers::sink::Memory;

use super::side_by_side::{QUOTES, SPANS, code, compare, stream, under};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-cli", about: "a command-line tool with -v flags", make, shows: SHOWS };

mod before {
    use tracing::Dispatch;
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::fmt::{self, writer::BoxMakeWriter};
    use tracing_subscriber::prelude::*;

    pub fn set_up(verbose: u8, stderr: BoxMakeWriter, is_terminal: bool) -> Dispatch {
        let level = match verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            2 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        let targets = Targets::new().with_target("tool", level).with_default(LevelFilter::WARN);
        let layer = fmt::layer().without_time().with_target(verbose > 1).with_ansi(is_terminal).with_writer(stderr);
        tracing_subscriber::registry().with(layer.with_filter(targets)).into()
    }
}

mod after {
    use tracing::{Dispatch, Level};
    use tracing_handlers::filter::Targets;
    use tracing_handlers::format::{Text, Time};
    use tracing_handlers::{Handler, Output, Sink};
    use tracing_subscriber::prelude::*;

    pub fn set_up(verbose: u8, stderr: impl Sink) -> Dispatch {
        let level = match verbose {
            0 => Level::WARN,
            1 => Level::INFO,
            2 => Level::DEBUG,
            _ => Level::TRACE,
        };
        let targets = Targets::new().with_target("tool", level).with_default(Level::WARN);
        let text = Text::new().time(Time::none()).target(verbose > 1);
        tracing_subscriber::registry().with(Output::new(text, stderr).filter(targets).layer()).into()
    }
}

fn program() {
    tracing::debug!(target: "tool::config", path = "tool.toml", "no configuration");
    let fetch = tracing::info_span!(target: "tool::fetch", "fetch", remote = "origin").entered();
    tracing::info!(target: "tool::fetch", objects = 17, "received");
    tracing::debug!(target: "hyper::client", "connection is idle");
    tracing::warn!(target: "hyper::client", status = 503, "trying again");
    drop(fetch);
    tracing::trace!(target: "tool::index", entries = 3, "sorted");
    tracing::error!(target: "tool", branch = "main", "not found");
}

fn make() -> String {
    let mut shown = code(include_str!("cli.rs"));
    for verbose in 0..=3 {
        let (stock, ours) = (Memory::new(), Memory::new());
        under(before::set_up(verbose, stream(&stock), false), program);
        under(after::set_up(verbose, ours.clone()), program);
        let listed: &[_] = if verbose == 0 { &[QUOTES, SPANS] } else { &[QUOTES] };
        shown += &compare(&format!("-v × {verbose}"), &stock.text(), &ours.text(), listed);
    }
    shown
}

const SHOWS: &str = "
code: 15 lines before, 16 after
-v × 0: 2 lines, equal but for quotation marks around single words, spans that the filter before hides
-v × 1: 3 lines, equal but for quotation marks around single words
-v × 2: 4 lines, equal but for quotation marks around single words
-v × 3: 5 lines, equal but for quotation marks around single words
";
