//! The sequences of zap's sampler (`zapcore/sampler_test.go`), for [`filter::first`].

use std::thread;
use std::time::Duration;

use tracing_handlers::clock::Timestamp;
use tracing_handlers::filter::{self, Filter, First, Threshold};
use tracing_handlers::{RecordBuf, Severity};

const SEVERITIES: [Severity; 7] = [
    Severity::DEBUG,
    Severity::INFO,
    Severity::WARN,
    Severity::ERROR,
    Severity::CRITICAL,
    Severity::ALERT,
    Severity::EMERGENCY,
];

/// Without the exception for important records, which zap's does not have.
fn sampler(n: u32, interval: Duration, thereafter: u32) -> First {
    filter::first(n, interval).then_every(thereafter).always(Threshold::OFF)
}

fn passes(filter: &First, severity: Severity, message: &str, millis: i64) -> bool {
    let time = Timestamp::new(1_795_223_940, 0).plus(millis);
    filter.passes(&RecordBuf::new(severity, "shop", message).with_time(time).as_record())
}

trait Plus {
    fn plus(self, millis: i64) -> Self;
}

impl Plus for Timestamp {
    fn plus(self, millis: i64) -> Self {
        Self::new(self.seconds() + millis.div_euclid(1_000), (millis.rem_euclid(1_000) * 1_000_000) as u32)
    }
}

fn sequence(filter: &First, severity: Severity, numbers: std::ops::Range<u32>, millis: i64) -> Vec<u32> {
    numbers.filter(|_| passes(filter, severity, "", millis)).collect()
}

#[test]
fn the_first_two_of_a_level_pass_and_every_third_after_them() {
    for severity in SEVERITIES {
        let filter = sampler(2, Duration::from_secs(60), 3);
        let other = if severity == Severity::DEBUG { Severity::INFO } else { Severity::DEBUG };
        // The counts of another level are separate.
        sequence(&filter, other, 0..10, 0);
        assert_eq!(sequence(&filter, severity, 1..10, 0), [1, 2, 5, 8], "{severity:?}");
    }
}

#[test]
fn what_is_not_enabled_is_not_counted() {
    let sampler = sampler(1, Duration::from_secs(60), 100);
    let filter = filter::Chain::new().require(Threshold::from(Severity::INFO)).require(sampler);
    let passes = |severity| filter.passes(&RecordBuf::new(severity, "shop", "").as_record());
    assert_eq!((passes(Severity::DEBUG), passes(Severity::INFO), passes(Severity::INFO)), (false, true, false));
}

#[test]
fn each_tick_counts_anew() {
    let tick = Duration::from_millis(10);
    let filter = sampler(5, tick, 10);
    for millis in [0, 15] {
        assert_eq!(sequence(&filter, Severity::INFO, 1..6, millis), [1, 2, 3, 4, 5]);
    }
    for millis in [30, 40, 50] {
        assert_eq!(sequence(&filter, Severity::INFO, 1..18, millis), [1, 2, 3, 4, 5, 15], "at {millis} ms");
    }
}

#[test]
fn without_a_number_for_thereafter_only_the_first_pass() {
    let filter = sampler(2, Duration::from_secs(1), 0);
    assert_eq!(sequence(&filter, Severity::INFO, 0..1_000, 0).len(), 2);
    assert_eq!(sequence(&filter, Severity::INFO, 0..1_000, 1_000).len(), 2);
}

#[test]
fn ten_threads_share_the_counts_of_five_messages() {
    const THREADS: usize = 10;
    let filter = sampler(10, Duration::from_millis(10), 100_000);
    let passed: usize = (0..25)
        .map(|tick| {
            thread::scope(|scope| {
                let count = |number: usize| {
                    (0..20)
                        .filter(|_| passes(&filter, Severity::DEBUG, &format!("msg{}", number % 5), tick * 10))
                        .count()
                };
                let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || count(number))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
            })
        })
        .sum();
    assert_eq!(passed, 5 * 10 * 25, "of {}", THREADS * 20 * 25);
}
