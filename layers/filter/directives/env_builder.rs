use std::str::FromStr;

use super::directive::Directive;
use super::env_filter::EnvFilter;
use super::text::Piece;
use super::{compiled, env_text, environment};
use crate::filter::LevelFilter;
use crate::{Error, ErrorKind, selflog};

impl EnvFilter {
    /// The variable that [`from_default_env`](Self::from_default_env) reads.
    pub const DEFAULT_ENV: &'static str = "RUST_LOG";

    /// Reads `directives`. Invalid ones are left out, and reported to [`selflog`]; without any, it is ERROR.
    pub fn new(directives: impl AsRef<str>) -> Self {
        or_error().parse_lossy(directives)
    }

    /// Reads `directives`. Without any, nothing passes.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if one is not valid.
    pub fn try_new(directives: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().parse(directives)
    }

    /// Reads the directives in `RUST_LOG`. Invalid ones are left out, and reported to [`selflog`]; without any, it is ERROR.
    pub fn from_default_env() -> Self {
        or_error().from_env_lossy()
    }

    /// The same, from another variable.
    pub fn from_env(variable: impl AsRef<str>) -> Self {
        or_error().with_env_var(variable.as_ref()).from_env_lossy()
    }

    /// Reads the directives in `RUST_LOG`.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if it is not set, or empty, or if a directive is not valid. The message names the variable, the
    /// column and the part of the text.
    pub fn try_from_default_env() -> Result<Self, Error> {
        Self::builder().try_from_env()
    }

    /// The same, from another variable.
    ///
    /// # Errors
    ///
    /// As for [`try_from_default_env`](Self::try_from_default_env).
    pub fn try_from_env(variable: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().with_env_var(variable.as_ref()).try_from_env()
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> EnvFilterBuilder {
        EnvFilterBuilder { regex: true, variable: Self::DEFAULT_ENV.to_owned(), default_directive: None }
    }
}

fn or_error() -> EnvFilterBuilder {
    EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into())
}

/// Reads an [`EnvFilter`] with settings of its own.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`with_default_directive`](Self::with_default_directive) | none | the directive used if the text contains none |
/// | [`with_env_var`](Self::with_env_var) | `RUST_LOG` | the environment variable |
/// | [`with_regex`](Self::with_regex) | `true` | whether values are regular expressions |
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::EnvFilter;
///
/// let builder = EnvFilter::builder().with_default_directive(Level::INFO.into()).with_env_var("SHOP_LOG");
/// assert_eq!(builder.from_env_lossy().to_string(), "info");
/// assert_eq!(builder.parse("shop=debug")?.to_string(), "shop=debug");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is asked for a filter"]
pub struct EnvFilterBuilder {
    regex: bool,
    variable: String,
    default_directive: Option<Directive>,
}

impl EnvFilterBuilder {
    /// The directive used if the text contains none.
    pub fn with_default_directive(mut self, directive: Directive) -> Self {
        self.default_directive = Some(directive);
        self
    }

    /// The environment variable.
    pub fn with_env_var(mut self, variable: impl Into<String>) -> Self {
        self.variable = variable.into();
        self
    }

    /// Whether values other than booleans and numbers are regular expressions, rather than the whole text. A string then equals
    /// its text with or without quotes.
    pub fn with_regex(mut self, regex: bool) -> Self {
        self.regex = regex;
        self
    }

    /// Reads `directives`.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if one is not valid.
    pub fn parse(&self, directives: impl AsRef<str>) -> Result<EnvFilter, Error> {
        let named = |error: Error| Error::new(ErrorKind::Config, format!("directives: {error}"));
        self.read(directives.as_ref(), Err).map_err(named)
    }

    /// Reads `directives`. Invalid ones are left out, and reported to [`selflog`].
    pub fn parse_lossy(&self, directives: impl AsRef<str>) -> EnvFilter {
        self.read_lossy(directives.as_ref(), |error| format!("directives: {error}"))
    }

    /// Reads the variable. If it is not set, or empty, only the default directive applies.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if a directive is not valid.
    pub fn from_env(&self) -> Result<EnvFilter, Error> {
        let text = environment::read(&self.variable)?.unwrap_or_default();
        self.read(&text, Err).map_err(|error| environment::of(&self.variable, error))
    }

    /// The same. What is not valid is left out, and reported to [`selflog`].
    pub fn from_env_lossy(&self) -> EnvFilter {
        let text = environment::read(&self.variable).unwrap_or_else(|error| {
            selflog::tell(&format!("{error}; ignored"));
            None
        });
        self.read_lossy(&text.unwrap_or_default(), |error| environment::of(&self.variable, error).to_string())
    }

    /// Reads the variable.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if it is not set, or empty, or if a directive is not valid.
    pub fn try_from_env(&self) -> Result<EnvFilter, Error> {
        let text = environment::read(&self.variable)?;
        let text = text.ok_or_else(|| environment::of(&self.variable, "not set, or empty"))?;
        self.read(&text, Err).map_err(|error| environment::of(&self.variable, error))
    }

    fn read_lossy(&self, text: &str, describe: impl Fn(Error) -> String) -> EnvFilter {
        let tell = |error| {
            selflog::tell(&format!("{}; ignored", describe(error)));
            Ok(())
        };
        // `tell` returns no errors.
        self.read(text, tell).unwrap_or_default()
    }

    fn read(&self, text: &str, failed: impl Fn(Error) -> Result<(), Error>) -> Result<EnvFilter, Error> {
        let mut filter = EnvFilter::default();
        for piece in Piece::new(text).split_at_commas() {
            match env_text::parse(piece, self.regex) {
                Ok(directive) => {
                    compiled::tell(piece.text(), directive.level);
                    filter = filter.add_directive(directive);
                }
                Err(error) => failed(error)?,
            }
        }
        match &self.default_directive {
            Some(default) if filter.is_empty() => {
                let default = default.clone();
                Ok(filter.add_directive(if self.regex { default } else { default.without_regex() }))
            }
            _ => Ok(filter),
        }
    }
}

/// Parses [directives](EnvFilter#directives). Without any, nothing passes.
impl FromStr for EnvFilter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::try_new(text)
    }
}
