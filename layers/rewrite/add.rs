use std::fmt;
use std::sync::Arc;

use super::Rewrite;
use crate::record::{Change, NewFields, Record, RecordBuf, Span, Value};

/// Adds fields to every record: Python's `LoggerAdapter`, log4j2's `PropertiesRewritePolicy`.
///
/// | setting | adds |
/// |---|---|
/// | [`constant`](Self::constant) | a name and a value |
/// | [`host`](Self::host) | `host`, the name of this machine |
/// | [`pid`](Self::pid) | `pid`, the id of this process |
/// | [`env`](Self::env) | the value of an environment variable, read once |
/// | [`with`](Self::with) | the fields that a closure pushes for each record |
///
/// A record that already has a field of that name keeps it and gets no second one. If a name is added twice, the first applies.
/// Fields pushed by closures are not checked.
///
/// ```
/// use tracing_handlers::rewrite::{Add, Rewrite};
/// use tracing_handlers::{RecordBuf, Severity, Value};
///
/// let add = Add::new()
///     .constant("service", "shop")
///     .constant("version", 3_u64)
///     .pid()
///     .with(|record, fields| fields.push("length", record.message().len()));
/// let mut record = RecordBuf::new(Severity::INFO, "shop", "sold").with_field("version", 4_u64);
/// add.rewrite(&mut record);
/// let record = record.as_record();
/// assert_eq!(record.field("service").unwrap().as_str(), Some("shop"));
/// assert_eq!(record.field("version"), Some(Value::U64(4)));
/// assert_eq!(record.field("pid"), Some(Value::U64(std::process::id().into())));
/// assert_eq!(record.field("length"), Some(Value::U64(4)));
/// ```
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone, Default)]
pub struct Add(Vec<Source>);

#[derive(Clone)]
enum Source {
    /// The name, and the field as encoded in records.
    Constant(String, Vec<u8>),
    Pid,
    Custom(Arc<PushFields>),
}

type PushFields = dyn Fn(&Record<'_>, &mut NewFields<'_>) + Send + Sync;

impl Add {
    /// Creates a rewrite that adds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field with the same value to each record.
    pub fn constant<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        if !self.has(name) {
            self.0.push(Source::Constant(name.to_owned(), NewFields::encoded(name, value.into())));
        }
        self
    }

    /// Adds `host`, the name of this machine. It is read now: from the kernel on Linux, elsewhere from the environment variable
    /// `HOSTNAME` or `COMPUTERNAME`. If none of them is available, nothing is added.
    pub fn host(self) -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
        match name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => self.constant("host", name),
            None => self,
        }
    }

    /// Adds `pid`, the id of this process. It is read for each record, because a forked child has another one.
    pub fn pid(mut self) -> Self {
        if !self.has("pid") {
            self.0.push(Source::Pid);
        }
        self
    }

    /// Adds the field `name` with the value of the environment variable `variable`, read now. If that is not set or not UTF-8,
    /// nothing is added.
    ///
    /// ```
    /// use tracing_handlers::rewrite::{Add, Rewrite};
    /// use tracing_handlers::{RecordBuf, Severity};
    ///
    /// let mut record = RecordBuf::default();
    /// Add::new().env("package", "CARGO_PKG_NAME").env("environment", "NOT_SET_ANYWHERE").rewrite(&mut record);
    /// assert_eq!(record.as_record().fields().count(), 1);
    /// ```
    pub fn env(self, name: &str, variable: &str) -> Self {
        match std::env::var(variable) {
            Ok(value) => self.constant(name, value.as_str()),
            Err(_) => self,
        }
    }

    /// Calls `push` for each record, on the thread that rewrites it, to add fields. It should not log: its events are records as
    /// well, for which it is called again.
    pub fn with(mut self, push: impl Fn(&Record<'_>, &mut NewFields<'_>) + Send + Sync + 'static) -> Self {
        self.0.push(Source::Custom(Arc::new(push)));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|source| match source {
            Source::Constant(known, _) => known == name,
            Source::Pid => name == "pid",
            Source::Custom(_) => false,
        })
    }
}

impl Rewrite for Add {
    fn rewrite(&self, record: &mut RecordBuf) {
        record.change(&mut Adding(&self.0));
    }
}

struct Adding<'a>(&'a [Source]);

impl Change for Adding<'_> {
    fn add(&mut self, record: &Record<'_>, span: Option<&Span<'_>>, fields: &mut NewFields<'_>) {
        if span.is_some() {
            return;
        }
        for source in self.0 {
            match source {
                Source::Constant(name, field) if record.field(name).is_none() => fields.push_encoded(field),
                Source::Pid if record.field("pid").is_none() => fields.push("pid", std::process::id()),
                Source::Custom(push) => push(record, fields),
                Source::Constant(..) | Source::Pid => {}
            }
        }
    }
}

impl fmt::Debug for Add {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|source| match source {
            Source::Constant(name, _) => name,
            Source::Pid => "pid",
            Source::Custom(_) => "custom",
        });
        f.debug_list().entries(names).finish()
    }
}
