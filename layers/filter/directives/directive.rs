use std::cmp::Reverse;
use std::fmt;

use tracing::Level;

use super::field::FieldMatch;
use super::words;
use crate::Severity;
use crate::filter::{LevelFilter, Threshold};
use crate::record::Span;

/// One directive of an [`EnvFilter`](super::EnvFilter), `target[span{field=value}]=level`.
///
/// It is parsed, or made from a level, and displayed as it is parsed.
///
/// ```
/// use tracing::Level;
/// use tracing_handlers::filter::Directive;
///
/// let directive: Directive = "shop[request{user=ada}]=Debug".parse()?;
/// assert_eq!(directive.to_string(), "shop[request{user=ada}]=debug");
/// assert_eq!(Directive::from(Level::INFO).to_string(), "info");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Directive {
    pub(super) target: Option<String>,
    pub(super) span: Option<String>,
    pub(super) fields: Vec<FieldMatch>,
    pub(super) level: Threshold,
}

impl Directive {
    /// Whether it depends on the spans of an event.
    pub(super) fn is_dynamic(&self) -> bool {
        self.span.is_some() || !self.fields.is_empty()
    }

    /// Whether it also applies to events by their own target and the names of their own fields.
    pub(super) fn is_static(&self) -> bool {
        self.span.is_none() && self.fields.iter().all(|field| field.value.is_none())
    }

    /// Whether it is about the same events and spans as `other`, which it then replaces.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        (&self.target, &self.span, &self.fields) == (&other.target, &other.span, &other.fields)
    }

    /// Whether `target` begins with this directive's.
    pub(super) fn has_target(&self, target: &str) -> bool {
        self.target.as_ref().is_none_or(|start| target.starts_with(start))
    }

    /// Whether it may be about spans with this target and name.
    pub(super) fn may_be_about(&self, target: &str, name: &str) -> bool {
        self.has_target(target) && self.span.as_ref().is_none_or(|span| span == name)
    }

    /// Whether it is about spans like this one, whatever the values of its fields are.
    pub(super) fn is_about(&self, span: &Span<'_>) -> bool {
        self.may_be_about(span.target(), span.name()) && self.fields.iter().all(|field| field.is_of(span))
    }

    /// Whether the fields of `span` have the values. If a field is named twice, the last value counts.
    pub(super) fn matches_values(&self, span: &Span<'_>) -> bool {
        let is_last = |index: usize, name: &str| {
            !self.fields[index + 1..].iter().any(|later| later.name == name && later.value.is_some())
        };
        self.fields.iter().enumerate().all(|(index, field)| match &field.value {
            Some(expected) if is_last(index, &field.name) => {
                span.field(&field.name).is_some_and(|value| expected.matches(value))
            }
            _ => true,
        })
    }

    /// The order in which directives are tried: the most specific one first.
    pub(super) fn order(&self) -> impl Ord + '_ {
        let names: Vec<_> = self.fields.iter().map(|field| field.name.as_str()).collect();
        let length = self.target.as_ref().map(String::len);
        Reverse((length, self.span.is_some(), names.len(), self.target.as_deref(), self.span.as_deref(), names))
    }

    pub(super) fn without_regex(mut self) -> Self {
        for field in &mut self.fields {
            field.value = field.value.take().map(|value| value.without_regex());
        }
        self
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.target.as_deref().unwrap_or_default())?;
        if self.is_dynamic() {
            let fields: Vec<_> = self.fields.iter().map(FieldMatch::to_string).collect();
            let fields = if fields.is_empty() { String::new() } else { format!("{{{}}}", fields.join(",")) };
            write!(f, "[{}{fields}]", self.span.as_deref().unwrap_or_default())?;
        }
        let separator = if self.target.is_some() || self.is_dynamic() { "=" } else { "" };
        write!(f, "{separator}{}", words::shown(self.level))
    }
}

macro_rules! from_level {
    ($($level:ty),*) => {$(
        /// The level of all targets that no other directive names.
        impl From<$level> for Directive {
            fn from(level: $level) -> Self {
                Self { target: None, span: None, fields: Vec::new(), level: level.into() }
            }
        }
    )*};
}

from_level!(Level, LevelFilter, Severity, Threshold);
