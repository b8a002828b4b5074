use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::count::{Count, is_exempt};
use super::{Filter, Place, Threshold, hash};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes this share of the records, by chance or by a key, and those that are important.
///
/// `share` is 0 to 1; what lies outside is taken as the nearer end, NaN as 0.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::share(0.1).by("request_id");
/// let passes = |id: u64, message: &str| {
///     filter.passes(&RecordBuf::new(Severity::INFO, "shop", message).with_field("request_id", id).as_record())
/// };
/// let kept: Vec<u64> = (0..10_000).filter(|id| passes(*id, "begun")).collect();
/// assert!((900..1_100).contains(&kept.len()));
/// assert!(kept.iter().all(|id| passes(*id, "done")), "a request is kept whole");
/// ```
pub fn share(share: f64) -> Share {
    // NaN is neither greater nor less than anything.
    let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
    Share {
        below: (share < 1.0).then_some((share * TWO_TO_64) as u64),
        by: None,
        state: AtomicU64::new(RandomState::new().hash_one(0)),
        always: Severity::ERROR.into(),
        share,
        name: None,
        count: Count::default(),
    }
}

/// A share of the records. See [`share`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`by`](Self::by) | chance | records with the same value there share one fate |
/// | [`seed`](Self::seed) | another one in each process | where chance starts from |
/// | [`always`](Self::always) | `ERROR` | records so important pass |
/// | [`name`](Self::name) | `share 0.1`, `share 0.1 by request_id` | how reports call it |
///
/// What it does not let pass is counted as [`Sampled`](DropReason::Sampled).
#[derive(Debug)]
pub struct Share {
    /// A number drawn evenly from all of 64 bits must be below this; `None`: all pass.
    below: Option<u64>,
    by: Option<Place>,
    state: AtomicU64,
    always: Threshold,
    share: f64,
    name: Option<String>,
    count: Count,
}

impl Share {
    /// The value there decides: with a trace's or a request's id, all records of one are kept or none, in this process and
    /// in all others, whatever the version. What a smaller share keeps a larger one keeps too.
    ///
    /// The value is hashed as it is shown (the number 42 as the text `42`): FNV-1a of 64 bits over its UTF-8 bytes, then
    /// MurmurHash3's `fmix64`. It passes if that, as a number, is less than the share of 2⁶⁴. A record without such a value is
    /// left to chance.
    pub fn by(mut self, place: impl Into<Place>) -> Self {
        self.by = Some(place.into());
        self
    }

    /// Chance takes the same course in each run with the same seed (SplitMix64), as far as records come in the same order.
    pub fn seed(self, seed: u64) -> Self {
        self.state.store(seed, Ordering::Relaxed);
        self
    }

    /// Records of this severity and above pass. `LevelFilter::OFF`: none by that alone.
    pub fn always(mut self, severity: impl Into<Threshold>) -> Self {
        self.always = severity.into();
        self
    }

    /// How reports call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    fn is_in(&self, record: &Record<'_>) -> bool {
        let Some(below) = self.below else { return true };
        let value = self.by.as_ref().and_then(|place| place.value(record));
        let drawn = value.map_or_else(|| self.draw(), hash::fixed);
        drawn < below
    }

    /// SplitMix64: a counter that goes up by an odd number, and each bit of the result depends on all of it.
    fn draw(&self) -> u64 {
        let mut state = self.state.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ state >> 31
    }
}

impl Filter for Share {
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.count.judged(is_exempt(record, self.always) || self.is_in(record))
    }

    fn reason(&self) -> DropReason {
        DropReason::Sampled
    }

    fn report(&self, reports: &mut Vec<Report>) {
        let name = match (&self.name, &self.by) {
            (Some(name), _) => name.clone(),
            (None, Some(place)) => format!("share {} by {}", self.share, place.name()),
            (None, None) => format!("share {}", self.share),
        };
        self.count.report(&name, DropReason::Sampled, reports);
    }
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_splitmix64() {
        // The first numbers of the reference implementation with the seed 1234567.
        let share = share(0.5).seed(1_234_567);
        assert_eq!(share.draw(), 6_457_827_717_110_365_317);
        assert_eq!(share.draw(), 3_203_168_211_198_807_973);
        assert_eq!(share.draw(), 9_817_491_932_198_370_423);
    }
}
