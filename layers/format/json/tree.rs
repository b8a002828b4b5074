//! The layout of a line as a tree, which presets and templates build.

use std::sync::atomic::{AtomicU64, Ordering};

use super::claims::Claims;
use super::form::Form;
use super::limit::Limit;
use super::node::{Branch, Entry, Node};
use super::object::Writer;
use super::shape::Shape;
use super::source::Source;
use super::subject::Subject;
use super::value::{self, in_quotes};
use super::{Duplicates, NonFinite, like_fmt};
use crate::bytes::Block;
use crate::format::{Time, escape};
use crate::record::Record;

/// One object per record.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: Branch,
    claims: Claims,
    duplicates: Duplicates,
    /// Whether values that the record lacks are written as `null`.
    nulls: bool,
}

/// The state of writing one record.
struct Pen<'t, 'r> {
    subject: Subject<'t, 'r>,
    /// Whether values that the record lacks are written as `null`.
    nulls: bool,
    /// Whether fields and spans, whose number is unbounded, are omitted.
    bare: bool,
}

impl Tree {
    pub(super) fn new(root: Branch, claims: Claims, duplicates: Duplicates, nulls: bool) -> Self {
        Self { root, claims, duplicates, nulls }
    }

    /// Appends `record` in at most `most` bytes and returns whether it fits. Strings are cut to `limit`. If the line is still too
    /// long, they are cut further, and finally fields are omitted.
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
        let subject = Subject { record, claims: &self.claims, taken: self.claims.met_by(record) };
        let pen = Pen { subject, nulls: self.nulls, bare };
        let start = out.len();
        let mut to = Writer::new(out, self.duplicates, NonFinite::Null, limit);
        if !pen.branch(&self.root, &mut to) {
            to.out().truncate(start);
            to.raw(b"{}");
        }
    }
}

impl<'t> Pen<'t, '_> {
    /// Returns whether there was anything; if not, nothing is appended.
    fn branch(&self, branch: &'t Branch, to: &mut Writer<'_>) -> bool {
        let start = to.out().len();
        let mut object = to.open_as(&branch.names, branch.shape);
        for entry in &branch.entries {
            match entry {
                Entry::Member(lead, node) => self.member(lead, node, branch.shape, to),
                Entry::Rest(_) if self.bare => {}
                Entry::Rest(rest) => rest.write(&self.subject, &mut object, to),
            }
        }
        if to.out().len() == start {
            return false;
        }
        to.close(object);
        true
    }

    fn member(&self, key: &Block, node: &'t Node, shape: Shape, to: &mut Writer<'_>) {
        to.keyed(key, |to| {
            let any = self.node(node, to);
            to.raw(match any {
                true => shape.end(),
                false if self.nulls => b"null",
                false => b"",
            });
            any || self.nulls
        });
    }

    /// Returns whether there was anything; if not, nothing is appended.
    fn node(&self, node: &'t Node, to: &mut Writer<'_>) -> bool {
        match node {
            Node::Constant(json) => json.put(to.out()),
            Node::Time(time) if time.is_none() => return false,
            Node::Time(time) => value::time(to.out(), time, self.subject.record.time()),
            Node::NanosText => in_quotes(to.out(), |out| Time::unix_nanos().write(self.subject.record.time(), out)),
            Node::Level(levels) => levels.write(self.subject.record.severity(), to.out()),
            Node::Value(source, form) => return self.value(source, form, to),
            Node::First(nodes) => return nodes.iter().any(|node| self.node(node, to)),
            Node::Branch(branch) => return self.branch(branch, to),
            Node::List(nodes) => self.list(nodes, to),
            Node::Spans => return !self.bare && to.spans(self.subject.record),
            Node::SpansLikeFmt(which, id) => {
                return !self.bare && like_fmt::write_spans(*which, *id, self.subject.record, to);
            }
            Node::UniqueId(process) => in_quotes(to.out(), |out| unique_id(*process, out)),
        }
        true
    }

    fn value(&self, source: &Source, form: &Form, to: &mut Writer<'_>) -> bool {
        let start = to.out().len();
        match source.read(&self.subject) {
            Some(value) if form.write(to.out, value, to.limit) => true,
            _ => {
                to.out().truncate(start);
                false
            }
        }
    }

    /// Writes a list. It keeps its length: a missing item is `null`.
    fn list(&self, nodes: &'t [Node], to: &mut Writer<'_>) {
        to.list(nodes.iter(), |to, node| {
            if !self.node(node, to) {
                to.raw(b"null");
            }
        });
    }
}

/// Writes an id that is unique to the line. It includes the process id because a forked child inherits `process` and the counter.
fn unique_id(process: u64, out: &mut Vec<u8>) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    escape::hex(out, &process.to_be_bytes());
    escape::hex(out, &std::process::id().to_be_bytes());
    escape::hex(out, &NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
}

const RESERVE: usize = 512;
/// Strings are not cut below this length in bytes. If the line is still too long, fields are omitted.
const SHORTEST: usize = 32;
