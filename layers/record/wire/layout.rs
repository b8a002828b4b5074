//! The layout of the body of a record, version 1. It never changes.

pub(super) use crate::record::encoding::tag::{
    ASIDE, BYTES, ERROR, F64, FALSE, FOLLOWS, I64, I128, INLINE, JSON, STR, TEXT, TRUE, U64, U128,
};

/// The length of the fixed part.
pub(super) const FIXED: usize = 60;
pub(super) const KIND: usize = 0;
pub(super) const SEVERITY: usize = 1;
pub(super) const FLAGS: usize = 2;
pub(super) const SEVERITY_NAME_LEN: usize = 3;
pub(super) const NANOS: usize = 4;
pub(super) const SECONDS: usize = 8;
pub(super) const THREAD_ID: usize = 16;
pub(super) const LINE: usize = 24;
pub(super) const FIELDS_LEN: usize = 28;
pub(super) const SPANS_LEN: usize = 32;
pub(super) const MESSAGE_LEN: usize = 36;
pub(super) const THREAD_NAME_LEN: usize = 40;
/// The lengths of target, event name, module path and file.
pub(super) const PLACE_LENS: usize = 44;

pub(super) const HAS_MESSAGE: u8 = 1;
pub(super) const HAS_THREAD_NAME: u8 = 1 << 1;
pub(super) const HAS_MODULE_PATH: u8 = 1 << 2;
pub(super) const HAS_FILE: u8 = 1 << 3;
pub(super) const ALL_FLAGS: u8 = HAS_MESSAGE | HAS_THREAD_NAME | HAS_MODULE_PATH | HAS_FILE;

/// The length of the id and the severity of a span.
pub(super) const SPAN_HEAD: usize = 9;
