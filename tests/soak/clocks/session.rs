use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing_handlers::clock::{Clock as _, Manual, Timestamp};
use tracing_handlers::rotation::settle;

use super::settings::{Jumps, Settings};
use crate::scenarios::random::Random;

/// From one start of a process to its end.
pub struct Session {
    pub number: u64,
    random: Random,
    starts_at: i64,
    /// How long it runs at most.
    length: i64,
}

/// A line that was written, and the true time.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub line: u64,
    pub at: i64,
}

impl Session {
    pub fn drawn(seed: u64, number: u64, jumps: Jumps) -> Self {
        let mut random = Random::of(seed, 2);
        let first = random.pick(&[NOVEMBER, BEFORE_WINTER, BEFORE_SUMMER]);
        // Until it is touched, a file has the true time of the test, which must not be later than that of the log.
        let first = if jumps != Jumps::Anywhere { first + 8 * YEAR } else { first };
        let length = random.pick(&[7_200, DAY, 3 * DAY]);
        let starts_at = first + length * number as i64;
        Self { number, random: Random::of(seed, 100 + number), starts_at, length }
    }

    pub fn ends_at(&self) -> i64 {
        self.starts_at + self.length
    }

    /// Writes lines from `first` on, and passes each to `on_line`.
    pub fn run(
        mut self,
        settings: &Settings,
        path: &Path,
        first: u64,
        mut on_line: impl FnMut(Written) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut time = Time::starting(&self, settings.jumps);
        if settings.jumps != Jumps::BrieflyAhead && self.random.chance(1, 2) {
            time.jump(&mut self.random);
        }
        let mut files = settings.open(path, &time.clock)?;
        let mut line = first;
        for _ in 0..4 + self.random.below(20) {
            time.go_on(&mut self.random);
            for _ in 0..1 + self.random.below(4) {
                let file = self.random.below(files.len() as u64) as usize;
                files[file].write_all(text(line).as_bytes()).map_err(|error| format!("{error:#}"))?;
                touch(path, &time.clock);
                line += 1;
                on_line(Written { line, at: time.truth })?;
            }
            if self.random.chance(1, 20) {
                files[0].control().rotate();
            }
        }
        drop(files);
        touch(path, &time.clock);
        settled()
    }
}

pub fn settled() -> Result<(), String> {
    if settle(Duration::from_secs(60)) { Ok(()) } else { Err("the background thread hangs".to_owned()) }
}

/// Lines of several lengths.
pub fn text(line: u64) -> String {
    format!("{line:08}{}\n", &"x".repeat(24)[..(line * 7 % 24) as usize])
}

/// The true time, and a clock that need not show it.
struct Time {
    clock: Arc<Manual>,
    jumps: Jumps,
    truth: i64,
    ends_at: i64,
}

impl Time {
    fn starting(session: &Session, jumps: Jumps) -> Self {
        let clock = Arc::new(Manual::new(Timestamp::new(session.starts_at, 0)));
        Self { clock, jumps, truth: session.starts_at, ends_at: session.ends_at() }
    }

    /// Time passes, or the clock jumps, or neither.
    fn go_on(&mut self, random: &mut Random) {
        match random.below(10) {
            0..4 => {
                let by = random.pick(&[1, 30, 600, 3_600, 13 * 3_600, DAY, 3 * DAY]);
                self.pass(by.min(self.ends_at - self.truth));
            }
            4..7 => self.jump(random),
            _ => {}
        }
    }

    fn pass(&mut self, seconds: i64) {
        if self.jumps != Jumps::Anywhere {
            self.step(self.truth);
        }
        self.truth += seconds;
        self.clock.advance(Duration::from_secs(seconds.unsigned_abs()));
    }

    fn jump(&self, random: &mut Random) {
        let shown = self.clock.now().seconds();
        let to = match self.jumps {
            // Never by the same amount twice, which would look like a clock that runs on.
            Jumps::BrieflyAhead => {
                let ahead = random.pick(&[3_600, 5 * 3_600, DAY, 40 * DAY]);
                let ahead = ahead + random.below(ahead.unsigned_abs() * 10) as i64;
                random.pick(&[self.truth, self.truth + ahead])
            }
            Jumps::YearsAhead => random.pick(&[self.truth, IN_2036 + 10 * YEAR]),
            Jumps::Anywhere => {
                let hours = random.pick(&[-5, -2, -1, 1, 2, 5]) * 3_600;
                let days = random.pick(&[-40, -3, -1, 1, 3, 40]) * DAY;
                let some = random.below(3 * DAY as u64) as i64;
                let change = random.pick(&[BEFORE_WINTER, BEFORE_SUMMER]) + DAY / 2 - 5;
                random.pick(&[self.truth, self.truth, some, IN_2036 + some, shown + hours, shown + days, change])
            }
        };
        self.step(to.max(0));
    }

    fn step(&self, shown: i64) {
        self.clock.step(Timestamp::new(shown, 0));
    }
}

/// The file in use was last written to when the clock says, as the system's clock would have it.
fn touch(path: &Path, clock: &Manual) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(clock.now().seconds().unsigned_abs());
    // Without a line there may be no file.
    if let Ok(file) = std::fs::File::options().append(true).open(path) {
        let _ = file.set_modified(time);
    }
}

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
/// 2026-11-20T00:00:00Z.
const NOVEMBER: i64 = 1_795_132_800;
/// 2026-10-24T13:00:00Z: Europe's clocks go back in twelve hours.
const BEFORE_WINTER: i64 = 1_792_846_800;
/// 2027-03-27T13:00:00Z: Europe's clocks go forward in twelve hours.
const BEFORE_SUMMER: i64 = 1_806_152_400;
/// 2036-01-01T00:00:00Z.
const IN_2036: i64 = 2_082_758_400;
