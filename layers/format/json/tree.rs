//! What a line looks like, as a tree: presets are tables of it, templates are read into it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::claims::{self, Claims, Taken};
use super::form::{self, Form, Limit};
use super::object::{Names, Shape, Writer};
use super::rest::Rest;
use super::{Duplicates, NonFinite};
use crate::bytes::Block;
use crate::format::{LevelNames, Time, escape, number};
use crate::record::{Kind, Record};
use crate::{Severity, Value};

/// One object per record.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: Branch,
    claims: Claims,
    duplicates: Duplicates,
    /// What a record lacks is `null`, not left out.
    nulls: bool,
}

/// An object, or a list that is one in disguise.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    shape: Shape,
    entries: Vec<Entry>,
    names: Names,
}

#[derive(Clone, Debug)]
enum Entry {
    /// `,"name":` and what follows.
    Member(Block, Node),
    /// As many members as there are fields.
    Rest(Rest),
}

/// What stands in one place.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Node {
    /// JSON.
    Constant(Block),
    /// A number where the time is written as one.
    Time(Time),
    /// Nanoseconds since 1970 as a text.
    NanosText,
    Level(Levels),
    Value(Source, Form),
    /// The first of these that is there.
    First(Vec<Node>),
    Branch(Branch),
    List(Vec<Node>),
    /// The spans as objects, root first.
    Spans,
    /// A text that no other record has, from a number that no other process has.
    UniqueId(u64),
}

/// What a record's severity is.
#[derive(Clone, Debug)]
pub(super) enum Levels {
    Names(LevelNames),
    /// By syslog's eight severities, emergency first.
    Keywords(&'static [&'static str; 8]),
    Number(fn(Severity) -> u32),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Source {
    Target,
    /// Its name, where that was given to it: not `event src/main.rs:7`.
    EventName,
    Name,
    ModulePath,
    File,
    Line,
    ThreadName,
    ThreadId,
    Message,
    /// The message, or `""`.
    MessageAlways,
    /// The first line of the message; the name of an event without one.
    Summary,
    /// The message, if it has more than one line.
    FullMessage,
    Pid,
    /// The innermost span's.
    SpanName,
    /// The event's field, or that of the innermost span that has it.
    Field(Box<str>),
    /// That of the innermost span that has it.
    SpanField(Box<str>),
    Claim(usize),
    /// All of the first error's messages.
    Error,
    /// The first error's own message.
    ErrorMessage,
    /// That of what caused it in the first place.
    RootCause,
}

/// One record being written.
pub(super) struct Pen<'t, 'r> {
    pub(super) tree: &'t Tree,
    pub(super) record: &'r Record<'r>,
    pub(super) taken: Taken,
    pub(super) limit: Limit<'t>,
    /// Nothing of which there can be any number.
    bare: bool,
}

/// A branch being planned.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    shape: Shape,
    /// A dot in a name leads into an object.
    nested: bool,
    names: Names,
    entries: Vec<DraftEntry>,
    reserved: Vec<&'static str>,
}

#[derive(Clone, Debug)]
struct DraftEntry {
    name: String,
    planned: Planned,
    /// Of two entries that cannot both have their names this one gets another.
    of_user: bool,
}

#[derive(Clone, Debug)]
enum Planned {
    Node(Node),
    Draft(Draft),
    Rest(Rest),
}

impl Planned {
    fn is_rest(&self) -> bool {
        matches!(self, Self::Rest(_))
    }
}

impl Tree {
    pub(super) fn new(root: Draft, claims: Claims, duplicates: Duplicates, nulls: bool) -> Self {
        Self { root: root.branch(), claims, duplicates, nulls }
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Appends `record`, in at most `most` bytes; tells whether that can be done. Texts are cut to `limit`, and where that is
    /// not enough to shorter ones; in the end fields are left out.
    pub(super) fn write<'t>(&'t self, record: &Record<'_>, out: &mut Vec<u8>, limit: Limit<'t>, most: usize) -> bool {
        let start = out.len();
        out.reserve(2 * record.raw().len() + RESERVE);
        self.write_once(record, out, limit, false);
        if out.len() - start <= most {
            return true;
        }
        let mut bytes = limit.bytes.min(most);
        while bytes > SHORTEST {
            bytes /= 2;
            out.truncate(start);
            self.write_once(record, out, Limit { bytes, ..limit }, false);
            if out.len() - start <= most {
                return true;
            }
        }
        out.truncate(start);
        self.write_once(record, out, Limit { bytes: SHORTEST, ..limit }, true);
        out.len() - start <= most
    }

    fn write_once<'t>(&'t self, record: &Record<'_>, out: &mut Vec<u8>, limit: Limit<'t>, bare: bool) {
        let pen = Pen { tree: self, record, taken: self.claims.met_by(record), limit, bare };
        let start = out.len();
        let mut to = Writer::new(out, self.duplicates, NonFinite::Null);
        if !pen.branch(&self.root, &mut to) {
            to.out().truncate(start);
            to.raw(b"{}");
        }
    }
}

impl<'t> Pen<'t, '_> {
    /// Tells whether there was anything; if not, nothing is appended.
    fn branch(&self, branch: &'t Branch, to: &mut Writer<'_>) -> bool {
        let start = to.out().len();
        let mut object = to.open_as(&branch.names, branch.shape);
        for entry in &branch.entries {
            match entry {
                Entry::Member(lead, node) => self.member(lead, node, branch.shape, to),
                Entry::Rest(_) if self.bare => {}
                Entry::Rest(rest) => rest.write(self, &mut object, to),
            }
        }
        if to.out().len() == start {
            return false;
        }
        to.close(object);
        true
    }

    fn member(&self, lead: &Block, node: &'t Node, shape: Shape, to: &mut Writer<'_>) {
        let start = to.out().len();
        lead.put(to.out());
        match self.node(node, to) {
            true => to.raw(shape.end()),
            false if self.tree.nulls => to.raw(b"null"),
            false => to.out().truncate(start),
        }
    }

    /// Tells whether there was anything; if not, nothing is appended.
    fn node(&self, node: &'t Node, to: &mut Writer<'_>) -> bool {
        match node {
            Node::Constant(json) => json.put(to.out()),
            Node::Time(time) if time.is_none() => return false,
            Node::Time(time) if time.is_number() => time.write(self.record.time(), to.out()),
            Node::Time(time) => in_quotes(to.out(), |out| time.write(self.record.time(), out)),
            Node::NanosText => in_quotes(to.out(), |out| Time::unix_nanos().write(self.record.time(), out)),
            Node::Level(levels) => levels.write(self.record.severity(), to.out()),
            Node::Value(source, form) => return self.value(source, form, to),
            Node::First(nodes) => return nodes.iter().any(|node| self.node(node, to)),
            Node::Branch(branch) => return self.branch(branch, to),
            Node::List(nodes) => self.list(nodes, to),
            Node::Spans => return self.spans(to),
            Node::UniqueId(process) => in_quotes(to.out(), |out| unique_id(*process, out)),
        }
        true
    }

    fn value(&self, source: &Source, form: &Form, to: &mut Writer<'_>) -> bool {
        let start = to.out().len();
        match self.read(source) {
            Some(value) if form.write(to.out(), value, self.limit) => true,
            _ => {
                to.out().truncate(start);
                false
            }
        }
    }

    /// A list keeps its length: what is not there is `null`.
    fn list(&self, nodes: &'t [Node], to: &mut Writer<'_>) {
        to.raw(b"[");
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                to.raw(b",");
            }
            if !self.node(node, to) {
                to.raw(b"null");
            }
        }
        to.raw(b"]");
    }

    fn spans(&self, to: &mut Writer<'_>) -> bool {
        let start = to.out().len();
        for span in self.record.spans().filter(|_| !self.bare) {
            let is_first = to.out().len() == start;
            to.raw(if is_first { b"[" } else { b"," });
            let mut object = to.open(&SPAN_NAMES);
            to.raw(b",\"name\":");
            form::text(to.out(), span.name(), self.limit);
            for field in span.fields() {
                let name = |out: &mut Vec<u8>| escape::json(out, field.name);
                to.member_named(&mut object, name, |to| {
                    Form::Plain.write(to.out(), field.value, self.limit);
                });
            }
            to.close(object);
        }
        let any = to.out().len() > start;
        if any {
            to.raw(b"]");
        }
        any
    }

    fn read(&self, source: &Source) -> Option<Value<'_>> {
        let record = self.record;
        match source {
            Source::Target => text(record.target()),
            Source::EventName => text(record.name()).filter(|_| has_given_name(record)),
            Source::Name => text(record.name()),
            Source::ModulePath => record.module_path().map(Value::Str),
            Source::File => record.file().map(Value::Str),
            Source::Line => record.line().map(|line| Value::U64(line.into())),
            Source::ThreadName => record.thread_name().map(Value::Str),
            Source::ThreadId => Some(record.thread_id()).filter(|id| *id > 0).map(Value::U64),
            Source::Message => text(record.message()),
            Source::MessageAlways => Some(Value::Str(record.message())),
            Source::Summary => Some(Value::Str(summary(record))),
            Source::FullMessage => text(record.message()).filter(|_| summary(record).len() < record.message().len()),
            Source::Pid => Some(Value::U64(std::process::id().into())),
            Source::SpanName => record.spans().last().map(|span| Value::Str(span.name())),
            Source::Field(name) => claims::nearest(record, name),
            Source::SpanField(name) => claims::of_span(record, name),
            Source::Claim(place) => Some(*place)
                .filter(|place| self.taken.has(*place))
                .and_then(|place| self.tree.claims.find(place, record)),
            Source::Error => error(record),
            Source::ErrorMessage => error_chain(record)?.messages().next().map(Value::Str),
            Source::RootCause => error_chain(record)?.messages().last().map(Value::Str),
        }
    }
}

impl Levels {
    fn write(&self, severity: Severity, out: &mut Vec<u8>) {
        match self {
            Self::Names(names) => in_quotes(out, |out| names.write(severity, out)),
            Self::Keywords(keywords) => in_quotes(out, |out| {
                out.extend_from_slice(keywords[usize::from(severity.syslog())].as_bytes());
            }),
            Self::Number(number) => number::int(out, number(severity)),
        }
    }
}

impl Draft {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, nested: false, names: Names::default(), entries: Vec::new(), reserved: Vec::new() }
    }

    /// With names that are paths to their reader, or that become objects within objects.
    pub(super) fn of_paths(nested: bool) -> Self {
        Self { nested, names: Names::paths(), ..Self::new(Shape::Object) }
    }

    /// With one more member. Where the name is known, it is what stands there if nothing else does.
    pub(super) fn put(mut self, name: &str, node: Node) -> Self {
        let entry = DraftEntry { name: name.to_owned(), planned: Planned::Node(node), of_user: false };
        self.set(entry, |known, node| Node::First(vec![known, node]));
        self
    }

    /// With one more member, which the user wants. Where the name is known, it is what stands there unless it is missing.
    pub(super) fn instead(mut self, name: &str, node: Node) -> Self {
        let entry = DraftEntry { name: name.to_owned(), planned: Planned::Node(node), of_user: true };
        self.set(entry, |known, node| Node::First(vec![node, known]));
        self
    }

    /// With a branch of its own.
    pub(super) fn draft(mut self, name: &str, draft: Draft) -> Self {
        let entry = DraftEntry { name: name.to_owned(), planned: Planned::Draft(draft), of_user: false };
        self.set(entry, |known, _| known);
        self
    }

    /// Keeps a name from fields.
    pub(super) fn reserve(mut self, name: &'static str) -> Self {
        self.reserved.push(name);
        self
    }

    /// With fields, from here on.
    pub(super) fn rest(mut self, rest: Rest) -> Self {
        self.entries.push(DraftEntry { name: String::new(), planned: Planned::Rest(rest), of_user: false });
        self
    }

    fn set(&mut self, new: DraftEntry, join: fn(Node, Node) -> Node) {
        let (first, rest) = match new.name.split_once('.').filter(|_| self.nested) {
            Some((first, rest)) => (first, Some(rest.to_owned())),
            None => (&*new.name, None),
        };
        let known = self.entries.iter_mut().find(|known| known.name == first && !known.planned.is_rest());
        match (known.map(|known| &mut known.planned), rest, new.planned) {
            (Some(Planned::Draft(draft)), Some(name), planned) => draft.set(DraftEntry { name, planned, ..new }, join),
            (Some(Planned::Node(known)), None, Planned::Node(node)) => {
                let alone = std::mem::replace(known, Node::List(Vec::new()));
                *known = join(alone, node);
            }
            (None, Some(name), planned) => {
                let (first, mut draft) = (first.to_owned(), Draft::of_paths(true));
                draft.set(DraftEntry { name, planned, ..new }, join);
                self.entries.push(DraftEntry { name: first, planned: Planned::Draft(draft), of_user: new.of_user });
            }
            (_, _, planned) => self.entries.push(DraftEntry { planned, ..new }),
        }
    }

    /// Everything that is the same for each record, worked out.
    pub(super) fn branch(self) -> Branch {
        let (shape, mut names) = (self.shape, self.names);
        let mut keys = vec![Vec::new(); self.entries.len()];
        for of_user in [false, true] {
            let entries = self.entries.iter().zip(&mut keys);
            for (entry, key) in entries.filter(|(entry, _)| entry.of_user == of_user && !entry.planned.is_rest()) {
                *key = names.reserve(&entry.name);
            }
        }
        let entry = |(entry, key): (DraftEntry, Vec<u8>)| {
            let node = match entry.planned {
                Planned::Rest(rest) => return Entry::Rest(rest),
                Planned::Node(node) => node,
                Planned::Draft(draft) => Node::Branch(draft.branch()),
            };
            Entry::Member(Block::new(&[shape.before(), &key, shape.after()].concat()), node)
        };
        let entries = self.entries.into_iter().zip(keys).map(entry).collect();
        for name in self.reserved {
            if !names.contains(name.as_bytes()) {
                names.reserve(name);
            }
        }
        Branch { shape, entries, names }
    }
}

impl Node {
    /// A value that is the same in each record.
    pub(super) fn constant(value: Value<'_>, form: &Form) -> Self {
        let mut json = Vec::new();
        form.write(&mut json, value, Limit::NONE);
        Self::Constant(Block::new(&json))
    }
}

/// tracing calls events `event src/main.rs:7` that were not given a name.
fn has_given_name(record: &Record<'_>) -> bool {
    record.kind() == Kind::Event && !record.name().is_empty() && !record.name().starts_with("event ")
}

/// Never empty: Graylog refuses that.
fn summary<'r>(record: &Record<'r>) -> &'r str {
    let message = record.message();
    let first = message.lines().next().unwrap_or("");
    [first, message, record.name()].into_iter().find(|text| !text.trim().is_empty()).unwrap_or("-")
}

/// A text, if it is not empty.
fn text(text: &str) -> Option<Value<'_>> {
    Some(text).filter(|text| !text.is_empty()).map(Value::Str)
}

fn error<'r>(record: &Record<'r>) -> Option<Value<'r>> {
    record.fields().map(|field| field.value).find(|value| matches!(value, Value::Error(_)))
}

fn error_chain<'r>(record: &Record<'r>) -> Option<crate::record::ErrorChain<'r>> {
    match error(record)? {
        Value::Error(chain) => Some(chain),
        _ => None,
    }
}

/// Of the process and of its number: a child that was forked has its parent's `process` and counts as it does.
fn unique_id(process: u64, out: &mut Vec<u8>) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    escape::hex(out, &process.to_be_bytes());
    escape::hex(out, &std::process::id().to_be_bytes());
    escape::hex(out, &NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
}

fn in_quotes(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

const RESERVE: usize = 512;
/// Texts are cut no shorter than this before fields are left out.
const SHORTEST: usize = 32;

static SPAN_NAMES: Names = Names::fixed(&[b"name"]);
