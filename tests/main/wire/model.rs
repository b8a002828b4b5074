//! A second writer of frames, by the tables in the module's documentation, which can also write what no record says.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub struct Model {
    pub kind: u8,
    pub severity: (u8, &'static str),
    pub time: (i64, u32),
    pub thread: (Option<String>, u64),
    pub message: Option<String>,
    pub target: String,
    pub name: String,
    pub place: (Option<String>, Option<String>, u32),
    pub fields: Vec<(String, Item)>,
    pub spans: Vec<Span>,
}

#[derive(Clone, Debug)]
pub struct Span {
    pub id: u64,
    pub severity: u8,
    pub name: String,
    pub target: String,
    pub fields: Vec<(String, Item)>,
}

#[derive(Clone, Debug)]
pub enum Item {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(u64),
    Str(String),
    Text(String),
    Bytes(Vec<u8>),
    Error(Vec<String>),
    Json(&'static str),
    /// In spans; its name is not written.
    Follows(u64),
}

impl Model {
    pub fn frame(&self, id: [u8; 16]) -> Vec<u8> {
        sealed(1, 1, id, &self.body())
    }

    pub fn body(&self) -> Vec<u8> {
        let (fields, spans) = (fields(&self.fields), self.spans.iter().flat_map(Span::bytes).collect::<Vec<_>>());
        let (module, file, line) = &self.place;
        let flags = [self.message.is_some(), self.thread.0.is_some(), module.is_some(), file.is_some()];
        let flags = flags.iter().enumerate().map(|(bit, set)| u8::from(*set) << bit).sum();
        let mut out = vec![self.kind, self.severity.0, flags, self.severity.1.len() as u8];
        out.extend(self.time.1.to_le_bytes());
        out.extend(self.time.0.to_le_bytes());
        out.extend(self.thread.1.to_le_bytes());
        out.extend(line.to_le_bytes());
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let texts = [or_empty(&self.message), or_empty(&self.thread.0), self.target.clone(), self.name.clone()];
        let texts: Vec<_> = texts.into_iter().chain([or_empty(module), or_empty(file)]).collect();
        for len in [fields.len(), spans.len()].into_iter().chain(texts.iter().map(String::len)) {
            out.extend((len as u32).to_le_bytes());
        }
        out.extend(fields);
        out.extend(spans);
        out.extend(self.severity.1.as_bytes());
        texts.iter().for_each(|text| out.extend(text.as_bytes()));
        out
    }

    /// What [`said`](super::said) says of the record.
    pub fn said(&self) -> String {
        let mut out = String::new();
        let kind = ["Event", "Loss", "SpanNew", "SpanEnter", "SpanExit", "SpanClose"][usize::from(self.kind)];
        let (number, name) = self.severity;
        let group = usize::from(number - 1) / 4;
        let name = if name.is_empty() { ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"][group] } else { name };
        let level = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "ERROR"][group];
        let (module, file, line) = &self.place;
        let message = self.message.as_deref().unwrap_or("");
        writeln!(out, "{kind} {number} {name} {level}").unwrap();
        writeln!(out, "at {} s {} ns", self.time.0, self.time.1).unwrap();
        writeln!(out, "target {:?} name {:?} message {message:?}", self.target, self.name).unwrap();
        writeln!(out, "in {module:?} {file:?} {:?}", Some(*line).filter(|line| *line > 0)).unwrap();
        writeln!(out, "by {:?} {}", self.thread.0, self.thread.1).unwrap();
        say(&mut out, &self.fields);
        for span in &self.spans {
            let Span { id, severity, name, target, fields } = span;
            writeln!(out, "span {name:?} {target:?} id {id} severity {severity}").unwrap();
            let follows = |(_, item): &(String, Item)| if let Item::Follows(id) = item { Some(*id) } else { None };
            writeln!(out, "  follows {:?}", fields.iter().filter_map(follows).collect::<Vec<_>>()).unwrap();
            say(&mut out, fields);
        }
        out
    }
}

impl Span {
    fn bytes(&self) -> Vec<u8> {
        let mut out = self.id.to_le_bytes().to_vec();
        out.push(self.severity);
        for label in [&self.name, &self.target] {
            out.extend((label.len() as u16).to_le_bytes());
            out.extend(label.as_bytes());
        }
        out.extend(fields(&self.fields));
        with_len(&out)
    }
}

impl Item {
    fn tag_and_value(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Bool(value) => (128 + u8::from(*value), Vec::new()),
            Self::I64(value) => (130, value.to_le_bytes().to_vec()),
            Self::U64(value) => (131, value.to_le_bytes().to_vec()),
            Self::I128(value) => (132, value.to_le_bytes().to_vec()),
            Self::U128(value) => (133, value.to_le_bytes().to_vec()),
            Self::F64(bits) => (134, bits.to_le_bytes().to_vec()),
            Self::Str(text) => (135, with_len(text.as_bytes())),
            Self::Text(text) => (136, with_len(text.as_bytes())),
            Self::Bytes(bytes) => (137, with_len(bytes)),
            Self::Error(messages) => {
                (138, with_len(&messages.iter().flat_map(|text| with_len(text.as_bytes())).collect::<Vec<_>>()))
            }
            Self::Json(text) => (141, with_len(text.as_bytes())),
            Self::Follows(id) => (12, id.to_le_bytes().to_vec()),
        }
    }
}

/// A whole frame with valid checksums.
pub fn sealed(version: u8, kind: u8, id: [u8; 16], body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xf5, b'T', version, kind];
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(id);
    let both = crc32fast::hash(&[&out, body].concat());
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out.extend(both.to_le_bytes());
    out.extend(body);
    out
}

pub fn with_len(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

fn fields(fields: &[(String, Item)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, item) in fields {
        let (tag, value) = item.tag_and_value();
        out.push(tag);
        if tag & 0x80 != 0 {
            out.extend((name.len() as u16).to_le_bytes());
            out.extend(name.as_bytes());
        }
        out.extend(value);
    }
    out
}

fn say(out: &mut String, fields: &[(String, Item)]) {
    for (name, item) in fields {
        if matches!(item, Item::Follows(_)) {
            continue;
        }
        write!(out, "  {name:?} ").unwrap();
        match item {
            Item::Bool(value) => writeln!(out, "bool {value}"),
            Item::I64(value) => writeln!(out, "i64 {value}"),
            Item::U64(value) => writeln!(out, "u64 {value}"),
            Item::I128(value) => writeln!(out, "i128 {value}"),
            Item::U128(value) => writeln!(out, "u128 {value}"),
            Item::F64(bits) => writeln!(out, "f64 {bits:016x}"),
            Item::Str(value) => writeln!(out, "str {value:?}"),
            Item::Text(value) => writeln!(out, "text {value:?}"),
            Item::Bytes(value) => writeln!(out, "bytes {value:?}"),
            Item::Error(value) => writeln!(out, "error {value:?}"),
            Item::Json(value) => writeln!(out, "json {value:?}"),
            Item::Follows(_) => Ok(()),
        }
        .unwrap();
    }
}

/// Empty, short, long, of all scripts.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["", "[a-z_.]{1,20}", "\\PC{0,12}", "[a-zé\\n\"\\\\]{250,300}"].boxed()
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        any::<bool>().prop_map(Item::Bool),
        any::<i64>().prop_map(Item::I64),
        any::<u64>().prop_map(Item::U64),
        any::<i128>().prop_map(Item::I128),
        any::<u128>().prop_map(Item::U128),
        prop_oneof![any::<u64>(), Just(f64::NAN.to_bits()), Just((-0.0_f64).to_bits())].prop_map(Item::F64),
        text().prop_map(Item::Str),
        text().prop_map(Item::Text),
        vec(any::<u8>(), 0..20).prop_map(Item::Bytes),
        vec(text(), 0..4).prop_map(Item::Error),
        prop::sample::select(vec!["null", "{\"a\":[1,2.5e3,\"\\u00e9\"]}", "\"é\"", " [ ] "]).prop_map(Item::Json),
    ]
}

fn some_fields() -> impl Strategy<Value = Vec<(String, Item)>> {
    vec((text(), item()), 0..6)
}

fn span() -> impl Strategy<Value = Span> {
    let follows = any::<u64>().prop_map(|id| (String::new(), Item::Follows(id)));
    let fields = vec(prop_oneof![4 => (text(), item()), 1 => follows], 0..5);
    (any::<u64>(), 1..=24_u8, text(), text(), fields).prop_map(|(id, severity, name, target, fields)| Span {
        id,
        severity,
        name,
        target,
        fields,
    })
}

pub fn model() -> impl Strategy<Value = Model> {
    let severity = (1..=24_u8, prop::sample::select(vec!["", "", "NOTICE", "EMERGENCY", "OF-THIS_TEST"]));
    let head = (0..6_u8, severity, (any::<i64>(), 0..1_000_000_000_u32), (option::of(text()), any::<u64>()));
    let place = (option::of(text()), option::of(text()), any::<u32>());
    let texts = (option::of(text()), text(), text());
    (head, texts, place, some_fields(), vec(span(), 0..4)).prop_map(|(head, texts, place, fields, spans)| {
        let ((kind, severity, time, thread), (message, target, name)) = (head, texts);
        Model { kind, severity, time, thread, message, target, name, place, fields, spans }
    })
}

/// A small record with something of everything.
pub fn sample() -> Model {
    let field = |name: &str, item| (name.to_owned(), item);
    Model {
        kind: 0,
        severity: (11, "OF-THIS_TEST"),
        time: (1_795_223_943, 123_456_789),
        thread: (Some("worker".into()), 7),
        message: Some("schön".into()),
        target: "shop::stock".into(),
        name: "event src/main.rs:7".into(),
        place: (Some("shop::stock".into()), Some("src/main.rs".into()), 7),
        fields: vec![
            field("yes", Item::Bool(true)),
            field("i", Item::I64(-1)),
            field("u", Item::U64(1)),
            field("wide", Item::I128(-1)),
            field("wider", Item::U128(1)),
            field("f", Item::F64(1.5_f64.to_bits())),
            field("str", Item::Str("é".into())),
            field("text", Item::Text("Some(1)".into())),
            field("bytes", Item::Bytes(vec![0, 255])),
            field("error", Item::Error(vec!["outer".into(), "inner".into()])),
            field("json", Item::Json("{\"a\":[1]}")),
        ],
        spans: vec![
            Span {
                id: 1,
                severity: 9,
                name: "request".into(),
                target: "shop".into(),
                fields: vec![field("id", Item::U64(7)), field("", Item::Follows(99))],
            },
            Span { id: 2, severity: 5, name: "query".into(), target: String::new(), fields: vec![] },
        ],
    }
}
