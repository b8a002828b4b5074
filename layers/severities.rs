//! Macros for the severities between tracing's levels.

/// Logs at [`Severity::VERBOSE`](crate::Severity::VERBOSE): `tracing::trace!` with the field `severity = "verbose"`.
#[macro_export]
macro_rules! verbose { ($($arg:tt)+) => { $crate::__log!(trace, "verbose", $($arg)+) }; }

/// Logs at [`Severity::NOTICE`](crate::Severity::NOTICE): `tracing::info!` with the field `severity = "notice"`.
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
macro_rules! notice { ($($arg:tt)+) => { $crate::__log!(info, "notice", $($arg)+) }; }

/// Logs at [`Severity::CRITICAL`](crate::Severity::CRITICAL): `tracing::error!` with the field `severity = "critical"`.
#[macro_export]
macro_rules! critical { ($($arg:tt)+) => { $crate::__log!(error, "critical", $($arg)+) }; }

/// Logs at [`Severity::ALERT`](crate::Severity::ALERT): `tracing::error!` with the field `severity = "alert"`.
#[macro_export]
macro_rules! alert { ($($arg:tt)+) => { $crate::__log!(error, "alert", $($arg)+) }; }

/// Logs at [`Severity::FATAL`](crate::Severity::FATAL): `tracing::error!` with the field `severity = "fatal"`.
#[macro_export]
macro_rules! fatal { ($($arg:tt)+) => { $crate::__log!(error, "fatal", $($arg)+) }; }

/// Logs at [`Severity::EMERGENCY`](crate::Severity::EMERGENCY): `tracing::error!` with the field `severity = "emergency"`.
#[macro_export]
macro_rules! emergency { ($($arg:tt)+) => { $crate::__log!(error, "emergency", $($arg)+) }; }

/// `target:`, `parent:` and `name:` come before the fields.
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $severity:literal, name: $name:expr, target: $target:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, target: $target, parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, name: $name:expr, target: $target:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, target: $target, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, name: $name:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, name: $name:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(name: $name, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, target: $target:expr, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(target: $target, parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, target: $target:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(target: $target, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, parent: $parent:expr, $($arg:tt)+) => {
        $crate::__tracing::$level!(parent: $parent, severity = $severity, $($arg)+)
    };
    ($level:ident, $severity:literal, $($arg:tt)+) => {
        $crate::__tracing::$level!(severity = $severity, $($arg)+)
    };
}
