use std::time::Duration;

use super::cells::{Cells, Per};
use super::count::{Count, is_exempt};
use super::window;
use super::{Filter, Place, Threshold};
use crate::record::{Record, Severity};
use crate::stats::{DropReason, Report};

/// Passes `n` records per `interval`, and those that are important: log4j2's `BurstFilter`.
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
        count: Count::default(),
    }
}

/// So many records in so much time. See [`rate`].
///
/// | setting | default | effect |
/// |---|---|---|
/// | [`burst`](Self::burst) | as many as in an interval | how many pass at once after a quiet time |
/// | [`per_callsite`](Self::per_callsite), [`by`](Self::by) | all together | what is limited by itself |
/// | [`keys`](Self::keys) | 1,024 | how many values are known at a time; others make the oldest forgotten |
/// | [`always`](Self::always) | `ERROR` | records so important pass, and use up nothing |
/// | [`name`](Self::name) | `rate N in T` | how reports call it |
///
/// It is a token bucket over the records' own times: one token comes each `interval / n`, cut off to whole nanoseconds; a record
/// takes one; there are never more than `burst`. A clock set back by ten seconds more than a burst takes to come begins anew. What
/// it does not let pass is counted as [`RateLimited`](DropReason::RateLimited).
#[derive(Debug)]
pub struct Rate {
    n: u32,
    burst: u32,
    interval: i64,
    cells: Cells,
    keys: usize,
    always: Threshold,
    name: String,
    count: Count,
}

impl Rate {
    /// How many pass at once after a quiet time; 0 passes the important ones alone.
    pub fn burst(mut self, records: u32) -> Self {
        self.burst = records;
        self
    }

    /// Each log call is limited by itself. From about 4,000 log calls on some are limited together.
    pub fn per_callsite(self) -> Self {
        self.per(Per::Callsite)
    }

    /// Records with the same value there are limited together, and those that have none.
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

    /// How many values are known at a time, in some 90 bytes each. One that was forgotten has a whole burst again. Of more than 512 those long not seen
    /// are forgotten part by part.
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        let per = self.cells.per().clone();
        self.per(per)
    }

    /// Records of this severity and above pass. `LevelFilter::OFF`: none by that alone.
    pub fn always(mut self, severity: impl Into<Threshold>) -> Self {
        self.always = severity.into();
        self
    }

    /// How reports call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    fn per(mut self, per: Per) -> Self {
        self.cells = Cells::new(per, self.keys);
        self
    }

    fn has_token(&self, record: &Record<'_>) -> bool {
        // Of more than one token in a nanosecond each costs nothing, and would be had from an empty bucket as well.
        if self.burst == 0 {
            return false;
        }
        let now = record.time().unix_nanos();
        let Some(token) = self.interval.checked_div(i64::from(self.n)) else { return false };
        let full = token.saturating_mul(i64::from(self.burst));
        self.cells.step(record, |state| take_token(state, now, token, full))
    }
}

/// The state is the time at which the bucket will be full, and so says how many tokens are missing now: the generic cell rate
/// algorithm (ITU-T I.371), which is a token bucket in one number.
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
        self.count.judged(is_exempt(record, self.always) || self.has_token(record))
    }

    fn reason(&self) -> DropReason {
        DropReason::RateLimited
    }

    fn report(&self, reports: &mut Vec<Report>) {
        self.count.report(&self.name, DropReason::RateLimited, reports);
    }
}

const KEYS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as such: how many there are, and when that was.
    struct Bucket {
        tokens: i64,
        at: i64,
    }

    #[test]
    fn one_number_does_what_a_bucket_of_tokens_does() {
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
    fn times_and_settings_at_the_ends_harm_nothing() {
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
