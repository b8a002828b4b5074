//! What fuzz targets share: hostile records, and properties of errors and lines.

pub mod damage;
pub mod errors;
pub mod lines;
pub mod logfmt;
pub mod records;
pub mod scratch;

/// Returns the lines of an input that is a text, at most `N`; missing ones are empty. `None` if it is not UTF-8.
pub fn parts<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let mut lines = str::from_utf8(input).ok()?.splitn(N, '\n');
    Some(std::array::from_fn(|_| lines.next().unwrap_or_default()))
}
