use tracing::{Level, Metadata};

use super::Severity;

/// What is known about an event or a span before its values: enough to decide whether any handler wants it.
///
/// ```
/// use tracing_handlers::filter::{self, Filter};
/// use tracing_handlers::{Meta, Severity};
///
/// let mut meta = Meta::event(Severity::INFO, "shop::stock");
/// meta.line = Some(7);
/// assert!(filter::targets(["shop"]).enabled(&meta));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Meta<'a> {
    /// The severity.
    pub severity: Severity,
    /// The target, by default the module path: Python's logger name.
    pub target: &'a str,
    /// The name of the span; for an event, tracing's `event src/main.rs:7` or the given name.
    pub name: &'a str,
    /// The module it is in.
    pub module_path: Option<&'a str>,
    /// The source file it is in.
    pub file: Option<&'a str>,
    /// The line it is on.
    pub line: Option<u32>,
    /// Whether it is a span rather than an event.
    pub is_span: bool,
}

impl<'a> Meta<'a> {
    /// Describes an event without a name and a source position.
    pub const fn event(severity: Severity, target: &'a str) -> Self {
        Self { severity, target, name: "", module_path: None, file: None, line: None, is_span: false }
    }

    /// Describes a span without a source position.
    pub const fn span(severity: Severity, target: &'a str, name: &'a str) -> Self {
        Self { name, is_span: true, ..Self::event(severity, target) }
    }

    /// Returns tracing's level for this severity.
    #[inline]
    pub fn level(&self) -> Level {
        self.severity.level()
    }
}

impl<'a> From<&'a Metadata<'_>> for Meta<'a> {
    #[inline]
    fn from(metadata: &'a Metadata<'_>) -> Self {
        Self {
            severity: Severity::from(*metadata.level()),
            target: metadata.target(),
            name: metadata.name(),
            module_path: metadata.module_path(),
            file: metadata.file(),
            line: metadata.line(),
            is_span: metadata.is_span(),
        }
    }
}
