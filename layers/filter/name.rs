use super::{Filter, is_inside};
use crate::record::Meta;

/// Passes records of the logger with this name and of those below it: Python's `logging.Filter(name)`.
///
/// `shop.stock` passes the targets `shop::stock` and `shop.stock.rack`, but not `shop::stocks`: `.` and `::` are equivalent
/// separators. The empty name passes everything. [`targets`](super::targets) sets a level for each target.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let passes = |name: &str, target: &str| {
///     filter::name(name).passes(&RecordBuf::new(Severity::INFO, target, "").as_record())
/// };
/// assert!(passes("A.B", "A.B") && passes("A.B", "A.B.C") && passes("A.B", "A::B::C"));
/// assert!(!passes("A.B", "A.BB") && !passes("A.B", "A"));
/// assert!(passes("", "anything"));
/// ```
pub fn name(name: impl Into<String>) -> Name {
    Name(name.into())
}

/// See [`name`].
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Debug)]
pub struct Name(String);

impl Filter for Name {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        is_inside(meta.target, &self.0)
    }

    fn per_record(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordBuf, Severity};

    /// CPython's `logging.Filter.filter`, for names with dots.
    fn python(name: &str, target: &str) -> bool {
        name.is_empty()
            || name == target
            || (target.starts_with(name) && target.as_bytes().get(name.len()) == Some(&b'.'))
    }

    #[test]
    fn a_name_passes_what_python_s_filter_passes_with_either_separator() {
        let names = ["", "A", "A.B", "A.BB", "A.B.C", "B", "A.", "AB", ".A", "A..B"];
        for name in names {
            for target in names {
                for (name, target) in [
                    (name.to_owned(), target.to_owned()),
                    (name.replace('.', "::"), target.to_owned()),
                    (name.to_owned(), target.replace('.', "::")),
                ] {
                    let record = RecordBuf::new(Severity::INFO, &target, "");
                    let expected = python(&name.replace("::", "."), &target.replace("::", "."));
                    assert_eq!(super::name(&*name).passes(&record.as_record()), expected, "{name} {target}");
                }
            }
        }
    }
}
