//! `Targets` from text and from the environment.

use std::str::FromStr;

use super::targets::Targets;
use super::text::Piece;
use super::{environment, words};
use crate::filter::Threshold;
use crate::{Error, ErrorKind, selflog};

impl Targets {
    /// Reads the directives in an environment variable; `None` if it is not set, empty, or has only blanks.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if a directive is not valid. The message has the variable, the column and the part of the text.
    ///
    /// ```
    /// use tracing::Level;
    /// use tracing_handlers::filter::Targets;
    ///
    /// # // SAFETY: this program has one thread.
    /// # unsafe { std::env::set_var("SHOP_LOG", "info,hyper=lout") };
    /// let error = Targets::from_env("SHOP_LOG").unwrap_err().to_string();
    /// assert!(error.starts_with("SHOP_LOG: column 12, `lout`: expected a level"), "{error}");
    /// # unsafe { std::env::remove_var("SHOP_LOG") };
    ///
    /// let targets = Targets::from_env("SHOP_LOG")?.unwrap_or_else(|| Level::INFO.into());
    /// assert_eq!(targets.to_string(), "info");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn from_env(variable: &str) -> Result<Option<Self>, Error> {
        let Some(text) = environment::read(variable)? else { return Ok(None) };
        text_of(&text).map(Some).map_err(|error| environment::of(variable, error))
    }

    /// The directives in an environment variable above `defaults`, as in [`or_default`](Self::or_default). Invalid directives are
    /// left out, and reported to [`selflog`](crate::selflog).
    ///
    /// ```
    /// use tracing_handlers::filter::Targets;
    ///
    /// # // SAFETY: this program has one thread.
    /// # unsafe { std::env::set_var("SHOP_LOG", "shop=debug,hyper=lout") };
    /// # tracing_handlers::selflog::set(|_| ());
    /// let defaults = "info,hyper=warn".parse::<Targets>()?;
    /// assert_eq!(Targets::from_env_or("SHOP_LOG", defaults).to_string(), "hyper=warn,shop=debug,info");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn from_env_or(variable: &str, defaults: impl Into<Self>) -> Self {
        let tell = |error: Error| selflog::tell(&format!("{error}; ignored"));
        let text = environment::read(variable).unwrap_or_else(|error| {
            tell(error);
            None
        });
        let text = text.unwrap_or_default();
        let pieces = Piece::new(&text).split_at_commas();
        let targets = pieces.fold(Self::new(), |targets, piece| match with(targets.clone(), piece) {
            Ok(targets) => targets,
            Err(error) => {
                tell(environment::of(variable, error));
                targets
            }
        });
        targets.tell_of_compiled();
        targets.or_default(defaults)
    }
}

/// Parses [directives](Targets#text). Without any, nothing passes. If a target occurs twice, the last one applies.
impl FromStr for Targets {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text_of(text).map_err(|error| Error::new(ErrorKind::Config, format!("directives: {error}")))
    }
}

fn text_of(text: &str) -> Result<Targets, Error> {
    let targets = Piece::new(text).split_at_commas().try_fold(Targets::new(), with)?;
    targets.tell_of_compiled();
    Ok(targets)
}

fn with(targets: Targets, piece: Piece<'_>) -> Result<Targets, Error> {
    if piece.text().contains(['[', '{']) {
        return Err(piece.error("spans and fields need an `EnvFilter`"));
    }
    Ok(match directive(piece)? {
        (Some(target), level) => targets.with_target(target, level),
        (None, level) => targets.with_default(level),
    })
}

/// Reads a level, a target, or a target with a level.
pub(super) fn directive(piece: Piece<'_>) -> Result<(Option<String>, Threshold), Error> {
    match piece.split_once('=') {
        Some((target, level)) => {
            let target = self::target(target)?;
            if level.is_empty() {
                return Err(piece.error("expected a level after `=`"));
            }
            Ok((Some(target), words::parse(level)?))
        }
        None => word(piece),
    }
}

/// Reads a level or a target.
fn word(piece: Piece<'_>) -> Result<(Option<String>, Threshold), Error> {
    let word = piece.text();
    if let Some(level) = words::level(word) {
        return Ok((None, level));
    }
    if let Ok(number) = word.parse::<u64>() {
        return Err(piece.error(&words::wrong_number(number)));
    }
    if word.rsplit_once(':').is_some_and(|(target, level)| !target.ends_with(':') && words::level(level).is_some()) {
        return Err(piece.error("expected `=` between the target and its level"));
    }
    if word.split_once('/').is_some_and(|(level, _)| words::level(level).is_some()) {
        return Err(piece.error("a regular expression after `/` is not supported, use `filter::matches`"));
    }
    let target = target(piece)?;
    if let Some(level) = words::similar(word) {
        selflog::tell(&format!("filter `{word}` is the name of a target; for the level, write `{level}`"));
    }
    Ok((Some(target), Threshold::ALL))
}

/// Reads the beginning of a target.
pub(super) fn target(piece: Piece<'_>) -> Result<String, Error> {
    let wrong = |char: char| char.is_whitespace() || "[]{}\"'*;".contains(char);
    match piece.text().chars().find(|char| wrong(*char)) {
        _ if piece.is_empty() => Err(piece.error("expected a target")),
        Some('*') => Err(piece.error("a target is the beginning of a name, without `*`")),
        Some(';') => Err(piece.error("directives are separated by commas")),
        Some(char) if char.is_whitespace() => Err(piece.error("expected a target without blanks; is a comma missing?")),
        Some(char) => Err(piece.error(&format!("a target cannot contain `{char}`"))),
        None => Ok(piece.text().to_owned()),
    }
}
