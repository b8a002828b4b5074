use std::fmt;
use std::io;

use serde::Serialize;

use super::noted::{self, Mark};

/// Wraps a value that serde can serialize, so that it is captured as a nested value: [`Value::Json`](super::Value::Json), which
/// JSON formats write verbatim.
///
/// Pass it to an event or a span by `?` or `%`. Other layers see its JSON as a text. It is serialized once, when the event happens,
/// and only if the event is wanted; a value that cannot be serialized becomes the text `<cannot be serialized: why>`.
///
/// ```
/// use serde::Serialize;
/// use tracing_handlers::{Output, format::Json, format::Time, nested, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// #[derive(Serialize)]
/// struct User { id: u32, roles: Vec<&'static str> }
///
/// let memory = Memory::new();
/// let output = Output::new(Json::new().time(Time::none()), memory.clone());
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
///     let user = User { id: 7, roles: vec!["admin"] };
///     tracing::info!(target: "shop", user = ?nested(&user), "logged in");
/// });
/// assert_eq!(
///     memory.lines(),
///     [r#"{"level":"INFO","target":"shop","message":"logged in","user":{"id":7,"roles":["admin"]}}"#],
/// );
/// ```
pub fn nested<T: Serialize + ?Sized>(value: &T) -> Nested<'_, T> {
    Nested(value)
}

/// See [`nested`].
#[must_use = "a nested value does nothing until it is logged"]
#[derive(Clone, Copy)]
pub struct Nested<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> fmt::Display for Nested<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pen = Pen { to: f, written: Mark::NOTHING, failed: false };
        match serde_json::to_writer(&mut pen, self.0) {
            Ok(()) => {
                noted::note(pen.written);
                Ok(())
            }
            Err(_) if pen.failed => Err(fmt::Error),
            Err(error) => write!(f, "<cannot be serialized: {error}>"),
        }
    }
}

impl<T: Serialize + ?Sized> fmt::Debug for Nested<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Converts bytes to text: serde_json writes whole characters at a time.
struct Pen<'p, 'f> {
    to: &'p mut fmt::Formatter<'f>,
    written: Mark,
    failed: bool,
}

impl io::Write for Pen<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = str::from_utf8(bytes).ok().and_then(|text| self.to.write_str(text).ok());
        self.failed = written.is_none();
        self.written = self.written.with(bytes);
        written.map(|()| bytes.len()).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
