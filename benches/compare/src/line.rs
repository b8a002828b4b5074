//! The line that `Json::new()` and `Text::new()` write for the event, hard-coded: what floors write, and what checks expect.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::{MESSAGE, SECRET, TARGET, Values};

/// The spans around an event.
#[derive(Clone, Copy)]
pub enum Path {
    None,
    One(u64),
    Three(u64),
}

#[inline]
pub fn json(out: &mut Vec<u8>, stamp: &mut Stamp, level: &str, values: &Values, path: Path) {
    out.extend_from_slice(b"{\"timestamp\":\"");
    stamp.write(out);
    out.push(b'"');
    json_rest(out, level, values, path);
}

/// What follows the timestamp.
#[inline]
pub fn json_rest(out: &mut Vec<u8>, level: &str, values: &Values, path: Path) {
    json_head(out, level);
    message(out, values.number);
    json_fields(out, values);
    json_path(out, path);
    out.extend_from_slice(b"}\n");
}

/// The same, the message through `fmt::Arguments`, as every macro hands it over.
#[inline]
pub fn json_fmtargs(out: &mut Vec<u8>, stamp: &mut Stamp, level: &str, values: &Values, path: Path) {
    out.extend_from_slice(b"{\"timestamp\":\"");
    stamp.write(out);
    out.push(b'"');
    json_head(out, level);
    message_fmtargs(out, values.number);
    json_fields(out, values);
    json_path(out, path);
    out.extend_from_slice(b"}\n");
}

#[inline]
pub fn text(out: &mut Vec<u8>, stamp: &mut Stamp, level: &str, values: &Values, path: Path) {
    stamp.write(out);
    text_head(out, level, path);
    message(out, values.number);
    text_fields(out, values);
}

/// What follows the timestamp.
pub fn text_rest(out: &mut Vec<u8>, level: &str, values: &Values, path: Path) {
    text_head(out, level, path);
    message(out, values.number);
    text_fields(out, values);
}

#[inline]
pub fn text_fmtargs(out: &mut Vec<u8>, stamp: &mut Stamp, level: &str, values: &Values, path: Path) {
    stamp.write(out);
    text_head(out, level, path);
    message_fmtargs(out, values.number);
    text_fields(out, values);
}

#[inline]
pub fn json_head(out: &mut Vec<u8>, level: &str) {
    out.extend_from_slice(b",\"level\":\"");
    out.extend_from_slice(level.as_bytes());
    out.extend_from_slice(b"\",\"target\":\"");
    out.extend_from_slice(TARGET.as_bytes());
    out.extend_from_slice(b"\",\"message\":\"");
}

#[inline]
fn json_fields(out: &mut Vec<u8>, values: &Values) {
    out.extend_from_slice(b"\",\"bytes\":");
    int(out, values.bytes);
    out.extend_from_slice(b",\"price\":");
    float(out, values.price);
    out.extend_from_slice(b",\"article\":\"");
    out.extend_from_slice(values.article.as_bytes());
    out.extend_from_slice(b"\",\"paid\":");
    out.extend_from_slice(if values.paid { b"true" } else { b"false" });
}

#[inline]
fn json_path(out: &mut Vec<u8>, path: Path) {
    let (id, more) = match path {
        Path::None => return,
        Path::One(id) => (id, false),
        Path::Three(id) => (id, true),
    };
    out.extend_from_slice(b",\"spans\":[{\"name\":\"request\",\"method\":\"GET\",\"id\":");
    int(out, id);
    if more {
        out.extend_from_slice(b"},{\"name\":\"order\",\"customer\":\"");
        out.extend_from_slice(SECRET.as_bytes());
        out.extend_from_slice(b"\",\"items\":");
        int(out, 3);
        out.extend_from_slice(b"},{\"name\":\"query\",\"table\":\"articles\",\"rows\":");
        int(out, 42);
    }
    out.extend_from_slice(b"}]");
}

#[inline]
fn text_head(out: &mut Vec<u8>, level: &str, path: Path) {
    out.extend_from_slice(if level.len() == 5 { b" " } else { b"  " });
    out.extend_from_slice(level.as_bytes());
    out.push(b' ');
    text_path(out, path);
    out.extend_from_slice(TARGET.as_bytes());
    out.extend_from_slice(b": ");
}

#[inline]
fn text_path(out: &mut Vec<u8>, path: Path) {
    let Path::Three(id) = path else { return };
    out.extend_from_slice(b"request{method=GET id=");
    int(out, id);
    out.extend_from_slice(b"}:order{customer=\"");
    out.extend_from_slice(SECRET.as_bytes());
    out.extend_from_slice(b"\" items=");
    int(out, 3);
    out.extend_from_slice(b"}:query{table=articles rows=");
    int(out, 42);
    out.extend_from_slice(b"}: ");
}

#[inline]
fn text_fields(out: &mut Vec<u8>, values: &Values) {
    out.extend_from_slice(b" bytes=");
    int(out, values.bytes);
    out.extend_from_slice(b" price=");
    float(out, values.price);
    out.extend_from_slice(b" article=\"");
    out.extend_from_slice(values.article.as_bytes());
    out.extend_from_slice(b"\" paid=");
    out.extend_from_slice(if values.paid { b"true\n" } else { b"false\n" });
}

#[inline]
fn message(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(MESSAGE.0.as_bytes());
    int(out, number);
    out.extend_from_slice(MESSAGE.1.as_bytes());
}

#[inline]
fn message_fmtargs(out: &mut Vec<u8>, number: u64) {
    let message = format_args!("the customer took article number {number} from the second shelf");
    write!(out, "{}", std::hint::black_box(message)).expect("a Vec takes everything");
}

#[inline]
pub fn int(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[inline]
pub fn float(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
}

/// RFC 3339 in UTC with microseconds; the text of a second is kept.
pub struct Stamp {
    second: u64,
    text: [u8; 20],
}

impl Stamp {
    pub const LENGTH: usize = 27;

    pub const fn new() -> Self {
        Self { second: u64::MAX, text: [0; 20] }
    }

    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if now.as_secs() != self.second {
            self.turn(now.as_secs());
        }
        let mut text = *b"2026-11-21T01:19:03.123456Z";
        text[..20].copy_from_slice(&self.text);
        let mut micros = now.subsec_micros();
        for digit in text[20..26].iter_mut().rev() {
            *digit = b'0' + (micros % 10) as u8;
            micros /= 10;
        }
        out.extend_from_slice(&text);
    }

    #[cold]
    fn turn(&mut self, second: u64) {
        self.second = second;
        let (days, rest) = (second / 86_400, second % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.");
        self.text.copy_from_slice(text.as_bytes());
    }
}

/// The date of a day since 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}
