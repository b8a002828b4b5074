use super::Rewrite;
use super::names::Names;
use crate::record::{Change, Field, FieldChange, Kind, RecordBuf, Span};

/// Removes fields from events and spans. Names match as in [`Redact`](super::Redact), which also masks members of nested values:
/// `password` removes `user.password` too.
///
/// | constructor | effect |
/// |---|---|
/// | [`fields`](Self::fields) | removes these |
/// | [`all_but`](Self::all_but) | removes all others |
///
/// ```
/// use tracing_handlers::rewrite::{Remove, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold")
///     .with_span("request", [("debug_body", "{}".into()), ("id", 7.into())])
///     .with_field("pieces", 3_u64);
/// Remove::fields(["debug_*"]).rewrite(&mut record);
/// assert_eq!(format!("{:?}", record.as_record().spans().next().unwrap()), "request{id=7}");
/// Remove::all_but(["id"]).rewrite(&mut record);
/// assert_eq!(record.as_record().fields().count(), 0);
/// ```
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone, Debug)]
pub struct Remove {
    names: Names,
    others: bool,
}

impl Remove {
    /// Removes the fields with these names.
    pub fn fields<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(names, false)
    }

    /// Removes all other fields, except those of records that this crate makes itself ([`Kind`]).
    pub fn all_but<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(names, true)
    }

    fn new<N: Into<String>>(wanted: impl IntoIterator<Item = N>, others: bool) -> Self {
        let mut names = Names::default();
        names.extend(wanted);
        Self { names, others }
    }
}

impl Rewrite for Remove {
    fn rewrite(&self, record: &mut RecordBuf) {
        let is_own = record.as_record().kind() != Kind::Event;
        record.change(&mut Removing { remove: self, is_own });
    }
}

struct Removing<'r> {
    remove: &'r Remove,
    /// Whether this crate made the record, so that the event's fields stay.
    is_own: bool,
}

impl Change for Removing<'_> {
    fn field<'s>(&'s mut self, span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        let is_own = self.is_own && span.is_none();
        let Remove { names, others } = self.remove;
        let is_unwanted = if *others { !names.match_whole(field.name) } else { names.match_any(field.name) };
        match is_unwanted && !is_own {
            true => FieldChange::Remove,
            false => FieldChange::Keep,
        }
    }
}
