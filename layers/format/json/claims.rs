//! Fields that have a place of their own in a line, apart from the other fields.

use crate::Value;
use crate::record::{Field, Record};

/// The fields that are looked for in each record.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    claims: Vec<Claim>,
    /// One bit of 64 for each name, by its length and first byte; rules out nearly every other field.
    seen: u64,
}

#[derive(Clone, Debug)]
struct Claim {
    by: By,
    wants: Wants,
    /// The field stays where it is if any of these claims is met, a bit for each.
    unless: u64,
}

/// Which field is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The event's field with this name, or that of the innermost span that has one.
    Name(Box<str>),
    /// The event's first field that is an error and is not claimed by its name.
    Error,
}

/// What the field must be to be taken; otherwise it stays among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Anything,
    /// 32 hexadecimal digits, not all of them zero (W3C Trace Context 3.2.2.3).
    TraceId,
    /// 16 hexadecimal digits, not all of them zero (W3C Trace Context 3.2.2.4), beside a trace id.
    SpanId,
    /// A number below 256 or two hexadecimal digits, beside a trace id.
    Flags,
    /// A boolean, beside a trace id.
    Sampled,
    /// A nested value that is an object.
    Object,
    Integer,
}

/// The claims that a record meets, a bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken(u64);

impl Claims {
    /// With the ids of the trace context, at the places [`TRACE_ID`] and [`SPAN_ID`].
    pub(super) fn of_trace() -> Self {
        let mut claims = Self::default();
        claims.by_name("trace_id", Wants::TraceId);
        claims.by_name("span_id", Wants::SpanId);
        claims
    }

    /// The place of the claim, a new one where there is none; `None` where there are too many.
    pub(super) fn by_name(&mut self, name: &str, wants: Wants) -> Option<usize> {
        self.seen |= bit(name);
        self.add(By::Name(name.into()), wants)
    }

    /// The same for an error.
    pub(super) fn error(&mut self) -> Option<usize> {
        self.add(By::Error, Wants::Anything)
    }

    /// A record that meets the claim `other` does not meet the one at `place`.
    pub(super) fn unless(&mut self, place: Option<usize>, other: Option<usize>) {
        if let Some(claim) = place.and_then(|place| self.claims.get_mut(place)) {
            claim.unless |= other.map_or(0, |other| 1 << other);
        }
    }

    fn add(&mut self, by: By, wants: Wants) -> Option<usize> {
        if let Some(place) = self.claims.iter().position(|claim| claim.by == by) {
            return Some(place);
        }
        if self.claims.len() == MOST {
            return None;
        }
        self.claims.push(Claim { by, wants, unless: 0 });
        Some(self.claims.len() - 1)
    }

    /// Which claims `record` meets.
    pub(super) fn met_by(&self, record: &Record<'_>) -> Taken {
        let mut taken = Taken(self.present(record));
        if taken.0 == 0 {
            return taken;
        }
        for (place, claim) in self.claims.iter().enumerate() {
            if taken.has(place) && !self.find(place, record).is_some_and(|value| claim.wants.is_met_by(value)) {
                taken.0 &= !(1 << place);
            }
        }
        let met = taken.0;
        // They mean nothing without a trace id.
        let goes_with_trace = |wants| matches!(wants, Wants::SpanId | Wants::Flags | Wants::Sampled);
        let has_trace =
            self.claims.iter().enumerate().any(|(at, claim)| claim.wants == Wants::TraceId && taken.has(at));
        for (place, claim) in self.claims.iter().enumerate() {
            let is_alone = !has_trace && goes_with_trace(claim.wants);
            if is_alone || claim.unless & met != 0 {
                taken.0 &= !(1 << place);
            }
        }
        taken
    }

    /// The value for the claim at `place`, whether it is what is wanted or not.
    pub(super) fn find<'r>(&self, place: usize, record: &Record<'r>) -> Option<Value<'r>> {
        match &self.claims.get(place)?.by {
            By::Name(name) => record.field(name).or_else(|| record.span_field(name)),
            By::Error => record.fields().find(|field| self.is_error(field)).map(|field| field.value),
        }
    }

    /// Whether the field has its place elsewhere.
    pub(super) fn take(&self, taken: Taken, field: &Field<'_>) -> bool {
        taken.0 != 0 && self.place_of(field.name).is_some_and(|place| taken.has(place))
    }

    /// Whether the field is the error of [`By::Error`], if it is the first one: the caller stops at the first.
    pub(super) fn take_error(&self, taken: Taken, field: &Field<'_>) -> bool {
        taken.0 != 0
            && self.is_error(field)
            && self.claims.iter().position(|claim| claim.by == By::Error).is_some_and(|place| taken.has(place))
    }

    fn is_error(&self, field: &Field<'_>) -> bool {
        matches!(field.value, Value::Error(_)) && self.place_of(field.name).is_none()
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        if self.seen & bit(name) == 0 {
            return None;
        }
        self.claims.iter().position(|claim| matches!(&claim.by, By::Name(claimed) if **claimed == *name))
    }

    /// The claims for which there is a field at all: one walk over the record instead of one for each.
    fn present(&self, record: &Record<'_>) -> u64 {
        if self.claims.is_empty() {
            return 0;
        }
        let errors = self.claims.iter().position(|claim| claim.by == By::Error);
        let of_event = record.fields().map(|field| match self.place_of(field.name) {
            None if matches!(field.value, Value::Error(_)) => errors,
            place => place,
        });
        let of_spans = record.spans().flat_map(|span| span.fields()).map(|field| self.place_of(field.name));
        of_event.chain(of_spans).flatten().fold(0, |present, place| present | 1 << place)
    }
}

impl Taken {
    pub(super) fn has(self, place: usize) -> bool {
        self.0 >> place & 1 != 0
    }
}

impl Wants {
    fn is_met_by(self, value: Value<'_>) -> bool {
        match self {
            Self::Anything => true,
            Self::TraceId => value.as_str().is_some_and(|id| is_id(id, 32)),
            Self::SpanId => value.as_str().is_some_and(|id| is_id(id, 16)),
            Self::Flags => flags(value).is_some(),
            Self::Sampled => matches!(value, Value::Bool(_)),
            Self::Object => matches!(value, Value::Json(json) if json.trim_start().starts_with('{')),
            Self::Integer => matches!(value, Value::U64(_) | Value::I64(_)),
        }
    }
}

/// W3C's trace flags: 8 bits.
pub(super) fn flags(value: Value<'_>) -> Option<u8> {
    match value {
        Value::U64(flags) => flags.try_into().ok(),
        Value::I64(flags) => flags.try_into().ok(),
        Value::Str(hex) | Value::Text(hex) if hex.len() == 2 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u8::from_str_radix(hex, 16).ok()
        }
        _ => None,
    }
}

fn is_id(id: &str, digits: usize) -> bool {
    id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && id.bytes().any(|byte| byte != b'0')
}

fn bit(name: &str) -> u64 {
    let first = name.as_bytes().first().copied().unwrap_or(0);
    1 << (name.len().wrapping_add(usize::from(first) * 7) % 64)
}

/// The places in [`Claims::of_trace`].
pub(super) const TRACE_ID: usize = 0;
pub(super) const SPAN_ID: usize = 1;
/// A bit for each in a word.
const MOST: usize = 64;
