//! The nodes of the trees of presets and templates.

use super::form::Form;
use super::limit::Limit;
use super::names::Names;
use super::rest::Rest;
use super::shape::Shape;
use super::source::Source;
use super::value::in_quotes;
use crate::bytes::Block;
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
    /// `,"name":` and what follows.
    Member(Block, Node),
    /// A member for each field.
    Rest(Rest),
}

/// What is written in one place.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "some are for templates alone"))]
pub(super) enum Node {
    /// JSON.
    Constant(Block),
    /// A number where the time is written as one.
    Time(Time),
    /// Nanoseconds since 1970 as a string.
    NanosText,
    Level(Levels),
    Value(Source, Form),
    /// The first of these that the record has.
    First(Vec<Node>),
    Branch(Branch),
    List(Vec<Node>),
    /// The spans as objects, root first.
    Spans,
    /// A string that is unique to the line; the number is the process's own.
    UniqueId(u64),
}

/// How a record's severity is written.
#[derive(Clone, Debug)]
pub(super) enum Levels {
    Names(LevelNames),
    /// By syslog's eight severities, emergency first.
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
    /// A value that is the same in each record.
    pub(super) fn constant(value: Value<'_>, form: &Form) -> Self {
        let mut json = Vec::new();
        form.write(&mut json, value, Limit::NONE);
        Self::Constant(Block::new(&json))
    }
}
