//! The texts of all types with `FromStr`: how they are read, and that `Display` writes what is read back.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use proptest::prelude::*;
use tracing_handlers::clock::{Timestamp, Weekday};
use tracing_handlers::filter::{Modules, Threshold, Verdict};
use tracing_handlers::format::{LevelNames, Pattern};
use tracing_handlers::handler::Overflow;
use tracing_handlers::record::SpanEvents;
use tracing_handlers::rewrite::Detector;
use tracing_handlers::rotation::{Compression, Rotation, Schedule};
use tracing_handlers::sink::{Account, Color, Durability};
use tracing_handlers::{Error, Framing, Part, Severity};

/// Parses a text and returns the value as `Debug` shows it.
fn parsed<T: FromStr<Err = Error> + Debug>(text: &str) -> Result<String, Error> {
    text.parse::<T>().map(|value| format!("{value:?}"))
}

type Parse = fn(&str) -> Result<String, Error>;

/// Texts without names, so that the case of each letter is ignored.
const KEYWORDS: &[(Parse, &[&str])] = &[
    (parsed::<Timestamp>, &["2026-11-21T01:19:03.5Z"]),
    (parsed::<Weekday>, &["monday", "Sun"]),
    (parsed::<Threshold>, &["off", "warn", "info2"]),
    (parsed::<Modules>, &["info", "off", ""]),
    (parsed::<Verdict>, &["accept", "neutral", "deny"]),
    (parsed::<LevelNames>, &["upper", "lower", "python", "groups", "syslog"]),
    (parsed::<Overflow>, &["block", "block for 2 s", "drop newest", "drop oldest", "drop below WARN"]),
    (parsed::<SpanEvents>, &["none", "new,close", "active , exit", "all"]),
    (parsed::<Detector>, &["card", "email", "token", "pair", "ip"]),
    (
        parsed::<Schedule>,
        &["hourly", "weekly on sunday at noon", "every 15 minutes aligned", "cron 0 0 * jan mon", "@daily"],
    ),
    (
        parsed::<Rotation>,
        &["10 MiB", "daily at 02:30 or 10 MB, keep all", "cron 0 0 1,15 * *, on startup, max age 2 days"],
    ),
    #[cfg(feature = "gzip")]
    (parsed::<Compression>, &["gzip", "gzip, level 9"]),
    #[cfg(feature = "zstd")]
    (parsed::<Compression>, &["zstd", "zstd,level 19"]),
    (parsed::<Color>, &["auto", "always", "never"]),
    (parsed::<Durability>, &["flushed", "synced", "buffered 64 KiB", "grouped 5 ms"]),
    (parsed::<Framing>, &["newline", "null", "octet counting", "none"]),
    (parsed::<Part>, &["level", "span", "thread_name"]),
    (parsed::<Severity>, &["notice", "WARN", "info3", "emerg"]),
    #[cfg(feature = "encryption")]
    (parsed::<tracing_handlers::encryption::KeyId>, &["0123456789abcdef"]),
    #[cfg(feature = "seal")]
    (parsed::<tracing_handlers::seal::Head>, &["0123456789abcdef0123456789abcdef:12:00112233445566778899aabbccddeeff"]),
];

#[test]
fn every_type_ignores_case_and_surrounding_whitespace() {
    for (parse, texts) in KEYWORDS {
        for text in *texts {
            let value = parse(text).unwrap();
            for same in [text.to_uppercase(), text.to_lowercase(), format!(" \t{text}\n"), format!("{text} ")] {
                assert_eq!(parse(&same).unwrap(), value, "{same:?}");
            }
        }
    }
}

#[test]
fn the_case_of_names_matters() {
    let same: &[(Parse, &str, &str)] = &[
        (parsed::<Part>, " FIELD.User", "field.User"),
        (parsed::<Part>, "Span[Request].Id", "span[Request].Id"),
        (parsed::<Modules>, " Shop = WARN , Info ", "Shop=warn,info"),
        (parsed::<Pattern>, "{SPAN[Request].Id:BOLD} x", "{span[Request].Id:bold} x"),
        (parsed::<Account>, " www-data\n", "www-data"),
    ];
    for (parse, one, other) in same {
        assert_eq!(parse(one).unwrap(), parse(other).unwrap(), "{one:?}");
    }
    let different: &[(Parse, &str, &str)] = &[
        (parsed::<Part>, "field.User", "field.user"),
        (parsed::<Part>, "field.user ", "field.user"),
        (parsed::<Part>, "span[Request].id", "span[request].id"),
        (parsed::<Modules>, "Shop=warn", "shop=warn"),
        (parsed::<Pattern>, "{field.User}", "{field.user}"),
        (parsed::<Pattern>, "{level} ", "{level}"),
        (parsed::<Account>, "Root", "root"),
    ];
    for (parse, one, other) in different {
        assert_ne!(parse(one).unwrap(), parse(other).unwrap(), "{one:?}");
    }
}

#[test]
fn numbers_have_no_sign() {
    let refused: &[(Parse, &str)] = &[
        (parsed::<Rotation>, "keep +5"),
        (parsed::<Rotation>, "+5 MB"),
        (parsed::<Overflow>, "block for +5 s"),
        (parsed::<Durability>, "buffered +5"),
        (parsed::<Schedule>, "monthly on +5"),
        #[cfg(feature = "gzip")]
        (parsed::<Compression>, "gzip, level +5"),
        #[cfg(feature = "seal")]
        (
            parsed::<tracing_handlers::seal::Head>,
            "0123456789abcdef0123456789abcdef:+12:00112233445566778899aabbccddeeff",
        ),
    ];
    for (parse, text) in refused {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn every_text_is_padded() {
    let texts: Vec<Box<dyn Display>> = vec![
        Box::new(Timestamp::new(1_795_223_943, 500_000_000)),
        Box::new(Weekday::Monday),
        Box::new(Threshold::OFF),
        Box::new(Threshold::ALL),
        Box::new("info,shop=warn".parse::<Modules>().unwrap()),
        Box::new(Verdict::Deny),
        Box::new(LevelNames::Python),
        Box::new(Overflow::Block),
        Box::new(Overflow::BlockFor(Duration::from_secs(2))),
        Box::new(Overflow::BlockFor(Duration::from_millis(2))),
        Box::new(Overflow::DropNewest),
        Box::new(Overflow::DropOldest),
        Box::new(Overflow::DropBelow(Severity::WARN)),
        Box::new(SpanEvents::NONE),
        Box::new(SpanEvents::ALL),
        Box::new(Detector::Card),
        #[cfg(feature = "gzip")]
        Box::new(Compression::gzip()),
        Box::new(Account::from(33)),
        Box::new(Account::from("root")),
        Box::new(Color::Auto),
        Box::new(Durability::Flushed),
        Box::new(Durability::Synced),
        Box::new(Durability::Buffered(5)),
        Box::new(Durability::Grouped(Duration::from_secs(2))),
        Box::new(Framing::Newline),
        Box::new(Part::Level),
        Box::new(Part::field("user")),
        Box::new(Part::field_of("request", "user")),
        Box::new(Severity::WARN),
        #[cfg(feature = "encryption")]
        Box::new("0123456789abcdef".parse::<tracing_handlers::encryption::KeyId>().unwrap()),
        #[cfg(feature = "seal")]
        Box::new(
            "0123456789abcdef0123456789abcdef:1:00112233445566778899aabbccddeeff"
                .parse::<tracing_handlers::seal::Head>()
                .unwrap(),
        ),
    ];
    for text in texts {
        let plain = text.to_string();
        for (padded, expected) in
            [(format!("{text:>80}|"), format!("{plain:>80}|")), (format!("{text:-<80}|"), format!("{plain:-<80}|"))]
        {
            assert_eq!(padded, expected);
        }
    }
}

#[track_caller]
fn round_trip<T: FromStr<Err = Error> + Display + PartialEq + Debug>(value: &T) {
    let text = value.to_string();
    assert_eq!(text.parse::<T>().as_ref().ok(), Some(value), "{text:?}");
}

#[test]
fn every_variant_that_is_displayed_parses_again() {
    for day in Weekday::WORKING.into_iter().chain([Weekday::Saturday, Weekday::Sunday]) {
        round_trip(&day);
    }
    for verdict in [Verdict::Accept, Verdict::Neutral, Verdict::Deny] {
        round_trip(&verdict);
    }
    for names in [LevelNames::Upper, LevelNames::Lower, LevelNames::Python, LevelNames::Groups, LevelNames::Syslog] {
        round_trip(&names);
    }
    for detector in Detector::ALL {
        round_trip(&detector);
    }
    for color in [Color::Auto, Color::Always, Color::Never] {
        round_trip(&color);
    }
    for framing in [Framing::Newline, Framing::Null, Framing::OctetCounting, Framing::None] {
        round_trip(&framing);
    }
    for policy in [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest, Overflow::BlockFor(Duration::MAX)] {
        round_trip(&policy);
    }
    for level in [Durability::Flushed, Durability::Synced, Durability::Grouped(Duration::MAX)] {
        round_trip(&level);
    }
    round_trip(&Overflow::BlockFor(Duration::from_micros(500)));
    round_trip(&Threshold::OFF);
}

proptest! {
    #[test]
    fn what_is_displayed_parses_again(
        seconds: u64,
        nanos in 0..1_000_000_000_u32,
        bytes: usize,
        number in 1..=24_u8,
        events in 0..16_u8,
        span in any::<String>(),
        field in any::<String>(),
        target in "[^,=\\s]{0,12}",
        level in 1..=22_i32,
        id: u64,
        // The years 0 to 9999.
        moment in -62_167_219_200..=253_402_300_799_i64,
    ) {
        let duration = Duration::new(seconds, nanos);
        let severity = Severity::from_number(number).unwrap();
        round_trip(&Timestamp::new(moment, nanos));
        round_trip(&Overflow::BlockFor(duration));
        round_trip(&Overflow::DropBelow(severity));
        round_trip(&Durability::Grouped(duration));
        round_trip(&Durability::Buffered(bytes));
        round_trip(&severity);
        round_trip(&Threshold::from(severity));
        round_trip(&Modules::default().with(&target, severity).with("shop", Severity::NOTICE));
        round_trip(&Modules::default().without(&target).otherwise(severity));
        round_trip(&Account::from(target));
        round_trip(&span_events(events));
        for part in [Part::field(&field), Part::span_field(&field), Part::any_field(&field), Part::field_of(span, field)] {
            round_trip(&part);
        }
        #[cfg(feature = "gzip")]
        round_trip(&Compression::gzip().level(level));
        #[cfg(feature = "zstd")]
        round_trip(&Compression::zstd().level(level));
        #[cfg(feature = "encryption")]
        round_trip(&format!("{id:016x}").parse::<tracing_handlers::encryption::KeyId>().unwrap());
        #[cfg(feature = "seal")]
        round_trip(&format!("{id:032x}:{id}:{id:032x}").parse::<tracing_handlers::seal::Head>().unwrap());
        let _ = (level, id);
    }
}

fn span_events(bits: u8) -> SpanEvents {
    let all = [SpanEvents::NEW, SpanEvents::ENTER, SpanEvents::EXIT, SpanEvents::CLOSE];
    let chosen = all.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    chosen.fold(SpanEvents::NONE, |all, (_, one)| all | one)
}

#[test]
fn a_step_is_not_a_name_of_its_own() {
    assert!(Severity::define("info2", 3).is_err());
}
