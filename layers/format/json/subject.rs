use super::claims::{Claims, Taken};
use crate::record::Record;

/// The record to write, and which of its fields have a position of their own.
pub(super) struct Subject<'t, 'r> {
    pub(super) record: &'r Record<'r>,
    pub(super) claims: &'t Claims,
    pub(super) taken: Taken,
}
