//! Secrets with other spaces, dashes and digits in them, line breaks, and characters that nobody sees.

use tracing::{info, info_span};
use tracing_handlers::rewrite::{Detector, Redact, Rewrite};
use tracing_handlers::{RecordBuf, Severity, Value};

use crate::collect::seen;

fn message(redact: &Redact, text: &str) -> String {
    let mut record = RecordBuf::new(Severity::INFO, "shop", text);
    redact.rewrite(&mut record);
    record.as_record().message().to_owned()
}

const SEPARATORS: [&str; 27] = [
    "\u{a0}",
    "\u{202f}",
    "\u{2007}",
    "\u{3000}",
    "\u{1680}",
    "\u{205f}",
    "\t",
    ".",
    "_",
    "\u{2010}",
    "\u{2011}",
    "\u{2013}",
    "\u{2014}",
    "\u{2212}",
    "\u{ff0d}",
    "\n",
    "\r\n",
    "\r",
    "\u{2028}",
    "\u{85}",
    "\u{b}",
    " \n  ",
    "\u{200b}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    " \u{200d}",
];

#[test]
fn cards_are_found_whatever_separates_their_digits() {
    let redact = Redact::detectors([Detector::Card]).last_digits(4);
    for separator in SEPARATORS {
        let card = ["4111", "1111", "1111", "1111"].join(separator);
        assert_eq!(message(&redact, &format!("paid with {card}, née")), "paid with ***1111, née", "{separator:?}");
        assert_eq!(message(&redact, &card), "***1111", "{separator:?}");
        // As `{:?}` writes it, and that once more.
        assert_eq!(message(&redact, &format!("({card:?})")), "(\"***1111\")", "{separator:?}");
        let twice = message(&redact, &format!("{:?}", format!("{card:?}")));
        assert_eq!(twice, r#""\"***1111\"""#, "{separator:?}");
    }
}

#[test]
fn cards_of_other_forms_are_found_too() {
    let redact = Redact::detectors([Detector::Card]);
    for card in [
        "4\u{200b}1\u{200b}1\u{200b}1 1111 1111 1111",
        "\u{ff14}\u{ff11}\u{ff11}\u{ff11} \u{ff11}\u{ff11}\u{ff11}\u{ff11} 1111 1111",
        "\u{664}\u{661}\u{661}\u{661}111111111111",
        "4111 1111\n1111 1111",
        "4111-1111-\u{200b}1111-1111",
        "3782\u{a0}822463\u{a0}10005",
        "4111\u{a0}1111 1111\u{2009}1111",
        r"4111\u{a0}1111\u{a0}1111\u{a0}1111",
        r"4111\u00a01111\u00a01111\u00a01111",
        r"4111\n1111\n1111\n1111",
        r"4111\r\n1111\r\n1111\r\n1111",
    ] {
        assert_eq!(message(&redact, &format!("of {card}!")), "of ***!", "{card}");
    }
    for text in [
        "4111\u{a0}1111\u{a0}1111\u{a0}1112",
        "4111\u{a0}1111-1111 1111",
        "4111\u{a0}\u{a0}1111 1111 1111",
        "0.4111\u{200b}111111111111",
        "17\u{a0}000\u{a0}€ – 4\u{a0}111 1111",
        "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f} — «\u{a0}oui\u{a0}», ４ 時, \\u{a0}",
    ] {
        assert_eq!(message(&redact, text), text);
    }
}

#[test]
fn other_secrets_with_invisible_characters_are_found() {
    let redact = Redact::detectors(Detector::ALL);
    for (text, shown) in [
        ("pass\u{200b}word=hunter2, x", "pass\u{200b}word=***, x"),
        ("password\u{a0}=\u{a0}hunter2 x", "password\u{a0}=\u{a0}*** x"),
        ("password\u{ff1a}hunter2 x", "password\u{ff1a}*** x"),
        ("to ada@exa\u{ad}mple.org.", "to ***."),
        ("to ada\u{ff20}example.org.", "to ***."),
        ("from 10.0.\u{2060}0.7!", "from ***!"),
        ("from 2001:db8\u{feff}::7!", "from ***!"),
        ("Bearer\u{a0}mF_9.B5f-4.1JqM!", "Bearer\u{a0}***!"),
        ("gh\u{200d}p_0123456789abcdefABCDEF0123456789abcd!", "***!"),
    ] {
        assert_eq!(message(&redact, text), shown);
    }
}

#[test]
fn no_character_beside_a_secret_keeps_it_from_being_found() {
    let redact = Redact::detectors(Detector::ALL).last_digits(4);
    for (text, shown) in [
        ("password=\"ab\u{ff02}geheim\" x", "password=\"***\" x"),
        ("password=hunter\u{a0}2", "password=***"),
        ("password=hunter\u{ff0c}2 x", "password=*** x"),
        ("postgres://ada:se\u{a0}cret@db/x", "postgres://ada:***@db/x"),
        ("of 4111111111111111\u{200b}2026", "of ***1111\u{200b}2026"),
        ("of 2026\u{ad}-4111111111111111", "of 2026\u{ad}-***1111"),
        (r"of 4111111111111111\u{200b}2026", r"of ***1111\u{200b}2026"),
        ("key\u{200b}ghp_A1B2C3D4E5F6G7H8I9J0", "key\u{200b}***"),
        ("ip 1.2.3.4\u{200b}.5", "ip ***\u{200b}.5"),
    ] {
        assert_eq!(message(&redact, text), shown, "{text}");
    }
}

#[test]
fn invisible_characters_after_other_letters_hide_nothing() {
    let redact = Redact::detectors(Detector::ALL);
    for (text, shown) in [
        ("to jos\u{e9}\u{200b}@example.org.", "to ***."),
        ("to ада\u{2060}@example.org.", "to ***."),
        ("\u{ff50}assword=hunter2", "\u{ff50}assword=***"),
        ("é\u{ff54}oken=hunter2", "é\u{ff54}oken=***"),
        ("pass\u{1d173}word=hunter2", "pass\u{1d173}word=***"),
        ("pass\u{1bca0}word=hunter2", "pass\u{1bca0}word=***"),
    ] {
        assert_eq!(message(&redact, text), shown, "{text}");
    }
}

#[test]
fn every_place_of_a_record_is_searched_for_them() {
    let card = "4111\u{a0}1111\u{a0}1111\u{a0}1111";
    let mut record = seen(|| {
        let _span = info_span!("pay", card, shown = %card, debug = ?card).entered();
        let error = std::io::Error::other(card);
        info!(card, debug = ?Some(card), bytes = card.as_bytes(), error = &error as &dyn std::error::Error, "by {card}");
    })
    .last();
    record.push_field("nested", Value::Json(&format!(r#"{{"a":["{card}","4111\u00a01111\u00a01111\u00a01111"]}}"#)));
    Redact::detectors([Detector::Card]).rewrite(&mut record);
    assert!(!record.__bytes().windows(4).any(|window| window == b"1111"), "{record:?}");
    assert_eq!(record.as_record().field("nested"), Some(Value::Json(r#"{"a":["***","***"]}"#)));
}

#[test]
fn a_mask_receives_the_digits_alone() {
    let redact = Redact::detectors([Detector::Card]).mask_with(|card, out| *out += &format!("<{card}>"));
    for card in [
        "4111111111111111",
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111\u{200b}1111-1111-1111",
        r"４111\u{2009}111111111111",
    ] {
        let shown = message(&redact, card);
        assert!(shown == "<4111111111111111>" || card.contains('-'), "{card}: {shown}");
    }
}
