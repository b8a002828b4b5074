use super::Rewrite;
use crate::record::{FieldChange, RecordBuf, Value};

/// Replaces the values of the fields with these names, of events and of spans, by a mask.
///
/// Names are compared without regard to ASCII case; `message` is the event's message.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`mask`](Self::mask) | `***` | what stands in the place of a value |
///
/// ```
/// use tracing_handlers::rewrite::{Redact, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "logged in")
///     .with_span("login", [("Password", "1234".into())])
///     .with_field("user", "ada");
/// Redact::fields(["password", "token"]).rewrite(&mut record);
/// let record = record.as_record();
/// assert_eq!(record.spans().next().unwrap().field("Password").unwrap().as_str(), Some("***"));
/// assert_eq!(record.field("user").unwrap().as_str(), Some("ada"));
/// ```
#[derive(Clone, Debug)]
pub struct Redact {
    names: Vec<String>,
    mask: String,
}

impl Redact {
    /// Redacts the fields with these names.
    pub fn fields<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), mask: "***".to_owned() }
    }

    /// What stands in the place of a value.
    pub fn mask(mut self, mask: impl Into<String>) -> Self {
        self.mask = mask.into();
        self
    }

    fn hides(&self, name: &str) -> bool {
        self.names.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
    }
}

impl Rewrite for Redact {
    fn rewrite(&self, record: &mut RecordBuf) {
        if self.hides("message") && !record.as_record().message().is_empty() {
            record.set_message(&self.mask);
        }
        record.change_fields(|_span, field| match self.hides(field.name) {
            true => FieldChange::Set(Value::Str(&self.mask)),
            false => FieldChange::Keep,
        });
    }
}
