//! The names of callsites, prepared as keys of objects.

use std::collections::HashSet;

use super::names::Names;
use crate::bytes::Block;
use crate::format::escape;
use crate::record::{Callsite, Field, PerCallsite};

/// The field names of a callsite as keys, and the opening bytes of its spans.
#[derive(Debug)]
pub(super) struct JsonKeys {
    fields: Box<[JsonKey]>,
    span: Option<Block>,
}

#[derive(Debug)]
struct JsonKey {
    /// Escaped.
    name: Box<[u8]>,
    /// `,"name":`
    key: Block,
}

impl JsonKeys {
    /// Returns the keys of `callsite`, prepared at first use.
    #[inline]
    pub(super) fn of(callsite: Option<&'static Callsite>) -> Option<&'static Self> {
        let callsite = callsite?;
        KEYS.get_or_prepare(callsite.id(), || Box::new(Self::new(callsite))).map(|keys| &**keys)
    }

    fn new(callsite: &Callsite) -> Self {
        let fields: Box<[_]> = callsite.names().iter().map(|name| JsonKey::new(name)).collect();
        let are_distinct = are_distinct(&fields) && fields.iter().all(|field| *field.name != *b"name");
        let span = [b",{\"name\":\"", &*escaped(callsite.metadata().name()), b"\""].concat();
        Self { fields, span: are_distinct.then(|| Block::new(&span)) }
    }

    /// Returns the key of a field that belongs to the callsite: `,"name":`.
    #[inline]
    pub(super) fn field(&self, field: &Field<'_>) -> Option<&Block> {
        Some(&self.fields.get(field.index()?)?.key)
    }

    /// Returns the opening bytes of a span as an object, `,{"name":"request"`, or `None` if two members would have the same name.
    #[inline]
    pub(super) fn span(&self) -> Option<&Block> {
        self.span.as_ref()
    }

    /// Returns whether the field names of the callsite's events differ from each other and from all `names`.
    pub(super) fn are_distinct_beside(&self, callsite: &Callsite, names: &Names) -> bool {
        let message = callsite.message();
        let fields =
            self.fields.iter().enumerate().filter(|(index, _)| message != Some(*index)).map(|(_, field)| field);
        are_distinct(fields.clone()) && fields.into_iter().all(|field| !names.contains(&field.name))
    }
}

impl JsonKey {
    fn new(name: &str) -> Self {
        let name = escaped(name);
        let key = [b",\"", &*name, b"\":"].concat();
        Self { name, key: Block::new(&key) }
    }
}

fn escaped(name: &str) -> Box<[u8]> {
    let mut out = Vec::new();
    escape::json(&mut out, name);
    out.into()
}

fn are_distinct<'k>(keys: impl IntoIterator<Item = &'k JsonKey>) -> bool {
    let mut names = HashSet::new();
    keys.into_iter().all(|key| names.insert(&key.name))
}

static KEYS: PerCallsite<Box<JsonKeys>> = PerCallsite::new();
