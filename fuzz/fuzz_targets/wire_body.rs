//! Bodies behind valid checksums: arbitrary ones, and such as are laid out like a record.

#![no_main]

mod sound;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Bytes(Vec<u8>),
    Parts(Parts),
}

#[derive(Arbitrary, Debug)]
struct Parts {
    kind: u8,
    severity: u8,
    flags: u8,
    nanos: u16,
    seconds: i64,
    line: u32,
    fields: Vec<Field>,
    spans: Vec<Span>,
    severity_name: String,
    texts: [String; 6],
    cut: Option<u16>,
}

#[derive(Arbitrary, Debug)]
struct Span {
    severity: u8,
    name: String,
    target: String,
    fields: Vec<Field>,
}

#[derive(Arbitrary, Debug)]
enum Field {
    Value(u8, String, Vec<u8>),
    Text(bool, String, String),
    Json(String, String),
    Number(u64),
    Error(Vec<String>),
    Follows(u64),
    Bytes(Vec<u8>),
}

fuzz_target!(|input: Input| {
    let body = match input {
        Input::Bytes(body) => body,
        Input::Parts(parts) => parts.body(),
    };
    sound::check(&sealed(&body));
});

fn sealed(body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xf5, b'T', 1, 1];
    out.extend((body.len() as u32).to_le_bytes());
    out.extend([0; 16]);
    let both = crc32fast::hash(&[&out, body].concat());
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out.extend(both.to_le_bytes());
    out.extend(body);
    out
}

impl Parts {
    fn body(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        self.fields.iter().for_each(|field| field.put(&mut fields));
        let mut spans = Vec::new();
        self.spans.iter().for_each(|span| put_sized(&mut spans, &span.bytes()));
        let mut out = vec![self.kind, self.severity, self.flags, self.severity_name.len() as u8];
        out.extend(u32::from(self.nanos).to_le_bytes());
        out.extend(self.seconds.to_le_bytes());
        out.extend([0; 8]);
        out.extend(self.line.to_le_bytes());
        for len in [fields.len(), spans.len()].into_iter().chain(self.texts.iter().map(String::len)) {
            out.extend((len as u32).to_le_bytes());
        }
        out.extend(fields);
        out.extend(spans);
        out.extend(self.severity_name.as_bytes());
        self.texts.iter().for_each(|text| out.extend(text.as_bytes()));
        out.truncate(self.cut.map_or(usize::MAX, usize::from));
        out
    }
}

impl Span {
    fn bytes(&self) -> Vec<u8> {
        let mut out = vec![7; 8];
        out.push(self.severity);
        put_label(&mut out, &self.name);
        put_label(&mut out, &self.target);
        self.fields.iter().for_each(|field| field.put(&mut out));
        out
    }
}

impl Field {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Value(tag, name, bytes) => {
                out.push(*tag);
                put_label(out, name);
                out.extend(bytes);
            }
            Self::Text(is_str, name, text) => {
                out.push(if *is_str { 135 } else { 136 });
                put_label(out, name);
                put_sized(out, text.as_bytes());
            }
            Self::Json(name, text) => {
                out.push(141);
                put_label(out, name);
                put_sized(out, text.as_bytes());
            }
            Self::Number(number) => {
                out.extend([131, 0, 0]);
                out.extend(number.to_le_bytes());
            }
            Self::Error(messages) => {
                out.extend([138, 0, 0]);
                let mut chain = Vec::new();
                messages.iter().for_each(|message| put_sized(&mut chain, message.as_bytes()));
                put_sized(out, &chain);
            }
            Self::Follows(id) => {
                out.push(12);
                out.extend(id.to_le_bytes());
            }
            Self::Bytes(bytes) => out.extend(bytes),
        }
    }
}

fn put_label(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}
