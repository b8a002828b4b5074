/// A Bloom filter over names: two bits of 128 for each name. With a dozen names in it, one new name in thirty is reported as
/// already present.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bloom(u64, u64);

impl Bloom {
    pub(super) const EMPTY: Self = Self(0, 0);

    /// Adds `name`. Returns `true` if it is certainly new, `false` if it may have been added before.
    #[inline]
    pub(super) const fn insert(&mut self, name: &[u8]) -> bool {
        let hash = hash(name);
        let (one, two) = (1 << (hash & 63), 1 << (hash >> 6 & 63));
        let old = (self.0 & one != 0) & (self.1 & two != 0);
        *self = Self(self.0 | one, self.1 | two);
        !old
    }
}

/// Hashes the length and three bytes. Names that agree in those collide and are compared by the caller.
#[inline]
const fn hash(name: &[u8]) -> u32 {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return 0 };
    let middle = name[name.len() / 2];
    let all = u32::from_le_bytes([first, middle, last, name.len() as u8]);
    all.wrapping_mul(0x9e37_79b1) >> 20
}
