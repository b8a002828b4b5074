//! Members that are known to have distinct names.

use super::keys::JsonKeys;
use super::shape::write_key;
use super::{NonFinite, value};
use crate::record::{Field, Fields, TakeField};

/// Appends members that are known to have distinct names, without recording their names. `keys` must be those of the fields'
/// callsite.
#[inline(always)]
pub(super) fn write_members(out: &mut Vec<u8>, fields: Fields<'_>, keys: &'static JsonKeys, non_finite: NonFinite) {
    fields.hand_to(&mut Members { out, keys, non_finite });
}

struct Members<'b> {
    out: &'b mut Vec<u8>,
    keys: &'static JsonKeys,
    non_finite: NonFinite,
}

impl<'a> TakeField<'a> for Members<'_> {
    #[inline(always)]
    fn take(&mut self, field: Field<'a>) {
        match self.keys.field(&field) {
            Some(key) => key.put(self.out),
            None => write_key(self.out, field.name),
        }
        value::write(self.out, field.value, self.non_finite);
    }

    #[inline(never)]
    fn take_rarely(&mut self, field: Field<'a>) {
        self.take(field);
    }
}
