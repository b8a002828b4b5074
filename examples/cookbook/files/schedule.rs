//! Rotation by time, described in words, including the night in which the clocks are set back: log4j2's `TimeBasedTriggeringPolicy`
//! and `CronTriggeringPolicy`.

use std::fmt::Write as _;

use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Time;
use tracing_handlers::rotation::Schedule;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "schedule", about: "when a file is rotated by time", make, shows: SHOWS };

fn make() -> String {
    let saturday = Timestamp::new(1_792_872_000, 0); // 2026-10-24T22:00:00+02:00
    let clock = Time::zone("Europe/Berlin").expect("a zone").precision(0);
    let mut shown = String::new();
    for words in
        ["hourly", "every 90 minutes", "daily at 02:30", "monday", "monthly on the last day", "cron */30 2 * * *"]
    {
        let schedule = words.parse::<Schedule>().and_then(|schedule| schedule.zone("Europe/Berlin")).expect("words");
        writeln!(shown, "{words}").expect("a string takes all");
        let mut deadline = saturday;
        for _ in 0..5 {
            deadline = schedule.next(saturday, deadline).expect("there is always another one");
            writeln!(shown, "  {}", clock.text(deadline)).expect("a string takes all");
        }
    }
    let wrong = "daily around noon".parse::<Schedule>().expect_err("not a schedule");
    shown + &wrong.to_string()
}

const SHOWS: &str = r#"
hourly
  2026-10-24T23:00:00+02:00
  2026-10-25T00:00:00+02:00
  2026-10-25T01:00:00+02:00
  2026-10-25T02:00:00+02:00
  2026-10-25T02:00:00+01:00
every 90 minutes
  2026-10-24T23:30:00+02:00
  2026-10-25T01:00:00+02:00
  2026-10-25T02:30:00+02:00
  2026-10-25T03:00:00+01:00
  2026-10-25T04:30:00+01:00
daily at 02:30
  2026-10-25T02:30:00+02:00
  2026-10-26T02:30:00+01:00
  2026-10-27T02:30:00+01:00
  2026-10-28T02:30:00+01:00
  2026-10-29T02:30:00+01:00
monday
  2026-10-26T00:00:00+01:00
  2026-11-02T00:00:00+01:00
  2026-11-09T00:00:00+01:00
  2026-11-16T00:00:00+01:00
  2026-11-23T00:00:00+01:00
monthly on the last day
  2026-10-31T00:00:00+01:00
  2026-11-30T00:00:00+01:00
  2026-12-31T00:00:00+01:00
  2027-01-31T00:00:00+01:00
  2027-02-28T00:00:00+01:00
cron */30 2 * * *
  2026-10-25T02:00:00+02:00
  2026-10-25T02:30:00+02:00
  2026-10-25T02:00:00+01:00
  2026-10-25T02:30:00+01:00
  2026-10-26T02:00:00+01:00
schedule "daily around noon": expected `at`, found `around`
"#;
