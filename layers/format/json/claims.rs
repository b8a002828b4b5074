//! Fields that have a position of their own in a line, apart from the other fields.

use crate::Value;
use crate::record::{Field, Record};

/// The fields to look for in each record.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    claims: Vec<Claim>,
    /// A bit for each name, chosen by its length and first byte. Rules out nearly every other field without a comparison.
    seen: u64,
}

#[derive(Clone, Debug)]
struct Claim {
    by: By,
    wants: Wants,
    /// A bit for each claim that overrides this one: if the record meets any of them, the field stays among the others.
    unless: u64,
}

/// How the field is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By name: the event's field, or else that of the innermost span that has one.
    Name(Box<str>),
    /// By type: the event's first error that is not claimed by name.
    Error,
}

/// What value the field must have to meet the claim. A field with another value stays among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Anything,
    /// 32 hexadecimal digits, not all of them zero (W3C Trace Context 3.2.2.3).
    TraceId,
    /// 16 hexadecimal digits, not all of them zero (W3C Trace Context 3.2.2.4). Requires a trace id.
    SpanId,
    /// A number below 256 or two hexadecimal digits. Requires a trace id.
    Flags,
    /// A boolean. Requires a trace id.
    Sampled,
    /// A nested value that is an object.
    Object,
    Integer,
}

/// The claims that a record meets, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken(u64);

impl Claims {
    /// Creates claims for the ids of the trace context, at the indexes [`TRACE_ID`] and [`SPAN_ID`].
    pub(super) fn of_trace() -> Self {
        let mut claims = Self::default();
        claims.by_name("trace_id", Wants::TraceId);
        claims.by_name("span_id", Wants::SpanId);
        claims
    }

    /// Returns the index of the claim for `name`, adding the claim if needed. Returns `None` if there are already [`MOST`] claims.
    pub(super) fn by_name(&mut self, name: &str, wants: Wants) -> Option<usize> {
        self.seen |= bit(name);
        self.add(By::Name(name.into()), wants)
    }

    /// Like [`by_name`](Self::by_name), for the event's first error.
    pub(super) fn error(&mut self) -> Option<usize> {
        self.add(By::Error, Wants::Anything)
    }

    /// Makes the claim `other` override the one at `place`: a record that meets `other` does not meet that one.
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

    /// Returns the claims that `record` meets.
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
        // These have no meaning without a trace id.
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

    /// Returns the value of the field for the claim at `place`, whether or not it meets the claim.
    pub(super) fn find<'r>(&self, place: usize, record: &Record<'r>) -> Option<Value<'r>> {
        match &self.claims.get(place)?.by {
            By::Name(name) => record.field(name).or_else(|| record.span_field(name)),
            By::Error => record.fields().find(|field| self.is_error(field)).map(|field| field.value),
        }
    }

    /// Returns whether the field is written at the position of a claim that the record meets.
    pub(super) fn take(&self, taken: Taken, field: &Field<'_>) -> bool {
        taken.0 != 0 && self.place_of(field.name).is_some_and(|place| taken.has(place))
    }

    /// Returns whether the field can be the error of [`By::Error`]. The caller must stop at the first field for which it can.
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

    /// Returns the claims for which the record has a field with any value, in a single pass over the record.
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

/// Returns `value` as W3C trace flags (8 bits), or `None` if it is neither a number below 256 nor two hexadecimal digits.
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

/// The indexes in [`Claims::of_trace`].
pub(super) const TRACE_ID: usize = 0;
pub(super) const SPAN_ID: usize = 1;
/// The most claims: one bit each in a word.
const MOST: usize = 64;
