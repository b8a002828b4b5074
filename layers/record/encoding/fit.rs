//! Fields that fit into a limited space.

use super::entry::Entry;
use super::field::{Name, put_field};
use crate::record::Value;
use crate::record::primitive::Reader;

/// Copies those of the fields in `area` that fit into `most` bytes of `out`, and the number of the others.
pub(super) fn copy_fields(out: &mut Vec<u8>, area: &[u8], most: usize) {
    let (mut reader, mut cut) = (Reader(area), 0_u64);
    while let Some((entry, verbatim)) = reader.entry_verbatim() {
        match entry {
            Entry::Aside => {}
            _ if out.len() + verbatim.len() <= most => out.extend_from_slice(verbatim),
            _ => cut += 1,
        }
    }
    if cut > 0 {
        put_field(out, Name::Inline("fields_cut"), Value::U64(cut));
    }
}
