use super::Rewrite;
use crate::record::{Change, Field, FieldChange, RecordBuf, Span};

/// Renames fields of events and spans. If several rules have the same name, the first applies.
///
/// Names are compared exactly, including case. If two fields end up with the same name, the format decides what it writes
/// ([`Duplicates`](crate::format::json::Duplicates)).
///
/// ```
/// use tracing_handlers::rewrite::{Rename, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("usr", "ada").with_field("n", 3_u64);
/// Rename::fields([("usr", "user.name"), ("n", "pieces")]).rewrite(&mut record);
/// let names: Vec<_> = record.as_record().fields().map(|field| field.name.to_owned()).collect();
/// assert_eq!(names, ["user.name", "pieces"]);
/// ```
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone, Debug)]
pub struct Rename(Vec<(String, String)>);

impl Rename {
    /// Takes pairs of the old name and the new one.
    pub fn fields<A: Into<String>, B: Into<String>>(names: impl IntoIterator<Item = (A, B)>) -> Self {
        Self(names.into_iter().map(|(from, to)| (from.into(), to.into())).collect())
    }
}

impl Rewrite for Rename {
    fn rewrite(&self, record: &mut RecordBuf) {
        record.change(&mut Renaming(&self.0));
    }
}

struct Renaming<'r>(&'r [(String, String)]);

impl Change for Renaming<'_> {
    fn field<'s>(&'s mut self, _span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        let rule = self.0.iter().find(|(from, _)| from == field.name);
        rule.map_or(FieldChange::Keep, |(_, to)| FieldChange::Rename(to))
    }
}
