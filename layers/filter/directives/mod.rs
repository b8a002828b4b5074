//! Filters that are written as text: `info,shop=debug,hyper=off`.

mod compiled;
#[cfg(feature = "env-filter")]
mod directive;
#[cfg(feature = "env-filter")]
mod env_builder;
#[cfg(feature = "env-filter")]
mod env_filter;
#[cfg(feature = "env-filter")]
mod env_text;
mod environment;
#[cfg(feature = "env-filter")]
mod field;
mod stock;
mod switch;
mod targets;
mod targets_text;
mod text;
#[cfg(feature = "env-filter")]
mod value;
mod words;

#[cfg(feature = "env-filter")]
pub use directive::Directive;
#[cfg(feature = "env-filter")]
pub use env_builder::EnvFilterBuilder;
#[cfg(feature = "env-filter")]
pub use env_filter::EnvFilter;
pub use switch::{DirectiveSwitch, ScopedDirectives};
pub use targets::Targets;
