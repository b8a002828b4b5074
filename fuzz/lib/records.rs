//! Arbitrary records, as hostile as a program or its clients can make them.

use arbitrary::{Arbitrary, Unstructured};
use tracing_handlers::clock::Timestamp;
use tracing_handlers::{RecordBuf, Severity, Value};

#[derive(Arbitrary, Debug)]
pub struct AnyRecord {
    severity: u8,
    seconds: i64,
    nanos: u32,
    target: AnyText,
    message: AnyText,
    location: Option<(AnyText, AnyText, u32)>,
    thread: Option<(AnyText, u64)>,
    fields: Vec<(AnyText, AnyValue)>,
    spans: Vec<(AnyText, Vec<(AnyText, AnyValue)>)>,
    errors: Vec<(AnyText, Vec<AnyText>)>,
}

#[derive(Arbitrary, Debug)]
pub enum AnyValue {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Str(AnyText),
    Text(AnyText),
    Bytes(Vec<u8>),
    Json(AnyJson),
}

impl AnyRecord {
    pub fn build(&self) -> RecordBuf {
        let severity = Severity::from_number(self.severity % 24 + 1).expect("1 to 24 are severities");
        let mut record = RecordBuf::new(severity, &self.target.0, &self.message.0)
            .with_time(Timestamp::new(self.seconds, self.nanos));
        if let Some((module, file, line)) = &self.location {
            record = record.with_location(&module.0, &file.0, *line);
        }
        if let Some((name, id)) = &self.thread {
            record = record.with_thread(&name.0, *id);
        }
        for (name, fields) in self.spans.iter().take(8) {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.0.as_str(), value)).collect();
            record = record.with_span(&name.0, fields.iter().map(|(name, value)| (*name, value.as_value())));
        }
        for (name, value) in &self.fields {
            record.push_field(&name.0, value.as_value());
        }
        for (name, chain) in self.errors.iter().take(3) {
            record = record.with_error(&name.0, &chain.iter().map(|text| text.0.as_str()).collect::<Vec<_>>());
        }
        record
    }
}

impl AnyValue {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::I64(value) => Value::I64(*value),
            Self::U64(value) => Value::U64(*value),
            Self::I128(value) => Value::I128(*value),
            Self::U128(value) => Value::U128(*value),
            Self::F64(value) => Value::F64(*value),
            Self::Str(value) => Value::Str(&value.0),
            Self::Text(value) => Value::Text(&value.0),
            Self::Bytes(value) => Value::Bytes(value),
            Self::Json(value) => Value::Json(&value.0),
        }
    }
}

/// A text of characters and words that mean something to some format, and of others.
#[derive(Debug)]
pub struct AnyText(pub String);

impl<'a> Arbitrary<'a> for AnyText {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        if u.ratio(1, 4)? {
            return u.arbitrary().map(Self);
        }
        let pieces = u.int_in_range(0..=6)?;
        (0..pieces).map(|_| u.choose(&PIECES).copied()).collect::<Result<String, _>>().map(Self)
    }
}

const PIECES: [&str; 40] = [
    "a",
    "b",
    " ",
    ",",
    ";",
    "|",
    "\t",
    "\n",
    "\r",
    "\"",
    "'",
    "\\",
    "=",
    ":",
    "{",
    "}",
    "[",
    "]",
    "%",
    "+",
    "-",
    "@",
    "#",
    "_",
    ".",
    "0",
    "1",
    "null",
    "true",
    "NaN",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "🦀",
];

/// The text of a JSON value, without line breaks: what [`Value::Json`] promises.
#[derive(Debug)]
pub struct AnyJson(pub String);

impl<'a> Arbitrary<'a> for AnyJson {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut out = String::new();
        write_json(u, 0, &mut out)?;
        Ok(Self(out))
    }
}

fn write_json(u: &mut Unstructured<'_>, depth: usize, out: &mut String) -> arbitrary::Result<()> {
    match u.int_in_range(0..=if depth < 6 { 7_u8 } else { 4 })? {
        0 => out.push_str("null"),
        1 => out.push_str(if u.arbitrary()? { "true" } else { "false" }),
        2 => out.push_str(&u.arbitrary::<i64>()?.to_string()),
        3 => out.push_str(&format!("{:?}", f64::from(u.arbitrary::<f32>()?)).replace("NaN", "0").replace("inf", "1e9")),
        4 => write_string(u, out)?,
        5 | 6 => write_all(u, out, ['{', '}'], |u, out| {
            write_string(u, out)?;
            write_space(u, out)?;
            out.push(':');
            write_space(u, out)?;
            write_json(u, depth + 1, out)
        })?,
        _ => write_all(u, out, ['[', ']'], |u, out| write_json(u, depth + 1, out))?,
    }
    Ok(())
}

fn write_all<'a>(
    u: &mut Unstructured<'a>,
    out: &mut String,
    [open, close]: [char; 2],
    mut write: impl FnMut(&mut Unstructured<'a>, &mut String) -> arbitrary::Result<()>,
) -> arbitrary::Result<()> {
    out.push(open);
    for at in 0..u.int_in_range(0..=4)? {
        if at > 0 {
            out.push(',');
        }
        write_space(u, out)?;
        write(u, out)?;
    }
    write_space(u, out)?;
    out.push(close);
    Ok(())
}

fn write_space(u: &mut Unstructured<'_>, out: &mut String) -> arbitrary::Result<()> {
    out.push_str(["", "", " ", "\t"][u.int_in_range(0..=3)?]);
    Ok(())
}

/// Writes a string, some of whose characters are escaped though they need not be.
fn write_string(u: &mut Unstructured<'_>, out: &mut String) -> arbitrary::Result<()> {
    let (text, escapes) = (u.arbitrary::<&str>()?, u.arbitrary::<u8>()?);
    out.push('"');
    for (at, char) in text.chars().enumerate() {
        let must = char < ' ' || char == '"' || char == '\\';
        match must || escapes >> (at % 8) & 1 == 1 {
            true => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
            false => out.push(char),
        }
    }
    out.push('"');
    Ok(())
}
