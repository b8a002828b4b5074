use serde_json::{Map, Value as Json, json};
use tracing_handlers::clock::Timestamp;
use tracing_handlers::format::Python;
use tracing_handlers::{RecordBuf, Severity, Value};

/// A record and a format.
#[derive(Debug)]
pub struct Case {
    pub style: char,
    pub format: String,
    pub datefmt: Option<String>,
    pub started: Timestamp,
    zone: &'static str,
    time: Timestamp,
    severity: Severity,
    text: String,
    int: i128,
    float: f64,
    flag: bool,
    error: bool,
    stack: bool,
}

/// Lines of several fields.
pub fn many(random: &mut Random, count: usize) -> Vec<Case> {
    (0..count)
        .map(|_| {
            let style = *random.of(&['%', '{', '$']);
            let mut format = String::new();
            for _ in 0..=random.below(3) {
                format.push_str(random.of(&["", " ", "- ", "é|", "[", "%%{{}}$$"]).trim_matches(other_signs(style)));
                format.push_str(&field(random, style));
            }
            Case::new(random, style, format)
        })
        .collect()
}

/// Lines of a time alone.
pub fn times(random: &mut Random, count: usize) -> Vec<Case> {
    (0..count)
        .map(|_| {
            let mut case = Case::new(random, '%', "%(asctime)s".to_owned());
            case.datefmt = Some((0..=random.below(3)).map(|_| directive(random)).collect());
            case
        })
        .collect()
}

/// Lines of formats that have no sense.
pub fn noise(random: &mut Random, count: usize) -> Vec<Case> {
    (0..count)
        .map(|_| {
            let style = *random.of(&['%', '{', '$']);
            let pieces: &[&str] = match style {
                '%' => {
                    &["%(message)s", "%", "(", ")", "message", "s", "%%", "%(", "5", ".", "-", "d", "*", " ", "%(user)"]
                }
                '{' => &[
                    "{message}",
                    "{",
                    "}",
                    "message",
                    ":",
                    "!",
                    "r",
                    "{{",
                    "}}",
                    ">",
                    "8",
                    "s",
                    ",",
                    "{user",
                    "[0]",
                    "[",
                    " ",
                ],
                _ => &["$message", "$", "{", "}", "message", "$$", "${user}", "${", "é", " ", "1", "_"],
            };
            let format = (0..=random.below(6)).map(|_| *random.of(pieces)).collect();
            Case::new(random, style, format)
        })
        .collect()
}

impl Case {
    fn new(random: &mut Random, style: char, format: String) -> Self {
        let zone = *random.of(ZONES);
        let seconds = match zone {
            // Local mean times have seconds, which ours does not show.
            "UTC" => random.below(252_000_000_000) as i64 - 62_135_596_800,
            _ => random.below(3_000_000_000) as i64,
        };
        Self {
            style,
            format,
            datefmt: random.one_in(3).then(|| directive(random)),
            started: Timestamp::new(1_700_000_000, 123_456_789),
            zone,
            time: Timestamp::new(seconds, *random.of(&[0, 1_000_000, 999_900_000, 999_999_999, 123_456_789])),
            severity: Severity::from_number(1 + random.below(24) as u8).unwrap(),
            text: (*random.of(TEXTS)).to_owned(),
            int: *random.of(&[
                0,
                7,
                -42,
                1_234,
                1_234_567,
                -98_765_432_101,
                i128::from(u64::MAX),
                i128::MIN,
                i128::MAX,
            ]),
            float: random.float(),
            flag: random.one_in(2),
            error: random.one_in(5),
            stack: random.one_in(9),
        }
    }

    pub fn zoned(&self, format: Python) -> Python {
        match self.zone {
            "UTC" => format,
            zone => in_zone(format, zone),
        }
    }

    pub fn defaults(&self) -> [(&'static str, Value<'static>); 3] {
        [("nobody", "no-one".into()), ("nothing", 0.into()), ("message", "never".into())]
    }

    pub fn record(&self) -> RecordBuf {
        let mut record = RecordBuf::new(self.severity, "shop.stock", &self.text)
            .with_time(self.time)
            .with_location("shop::stock", FILE, 41)
            .with_thread("wörker 1", 7)
            .with_span("outer", [("user", "hidden".into()), ("depth", 1.into())])
            .with_span("inner", [("user", self.text.as_str().into())])
            .with_field("count", self.int)
            .with_field("price", self.float)
            .with_field("flag", self.flag)
            .with_field("initial", "é")
            .with_field("letter", 97)
            .with_field("width", 12)
            .with_field("taskName", "Task-1");
        if self.error {
            record = record.with_error("error", &["cannot sell", "none left"]);
        }
        if self.stack {
            record = record.with_field("stack_info", "Stack (most recent call last)");
        }
        record
    }

    /// For `reference.py`.
    pub fn json(&self) -> Json {
        let text = |text: &str| json!({ "text": text });
        let int = |int: i128| json!({ "int": int.to_string() });
        let mut fields = Map::new();
        for (name, value) in [
            ("name", text("shop.stock")),
            ("msg", text(&self.text)),
            ("user", text(&self.text)),
            ("levelname", text(level_name(self.severity))),
            ("levelno", int(self.severity.python().into())),
            ("pathname", text(FILE)),
            ("filename", text("stock.tar.rs")),
            ("module", text("stock.tar")),
            ("lineno", int(41)),
            ("funcName", text("(unknown function)")),
            ("thread", int(7)),
            ("threadName", text("wörker 1")),
            ("process", int(std::process::id().into())),
            ("processName", text("MainProcess")),
            ("taskName", text("Task-1")),
            ("depth", int(1)),
            ("count", int(self.int)),
            ("price", json!({ "float": format!("{:?}", self.float) })),
            ("flag", json!({ "bool": self.flag.to_string() })),
            ("initial", text("é")),
            ("letter", int(97)),
            ("width", int(12)),
        ] {
            fields.insert(name.to_owned(), value);
        }
        if self.error {
            fields.insert("exc_info".to_owned(), text("cannot sell: none left"));
        }
        if self.stack {
            fields.insert("stack_info".to_owned(), text("Stack (most recent call last)"));
        }
        json!({
            "style": self.style,
            "format": self.format,
            "datefmt": self.datefmt,
            "zone": self.zone,
            "nanos": nanos(self.time),
            "started": nanos(self.started),
            "fields": fields,
            "defaults": { "nobody": text("no-one"), "nothing": int(0), "message": text("never") },
        })
    }
}

#[cfg(feature = "time-zone")]
fn in_zone(format: Python, zone: &str) -> Python {
    format.zone(zone).unwrap()
}

#[cfg(not(feature = "time-zone"))]
fn in_zone(_: Python, zone: &str) -> Python {
    unreachable!("{zone} without the feature")
}

fn level_name(severity: Severity) -> &'static str {
    match severity.name() {
        "WARN" => "WARNING",
        "FATAL" => "CRITICAL",
        name => name,
    }
}

fn nanos(time: Timestamp) -> String {
    (i128::from(time.seconds()) * 1_000_000_000 + i128::from(time.nanos())).to_string()
}

/// Signs that are doubled in other styles than this.
fn other_signs(style: char) -> &'static [char] {
    match style {
        '%' => &['{', '}', '$'],
        '{' => &['%', '$'],
        _ => &['%', '{', '}'],
    }
}

fn field(random: &mut Random, style: char) -> String {
    let name = *random.of(NAMES);
    match style {
        '%' => {
            let letter = match name {
                "letter" | "initial" => "c",
                _ => random.of(&["s", "s", "d", "f", "r", "a", "x", "X", "o", "i", "u", "e", "E", "F", "g", "G"]),
            };
            let flags: String = (0..random.below(3)).map(|_| *random.of(&["#", "0", "-", "+", " "])).collect();
            let width = random.maybe(&["5", "12", "30", "1"]);
            let precision = random.maybe(&[".0", ".1", ".3", ".10", ".20"]);
            format!("%({name}){flags}{width}{precision}{letter}")
        }
        '{' => {
            let conversion = random.maybe(&["!r", "!s", "!a"]);
            let letter = match name {
                "letter" => "c",
                "count" => *random.of(&["", "b", "d", "e", "f", "g", "n", "o", "s", "x", "X", "%", "E"]),
                _ => random.maybe(&["b", "d", "e", "E", "f", "g", "G", "n", "s", "x", "%", "F"]),
            };
            let align = random.maybe(&["<", ">", "^", "=", "*<", "é>", "0^", "0="]);
            let sign = random.maybe(&["+", "-", " "]);
            let alternate = random.maybe(&["#"]);
            let zero = random.maybe(&["0"]);
            let width = random.maybe(&["5", "8", "12", "30", "{width}", "{depth}"]);
            let group = random.maybe(&[",", "_"]);
            let precision = random.maybe(&[".0", ".1", ".3", ".12", ".{depth}"]);
            match random.one_in(4) {
                true => format!("{{{name}{conversion}}}"),
                false => {
                    format!("{{{name}{conversion}:{align}{sign}{alternate}{zero}{width}{group}{precision}{letter}}}")
                }
            }
        }
        _ => match random.one_in(2) {
            true => format!("${name}"),
            false => format!("${{{name}}}"),
        },
    }
}

fn directive(random: &mut Random) -> String {
    let text = *random.of(&["", "", " ", ":", "é", "%%", "T"]);
    let flags: String = (0..random.below(3)).map(|_| *random.of(&["", "_", "-", "0", "^", "#"])).collect();
    let width = random.maybe(&["1", "3", "10", "25"]);
    let modifier = if random.one_in(6) { *random.of(&["E", "O"]) } else { "" };
    let letter = *random.of(&LETTERS);
    format!("{text}%{flags}{width}{modifier}{}", letter as char)
}

const FILE: &str = "src/the shop/stock.tar.rs";
const LETTERS: [u8; 49] = *b"aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%fLqQiNvJ";
const TEXTS: &[&str] = &[
    "",
    "sold",
    "sold out",
    "it's \"so\" \\ so",
    "it's",
    "日本語 ñandú 🎉 e\u{301}",
    "two\nlines\r\n\tand \u{1b}[31mred",
    "\u{202e}abc\u{200b}\u{7f}\u{85}\u{2028}",
    "%s {message} $name",
    "a text that is longer than most columns are, and then some",
];
const NAMES: &[&str] = &[
    "name",
    "msg",
    "args",
    "levelname",
    "levelno",
    "pathname",
    "filename",
    "module",
    "lineno",
    "funcName",
    "exc_info",
    "exc_text",
    "stack_info",
    "created",
    "msecs",
    "relativeCreated",
    "asctime",
    "thread",
    "threadName",
    "process",
    "processName",
    "taskName",
    "message",
    "user",
    "depth",
    "count",
    "price",
    "flag",
    "count",
    "price",
    "initial",
    "letter",
    "nobody",
    "nothing",
    "missing",
];
#[cfg(feature = "time-zone")]
const ZONES: &[&str] = &["UTC", "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"];
#[cfg(not(feature = "time-zone"))]
const ZONES: &[&str] = &["UTC"];

/// Numbers from a seed (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// Mostly nothing.
    fn maybe(&mut self, all: &[&'static str]) -> &'static str {
        if self.one_in(3) { self.of::<&str>(all) } else { "" }
    }

    fn float(&mut self) -> f64 {
        let known = [0.0, -0.0, 0.5, 1.5, 2.5, -1.25, 1e16, 1e15, 1e-4, 1e-5, 123_456.789, 1e300, f64::INFINITY];
        match self.below(4) {
            0 => f64::from_bits(self.next()),
            1 => self.below(1_000_000) as f64 / 1_000.0,
            2 => -(self.below(10_000_000_000) as f64) / 64.0,
            _ => *self.of(&known),
        }
    }
}
