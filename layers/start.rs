//! Logging without arguments.

use std::io::IsTerminal;
use std::time::Duration;

use crate::Error;
use crate::filter::{Filter, Level};
use crate::format::{Format, Json, Logfmt, Text};
use crate::handler::Output;
use crate::layer::{Handle, init};
use crate::selflog;
use crate::sink::Console;

/// Sets up logging as the environment says, without arguments: what `tracing_subscriber::fmt::init()` does. Otherwise like
/// [`init`], which reads no variable: the process's subscriber is installed, and records of the `log` crate arrive too.
///
/// | variable | default | effect |
/// |---|---|---|
/// | `RUST_LOG` | `LOG_LEVEL` | directives, such as `info,shop=debug`: [`Targets`](crate::filter::Targets), or `EnvFilter` with the feature `env-filter` |
/// | `LOG_LEVEL` | `info` | the same, read if `RUST_LOG` is not set |
/// | `LOG_FORMAT` | `text` on a terminal, otherwise `json` | `text`, `compact`, `pretty`, `json` or `logfmt` |
/// | `NO_COLOR`, `FORCE_COLOR` and others | color on a terminal | whether text has colors: see [`Color::Auto`](crate::sink::Color::Auto) |
///
/// An empty variable counts as not set. What is not valid is reported to [`selflog`], that is to standard error: of directives, the
/// valid ones apply; without a valid one, and for another variable, the default does.
///
/// Lines go to standard output, like those of `fmt::init()`, which containers and service managers collect. A program whose standard
/// output is its result passes [`Console::stderr`] to [`init`]. They are written on the thread that logs, so that a line is out when
/// the call returns, whatever happens to the process then; and a reader that does not read holds up the program, as with `println!`,
/// rather than lose lines.
///
/// # Errors
///
/// [`Config`](crate::ErrorKind::Config) if the process already has a subscriber.
///
/// ```
/// use tracing_handlers::init_default;
///
/// let handle = init_default()?;
/// tracing::info!(pieces = 3, "sold");
/// assert_eq!(handle.stats()[0].stats.delivered, 1);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn init_default() -> Result<Handle, Error> {
    let form = form().unwrap_or_else(|| match std::io::stdout().is_terminal() {
        true => Form::Text,
        false => Form::Json,
    });
    match form {
        Form::Text => to_stdout(Text::new()),
        Form::Compact => to_stdout(Text::compact()),
        Form::Pretty => to_stdout(Text::pretty()),
        Form::Json => to_stdout(Json::new()),
        Form::Logfmt => to_stdout(Logfmt::new()),
    }
}

fn to_stdout(format: impl Format) -> Result<Handle, Error> {
    let console = Console::stdout().patience(Duration::MAX);
    init(Output::new(format, console).filter(directives()))
}

/// The directives of the first variable that is set.
#[cfg(feature = "env-filter")]
fn directives() -> impl Filter {
    let builder = crate::filter::EnvFilter::builder().with_default_directive(Level::INFO.into());
    builder.with_env_var(variable()).from_env_lossy()
}

#[cfg(not(feature = "env-filter"))]
fn directives() -> impl Filter {
    use crate::filter::Targets;

    let targets = Targets::from_env_or(variable(), Targets::new());
    if targets == Targets::new() { Level::INFO.into() } else { targets }
}

fn variable() -> &'static str {
    if value("RUST_LOG").is_some() { "RUST_LOG" } else { "LOG_LEVEL" }
}

fn form() -> Option<Form> {
    let text = value(FORMAT)?;
    let form = FORMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, form)| *form);
    if form.is_none() {
        let names: Vec<_> = FORMS.iter().map(|(name, _)| *name).collect();
        selflog::tell(&format!("{FORMAT}: `{text}`: expected one of {}; ignored", names.join(", ")));
    }
    form
}

/// The value of a variable that is not blank.
fn value(variable: &str) -> Option<String> {
    let value = std::env::var_os(variable)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.trim().is_empty())
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Compact,
    Pretty,
    Json,
    Logfmt,
}

const FORMAT: &str = "LOG_FORMAT";
const FORMS: [(&str, Form); 5] = [
    ("text", Form::Text),
    ("compact", Form::Compact),
    ("pretty", Form::Pretty),
    ("json", Form::Json),
    ("logfmt", Form::Logfmt),
];
