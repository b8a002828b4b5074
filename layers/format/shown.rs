//! Fields that a line shows in a place of their own, and so not among the others.

use crate::record::{Field, Part, Record, Span, pool};

/// Those parts of a line that are single fields.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldParts(Vec<Part>);

impl FieldParts {
    /// Beyond the first [`MOST`], a field is shown among the others as well.
    pub(super) fn of<'p>(parts: impl IntoIterator<Item = &'p Part>) -> Self {
        let is_field = |part: &&Part| {
            matches!(part, Part::Field(_) | Part::SpanField(_) | Part::FieldOf { .. } | Part::AnyField(_))
        };
        Self(parts.into_iter().filter(is_field).take(MOST).cloned().collect())
    }

    /// Whether one of them may be an event's field of this name.
    pub(super) fn may_show(&self, name: &str) -> bool {
        self.0.iter().any(|part| is_of_event(part, name))
    }

    /// Begins a walk over the fields of `record`.
    #[inline]
    pub(super) fn walk<'p, 'r>(&'p self, record: &Record<'r>) -> Shown<'p, 'r> {
        Shown { parts: &self.0, record: *record, seen: 0, nearest: Nearest(None) }
    }
}

/// A walk over the fields of an event or its spans, which tells for each whether it is shown elsewhere. A part shows only the first
/// field of its name; another one remains among the others.
pub(super) struct Shown<'p, 'r> {
    parts: &'p [Part],
    record: Record<'r>,
    /// A bit for each part whose field has been met.
    seen: u64,
    nearest: Nearest,
}

impl Shown<'_, '_> {
    /// Whether a part shows this field of the event.
    #[inline]
    pub(super) fn has(&mut self, field: &Field<'_>) -> bool {
        !self.parts.is_empty() && self.meet(|_, _, part| is_of_event(part, field.name))
    }

    /// Whether a part shows this field of a span.
    #[inline]
    pub(super) fn has_of_span(&mut self, span: &Span<'_>, field: &Field<'_>) -> bool {
        let is_shown = |walk: &mut Self, index, part: &Part| {
            name_in_spans(part) == Some(field.name) && walk.nearest.is(span, index, part, &walk.record)
        };
        !self.parts.is_empty() && self.meet(is_shown)
    }

    fn meet(&mut self, is_shown: impl Fn(&mut Self, usize, &Part) -> bool) -> bool {
        let shown = self.parts.iter().enumerate().filter(|(index, part)| is_shown(self, *index, part));
        let bits = shown.fold(0, |bits, (index, _)| bits | 1_u64 << index);
        let is_first = bits & !self.seen != 0;
        self.seen |= bits;
        is_first
    }
}

/// For each part, which span has the field that it shows. It is looked for once in a walk, since many spans may have a field of that
/// name. Kept in a buffer of the thread's.
struct Nearest(Option<pool::Buffer>);

impl Nearest {
    /// Whether `span` has the field that the part at `index` shows.
    fn is(&mut self, span: &Span<'_>, index: usize, part: &Part, record: &Record<'_>) -> bool {
        let found = self.0.get_or_insert_with(pool::take);
        if found.is_empty() {
            found.resize(MOST * UNKNOWN.len(), 0);
        }
        let Some(found) = found.as_chunks_mut().0.get_mut(index) else { return false };
        if *found == UNKNOWN {
            *found = nearest(part, record).map_or(NONE, |span| span.address()).to_ne_bytes();
        }
        *found == span.address().to_ne_bytes()
    }
}

impl Drop for Nearest {
    #[inline]
    fn drop(&mut self) {
        if let Some(found) = self.0.take() {
            pool::give(found);
        }
    }
}

fn is_of_event(part: &Part, name: &str) -> bool {
    matches!(part, Part::Field(own) | Part::AnyField(own) if own == name)
}

/// Returns the name of the spans' fields that the part may show.
fn name_in_spans(part: &Part) -> Option<&str> {
    match part {
        Part::SpanField(name) | Part::AnyField(name) | Part::FieldOf { field: name, .. } => Some(name),
        _ => None,
    }
}

/// Returns the span whose field the part shows.
fn nearest<'r>(part: &Part, record: &Record<'r>) -> Option<Span<'r>> {
    let name = name_in_spans(part)?;
    let mut spans = record.spans().rev().filter(|span| span.field(name).is_some());
    match part {
        Part::FieldOf { span: called, .. } => spans.find(|span| span.name() == called),
        Part::AnyField(_) if record.field(name).is_some() => None,
        Part::AnyField(_) if name == "message" && !record.message().is_empty() => None,
        _ => spans.next(),
    }
}

/// Not looked for yet.
const UNKNOWN: [u8; size_of::<usize>()] = [0; size_of::<usize>()];
/// No span has the field: no address.
const NONE: usize = 1;
/// A bit for each.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordBuf, Severity};

    fn left(parts: &[&str], record: &RecordBuf) -> String {
        let parts = FieldParts::of(&parts.iter().map(|part| part.parse().unwrap()).collect::<Vec<Part>>());
        let record = record.as_record();
        let mut shown = parts.walk(&record);
        let of_event = record.fields().filter(|field| !shown.has(field)).map(|field| field.value.to_string());
        let of_event: Vec<_> = of_event.collect();
        let mut shown = parts.walk(&record);
        let of_spans = record.spans().flat_map(|span| span.fields().map(move |field| (span, field)));
        let of_spans = of_spans.filter(|(span, field)| !shown.has_of_span(span, field));
        of_event.into_iter().chain(of_spans.map(|(_, field)| field.value.to_string())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_part_takes_out_the_one_field_that_it_shows_in_either_direction() {
        let record = RecordBuf::new(Severity::INFO, "", "")
            .with_field("a", 1_u64)
            .with_field("b", 2_u64)
            .with_field("a", 3_u64)
            .with_span("outer", [("a", 4_u64.into()), ("c", 5_u64.into())])
            .with_span("inner", [("a", 6_u64.into()), ("a", 7_u64.into())]);
        for (parts, expected) in [
            (&[][..], "1 2 3 4 5 6 7"),
            (&["level", "fields"], "1 2 3 4 5 6 7"),
            (&["field.a"], "2 3 4 5 6 7"),
            (&["field.a", "any.a"], "2 3 4 5 6 7"),
            (&["any.c"], "1 2 3 4 6 7"),
            (&["span.a"], "1 2 3 4 5 7"),
            (&["span[outer].a"], "1 2 3 5 6 7"),
            (&["span.a", "span[outer].a", "field.b"], "1 3 5 7"),
            (&["span[none].a", "field.c"], "1 2 3 4 5 6 7"),
        ] {
            assert_eq!(left(parts, &record), expected, "{parts:?}");
        }
    }

    #[test]
    fn the_event_s_message_comes_before_a_span_s_field_of_that_name() {
        let span = |message| RecordBuf::new(Severity::INFO, "", message).with_span("s", [("message", 1_u64.into())]);
        assert_eq!(left(&["any.message"], &span("")), "");
        assert_eq!(left(&["any.message"], &span("hot")), "1");
    }

    #[test]
    fn parts_beyond_the_64th_do_not_take_fields_out() {
        let names: Vec<_> = (0..66).map(|index| format!("f{index}")).collect();
        let record = names
            .iter()
            .fold(RecordBuf::new(Severity::INFO, "", ""), |record, name| record.with_field(name, name.as_str()));
        let parts: Vec<_> = names.iter().map(|name| format!("field.{name}")).collect();
        assert_eq!(left(&parts.iter().map(String::as_str).collect::<Vec<_>>(), &record), "f64 f65");
    }
}
