//! The nodes of the trees of presets and templates.

use super::form::Form;
use super::like_fmt::Which;
use super::limit::Limit;
use super::names::Names;
use super::rest::Rest;
use super::shape::Shape;
use super::source::Source;
use super::value::in_quotes;
use crate::bytes::Block;
use crate::format::kept::FormatId;
use crate::format::{LevelNames, Time, number};
use crate::{Severity, Value};

/// An object, or an object written as a list of keys and values.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) shape: Shape,
    pub(super) names: Names,
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A key, `,"name":`, and its value.
    Member(Block, Node),
    /// One member for each remaining field.
    Rest(Rest),
}

/// A value in the tree.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Node {
    /// JSON that is written as is.
    Constant(Block),
    /// The time, as a number or as a string.
    Time(Time),
    /// Nanoseconds since the Unix epoch as a string.
    NanosText,
    Level(Levels),
    Value(Source, Form),
    /// The first of these nodes for which the record has a value.
    First(Vec<Node>),
    Branch(Branch),
    List(Vec<Node>),
    /// The spans as objects, root first.
    Spans,
    /// The spans as the JSON formatter of tracing-subscriber writes them. The id is that of the cache.
    SpansLikeFmt(Which, FormatId),
    /// A string that is unique to the line. The number identifies the process.
    UniqueId(u64),
}

/// How a record's severity is written.
#[derive(Clone, Debug)]
pub(super) enum Levels {
    Names(LevelNames),
    /// A name for each of the eight syslog severities, emergency first.
    Keywords(&'static [&'static str; 8]),
    Number(fn(Severity) -> u32),
}

impl Levels {
    pub(super) fn write(&self, severity: Severity, out: &mut Vec<u8>) {
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
    /// Creates a node whose value is the same for all records.
    pub(super) fn constant(value: Value<'_>, form: &Form) -> Self {
        let mut json = Vec::new();
        form.write(&mut json, value, Limit::NONE);
        Self::Constant(Block::new(&json))
    }
}
