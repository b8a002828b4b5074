use crate::record::Marks;

/// The whole path of a span, from the root.
pub(super) struct Whole<'p> {
    /// The [node](super::nodes) of the span.
    pub(super) node: u64,
    pub(super) version: u64,
    /// `None`: it is out of date already.
    pub(super) marks: Option<Marks>,
    pub(super) path: &'p [u8],
}
