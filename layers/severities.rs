//! Macros for the severities between tracing's levels. Other layers see their severity as a field.

/// Logs at [`Severity::VERBOSE`](crate::Severity::VERBOSE). To tracing and other layers this is `tracing::trace!` with the field
/// `severity = "verbose"`, which records do not contain.
#[macro_export]
macro_rules! verbose { ($($arg:tt)+) => { $crate::__log!(trace, $crate::__severity::VERBOSE, $($arg)+) }; }

/// Logs at [`Severity::NOTICE`](crate::Severity::NOTICE). To tracing and other layers this is `tracing::info!` with the field
/// `severity = "notice"`, which records do not contain.
///
/// ```
/// use tracing_handlers::{Output, Severity, format::Text, format::Time, notice, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let output = Output::new(Text::new().time(Time::none()), memory.clone()).level(Severity::NOTICE);
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
///     tracing::info!(target: "shop", "sold");
///     notice!(target: "shop", left = 0, "sold out: {}", "apples");
/// });
/// assert_eq!(memory.lines(), ["NOTICE shop: sold out: apples left=0"]);
/// ```
#[macro_export]
macro_rules! notice { ($($arg:tt)+) => { $crate::__log!(info, $crate::__severity::NOTICE, $($arg)+) }; }

/// Logs at [`Severity::CRITICAL`](crate::Severity::CRITICAL). To tracing and other layers this is `tracing::error!` with the field
/// `severity = "critical"`, which records do not contain.
#[macro_export]
macro_rules! critical { ($($arg:tt)+) => { $crate::__log!(error, $crate::__severity::CRITICAL, $($arg)+) }; }

/// Logs at [`Severity::ALERT`](crate::Severity::ALERT). To tracing and other layers this is `tracing::error!` with the field
/// `severity = "alert"`, which records do not contain.
#[macro_export]
macro_rules! alert { ($($arg:tt)+) => { $crate::__log!(error, $crate::__severity::ALERT, $($arg)+) }; }

/// Logs at [`Severity::FATAL`](crate::Severity::FATAL). To tracing and other layers this is `tracing::error!` with the field
/// `severity = "fatal"`, which records do not contain.
#[macro_export]
macro_rules! fatal { ($($arg:tt)+) => { $crate::__log!(error, $crate::__severity::FATAL, $($arg)+) }; }

/// Logs at [`Severity::EMERGENCY`](crate::Severity::EMERGENCY). To tracing and other layers this is `tracing::error!` with the field
/// `severity = "emergency"`, which records do not contain.
#[macro_export]
macro_rules! emergency { ($($arg:tt)+) => { $crate::__log!(error, $crate::__severity::EMERGENCY, $($arg)+) }; }

/// `target:`, `parent:` and `name:` come before the fields.
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $severity:expr, name: $name:expr, target: $target:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, target: $target, parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, name: $name:expr, target: $target:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, target: $target, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, name: $name:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, name: $name:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, target: $target:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(target: $target, parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, target: $target:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(target: $target, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(severity = $severity, $($arg)+)
    };
}
