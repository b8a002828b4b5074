use tracing::{Level, Metadata};

use super::Severity;

/// What is known of an event or a span before its values are: enough to decide whether anybody wants it.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// How important it is.
    pub severity: Severity,
    /// The target, by default the module path: Python's logger name.
    pub target: &'a str,
    /// The name of a span; of an event, tracing's `event src/main.rs:7` or the name given.
    pub name: &'a str,
    /// The module it stands in.
    pub module_path: Option<&'a str>,
    /// The source file it stands in.
    pub file: Option<&'a str>,
    /// The line it stands on.
    pub line: Option<u32>,
    /// A span, not an event.
    pub is_span: bool,
}

impl Meta<'_> {
    /// tracing's level for this severity.
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
