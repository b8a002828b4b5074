use std::cell::Cell;

use super::Rewrite;
use crate::record::{
    Change, ErrorBuf, ErrorChain, Field, FieldChange, Kind, NewFields, Record, RecordBuf, Span, Value, cut_json,
    cut_text, cut_written, pool,
};

/// Limits the size of records: lengths of texts, numbers of fields, depth of spans. log4j2's `maxStringLength` and `%maxLen`,
/// Serilog's destructuring limits.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`message`](Self::message) | none | the maximum length of the message, in bytes |
/// | [`values`](Self::values) | none | the maximum length of each text value, in bytes |
/// | [`fields`](Self::fields) | none | the maximum number of fields of the event and of each span; the first ones stay |
/// | [`spans`](Self::spans) | none | the maximum number of spans; the outermost ones stay |
///
/// A text is cut at a character boundary, and `…[123 bytes cut]` is appended, which does not count. Errors are cut message by
/// message. A nested value that is too long stays JSON, so that a [`Redact`](super::Redact) behind it still finds the names of members:
/// the string at which it is cut ends in the mark, or else a list gets it as its last item and an object as a member `…`; brackets
/// that close it count. So is the output of `Debug` or `Display` that begins as a JSON object or list does. Bytes are cut without a mark. If fields were removed, a field `fields_cut` with their number is added; if
/// spans were removed, the event gets `spans_cut`.
///
/// A secret that is cut in the middle may not be recognized any more by its form: put [`Redact`](super::Redact) first.
///
/// Without a `Cap`, texts and nested values of more than 16 MiB are cut in the same way, and names of more than 65,535 bytes.
///
/// ```
/// use tracing_handlers::rewrite::{Cap, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "größer als erlaubt").with_field("a", 1).with_field("b", 2);
/// Cap::new().message(4).fields(1).rewrite(&mut record);
/// assert_eq!(record.as_record().message(), "grö…[16 bytes cut]");
/// assert_eq!(format!("{:?}", record.as_record().fields().collect::<Vec<_>>()), "[a=1, fields_cut=1]");
/// ```
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone, Debug)]
pub struct Cap {
    message: usize,
    values: usize,
    fields: usize,
    spans: usize,
}

impl Cap {
    /// Creates a rewrite without limits.
    pub fn new() -> Self {
        Self { message: usize::MAX, values: usize::MAX, fields: usize::MAX, spans: usize::MAX }
    }

    /// Sets the maximum length of the message, in bytes.
    pub fn message(mut self, bytes: usize) -> Self {
        self.message = bytes;
        self
    }

    /// Sets the maximum length of each text value, in bytes.
    pub fn values(mut self, bytes: usize) -> Self {
        self.values = bytes;
        self
    }

    /// Sets the maximum number of fields of the event and of each span. Fields of records that this crate makes itself ([`Kind`])
    /// are not limited.
    pub fn fields(mut self, count: usize) -> Self {
        self.fields = count;
        self
    }

    /// Sets the maximum number of spans, counted from the root.
    pub fn spans(mut self, depth: usize) -> Self {
        self.spans = depth;
        self
    }
}

impl Default for Cap {
    fn default() -> Self {
        Self::new()
    }
}

impl Rewrite for Cap {
    fn rewrite(&self, record: &mut RecordBuf) {
        let memory = MEMORY.try_with(Cell::take).unwrap_or_default();
        let is_own = record.as_record().kind() != Kind::Event;
        let mut capping = Capping { cap: self, memory, is_own, fields: 0, spans: 0 };
        record.change(&mut capping);
        let CapBuffers { text, error, open } = &capping.memory;
        if text.capacity() + error.capacity() + open.capacity() <= pool::KEEP_BYTES {
            // On a thread that is ending, the buffers are dropped.
            let _ = MEMORY.try_with(|kept| kept.set(capping.memory));
        }
    }
}

/// The change of one record.
struct Capping<'c> {
    cap: &'c Cap,
    memory: CapBuffers,
    /// Whether this crate made the record, so that the event's fields stay.
    is_own: bool,
    /// The number of fields so far: of the event, or of the current span.
    fields: usize,
    spans: usize,
}

/// Buffers that are reused for the next record.
#[derive(Default)]
struct CapBuffers {
    text: String,
    error: ErrorBuf,
    /// The brackets that are open in a nested value.
    open: Vec<u8>,
}

impl Change for Capping<'_> {
    fn message<'s>(&'s mut self, message: &'s str) -> Option<&'s str> {
        cut(message, self.cap.message, &mut self.memory.text).then_some(&*self.memory.text)
    }

    fn field<'s>(&'s mut self, span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        if self.is_own && span.is_none() {
            return FieldChange::Keep;
        }
        self.fields += 1;
        if self.fields > self.cap.fields {
            return FieldChange::Remove;
        }
        self.value(field.value).map_or(FieldChange::Keep, FieldChange::Set)
    }

    fn add(&mut self, record: &Record<'_>, span: Option<&Span<'_>>, fields: &mut NewFields<'_>) {
        if self.fields > self.cap.fields {
            fields.push("fields_cut", self.fields - self.cap.fields);
        }
        self.fields = 0;
        // Only if the depth is limited: counting walks over the spans.
        if span.is_none() && self.cap.spans < usize::MAX {
            let cut = record.spans().count().saturating_sub(self.cap.spans);
            if cut > 0 {
                fields.push("spans_cut", cut);
            }
        }
    }

    fn keeps_span(&mut self, _span: &Span<'_>) -> bool {
        self.spans += 1;
        self.spans <= self.cap.spans
    }
}

impl Capping<'_> {
    fn value<'s>(&'s mut self, value: Value<'s>) -> Option<Value<'s>> {
        if let Value::Error(chain) = value {
            return self.error(chain).then(|| self.memory.error.as_value());
        }
        let (max, text) = (self.cap.values, &mut self.memory.text);
        match value {
            Value::Str(was) => cut(was, max, text).then_some(Value::Str(text)),
            Value::Text(was) if was.len() > max => {
                cut_written(was, max, &mut self.memory.open, text);
                Some(Value::Text(text))
            }
            Value::Json(was) if was.len() > max => {
                cut_json(was, max, &mut self.memory.open, text);
                Some(Value::Json(text))
            }
            Value::Bytes(was) => was.get(..max).filter(|kept| kept.len() < was.len()).map(Value::Bytes),
            _ => None,
        }
    }

    fn error(&mut self, chain: ErrorChain<'_>) -> bool {
        let CapBuffers { text, error, .. } = &mut self.memory;
        error.clear();
        let mut changed = false;
        for message in chain.messages() {
            let is_cut = cut(message, self.cap.values, text);
            changed |= is_cut;
            error.push(if is_cut { text } else { message });
        }
        changed
    }
}

/// Writes the cut text to `out` if `text` is too long.
fn cut(text: &str, max: usize, out: &mut String) -> bool {
    let is_long = text.len() > max;
    if is_long {
        cut_text(text, max, out);
    }
    is_long
}

thread_local! {
    static MEMORY: Cell<CapBuffers> = const { Cell::new(CapBuffers { text: String::new(), error: ErrorBuf::new(), open: Vec::new() }) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    #[test]
    fn every_kind_of_value_is_cut() {
        let mut record = RecordBuf::new(Severity::INFO, "", "fine")
            .with_error("error", &["short", "longer than that"])
            .with_field("str", "ééééé")
            .with_field("json", Value::Json("[1,2,3,4]"))
            .with_field("bytes", &b"123456789"[..])
            .with_field("number", u64::MAX);
        Cap::new().values(5).rewrite(&mut record);
        let shown = format!("{:?}", record.as_record().fields().collect::<Vec<_>>());
        let expected = concat!(
            r#"[error=short: longe…[11 bytes cut], str="éé…[6 bytes cut]", json=[1,"…[7 bytes cut]"], "#,
            "bytes=3132333435, number=18446744073709551615]"
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn fields_are_counted_for_each_span_separately() {
        let fields = || [("a", Value::U64(1)), ("b", Value::U64(2)), ("c", Value::U64(3))];
        let mut record = RecordBuf::new(Severity::INFO, "", "").with_field("x", 1_u64);
        for name in ["one", "two", "three"] {
            record = record.with_span(name, fields());
        }
        Cap::new().fields(2).spans(2).rewrite(&mut record);
        let record = record.as_record();
        let spans: Vec<_> = record.spans().map(|span| format!("{span:?}")).collect();
        assert_eq!(spans, ["one{a=1, b=2, fields_cut=1}", "two{a=1, b=2, fields_cut=1}"]);
        assert_eq!(format!("{:?}", record.fields().collect::<Vec<_>>()), "[x=1, spans_cut=1]");
    }
}
