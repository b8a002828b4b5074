use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::Filter;
use super::literal::{Literal, with_text};
use crate::record::{Part, Record, Value};

/// A filter by the value at a [`Place`](super::Place), created by the questions there.
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct Condition {
    part: Part,
    test: Test,
}

impl Condition {
    pub(super) fn new(part: Part, test: Test) -> Self {
        Self { part, test }
    }
}

impl Filter for Condition {
    fn looks_at_spans(&self) -> bool {
        matches!(
            self.part,
            Part::SpanName
                | Part::SpanNames
                | Part::SpanField(_)
                | Part::SpanFields
                | Part::FieldOf { .. }
                | Part::AnyField(_)
        )
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        match self.part {
            // A field of the event may satisfy the question if no span's does.
            Part::AnyField(_) => self.accepts(record).then_some(true),
            _ => self.looks_at_spans().then(|| self.accepts(record)),
        }
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        match self.part {
            // A record without a message has the empty text.
            Part::Message => self.test.fits(Value::Str(record.message())),
            ref part => part.any_value(record, |value| self.test.fits(value)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Exists,
    Is(Relation, Literal),
    OneOf(Vec<Literal>),
    Text(TextTest),
}

impl Test {
    fn fits(&self, value: Value<'_>) -> bool {
        match self {
            Self::Exists => true,
            Self::Is(relation, literal) => relation.holds(literal.compare(value)),
            Self::OneOf(literals) => literals.iter().any(|literal| literal.equals(value)),
            Self::Text(test) => with_text(value, |text| test.fits(text)),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Relation {
    /// `None` means that they cannot be compared, and so are not equal either.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::AtMost => order.is_some_and(Ordering::is_le),
            Self::More => order.is_some_and(Ordering::is_gt),
            Self::AtLeast => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// A question about a text.
#[derive(Clone)]
pub(super) struct TextTest {
    /// Shown by `Debug`.
    about: String,
    fits: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl TextTest {
    pub(super) fn new(about: String, fits: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { about, fits: Arc::new(fits) }
    }

    pub(super) fn contains(part: String) -> Self {
        Self::new(format!("contains {part:?}"), move |text| text.contains(&part))
    }

    pub(super) fn starts_with(start: String) -> Self {
        Self::new(format!("starts with {start:?}"), move |text| text.starts_with(&start))
    }

    pub(super) fn ends_with(end: String) -> Self {
        Self::new(format!("ends with {end:?}"), move |text| text.ends_with(&end))
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        (self.fits)(text)
    }
}

impl fmt::Debug for TextTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.about)
    }
}
