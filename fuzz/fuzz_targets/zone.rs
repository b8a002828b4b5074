//! Names of time zones, POSIX rules and TZif files.

#![no_main]

use fuzz::{errors, parts, scratch};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Time;

// A TZif file, or the name of a zone and a time in it.
fuzz_target!(|input: &[u8]| match input.starts_with(b"TZif") {
    true => {
        scratch::empty_dir();
        let path = scratch::file("tzif", input);
        check(path.to_str().expect("the scratch directory has a plain name"), 0);
    }
    false => {
        let Some([name, seconds]) = parts(input) else { return };
        // Files of this machine are not part of the input.
        if !name.contains('/')
            || name.contains("zoneinfo") == false && !name.trim().trim_start_matches(':').starts_with('/')
        {
            check(name, seconds.parse().unwrap_or(1_795_223_943));
        }
    }
});

/// A time in the zone is read back as itself, to the minute that an offset has.
fn check(name: &str, seconds: i64) {
    let Some(zone) = errors::checked(Time::zone(name), name) else { return };
    for seconds in SAMPLES.into_iter().chain([seconds.clamp(FIRST, LAST)]) {
        let text = zone.text(Timestamp::new(seconds, 0));
        let read: Timestamp = text.parse().unwrap_or_else(|error| panic!("{name:?} at {seconds}: {error}"));
        // Offsets in seconds, as of local mean time, are shown rounded to minutes.
        assert!(read.seconds().abs_diff(seconds) <= 30, "{name:?} at {seconds}: {text}");
    }
    if let Ok(theirs) = jiff::tz::TimeZone::posix(name) {
        let now = SAMPLES[0];
        let offset = theirs.to_offset(jiff::Timestamp::from_second(now).expect("it is in range")).seconds();
        let shown = zone.text(Timestamp::new(now, 0));
        let local: Timestamp = format!("{}Z", &shown[..19]).parse().expect("it is a date and a time");
        assert!((local.seconds() - now).abs_diff(offset.into()) <= 30, "{name:?}: {shown}, {offset}");
    }
}

/// Summer and winter, before and after the 32 bits of the first version of TZif.
const SAMPLES: [i64; 5] = [1_795_223_943, 1_750_000_000, 0, -3_000_000_000, 4_102_444_800];
/// A day inside of the years 0 to 9999.
const FIRST: i64 = -62_167_219_200 + 86_400;
const LAST: i64 = 253_402_300_799 - 86_400;
