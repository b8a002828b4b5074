//! The time that redaction takes on the thread that logs.
//!
//! `cargo bench --bench redaction` prints how fast [`Detector::ALL`] searches texts of 4 KiB, and what it adds to a short message. It fails
//! if the best of many rounds is worse than the bounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tracing_handlers::rewrite::{Cap, Detector, Redact, Rewrite};
use tracing_handlers::{RecordBuf, Severity};

fn main() {
    let mut held = true;
    for (name, piece, least) in [
        ("letters", "the quick brown fox jumps over the lazy dog, and so on; ", 1_000.0),
        (
            "prose with digits and colons",
            "At 07:34:24 the order 1234 took 17 items in 3.5 s: fine, status: ok. ",
            300.0,
        ),
        ("JSON", r#"{"time":"2026-11-21T07:34:24.123Z","level":"INFO","id":81726,"path":"/a/b_c"},"#, 0.0),
        ("text of other scripts", "Grüße aus Köln, привет из Москвы, 東京からこんにちは. ", 0.0),
        ("text to fold", "Prix\u{a0}: 17\u{202f}euros «\u{a0}merci\u{a0}»\u{a0}! ", 0.0),
        ("addresses", "from 10.0.0.7 to ada@example.org, ", 0.0),
    ] {
        let text = piece.repeat(4_096 / piece.len());
        let time = added_by(&Redact::detectors(Detector::ALL), &text);
        let speed = text.len() as f64 / time.as_secs_f64() / 1e6;
        held &= speed >= least;
        println!("{name:<30} {speed:>7.0} MB/s, at least {least}");
    }
    let short = "the order 1234 of ada was taken from the stock at 07:34 UTC.";
    let time = added_by(&Redact::detectors(Detector::ALL), short);
    held &= time <= Duration::from_nanos(150);
    println!("{:<30} {:>7} ns, at most 150", format!("{} bytes", short.len()), time.as_nanos());
    std::process::exit(i32::from(!held));
}

/// Returns what the rewrite adds to one that looks at every part of a record and does nothing.
fn added_by(redact: &Redact, text: &str) -> Duration {
    let record = RecordBuf::new(Severity::INFO, "shop", text);
    best(redact, &record).saturating_sub(best(&Cap::new(), &record))
}

/// The best of many rounds: all others were interrupted.
fn best(rewrite: &dyn Rewrite, record: &RecordBuf) -> Duration {
    let mut copy = RecordBuf::default();
    let round = |copy: &mut RecordBuf| {
        let start = Instant::now();
        for _ in 0..CALLS {
            copy.copy_from(&black_box(record).as_record());
            rewrite.rewrite(copy);
        }
        start.elapsed() / CALLS
    };
    (0..ROUNDS).map(|_| round(&mut copy)).min().unwrap_or_default()
}

const ROUNDS: u32 = 2_000;
const CALLS: u32 = 50;
