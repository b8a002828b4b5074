//! Records, their values, and how they are captured.
//!
//! A [`Record`] is a borrowed view of one flat, typed byte buffer; a [`RecordBuf`] owns such a buffer and can change it. A
//! [`Batch`] holds several records in one buffer, and [`Records`] is a view of them.

mod batch;
mod buf;
mod callsite;
mod capture;
mod change;
mod cut;
mod encoding;
pub(crate) mod json;
#[cfg(feature = "log")]
pub(crate) mod key_values;
mod kind;
#[doc(hidden)]
pub mod macro_names;
mod meta;
#[cfg(feature = "serde")]
mod nested;
mod noted;
mod part;
mod path;
mod per_callsite;
pub(crate) mod pool;
mod primitive;
mod severity;
mod spans_only;
mod value;
mod view;
#[cfg(feature = "log")]
mod waiting;
pub mod wire;

pub use batch::{Batch, Records};
pub use buf::RecordBuf;
pub use change::{Change, FieldChange, NewFields};
pub use kind::{Kind, SpanEvents};
pub use meta::Meta;
#[cfg(feature = "serde")]
pub use nested::{Nested, nested};
pub use part::Part;
pub use severity::Severity;
pub use value::{ErrorBuf, ErrorChain, Value};
pub use view::{Field, Fields, Record, Span, Spans};

pub(crate) use callsite::{Callsite, freeze as freeze_callsites, says_severity};
pub(crate) use capture::{capture_event, capture_fields, capture_span_event, this_thread};
pub(crate) use cut::{cut_json, cut_text, cut_written};
pub(crate) use path::{Marks, Path};
pub(crate) use per_callsite::PerCallsite;
pub(crate) use spans_only::put_spans_only;
pub(crate) use view::{ShowsSpan, TakeField};
