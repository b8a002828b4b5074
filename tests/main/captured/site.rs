//! Callsites with any number of fields, whose names are chosen at run time.

use std::array;
use std::sync::OnceLock;

use tracing::callsite::{Callsite, Identifier};
use tracing::field::{Field, FieldSet, Value, ValueSet};
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Span, dispatcher};

/// A callsite that is made at run time and leaked.
pub struct Site(OnceLock<Metadata<'static>>);

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().unwrap()
    }
}

impl Site {
    pub fn event(level: Level, names: &[String]) -> &'static Self {
        Self::new("event", level, names, Kind::EVENT)
    }

    pub fn span(names: &[String]) -> &'static Self {
        Self::new("span", Level::INFO, names, Kind::SPAN)
    }

    fn new(name: &'static str, level: Level, names: &[String], kind: Kind) -> &'static Self {
        let names = names.iter().map(|name| &*String::leak(name.clone())).collect::<Vec<_>>().leak();
        let site: &'static Self = Box::leak(Box::new(Self(OnceLock::new())));
        let fields = FieldSet::new(names, Identifier(site));
        site.0.get_or_init(|| Metadata::new(name, "site", level, None, None, None, fields, kind));
        site
    }

    /// Logs an event with these values of the fields with these indices, in this order, as the macros do.
    pub fn log(&'static self, values: &[(usize, &dyn Value)]) {
        let metadata = self.0.get().unwrap();
        with_values(metadata, values, |values| {
            dispatcher::get_default(|current| {
                if current.enabled(metadata) {
                    current.event(&Event::new(metadata, values));
                }
            });
        });
    }

    /// Creates a span with these values of the fields with these indices.
    pub fn open(&'static self, values: &[(usize, &dyn Value)]) -> Span {
        let metadata = self.0.get().unwrap();
        with_values(metadata, values, |values| Span::new(metadata, values))
    }
}

fn with_values<R>(
    metadata: &'static Metadata<'static>,
    values: &[(usize, &dyn Value)],
    work: impl FnOnce(&ValueSet<'_>) -> R,
) -> R {
    assert!(values.len() <= MOST);
    let fields: Vec<Field> = metadata.fields().iter().collect();
    // A value set is made of an array; what remains of it has no values.
    let values: [(&Field, Option<&dyn Value>); MOST] = array::from_fn(|at| match values.get(at) {
        Some((index, value)) => (&fields[*index], Some(*value)),
        None => (&fields[0], None),
    });
    work(&metadata.fields().value_set(&values))
}

/// The most values that one event or span can be given.
pub const MOST: usize = 1_000;
