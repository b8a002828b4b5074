use std::cell::Cell;
use std::fmt::Write;
use std::ops::Range;

use super::json::{self, Hide};
use super::mask::Mask;
use super::names::Names;
use super::search::Searches;
use super::{Pattern, Rewrite};
use crate::record::{Change, ErrorBuf, ErrorChain, Field, FieldChange, Kind, RecordBuf, Span, Value};

/// Masks secrets in events and in the spans around them: by the names of fields, and by what secrets look like.
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`fields`](Self::fields), [`with_fields`](Self::with_fields) | none | masks the values of the fields with these names |
/// | [`all_but`](Self::all_but) | all | masks the values of all other fields |
/// | [`patterns`](Self::patterns), [`with_patterns`](Self::with_patterns) | none | masks what looks like this, wherever it stands |
#[cfg_attr(
    feature = "regex",
    doc = "| [`regex`](Self::regex) | none | the same by a regular expression of one's own |"
)]
/// | [`mask`](Self::mask) | `***` | what stands in the place of a secret |
/// | [`mask_with`](Self::mask_with) | - | a closure writes that |
#[cfg_attr(feature = "hash", doc = "| [`hash`](Self::hash) | - | a keyed hash does: equal secrets look equal |")]
/// | [`last_digits`](Self::last_digits) | 0 | so many digits of a card's number stay |
/// | [`everywhere`](Self::everywhere) | off | patterns are looked for in threads' names, targets … as well |
///
/// **By name**: names are compared without regard to ASCII case; `*` stands for any number of letters (`*_token`). `message` is
/// the event's message. Members of [nested values](Value::Json) are masked too, at any depth, in arrays too. What `Debug` or
/// `Display` wrote is a text, in which there are no fields: there patterns find what names cannot. A masked value is a string,
/// whatever it was.
///
/// **By pattern**: the message, strings, what `Debug` and `Display` wrote, the messages of errors, texts and numbers in
/// nested values and the names of their members, integers and whole floats. Bytes that hold such a text in UTF-8, or a card's number as
/// packed decimal digits, are masked whole. The names of fields are the program's own and stay. A secret that is spread over
/// several fields is not found, nor one that is encoded otherwise (Base64, percent signs).
///
/// A record in which nothing is found is handed on as it is. Memory is reused: nothing is allocated per record.
///
/// ```
/// use tracing_handlers::rewrite::{Pattern, Redact, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "card 4111 1111 1111 1111 of ada@example.org")
///     .with_span("login", [("Password", "1234".into())])
///     .with_field("user", "ada")
///     .with_field("order", Value::Json(r#"{"items":[{"api_token":"t0ps3cret","n":2}]}"#));
/// Redact::fields(["password", "*_token"]).with_patterns([Pattern::Card, Pattern::Email]).last_digits(4).rewrite(&mut record);
/// let record = record.as_record();
/// assert_eq!(record.message(), "card ***1111 of ***");
/// assert_eq!(record.spans().next().unwrap().field("Password").unwrap().as_str(), Some("***"));
/// assert_eq!(record.field("user").unwrap().as_str(), Some("ada"));
/// assert_eq!(record.field("order"), Some(Value::Json(r#"{"items":[{"api_token":"***","n":2}]}"#)));
/// ```
#[derive(Clone, Debug)]
pub struct Redact {
    hidden: Names,
    /// All other fields are hidden.
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

    /// Masks all fields, and all members of nested values, but those with these names. The message stays, for it is no field; so do
    /// the fields that this crate adds to records of its own ([`Kind`]).
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

    /// Masks what looks like one of these.
    pub fn patterns(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        Self::nothing().with_patterns(patterns)
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

    /// Masks the fields with these names as well.
    pub fn with_fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.hidden.extend(names);
        self
    }

    /// Masks what looks like one of these as well.
    pub fn with_patterns(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        patterns.into_iter().for_each(|pattern| self.searches.add(pattern));
        self
    }

    /// What stands in the place of a secret.
    pub fn mask(mut self, mask: impl Into<String>) -> Self {
        self.mask = Mask::Text(mask.into());
        self
    }

    /// Has `write` append what stands in the place of a secret, which it is given as text: of a string its contents, of a
    /// card's number its digits, else what [`Value`]'s `Display` shows.
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
        self.mask = Mask::Own(std::sync::Arc::new(write));
        self
    }

    /// Lets the last digits of a card's number stand behind the mask: 4 at most, as PCI DSS 4.0 (3.4.1) allows. Only where a
    /// pattern found it, and the mask is a fixed one.
    pub fn last_digits(mut self, digits: usize) -> Self {
        self.searches.last_digits = digits.min(4);
        self
    }

    /// Looks for patterns in the other texts that a record carries itself as well: the name of its thread; its target, name,
    /// module and file, and the names and targets of its spans, where no callsite of this program has them (records that
    /// came through `log`, or from elsewhere). Those that a callsite has are literals of the program, and stay.
    pub fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    fn hides(&self, name: &str) -> bool {
        self.hidden.contain(name)
            || self.shown.as_ref().is_some_and(|shown| !shown.contain(name))
            || self.searches.is_name(name)
    }
}

impl Rewrite for Redact {
    fn rewrite(&self, record: &mut RecordBuf) {
        let memory = MEMORY.try_with(Cell::take).unwrap_or_default().unwrap_or_default();
        let is_own = record.as_record().kind() != Kind::Event;
        let mut redacting = Redacting { redact: self, memory, is_own };
        record.change(&mut redacting);
        // A thread that is ending keeps nothing.
        let _ = MEMORY.try_with(|kept| kept.set(Some(redacting.memory)));
    }
}

/// A record in work.
struct Redacting<'r> {
    redact: &'r Redact,
    memory: Box<Memory>,
    /// The event's own fields are this crate's.
    is_own: bool,
}

/// Buffers, kept for the next record.
#[derive(Default)]
struct Memory {
    /// What a value becomes.
    out: String,
    /// What a value was, as text.
    was: String,
    error: ErrorBuf,
    json: json::Memory,
    nexts: Vec<Option<Range<usize>>>,
}

impl Change for Redacting<'_> {
    fn message<'s>(&'s mut self, message: &'s str) -> Option<&'s str> {
        let changed = match !message.is_empty() && self.redact.hidden.contain("message") {
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
    /// Puts the mask for a whole value.
    fn mask(&mut self, value: Value<'_>) -> bool {
        let Memory { out, was, .. } = &mut *self.memory;
        out.clear();
        match value.as_str() {
            Some(text) => self.redact.mask.write(text, out),
            None if !self.redact.mask.reads() => self.redact.mask.write("", out),
            None => {
                was.clear();
                // A string takes everything.
                let _ = write!(was, "{value}");
                self.redact.mask.write(was, out);
            }
        }
        true
    }

    /// Puts the text with what the patterns find in it masked.
    fn hide(&mut self, text: &str) -> bool {
        let Memory { out, nexts, .. } = &mut *self.memory;
        out.clear();
        self.redact.searches.hide(text, &self.redact.mask, nexts, out)
    }

    /// What becomes of a value whose name says nothing.
    fn value(&mut self, value: Value<'_>) -> Option<Value<'_>> {
        if self.redact.searches.is_empty() && !matches!(value, Value::Json(_)) {
            return None;
        }
        match value {
            Value::Str(text) => self.hide(text).then_some(Value::Str(&self.memory.out)),
            Value::Text(text) => self.hide(text).then_some(Value::Text(&self.memory.out)),
            Value::Json(json) => self.json(json),
            Value::Error(chain) => self.error(chain).then(|| self.memory.error.as_value()),
            Value::Bytes(bytes) => {
                let found = bytes.utf8_chunks().any(|chunk| self.redact.searches.finds_any(chunk.valid()));
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
        let Memory { out, was, .. } = &mut *self.memory;
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
            let Memory { out, error, .. } = &mut *self.memory;
            error.push(if hidden { out } else { message });
        }
        changed
    }

    /// What is not JSON although it says so is masked whole.
    fn json(&mut self, json: &str) -> Option<Value<'_>> {
        let Memory { out, was, json: memory, nexts, .. } = &mut *self.memory;
        out.clear();
        match json::rewrite(json, &mut Members { redact: self.redact, was, nexts }, memory, out) {
            Ok(changed) => changed.then_some(Value::Json(&self.memory.out)),
            Err(json::NotJson) => self.mask(Value::Json(json)).then_some(Value::Str(&self.memory.out)),
        }
    }
}

/// The parts of a nested value.
struct Members<'m> {
    redact: &'m Redact,
    was: &'m mut String,
    nexts: &'m mut Vec<Option<Range<usize>>>,
}

impl Hide for Members<'_> {
    fn hides(&self, name: &str) -> bool {
        self.redact.hides(name)
    }

    fn write_hidden(&mut self, raw: &str, out: &mut String) {
        self.redact.mask.write(json::text_of(raw, self.was), out);
    }

    fn write_text(&mut self, text: &str, out: &mut String) -> bool {
        self.redact.searches.hide(text, &self.redact.mask, self.nexts, out)
    }

    fn write_number(&mut self, number: &str, out: &mut String) -> bool {
        let digits = number.trim_start_matches('-');
        let digits = digits.parse().ok().or_else(|| whole(number.parse().ok()?));
        let Some(digits) = digits.filter(|digits| self.redact.searches.is_number(*digits)) else { return false };
        self.was.clear();
        let _ = write!(self.was, "{digits}");
        self.redact.searches.write_card(self.was, &self.redact.mask, out);
        true
    }
}

/// Its digits, where it is a whole number of which a float holds every digit.
fn whole(number: f64) -> Option<u128> {
    let number = number.abs();
    (number.fract() == 0.0 && number < 1e19).then_some(number as u128)
}

/// The digits of packed decimals (BCD), two in a byte: what the hexadecimal view of these bytes shows.
fn packed_digits(bytes: &[u8]) -> Option<u128> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let fits = (7..=10).contains(&bytes.len()) && digits.clone().all(|digit| digit < 10);
    fits.then(|| digits.fold(0, |number, digit| number * 10 + u128::from(digit)))
}

thread_local! {
    static MEMORY: Cell<Option<Box<Memory>>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    #[test]
    fn what_the_crate_itself_says_is_not_masked_with_all_other_fields() {
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
    fn bytes_with_a_text_or_packed_digits_are_masked_whole() {
        let redact = Redact::patterns([Pattern::Card, Pattern::Email]);
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
