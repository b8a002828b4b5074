use std::cell::Cell;
use std::fmt::Write;

use super::json::{self, Hide};
use super::mask::Mask;
use super::names::Names;
use super::search::{SearchBuffers, Searches};
use super::{Detector, Rewrite};
use crate::record::{Change, ErrorBuf, ErrorChain, Field, FieldChange, Kind, RecordBuf, Span, Value, pool};

/// Masks secrets in events and their spans: by the names of fields, and by the form of the secrets.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`fields`](Self::fields), [`with_fields`](Self::with_fields) | none | masks the values of the fields with these names |
/// | [`all_but`](Self::all_but) | all | masks the values of all other fields |
/// | [`detectors`](Self::detectors), [`with_detectors`](Self::with_detectors) | none | masks what these detect, in any text |
#[cfg_attr(
    feature = "regex",
    doc = "| [`regex`](Self::regex) | none | masks the matches of a regular expression, in any text |"
)]
/// | [`mask`](Self::mask) | `***` | the text that replaces a secret |
/// | [`mask_with`](Self::mask_with) | - | a closure that writes the replacement |
#[cfg_attr(
    feature = "hash",
    doc = "| [`hash`](Self::hash) | - | replaces secrets with a keyed hash: equal secrets look equal |"
)]
/// | [`last_digits`](Self::last_digits) | 0 | how many of the last digits of a card number stay visible |
/// | [`everywhere`](Self::everywhere) | `false` | also searches the names of threads, targets and so on |
///
/// **By name**: names are compared ignoring ASCII case, and `*` matches any number of characters (`*_token`). A name is also compared
/// by its parts, between `.`, `:`, `/`, `[` and `]`: `password` masks `user.password`, `password.hash` and `user[password]`, and
/// `user.password` masks `request.user.password`. `_`, `-` and capitals do not separate parts: for `user_password` and
/// `userPassword`, give `*password`. `message` is the event's message. Members of [nested values](Value::Json) are masked too, at any depth, also in arrays, and those of the output of `Debug` or
/// `Display` that is one JSON object or list. Any other output is a text without fields: only detectors find secrets in it. A masked value becomes a string, whatever its type was.
///
/// **By form**: detectors and regular expressions search the message, strings, the output of `Debug` and `Display`, the messages
/// of errors, texts, numbers and member names in nested values, integers and whole floats. Spaces, dashes and digits of other kinds count as the
/// ASCII ones and characters of no width as nothing, also where `{:?}` has escaped them (`\u{a0}`). Bytes are masked as a whole if they contain
/// such a text in UTF-8, or are a card number in packed decimal digits. The names of fields are never changed. Secrets that are
/// spread over several fields or encoded (Base64, percent signs) are not found.
///
/// Before a record reaches a rewrite, texts of more than 16 MiB have been cut, with the mark `…[123 bytes cut]`; nested values stay
/// JSON. A secret that was cut in the middle may not be recognized by its form. Put [`Cap`](super::Cap), which cuts shorter ones, behind
/// a `Redact`.
///
/// A record in which nothing is found stays as it is. Buffers are reused: nothing is allocated per record.
///
/// ```
/// use tracing_handlers::rewrite::{Detector, Redact, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "card 4111 1111 1111 1111 of ada@example.org")
///     .with_span("login", [("Password", "1234".into())])
///     .with_field("user", "ada")
///     .with_field("order", Value::Json(r#"{"items":[{"api_token":"t0ps3cret","n":2}]}"#));
/// Redact::fields(["password", "*_token"]).with_detectors([Detector::Card, Detector::Email]).last_digits(4).rewrite(&mut record);
/// let record = record.as_record();
/// assert_eq!(record.message(), "card ***1111 of ***");
/// assert_eq!(record.spans().next().unwrap().field("Password").unwrap().as_str(), Some("***"));
/// assert_eq!(record.field("user").unwrap().as_str(), Some("ada"));
/// assert_eq!(record.field("order"), Some(Value::Json(r#"{"items":[{"api_token":"***","n":2}]}"#)));
/// ```
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone, Debug)]
pub struct Redact {
    hidden: Names,
    /// If set, all fields but these are hidden.
    shown: Option<Names>,
    pub(super) searches: Searches,
    mask: Mask,
    everywhere: bool,
}

impl Redact {
    /// Masks the fields with these names.
    pub fn fields<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::nothing().with_fields(names)
    }

    /// Masks all fields and all members of nested values, except those with these names, which are compared as a whole: `id` does not
    /// show `user.id`. The message stays, as it is not a field;
    /// so do the fields of records that this crate makes itself ([`Kind`]).
    ///
    /// ```
    /// use tracing_handlers::rewrite::{Redact, Rewrite};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("pieces", 3_u64).with_field("to", "ada");
    /// Redact::all_but(["pieces", "*_id"]).rewrite(&mut record);
    /// assert_eq!(format!("{:?}", record.as_record().fields().collect::<Vec<_>>()), r#"[pieces=3, to="***"]"#);
    /// ```
    pub fn all_but<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut shown = Names::default();
        shown.extend(names);
        Self { shown: Some(shown), ..Self::nothing() }
    }

    /// Masks what these detect.
    pub fn detectors(detectors: impl IntoIterator<Item = Detector>) -> Self {
        Self::nothing().with_detectors(detectors)
    }

    fn nothing() -> Self {
        Self {
            hidden: Names::default(),
            shown: None,
            searches: Searches::default(),
            mask: Mask::Text("***".to_owned()),
            everywhere: false,
        }
    }

    /// Also masks the fields with these names.
    pub fn with_fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.hidden.extend(names);
        self
    }

    /// Also masks what these detect.
    pub fn with_detectors(mut self, detectors: impl IntoIterator<Item = Detector>) -> Self {
        detectors.into_iter().for_each(|detector| self.searches.add(detector));
        self
    }

    /// Sets the text that replaces a secret.
    pub fn mask(mut self, mask: impl Into<String>) -> Self {
        self.mask = Mask::Text(mask.into());
        self
    }

    /// Sets a closure that appends the replacement of a secret. It receives the secret as text: the contents of a string, the
    /// digits of a card number, otherwise the output of [`Value`]'s `Display`.
    ///
    /// ```
    /// use tracing_handlers::rewrite::{Redact, Rewrite};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("name", "Ada");
    /// Redact::fields(["name"]).mask_with(|name, out| out.extend(name.chars().take(1).chain(['.']))).rewrite(&mut record);
    /// assert_eq!(record.as_record().field("name").unwrap().as_str(), Some("A."));
    /// ```
    pub fn mask_with(mut self, write: impl Fn(&str, &mut String) + Send + Sync + 'static) -> Self {
        self.mask = Mask::Custom(std::sync::Arc::new(write));
        self
    }

    /// Appends the last digits of a card number to the mask: at most 4, as PCI DSS 4.0 (3.4.1) permits. This applies to card
    /// numbers found by [`Detector::Card`] and masked with a fixed text.
    pub fn last_digits(mut self, digits: usize) -> Self {
        self.searches.last_digits = digits.min(4);
        self
    }

    /// Also searches the other texts of a record: the name of its thread; and, for records without a callsite in this program
    /// (from `log` or from another process), target, name, module and file, and the names and targets of spans. The texts of
    /// callsites are literals of the program and never change.
    pub fn everywhere(mut self, everywhere: bool) -> Self {
        self.everywhere = everywhere;
        self
    }

    fn hides(&self, name: &str) -> bool {
        self.lists(name) || self.searches.is_name(name)
    }

    /// Whether the name is listed as hidden, or is not listed as shown.
    fn lists(&self, name: &str) -> bool {
        self.hidden.match_any(name) || self.shown.as_ref().is_some_and(|shown| !shown.match_whole(name))
    }

    fn has_lists(&self) -> bool {
        !self.hidden.is_empty() || self.shown.is_some()
    }
}

impl Rewrite for Redact {
    fn rewrite(&self, record: &mut RecordBuf) {
        let memory = MEMORY.try_with(Cell::take).unwrap_or_default().unwrap_or_default();
        let is_own = record.as_record().kind() != Kind::Event;
        let mut redacting = Redacting { redact: self, memory, is_own };
        record.change(&mut redacting);
        if redacting.memory.capacity() <= pool::KEEP_BYTES {
            // On a thread that is ending, the buffers are dropped.
            let _ = MEMORY.try_with(|kept| kept.set(Some(redacting.memory)));
        }
    }
}

/// The change of one record.
struct Redacting<'r> {
    redact: &'r Redact,
    memory: Box<RedactBuffers>,
    /// Whether this crate made the record, so that the event's fields stay.
    is_own: bool,
}

/// Buffers that are reused for the next record.
#[derive(Default)]
struct RedactBuffers {
    /// The new value.
    out: String,
    /// The old value as text.
    was: String,
    error: ErrorBuf,
    json: json::JsonBuffers,
    search: SearchBuffers,
}

impl RedactBuffers {
    fn capacity(&self) -> usize {
        let Self { out, was, error, json, search } = self;
        out.capacity() + was.capacity() + error.capacity() + json.capacity() + search.capacity()
    }
}

impl Change for Redacting<'_> {
    fn message<'s>(&'s mut self, message: &'s str) -> Option<&'s str> {
        let changed = match !message.is_empty() && self.redact.hidden.match_any("message") {
            true => self.mask(Value::Str(message)),
            false => self.hide(message),
        };
        changed.then_some(&*self.memory.out)
    }

    fn field<'s>(&'s mut self, span: Option<&Span<'_>>, field: &Field<'s>) -> FieldChange<'s> {
        if self.redact.hides(field.name) && !(self.is_own && span.is_none()) {
            self.mask(field.value);
            return FieldChange::Set(Value::Str(&self.memory.out));
        }
        self.value(field.value).map_or(FieldChange::Keep, FieldChange::Set)
    }

    fn text<'s>(&'s mut self, text: &'s str) -> Option<&'s str> {
        (self.redact.everywhere && self.hide(text)).then_some(&*self.memory.out)
    }
}

impl Redacting<'_> {
    /// Writes the replacement of a whole value.
    fn mask(&mut self, value: Value<'_>) -> bool {
        let RedactBuffers { out, was, .. } = &mut *self.memory;
        out.clear();
        match value.as_str() {
            Some(text) => self.redact.mask.write(text, out),
            None if !self.redact.mask.reads() => self.redact.mask.write("", out),
            None => {
                was.clear();
                // Writing to a string cannot fail.
                let _ = write!(was, "{value}");
                self.redact.mask.write(was, out);
            }
        }
        true
    }

    /// Writes the text with all matches masked. Returns `false` if there are none.
    fn hide(&mut self, text: &str) -> bool {
        let RedactBuffers { out, search, .. } = &mut *self.memory;
        out.clear();
        self.redact.searches.hide(text, &self.redact.mask, search, out)
    }

    /// Returns the new value of a field whose name is not hidden.
    fn value(&mut self, value: Value<'_>) -> Option<Value<'_>> {
        if self.redact.searches.is_empty() && !matches!(value, Value::Json(_) | Value::Text(_)) {
            return None;
        }
        match value {
            Value::Str(text) => self.hide(text).then_some(Value::Str(&self.memory.out)),
            Value::Text(text) => self.written(text).then_some(Value::Text(&self.memory.out)),
            Value::Json(json) => self.json(json),
            Value::Error(chain) => self.error(chain).then(|| self.memory.error.as_value()),
            Value::Bytes(bytes) => {
                let RedactBuffers { search, .. } = &mut *self.memory;
                let found = bytes.utf8_chunks().any(|chunk| self.redact.searches.finds_any(chunk.valid(), search));
                let found = found || packed_digits(bytes).is_some_and(|digits| self.redact.searches.is_number(digits));
                (found && self.mask(value)).then_some(Value::Str(&self.memory.out))
            }
            Value::I64(number) => self.number(number.unsigned_abs().into()),
            Value::U64(number) => self.number(number.into()),
            Value::I128(number) => self.number(number.unsigned_abs()),
            Value::U128(number) => self.number(number),
            Value::F64(number) => self.number(whole(number)?),
            Value::Bool(_) => None,
        }
    }

    fn number(&mut self, digits: u128) -> Option<Value<'_>> {
        if !self.redact.searches.is_number(digits) {
            return None;
        }
        let RedactBuffers { out, was, .. } = &mut *self.memory;
        out.clear();
        was.clear();
        let _ = write!(was, "{digits}");
        self.redact.searches.write_card(was, &self.redact.mask, out);
        Some(Value::Str(out))
    }

    fn error(&mut self, chain: ErrorChain<'_>) -> bool {
        self.memory.error.clear();
        let mut changed = false;
        for message in chain.messages() {
            let hidden = self.hide(message);
            changed |= hidden;
            let RedactBuffers { out, error, .. } = &mut *self.memory;
            error.push(if hidden { out } else { message });
        }
        changed
    }

    /// Writes the output of `Debug` or `Display` with all matches masked; if it is JSON, the members with hidden names too. Returns
    /// `false` if nothing changes.
    fn written(&mut self, text: &str) -> bool {
        let may_be_json = self.redact.has_lists() && text.starts_with(['{', '[']);
        if !may_be_json || !self.members_by_name(text) {
            return self.hide(text);
        }
        let RedactBuffers { out, was, search, json, .. } = &mut *self.memory;
        std::mem::swap(out, was);
        out.clear();
        if !self.redact.searches.hide_around(was, json.replaced(), &self.redact.mask, search, out) {
            std::mem::swap(out, was);
        }
        true
    }

    fn members_by_name(&mut self, text: &str) -> bool {
        let RedactBuffers { out, was, json: memory, search, .. } = &mut *self.memory;
        out.clear();
        let mut members = Members { redact: self.redact, was, search, by_list: true };
        json::rewrite(text, &mut members, memory, out).unwrap_or(false)
    }

    /// A value that is not valid JSON is masked as a whole.
    fn json(&mut self, json: &str) -> Option<Value<'_>> {
        let RedactBuffers { out, was, json: memory, search, .. } = &mut *self.memory;
        out.clear();
        match json::rewrite(json, &mut Members { redact: self.redact, was, search, by_list: false }, memory, out) {
            Ok(changed) => changed.then_some(Value::Json(&self.memory.out)),
            Err(json::NotJson) => self.mask(Value::Json(json)).then_some(Value::Str(&self.memory.out)),
        }
    }
}

/// The parts of a nested value.
struct Members<'m> {
    redact: &'m Redact,
    was: &'m mut String,
    search: &'m mut SearchBuffers,
    /// Whether only lists of names decide. The rest is searched as a text.
    by_list: bool,
}

impl Hide for Members<'_> {
    fn hides(&self, name: &str) -> bool {
        if self.by_list { self.redact.lists(name) } else { self.redact.hides(name) }
    }

    fn write_hidden(&mut self, raw: &str, out: &mut String) {
        self.redact.mask.write(json::text_of(raw, self.was), out);
    }

    fn write_text(&mut self, text: &str, out: &mut String) -> bool {
        !self.by_list && self.redact.searches.hide(text, &self.redact.mask, self.search, out)
    }

    fn write_number(&mut self, number: &str, out: &mut String) -> bool {
        if self.by_list {
            return false;
        }
        let digits = number.trim_start_matches('-');
        let digits = digits.parse().ok().or_else(|| whole(number.parse().ok()?));
        let Some(digits) = digits.filter(|digits| self.redact.searches.is_number(*digits)) else { return false };
        self.was.clear();
        let _ = write!(self.was, "{digits}");
        self.redact.searches.write_card(self.was, &self.redact.mask, out);
        true
    }
}

/// Returns the digits of a whole number that is not too large to be a card number.
fn whole(number: f64) -> Option<u128> {
    let number = number.abs();
    (number.fract() == 0.0 && number < 1e19).then_some(number as u128)
}

/// Returns the digits of packed decimals (BCD), two in a byte.
fn packed_digits(bytes: &[u8]) -> Option<u128> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let fits = (7..=10).contains(&bytes.len()) && digits.clone().all(|digit| digit < 10);
    fits.then(|| digits.fold(0, |number, digit| number * 10 + u128::from(digit)))
}

thread_local! {
    static MEMORY: Cell<Option<Box<RedactBuffers>>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    #[test]
    fn fields_of_the_crate_s_own_records_are_not_masked() {
        let mut record = RecordBuf::of_kind(Kind::Loss, Severity::WARN, "", "records are missing")
            .with_field("lost", 3_u64)
            .with_span("a", [("user", "ada".into())]);
        Redact::all_but(["id"]).rewrite(&mut record);
        super::super::Remove::all_but(["user"]).rewrite(&mut record);
        let record = record.as_record();
        assert_eq!(record.field("lost"), Some(Value::U64(3)));
        assert_eq!(record.spans().next().and_then(|span| span.field("user")), Some(Value::Str("***")));
    }

    #[test]
    fn bytes_with_a_secret_text_or_packed_digits_are_masked_whole() {
        let redact = Redact::detectors([Detector::Card, Detector::Email]);
        let masked = |bytes: &[u8]| {
            let mut record = RecordBuf::default().with_field("bytes", bytes);
            redact.rewrite(&mut record);
            record.as_record().field("bytes") == Some(Value::Str("***"))
        };
        assert!(
            masked(b"\xff\xfe to ada@example.org \xff") && masked(&[0x41, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11])
        );
        assert!(!masked(b"\xff to ada") && !masked(&[0x41, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x12]) && !masked(b""));
    }
}
