//! A test suite, as zero2prod's: tests that look at what was logged, among them by a thread of the program.

use super::side_by_side::{Difference, code, compare};
use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "switch-tests", about: "tests of what is logged", make, shows: SHOWS };

mod before {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::Level;
    use tracing::subscriber::DefaultGuard;
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    pub struct Logs(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Logs {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Logs {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    impl Logs {
        pub fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.lock().expect("a lock")).into_owned()
        }
    }

    pub fn capture() -> (Logs, DefaultGuard) {
        let logs = Logs::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .without_time()
            .with_ansi(false)
            .with_writer(logs.clone())
            .finish();
        (logs, tracing::subscriber::set_default(subscriber))
    }

    pub fn a_parcel_that_is_too_heavy_is_reported() -> String {
        let (logs, _guard) = capture();
        super::ship(42);
        let text = logs.text();
        let warning = text.lines().find(|line| line.starts_with(" WARN")).expect("a warning");
        assert!(warning.contains("ship{parcel=42}") && warning.contains("kg=31"));
        assert!(!text.contains("ERROR"));
        text
    }
}

mod after {
    use tracing::Level;
    use tracing_handlers::testing::{capture, expect};

    pub fn a_parcel_that_is_too_heavy_is_reported() -> String {
        let logs = capture();
        super::ship(42);
        logs.assert_logged(expect().level(Level::WARN).in_span("ship").span_field("parcel", 42).field("kg", 31));
        logs.assert_never(expect().level(Level::ERROR));
        logs.text()
    }
}

/// The function under test.
fn ship(parcel: u64) {
    let ship = tracing::info_span!(target: "shop", "ship", parcel);
    ship.in_scope(|| {
        tracing::debug!(target: "shop::scale", carrier = "by sea", "weighed");
        tracing::warn!(target: "shop", kg = 31, "too heavy");
    });
    let print = move || ship.in_scope(|| tracing::info!(target: "shop::printer", "printed"));
    std::thread::spawn(print).join().expect("a thread");
}

/// A subscriber that is set for one thread receives nothing from others. A capture follows the spans that were created in its test.
const THREAD: Difference = Difference {
    about: "the line of another thread, which before misses",
    without: |line| if line.contains("shop::printer") { String::new() } else { line.to_owned() },
};

fn make() -> String {
    let (stock, ours) =
        (before::a_parcel_that_is_too_heavy_is_reported(), after::a_parcel_that_is_too_heavy_is_reported());
    code(include_str!("suite.rs")) + &compare("captured", &stock, &ours, &[THREAD])
}

const SHOWS: &str = "
code: 45 lines before, 9 after
captured: 2 and 3 lines, equal but for the line of another thread, which before misses
";
