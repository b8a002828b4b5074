//! A program that has a logger of its own.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use support::{Seen, outline};
use tracing_handlers::ErrorKind;

static LOGGED: AtomicUsize = AtomicUsize::new(0);

struct Own;

impl log::Log for Own {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {
        LOGGED.fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self) {}
}

#[test]
fn init_leaves_a_logger_of_the_program_alone() {
    log::set_logger(&Own).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let seen = Seen::default();
    tracing_handlers::init(seen.clone()).unwrap();
    log::info!("to the logger");
    log::debug!("below its level");
    tracing::info!("to the handler");
    assert_eq!(LOGGED.load(Ordering::Relaxed), 1);
    assert_eq!(outline(&seen.take()), ["to the handler"]);
    let error = tracing_handlers::bridge_log().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "cannot receive records of the `log` crate: it has another logger");
    assert_eq!(log::max_level(), log::LevelFilter::Info);
}
