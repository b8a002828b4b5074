//! What a line looks like, as a tree: presets are tables of it, templates are read into it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::claims::{Claims, Taken};
use super::draft::Draft;
use super::form::{self, Form, Limit};
use super::object::{Names, Shape, Writer};
use super::rest::Rest;
use super::source::Source;
use super::{Duplicates, NonFinite};
use crate::bytes::Block;
use crate::format::{LevelNames, Time, escape, number};
use crate::record::Record;
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
pub(super) enum Entry {
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

/// One record being written.
pub(super) struct Pen<'t, 'r> {
    pub(super) tree: &'t Tree,
    pub(super) record: &'r Record<'r>,
    pub(super) taken: Taken,
    pub(super) limit: Limit<'t>,
    /// Nothing of which there can be any number.
    bare: bool,
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

impl Branch {
    pub(super) fn new(shape: Shape, names: Names, entries: Vec<Entry>) -> Self {
        Self { shape, entries, names }
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
        match source.read(self) {
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

impl Node {
    /// A value that is the same in each record.
    pub(super) fn constant(value: Value<'_>, form: &Form) -> Self {
        let mut json = Vec::new();
        form.write(&mut json, value, Limit::NONE);
        Self::Constant(Block::new(&json))
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
