use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::count::{Judged, is_exempt};
use super::{Filter, Place, Threshold, hash};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes this share of the records, at random or by a key, and important ones.
///
/// `share` is from 0 to 1; values outside are clamped, and NaN counts as 0.
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
    // NaN fails every comparison.
    let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
    Share {
        below: (share < 1.0).then_some((share * TWO_TO_64) as u64),
        by: None,
        state: AtomicU64::new(RandomState::new().hash_one(0)),
        always: Severity::ERROR.into(),
        share,
        name: None,
        judged: Judged::default(),
    }
}

/// A share of the records. See [`share`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`by`](Self::by) | random | decides by the value at this place |
/// | [`seed`](Self::seed) | different in each process | the seed of the random numbers |
/// | [`always`](Self::always) | `ERROR` | records from this severity up pass |
/// | [`name`](Self::name) | `share 0.1`, `share 0.1 by request_id` | the name in reports |
///
/// Dropped records are counted as [`Sampled`](DropReason::Sampled).
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Debug)]
pub struct Share {
    /// A uniform 64-bit number must be below this; `None` passes everything.
    below: Option<u64>,
    by: Option<Place>,
    state: AtomicU64,
    always: Threshold,
    share: f64,
    name: Option<String>,
    judged: Judged,
}

impl Share {
    /// Decides by the value at `place`: with the id of a trace or a request, either all of its records pass or none, consistently in
    /// all processes and versions. Values kept by a smaller share are also kept by a larger one.
    ///
    /// The hash is of the value as displayed (the number 42 as the text `42`): 64-bit FNV-1a over its UTF-8 bytes, then
    /// MurmurHash3's `fmix64`. The record passes if the result is less than the share of 2⁶⁴. Records without the value are
    /// sampled at random.
    pub fn by(mut self, place: impl Into<Place>) -> Self {
        self.by = Some(place.into());
        self
    }

    /// Sets the seed of the random numbers (SplitMix64): with the same seed and order of records, the decisions are the same.
    pub fn seed(self, seed: u64) -> Self {
        self.state.store(seed, Ordering::Relaxed);
        self
    }

    /// Sets the severity from which records always pass. [`Threshold::OFF`] exempts none.
    pub fn always(mut self, severity: impl Into<Threshold>) -> Self {
        self.always = severity.into();
        self
    }

    /// Sets the name used in reports.
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

    /// SplitMix64: a counter that advances by an odd number, and a mix in which each bit depends on all of it.
    fn draw(&self) -> u64 {
        let mut state = self.state.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ state >> 31
    }
}

impl Filter for Share {
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.judged.count(is_exempt(record, self.always) || self.is_in(record))
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
        self.judged.report(&name, DropReason::Sampled, reports);
    }
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_splitmix64() {
        // The first numbers of the reference implementation with the seed 1234567.
        let share = share(0.5).seed(1_234_567);
        assert_eq!(share.draw(), 6_457_827_717_110_365_317);
        assert_eq!(share.draw(), 3_203_168_211_198_807_973);
        assert_eq!(share.draw(), 9_817_491_932_198_370_423);
    }
}
