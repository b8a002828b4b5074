use std::time::Duration;

use super::cells::{Cells, Per};
use super::count::{Judged, is_exempt};
use super::window;
use super::{Filter, Place, Threshold};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes `n` records per `interval`, and important ones: log4j2's `BurstFilter`.
///
/// ```
/// use std::time::Duration;
/// use tracing_handlers::clock::Timestamp;
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let filter = filter::rate(10, Duration::from_secs(1)).burst(50);
/// let pass = |second| {
///     let record = RecordBuf::new(Severity::INFO, "shop", "sold").with_time(Timestamp::new(second, 0));
///     (0..1_000).filter(|_| filter.passes(&record.as_record())).count()
/// };
/// assert_eq!(pass(100), 50, "what has been saved up");
/// assert_eq!(pass(101), 10);
/// assert_eq!(pass(104), 30);
/// ```
pub fn rate(n: u32, interval: Duration) -> Rate {
    Rate {
        n,
        burst: n,
        interval: window::length(interval),
        cells: Cells::new(Per::All, KEYS),
        keys: KEYS,
        always: Severity::ERROR.into(),
        name: format!("rate {n} in {interval:?}"),
        judged: Judged::default(),
    }
}

/// A rate limit. See [`rate`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`burst`](Self::burst) | `n` | how many pass at once after a quiet period |
/// | [`per_callsite`](Self::per_callsite), [`by`](Self::by) | all together | which records are limited together |
/// | [`keys`](Self::keys) | 1,024 | how many values are known at a time; a new one replaces the least recently seen |
/// | [`always`](Self::always) | `ERROR` | records from this severity up pass without being counted |
/// | [`name`](Self::name) | `rate N in T` | the name in reports |
///
/// It is a token bucket over the times of the records: one token is added every `interval / n`, rounded down to nanoseconds, up to
/// `burst`, and each record takes one. If the clock is set back further than a burst takes to fill plus ten seconds, the bucket
/// is full again. Dropped records are counted as [`RateLimited`](DropReason::RateLimited).
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Debug)]
pub struct Rate {
    n: u32,
    burst: u32,
    interval: i64,
    cells: Cells,
    keys: usize,
    always: Threshold,
    name: String,
    judged: Judged,
}

impl Rate {
    /// Sets how many records pass at once after a quiet period; with 0, only important ones pass.
    pub fn burst(mut self, records: u32) -> Self {
        self.burst = records;
        self
    }

    /// Limits each callsite separately. With more than about 4,000 callsites, some are limited together.
    pub fn per_callsite(self) -> Self {
        self.per(Per::Callsite)
    }

    /// Limits records by the value at `place`; those without one are limited together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_handlers::filter::{self, Filter};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let filter = filter::rate(1, Duration::from_secs(60)).by("user");
    /// let record = |user: &str| RecordBuf::new(Severity::INFO, "shop", "wrong password").with_field("user", user);
    /// let passes = |user| filter.passes(&record(user).as_record());
    /// assert_eq!(["ada", "ada", "mia", "ada"].map(passes), [true, false, true, false]);
    /// ```
    pub fn by(self, place: impl Into<Place>) -> Self {
        self.per(Per::Value(place.into()))
    }

    /// Sets how many values are known at a time; each takes about 90 bytes. A new one replaces the least recently seen, above 512
    /// approximately; a value that was replaced has a full burst again.
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        let per = self.cells.per().clone();
        self.per(per)
    }

    /// Sets the severity from which records always pass. [`Threshold::OFF`] exempts none.
    pub fn always(mut self, severity: impl Into<Threshold>) -> Self {
        self.always = severity.into();
        self
    }

    /// Sets the name used in reports.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn per(mut self, per: Per) -> Self {
        self.cells = Cells::new(per, self.keys);
        self
    }

    fn has_token(&self, record: &Record<'_>) -> bool {
        // With more than one token per nanosecond a token costs nothing, and even an empty bucket would have one.
        if self.burst == 0 {
            return false;
        }
        let now = record.time().unix_nanos();
        let Some(token) = self.interval.checked_div(i64::from(self.n)) else { return false };
        let full = token.saturating_mul(i64::from(self.burst));
        self.cells.step(record, |state| take_token(state, now, token, full))
    }
}

/// The state is the time at which the bucket will be full, which implies how many tokens are missing now: the generic cell rate
/// algorithm (ITU-T I.371), a token bucket in one number.
fn take_token(state: u64, now: i64, token: i64, full: i64) -> (u64, bool) {
    let full_at = state as i64;
    let is_set_back = full_at.saturating_sub(now) > full.saturating_add(window::LATE);
    let full_at = if is_set_back { now } else { full_at.max(now) };
    let after = full_at.saturating_add(token);
    match after.saturating_sub(now) <= full {
        true => (after as u64, true),
        false => (state, false),
    }
}

impl Filter for Rate {
    fn accepts(&self, record: &Record<'_>) -> bool {
        self.judged.count(is_exempt(record, self.always) || self.has_token(record))
    }

    fn reason(&self) -> DropReason {
        DropReason::RateLimited
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.judged.report(&self.name, DropReason::RateLimited, reports);
    }
}

const KEYS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain model: how many tokens there are, and as of when.
    struct Bucket {
        tokens: i64,
        at: i64,
    }

    #[test]
    fn one_number_behaves_like_a_bucket_of_tokens() {
        let mut random = 1_u64;
        for (token, burst) in [(1, 1), (100, 1), (100, 10), (7, 3), (1_000, 50)] {
            let (mut state, mut bucket) = (0, Bucket { tokens: burst * token, at: 0 });
            let mut now = 1_000_000;
            for _ in 0..10_000 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                now += (random >> 33) as i64 % (2 * token + 1) * i64::from(random >> 60 != 0);
                now += if random >> 52 == 0 { 100 * token * burst } else { 0 };
                bucket.tokens = (bucket.tokens + now - bucket.at).min(burst * token);
                bucket.at = now;
                let expected = bucket.tokens >= token;
                bucket.tokens -= i64::from(expected) * token;
                let (after, passes) = take_token(state, now, token, token * burst);
                state = after;
                assert_eq!(passes, expected, "token {token}, burst {burst}, at {now}");
            }
        }
    }

    #[test]
    fn extreme_times_and_settings_do_not_overflow() {
        for state in [0, i64::MAX as u64, i64::MIN as u64] {
            for now in [0, i64::MAX, i64::MIN] {
                for token in [0, 1, i64::MAX] {
                    take_token(state, now, token, i64::MAX);
                    take_token(state, now, token, 0);
                }
            }
        }
        let later = window::LATE + 1_000;
        assert_eq!(take_token(later as u64, 0, 10, 10), (10, true), "the clock was set back");
    }
}
