//! Span entries.

use std::ops::Range;

use super::fit::copy_fields;
use super::header::HEADER;
use crate::record::Severity;
use crate::record::primitive::{Reader, put_sized, put_text16};

/// The part of a span entry before its fields.
#[derive(Clone, Copy)]
pub(crate) struct SpanHead<'a> {
    pub(crate) callsite: u32,
    pub(crate) id: u64,
    pub(crate) severity: Severity,
    /// Used if `callsite` is 0.
    pub(crate) name: &'a str,
    /// Used if `callsite` is 0.
    pub(crate) target: &'a str,
}

/// Appends a span; `fields` appends its fields.
///
/// Of fields of 4 GiB or more in total, the first 2 GiB stay, since the entry's length could not represent theirs.
pub(crate) fn put_span(out: &mut Vec<u8>, head: SpanHead<'_>, fields: impl FnOnce(&mut Vec<u8>)) {
    let len = put_sized(out, |out| {
        out.extend_from_slice(&head.callsite.to_le_bytes());
        out.extend_from_slice(&head.id.to_le_bytes());
        out.push(head.severity.number());
        if head.callsite == 0 {
            put_text16(out, head.name);
            put_text16(out, head.target);
        }
        let start = out.len();
        fields(out);
        if out.len() - start > MAX_FIELDS {
            let fields = out.split_off(start);
            copy_fields(out, &fields, start + MAX_FIELDS / 2);
        }
    });
    out.extend_from_slice(&len.to_le_bytes());
}

/// Appends a span without a callsite; `rest` is everything between the callsite's id and the second length. Returns the position of
/// its copy.
pub(in crate::record) fn put_foreign_span(out: &mut Vec<u8>, rest: &[u8]) -> Range<usize> {
    let len = put_sized(out, |out| {
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(rest);
    });
    let end = out.len();
    out.extend_from_slice(&len.to_le_bytes());
    end - rest.len()..end
}

const MAX_FIELDS: usize = u32::MAX as usize - HEADER - 2 * u16::MAX as usize;

impl<'a> Reader<'a> {
    /// Reads the next span: its head and the bytes of its fields.
    #[inline]
    pub(crate) fn span(&mut self) -> Option<(SpanHead<'a>, &'a [u8])> {
        let body = self.bytes32()?;
        self.take(size_of::<u32>())?;
        Self::span_in(body)
    }

    /// Reads the last span, and removes it from the end.
    #[inline]
    pub(crate) fn span_back(&mut self) -> Option<(SpanHead<'a>, &'a [u8])> {
        let (rest, len) = self.0.split_last_chunk()?;
        let (rest, body) = rest.split_at_checked(rest.len().checked_sub(u32::from_le_bytes(*len) as usize)?)?;
        self.0 = rest.split_last_chunk::<{ size_of::<u32>() }>()?.0;
        Self::span_in(body)
    }

    #[inline]
    fn span_in(body: &'a [u8]) -> Option<(SpanHead<'a>, &'a [u8])> {
        let mut span = Reader(body);
        let callsite = span.u32()?;
        let id = span.u64()?;
        let severity = Severity::from_number(span.u8()?)?;
        let (name, target) = match callsite {
            0 => (span.text16()?, span.text16()?),
            _ => ("", ""),
        };
        Some((SpanHead { callsite, id, severity, name, target }, span.0))
    }
}
