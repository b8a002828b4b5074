use tracing::{Level, Metadata};

use super::Severity;

/// What is known about an event or a span before its values: enough to decide whether any handler wants it.
#[derive(Clone, Copy, Debug)]
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

impl Meta<'_> {
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
