//! Secrets planted everywhere: none comes behind the rewrite, in no byte; and what is no secret comes through untouched.
//!
//! `TRACING_HANDLERS_SECRETS` says how many records there are; `TRACING_HANDLERS_SEED` with which seed.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::field::Empty;
use tracing::{info, info_span};
use tracing_handlers::format::{Json, Text};
use tracing_handlers::handler::{Handler, Overflow, Queue, Rewriting};
use tracing_handlers::rewrite::{Detector, Redact};
use tracing_handlers::sink::Memory;
use tracing_handlers::{Error, Output, Record, RecordBuf, Records, Severity, Value};

use crate::collect::{Seen, dispatch};

mod cut;
mod names;
mod odd_places;
mod spaces;

#[test]
fn no_planted_secret_comes_behind_the_rewrite() {
    let mut random = Random::seeded();
    let (count, mut done) = (count(), 0);
    while done < count {
        let mut batch = Batch::default();
        let exits = Exits::new();
        tracing::dispatcher::with_default(&dispatch(exits.handlers()), || {
            for _ in 0..BATCH.min(count - done) {
                log_secrets(&mut random, &mut batch);
            }
        });
        // Nested values, errors put together, errors behind errors: records as they come from elsewhere.
        let handlers = exits.handlers();
        let records: Vec<_> =
            (0..BATCH.min(count - done)).map(|_| record_of_secrets(&mut random, &mut batch)).collect();
        for record in &records {
            handlers.handle(&record.as_record()).unwrap();
        }
        exits.flush();
        exits.check(&batch);
        done += 2 * BATCH;
    }
}

#[test]
fn what_is_no_secret_comes_through_byte_for_byte() {
    let mut random = Random::seeded();
    for _ in 0..count().div_ceil(BATCH) {
        let (plain, redacted) = (Seen::default(), Seen::default());
        let (plain_text, redacted_text) = (Memory::new(), Memory::new());
        let handlers = (
            (plain.clone(), Output::new(Json::new(), plain_text.clone())),
            Rewriting::new(redact(), (redacted.clone(), Output::new(Json::new(), redacted_text.clone()))),
        );
        tracing::dispatcher::with_default(&dispatch(handlers), || {
            for _ in 0..BATCH {
                log_harmless(&mut random);
            }
        });
        for (plain, redacted) in plain.all().iter().zip(redacted.all()) {
            assert!(plain.__bytes() == redacted.__bytes(), "{plain:?}\n{redacted:?}");
        }
        assert_eq!(plain.count(), redacted.count());
        assert!(plain_text.bytes() == redacted_text.bytes());
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let mut random = Random::seeded();
    let mut batch = Batch::default();
    let seen = Seen::default();
    tracing::dispatcher::with_default(&dispatch(seen.clone()), || log_secrets(&mut random, &mut batch));
    let record = record_of_secrets(&mut random, &mut batch);
    for (record, least) in [(&seen.last(), 10), (&record, 5)] {
        assert!(batch.found_in(record.__bytes()).len() >= least, "{record:?}");
    }
}

fn redact() -> Redact {
    Redact::detectors(Detector::ALL).with_fields(["hidden", "*_hidden"]).everywhere(true)
}

/// One event in two spans, with a secret of each kind somewhere.
fn log_secrets(random: &mut Random, batch: &mut Batch) {
    let (card, number, float) = (random.card(16), random.card(16), random.card(15));
    batch.number(number);
    batch.number(card);
    batch.float(float as f64);
    let error = Failure(random.text(batch), Some(Box::new(Failure(random.text(batch), None))));
    let outer = info_span!(
        "outer",
        text = random.text(batch),
        late = Empty,
        hidden = random.word_of_own(batch),
        n = random.below(100),
        my_hidden = random.hidden_number(batch),
    );
    let outer = outer.entered();
    let inner = info_span!("inner", shown = %random.text(batch), debug = ?random.text(batch), password = Empty, card);
    inner.record("password", random.word_of_own(batch));
    if random.below(2) == 0 {
        outer.record("late", random.text(batch));
    }
    let _inner = inner.entered();
    let bytes = random.text(batch).into_bytes();
    batch.bytes(&bytes);
    info!(
        text = random.text(batch),
        debug = ?Form { user: "ada", note: random.text(batch), password: Some(random.word_of_own(batch)) },
        shown = %random.text(batch),
        number,
        signed = -(card as i64),
        wide = u128::from(number),
        wide_signed = i128::from(card),
        float = float as f64,
        bytes = bytes.as_slice(),
        error = &error as &dyn std::error::Error,
        api_token = random.word_of_own(batch),
        hidden = ?random.word_of_own(batch),
        n = random.below(1000),
        "{} {} {}",
        random.text(batch),
        random.word(),
        random.text(batch),
    );
}

fn record_of_secrets(random: &mut Random, batch: &mut Batch) -> RecordBuf {
    let card = random.card(16);
    batch.number(card);
    let mut json = String::from("{");
    let escape = |text: &str| serde_json::Value::from(text).to_string();
    write!(json, r#""a":[1,{{"text":{},"card":{card}}}],"#, escape(&random.text(batch))).unwrap();
    write!(json, r#""hid\u0064en":{{"deep":[{}]}},"#, escape(&random.word_of_own(batch))).unwrap();
    write!(json, r#"{}:null,"my_token":{},"#, escape(&random.text(batch)), escape(&random.word_of_own(batch))).unwrap();
    write!(json, r#""floats":[{card}.0,-1.5e3],"s":{}}}"#, escape(&random.text(batch))).unwrap();
    let target = random.text(batch);
    let mut record = RecordBuf::new(Severity::INFO, &target, &random.text(batch))
        .with_span(&random.text(batch), [("json", Value::Json(&json)), ("hidden", 3.into()), ("s", Value::Str("ä"))])
        .with_thread(&random.text(batch), 3)
        .with_location("module", &random.text(batch), 7)
        .with_error("cause", &[&random.text(batch), "fine", &random.text(batch)])
        .with_field("hidden", Value::Json(&format!("[{}]", escape(&random.word_of_own(batch)))));
    record.push_field("nested", Value::Json(&json));
    record.push_field("x_hidden", Value::Bytes(random.word_of_own(batch).as_bytes()));
    record
}

fn log_harmless(random: &mut Random) {
    let _span =
        info_span!("request", id = random.snowflake(), uuid = random.uuid(), path = %random.harmless()).entered();
    info!(
        pieces = random.below(100_000),
        price = random.below(1_000_000) as f64 / 100.0,
        ratio = random.below(1 << 50) as f64 / (1_u64 << 50) as f64,
        id = random.snowflake(),
        failing = random.card(16) + 1,
        debug = ?(random.harmless(), 7, Some("x")),
        text = random.harmless(),
        bytes = random.harmless().as_bytes(),
        "{} {} {}",
        random.harmless(),
        random.harmless(),
        random.harmless()
    );
}

/// Where records go: through a rewrite, in front of a queue and behind one, as lines and as they are.
struct Exits {
    lines: Vec<Memory>,
    seen: Vec<Seen>,
    queued: Arc<dyn Handler>,
    direct: Arc<dyn Handler>,
}

impl Exits {
    fn new() -> Self {
        let lines: Vec<_> = (0..6).map(|_| Memory::new()).collect();
        let seen: Vec<_> = (0..3).map(|_| Seen::default()).collect();
        let outputs = |index: usize| {
            let (json, text) = (lines[2 * index].clone(), lines[2 * index + 1].clone());
            (Output::new(Json::new(), json), Output::new(Text::new(), text), Raw(seen[index].clone()))
        };
        let queued = (
            Rewriting::new(redact(), Queue::new(outputs(0)).overflow(Overflow::Block)),
            Queue::new(Rewriting::new(redact(), outputs(1))).overflow(Overflow::Block),
        );
        let direct = Arc::new(Rewriting::new(redact(), outputs(2)));
        Self { queued: Arc::new(queued), direct, lines, seen }
    }

    fn handlers(&self) -> (Arc<dyn Handler>, Arc<dyn Handler>) {
        (self.queued.clone(), self.direct.clone())
    }

    fn flush(&self) {
        self.queued.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    }

    fn check(&self, batch: &Batch) {
        for (index, lines) in self.lines.iter().enumerate() {
            assert!(!lines.bytes().is_empty());
            batch.check(("output", index), &lines.bytes());
        }
        for seen in &self.seen {
            assert_eq!(seen.count(), self.seen[0].count());
            seen.all().iter().for_each(|record| batch.check(record, record.__bytes()));
        }
    }
}

/// Keeps records as they are handed on, whether singly or in batches.
struct Raw(Seen);

impl Handler for Raw {
    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        self.0.handle(record)
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), tracing_handlers::Partial> {
        self.0.handle_batch(records)
    }
}

/// The secrets of some records, found by windows of eight bytes.
struct Batch {
    /// Whether there may be a window with this number: a quick look before the careful one.
    may_be: Vec<bool>,
    /// The whole secret that the window belongs to, or none where the window alone is one.
    windows: HashMap<[u8; WINDOW], Vec<Vec<u8>>>,
}

impl Batch {
    /// Random letters: no part of it may be seen.
    fn letters(&mut self, secret: &str) {
        for window in secret.as_bytes().windows(WINDOW) {
            self.add(window, &[]);
        }
    }

    fn add(&mut self, window: &[u8], whole: &[u8]) {
        self.may_be[number_of_window(window)] = true;
        self.windows.entry(window.try_into().unwrap()).or_default().push(whole.to_vec());
    }

    /// The whole may not be seen: parts of it stand elsewhere too.
    fn whole(&mut self, secret: &[u8]) {
        self.add(&secret[..WINDOW], secret);
    }

    fn number(&mut self, number: u64) {
        self.whole(number.to_string().as_bytes());
        self.whole(&number.to_le_bytes());
        self.whole(&(-(number as i64)).to_le_bytes());
    }

    fn float(&mut self, number: f64) {
        self.whole(&number.to_le_bytes());
        self.whole(number.to_string().as_bytes());
    }

    /// As hexadecimal digits too.
    fn bytes(&mut self, bytes: &[u8]) {
        self.whole(bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")).as_bytes());
    }

    fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let at_window = |(at, window): (usize, &[u8])| {
            if !self.may_be[number_of_window(window)] {
                return None;
            }
            let secrets = self.windows.get(window)?;
            let whole = secrets.iter().find(|secret| bytes[at..].starts_with(secret))?;
            Some(String::from_utf8_lossy(if whole.is_empty() { window } else { whole }).into_owned())
        };
        bytes.windows(WINDOW).enumerate().filter_map(at_window).collect()
    }

    fn check(&self, place: impl fmt::Debug, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "{found:?} in {place:?}\n{}", around(bytes, &found[0]));
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { may_be: vec![false; 1 << 20], windows: HashMap::new() }
    }
}

fn number_of_window(window: &[u8]) -> usize {
    let number = u64::from_le_bytes(window.try_into().unwrap());
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44) as usize
}

fn around(bytes: &[u8], found: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let at = text.find(found).unwrap_or(0);
    text.char_indices().filter(|(index, _)| index + 150 > at && *index < at + 150).map(|(_, char)| char).collect()
}

/// An error and its cause.
#[derive(Debug)]
struct Failure(String, Option<Box<Self>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "its Debug is what counts")]
struct Form {
    user: &'static str,
    note: String,
    password: Option<String>,
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        Self(number_of("TRACING_HANDLERS_SEED", 0x5ec2e7) as u64)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn letters(&mut self, len: u64, all: &[u8]) -> String {
        (0..len).map(|_| char::from(self.of(all))).collect()
    }

    fn word(&mut self) -> &'static str {
        self.of(&[
            "sold",
            "to",
            "große",
            "заказ",
            "請求",
            "é",
            "«ja»",
            "item",
            "🦀",
            "for",
            "new\nline",
            "tab\there",
            "(x)",
        ])
    }

    /// What a hidden field has: letters that nothing marks as a secret.
    fn word_of_own(&mut self, batch: &mut Batch) -> String {
        let len = 12 + self.below(12);
        let word = self.letters(len, b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789");
        batch.letters(&word);
        word
    }

    fn hidden_number(&mut self, batch: &mut Batch) -> u64 {
        let number = self.next() | 1 << 63;
        batch.number(number);
        number
    }

    /// A text with one to three secrets: at its start, in the middle, at its end.
    fn text(&mut self, batch: &mut Batch) -> String {
        let mut text = String::new();
        if self.below(3) > 0 {
            text += self.word();
            text += self.of(&BEFORE);
        }
        for index in 0..=self.below(3) {
            if index > 0 {
                text += self.of(&BETWEEN);
            }
            self.secret(&mut text, batch);
        }
        if self.below(3) > 0 {
            text += self.of(&BEHIND);
            text += self.word();
        }
        text
    }

    fn secret(&mut self, text: &mut String, batch: &mut Batch) {
        let start = text.len();
        match self.below(6) {
            0 => {
                *text += &self.card_text();
                batch.whole(&text.as_bytes()[start..]);
                let digits: Vec<u8> = text[start..].bytes().filter(u8::is_ascii_digit).collect();
                batch.whole(&digits);
            }
            1 => {
                let (name, host) =
                    (self.letters(8, b"abcdefghij0123_.+-"), self.of(&["example.org", "mail.bücher.example"]));
                *text += &format!("u{name}@{host}");
                batch.whole(&text.as_bytes()[start..]);
            }
            2 => self.token(text, batch),
            3 => self.pair(text, batch),
            4 => {
                let numbers = [0; 4].map(|_| 100 + self.below(156));
                *text += &numbers.map(|number| number.to_string()).join(".");
                batch.whole(&text.as_bytes()[start..]);
            }
            _ => {
                *text += &format!("2001:db8:{:x}::{:x}", 0x1000 + self.below(0xe000), 0x1000 + self.below(0xe000));
                batch.whole(&text.as_bytes()[start..]);
            }
        }
    }

    fn token(&mut self, text: &mut String, batch: &mut Batch) {
        let mixed: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let secret = match self.below(5) {
            0 => self.letters(16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            1 => format!("{}.{}", self.letters(24, mixed), self.letters(43, mixed)),
            _ => self.letters(36, mixed),
        };
        *text += &match secret.len() {
            16 => format!("AKIA{secret}"),
            36 => {
                self.of(&["ghp_", "sk_live_", "Bearer ", "Authorization: bearer ", "npm_", "glpat-", "xoxb-"])
                    .to_owned()
                    + &secret
            }
            _ => format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0{secret}"),
        };
        batch.letters(&secret);
    }

    fn pair(&mut self, text: &mut String, batch: &mut Batch) {
        let secret = self.word_of_own(batch);
        let name =
            self.of(&["password", "DB_PASSWORD", "userPassword", "token", "client-secret", "x-api-key", "passwd"]);
        *text += &match self.below(7) {
            0 => format!("{name}={secret}"),
            1 => format!("{name}: {secret}"),
            2 => format!("\"{name}\":\"{secret}\""),
            3 => format!("{name} = '{secret} {secret}'"),
            4 => format!("{name}: Some(\"{secret}\")"),
            5 => format!("?a=b&{name}={secret}&c=d"),
            _ => format!("postgres://ada:{secret}@db.example:5432/shop"),
        };
    }

    /// A number with a right check digit.
    fn card(&mut self, len: u32) -> u64 {
        let prefix = if len == 15 { "37" } else { self.of(&["4", "51", "55", "2345", "6011", "65", "3530"]) };
        let mut digits = prefix.to_owned();
        while digits.len() + 1 < len as usize {
            digits += &self.below(10).to_string();
        }
        let sum: u32 = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| {
                let digit = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum();
        (digits + &((10 - sum % 10) % 10).to_string()).parse().unwrap()
    }

    fn card_text(&mut self) -> String {
        let digits = self.card(16).to_string();
        match self.of(&["", " ", "-"]) {
            "" => digits,
            between => [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]].join(between),
        }
    }

    /// Begins with 1, as all of them have for years to come, and is as long as one in nanoseconds.
    fn snowflake(&mut self) -> u64 {
        1_795_000_000_000_000_000 + self.below(100_000_000_000_000_000)
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let variant = 0x8000 | (low >> 48 & 0x3fff);
        format!(
            "{:08x}-{:04x}-4{:03x}-{variant:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }

    fn harmless(&mut self) -> String {
        match self.below(16) {
            0 => self.uuid(),
            1 => self.snowflake().to_string(),
            2 => format!("2026-11-{:02}T{:02}:34:{:02}.123456Z", 1 + self.below(28), self.below(24), self.below(60)),
            3 => format!("${}.{:02}", self.below(1000), self.below(100)),
            4 => self.letters(40, b"0123456789abcdef"),
            5 => format!("{}", self.below(1 << 53) as f64 / (1_u64 << 53) as f64),
            6 => format!("v{}.{}.{}", self.below(10), self.below(100), self.below(100)),
            7 => format!("shop::stock{}::rack::abc::def", self.below(10)),
            8 => format!("src/main.rs:{}:{}", self.below(999), self.below(99)),
            9 => [0; 6].map(|_| format!("{:02x}", self.below(256))).join(":"),
            10 => format!("https://example.org/{}?page={}&n=2#top", self.letters(8, b"abcdef"), self.below(100)),
            11 => format!("user=ada pieces={} tokens: {} Token::new", self.below(10), self.below(4000)),
            // The check digit is one too high.
            12 => (self.card(16) / 10 * 10 + (self.0 % 10))
                .to_string()
                .chars()
                .rev()
                .collect::<String>()
                .replace(['2', '3', '4', '5', '6', '8', '9'], "1"),
            13 => {
                let card = self.card(16);
                (card / 10 * 10 + (card + 1) % 10).to_string()
            }
            14 => format!("+49 30 {} {}", self.below(10_000), self.below(1000)),
            _ => self.word().to_owned(),
        }
    }
}

fn count() -> usize {
    // A build that is not optimized takes ten times as long for each.
    number_of("TRACING_HANDLERS_SECRETS", if cfg!(debug_assertions) { 2_000 } else { 20_000 })
}

fn number_of(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

const BATCH: usize = 500;
const WINDOW: usize = 8;
const BEFORE: [&str; 10] = [" ", ": ", "(", "<", "\"", "«", "é ", "，", "\n", "["];
const BETWEEN: [&str; 7] = [" ", ", ", "; ", "\n", " é ", " | ", ") ("];
const BEHIND: [&str; 9] = [" ", ", ", ")", ">", "\"", "»", "，", "\n", "; "];
