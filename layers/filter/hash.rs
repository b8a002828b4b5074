//! Hashes of values and callsites.

use std::fmt::{self, Write};
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::record::{Record, Value};

/// A hash that is the same in every process and version: documented at [`Share::by`](super::Share::by).
pub(super) fn fixed(value: Value<'_>) -> u64 {
    let mut hash = Fnv(FNV_OFFSET);
    write(&mut hash, value);
    spread(hash.0)
}

/// A hash that differs between processes, so that values with equal hashes cannot be constructed.
pub(super) fn keyed(state: &RandomState, value: Value<'_>) -> u64 {
    let mut hasher = HasherWriter(state.build_hasher());
    write(&mut hasher, value);
    hasher.0.finish()
}

/// A number that identifies a callsite, never 0. For records that do not come from tracing, it is a hash of their source position.
pub(super) fn callsite(record: &Record<'_>) -> u64 {
    if let Some(id) = record.callsite_of_meta() {
        return u64::from(id.get());
    }
    let mut hash = Fnv(FNV_OFFSET);
    for text in [record.target(), record.file().unwrap_or(""), record.name()] {
        hash.bytes(text.as_bytes());
        // A byte that occurs in no text separates the parts.
        hash.bytes(&[0xff]);
    }
    hash.bytes(&record.line().unwrap_or(0).to_le_bytes());
    spread(hash.0) | 1 << 63
}

/// MurmurHash3's last step for 64 bits (`fmix64`): each bit of the result depends on every bit of `hash`.
pub(super) fn spread(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// Writes the value as displayed, so that 42 and "42" are the same.
fn write(out: &mut impl Write, value: Value<'_>) {
    // Hashing cannot fail.
    let _ = match value {
        Value::Str(text) | Value::Text(text) | Value::Json(text) => out.write_str(text),
        other => write!(out, "{other}"),
    };
}

/// 64-bit FNV-1a.
struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
        }
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

struct HasherWriter<H>(H);

impl<H: Hasher> Write for HasherWriter<H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_hash_is_fnv_1a_and_fmix64() {
        // From the list of test vectors in draft-eastlake-fnv.
        for (text, fnv) in [("", FNV_OFFSET), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)] {
            let mut hash = Fnv(FNV_OFFSET);
            hash.bytes(text.as_bytes());
            assert_eq!(hash.0, fnv, "{text}");
            assert_eq!(fixed(Value::Str(text)), spread(fnv));
        }
        assert_eq!(spread(0), 0);
        assert_eq!(spread(1), 0xb456_bcfc_34c2_cb2c);
    }

    #[test]
    fn values_displayed_alike_have_equal_hashes() {
        let state = RandomState::new();
        for value in [Value::U64(42), Value::I64(42), Value::Text("42"), Value::U128(42), Value::Json("42")] {
            assert_eq!(fixed(value), fixed(Value::Str("42")));
            assert_eq!(keyed(&state, value), keyed(&state, Value::Str("42")));
        }
        assert_ne!(fixed(Value::U64(42)), fixed(Value::U64(24)));
    }
}
