//! The local time zone, which is a setting of the process.

use std::sync::Mutex;

use tracing_handlers::clock::Timestamp;
use tracing_handlers::filter::Filter;
use tracing_handlers::format::{Caps, Format, Out, Python, Time};
use tracing_handlers::rotation::Schedule;
use tracing_handlers::rotation::python::TimedRotating;

use super::*;

cases! {
    a_posix_rule_in_tz_is_the_local_zone_everywhere => |ended| ended.succeeds();
    an_empty_tz_is_utc_and_not_reported => |ended| ended.succeeds();
    a_tz_that_cannot_be_used_is_utc_and_reported_once => |ended| ended.succeeds();
    a_tz_that_is_not_utf_8_is_utc_and_reported_once => |ended| ended.succeeds();
    a_tz_beyond_24_hours_is_utc_and_reported_once => |ended| ended.succeeds();
    a_tz_that_is_not_a_valid_rule_is_reported_with_the_reason => |ended| ended.succeeds();
    a_tz_with_a_line_break_does_not_forge_a_report => |ended| ended.succeeds();
    a_tz_with_a_line_break_does_not_forge_a_line_of_standard_error => |ended| ended.succeeds().has_one_line_on_stderr();
    a_tz_that_changes_is_seen_at_the_next_lookup => |ended| ended.succeeds();
}

fn a_posix_rule_in_tz_is_the_local_zone_everywhere(_: &Path) {
    for (name, offset, abbreviation) in [
        ("CET-1CEST", "+02:00", "CEST"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "+02:00", "CEST"),
        ("<+0330>-3:30", "+03:30", "+0330"),
        (":Europe/Berlin", "+02:00", "CEST"),
        ("Europe/Berlin", "+02:00", "CEST"),
        ("/usr/share/zoneinfo/Europe/Berlin", "+02:00", "CEST"),
    ] {
        let told = in_zone(name);
        let midday = Timestamp::new(JUNE_15, 0);
        let hour: i64 = offset[1..3].parse().unwrap();
        assert!(Time::local().text(midday).ends_with(offset), "{name}");

        let mut line = Vec::new();
        let python = Python::percent("%(asctime)s").unwrap().datefmt("%Z").local();
        let record = RecordBuf::new(Severity::INFO, "", "").with_time(midday);
        python.format(&record.as_record(), &mut Out::new(&mut line, Caps::default())).unwrap();
        assert_eq!(line, abbreviation.as_bytes(), "{name}");

        let local_hour = format!("{:02}:00", 12 + hour);
        let hours = filter::hours(&local_hour, "24:00").unwrap().local();
        assert!(hours.passes(&record.as_record()), "{name}");

        let minutes: i64 = offset[4..6].parse().unwrap();
        let midnight = Timestamp::new(JUNE_15 + 12 * 3_600 - hour * 3_600 - minutes * 60, 0);
        assert_eq!(Schedule::daily().local().next(midday, midday), Some(midnight), "{name}");
        assert_eq!(TimedRotating::new("midnight").unwrap().local().deadline(midday), midnight, "{name}");
        assert_eq!(told(), [] as [&str; 0]);
    }
}

fn an_empty_tz_is_utc_and_not_reported(_: &Path) {
    let told = in_zone("");
    assert_eq!(local(), "2025-06-15T12:00:00.000000+00:00");
    assert_eq!(told(), [] as [&str; 0]);
}

fn a_tz_that_cannot_be_used_is_utc_and_reported_once(_: &Path) {
    let told = in_zone("Nonsense/Nowhere");
    for _ in 0..3 {
        assert_eq!(local(), "2025-06-15T12:00:00.000000+00:00");
        let _ = (Schedule::daily().local(), Time::zone("local").unwrap());
    }
    let told = told();
    assert_eq!(told.len(), 1, "{told:?}");
    let start = "local times are in UTC: cannot use TZ=\"Nonsense/Nowhere\": unknown time zone \"Nonsense/Nowhere\": ";
    assert!(told[0].starts_with(start), "{told:?}");
}

fn a_tz_that_is_not_utf_8_is_utc_and_reported_once(_: &Path) {
    use std::os::unix::ffi::OsStrExt as _;

    let told = in_zone(std::ffi::OsStr::from_bytes(b"CET\xff"));
    assert_eq!(
        (local(), local()),
        ("2025-06-15T12:00:00.000000+00:00".into(), "2025-06-15T12:00:00.000000+00:00".into())
    );
    assert_eq!(told(), ["local times are in UTC: TZ=\"CET\\xFF\" is not UTF-8"]);
}

fn a_tz_beyond_24_hours_is_utc_and_reported_once(_: &Path) {
    let told = in_zone("XXX-24:59:59");
    let texts = [local(), local()];
    assert_eq!(texts, ["2025-06-15T12:00:00.000000+00:00"; 2]);
    let reason = "time zone \"XXX-24:59:59\" has an offset from UTC beyond ±23:59";
    assert_eq!(told(), [format!("local times are in UTC: cannot use TZ=\"XXX-24:59:59\": {reason}")]);
}

fn a_tz_that_is_not_a_valid_rule_is_reported_with_the_reason(_: &Path) {
    let told = in_zone("XXX25");
    assert_eq!(local(), "2025-06-15T12:00:00.000000+00:00");
    let told = told();
    let start = "local times are in UTC: cannot use TZ=\"XXX25\": cannot read the time zone rule \"XXX25\": ";
    assert!(told.len() == 1 && told[0].starts_with(start) && !told[0].contains("database"), "{told:?}");
}

fn a_tz_with_a_line_break_does_not_forge_a_report(_: &Path) {
    let told = in_zone(FORGED);
    let _ = local();
    let told = told();
    assert!(told.len() == 1 && told[0].contains(r"Nowhere\ntracing-handlers: "), "{told:?}");
    assert!(!told[0].contains(char::is_control), "{told:?}");
}

fn a_tz_with_a_line_break_does_not_forge_a_line_of_standard_error(_: &Path) {
    let _ = in_zone(FORGED);
    selflog::reset();
    let _ = local();
}

impl Ended {
    #[track_caller]
    fn has_one_line_on_stderr(&self) {
        let text = fs::read_to_string(self.directory.join("stderr")).unwrap();
        let line = text.strip_suffix('\n').unwrap_or_default();
        assert!(line.starts_with("tracing-handlers: local times are in UTC: "), "{text:?}");
        assert!(!line.contains(char::is_control), "{text:?}");
    }
}

fn a_tz_that_changes_is_seen_at_the_next_lookup(_: &Path) {
    let _ = in_zone("CET-1CEST");
    let midday = Timestamp::new(JUNE_15, 0);
    let midnight = |hours: i64| Some(Timestamp::new(JUNE_15 + hours * 3_600, 0));
    let passes =
        |hours: &filter::Hours| hours.passes(&RecordBuf::new(Severity::INFO, "", "").with_time(midday).as_record());
    let at_two = || filter::hours("14:00", "15:00").unwrap().local();
    let (kept, schedule, hours) = (Time::local(), Schedule::daily().local(), at_two());
    let _ = in_zone("EST5");
    assert_eq!(local(), "2025-06-15T07:00:00.000000-05:00");
    assert_eq!(kept.text(midday), "2025-06-15T14:00:00.000000+02:00");
    assert_eq!(Schedule::daily().local().next(midday, midday), midnight(17));
    assert_eq!(schedule.next(midday, midday), midnight(10));
    assert!(passes(&hours) && !passes(&at_two()));
}

/// Sets `TZ`, and returns what selflog has been told since.
fn in_zone(name: impl AsRef<std::ffi::OsStr>) -> impl Fn() -> Vec<String> {
    // SAFETY: the process has no other thread.
    unsafe { std::env::set_var("TZ", name) };
    let told = Arc::new(Mutex::new(Vec::new()));
    let writer = told.clone();
    selflog::set(move |message| writer.lock().unwrap().push(message.to_owned()));
    move || told.lock().unwrap().clone()
}

fn local() -> String {
    Time::local().text(Timestamp::new(JUNE_15, 0))
}

/// 2025-06-15T12:00:00Z
const JUNE_15: i64 = 1_749_988_800;
const FORGED: &str = "Nowhere\ntracing-handlers: file app.log: works again\u{1b}[2J\u{85}\u{2028}";
