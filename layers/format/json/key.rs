use crate::Severity;
use crate::bytes::Block;
use crate::format::LevelNames;

/// A part of the object that a record becomes, for [`Json::keys`](super::Json::keys).
///
/// | key | name | value |
/// |---|---|---|
/// | `Timestamp` | `timestamp` | see [`Time`](crate::format::Time) |
/// | `Level` | `level` | `"INFO"` |
/// | `Severity` | `severity` | 1 to 24, see [`Severity`] |
/// | `Target` | `target` | string |
/// | `Name` | `name` | the event's name, a string |
/// | `ModulePath` | `module_path` | string, if known |
/// | `File` | `file` | string, if known |
/// | `Line` | `line` | number from 1, if known |
/// | `ThreadName` | `thread_name` | string, if it has one |
/// | `ThreadId` | `thread_id` | number from 1, if known |
/// | `Message` | `message` | string, if not empty |
/// | `Fields` | `fields` | see [`Layout`](super::Layout) |
/// | `Span` | `span` | the innermost span as an object, if any |
/// | `Spans` | `spans` | see [`Spans`](super::Spans) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the table says it all")]
pub enum Key {
    Timestamp,
    Level,
    Severity,
    Target,
    Name,
    ModulePath,
    File,
    Line,
    ThreadName,
    ThreadId,
    Message,
    Fields,
    Span,
    Spans,
}

impl Key {
    /// How the part is called unless it is renamed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Level => "level",
            Self::Severity => "severity",
            Self::Target => "target",
            Self::Name => "name",
            Self::ModulePath => "module_path",
            Self::File => "file",
            Self::Line => "line",
            Self::ThreadName => "thread_name",
            Self::ThreadId => "thread_id",
            Self::Message => "message",
            Self::Fields => "fields",
            Self::Span => "span",
            Self::Spans => "spans",
        }
    }
}

impl Key {
    /// Whether the part says the same of every record of a callsite, as long as nobody changes one.
    pub(super) const fn is_of_callsite(self) -> bool {
        matches!(
            self,
            Self::Level | Self::Severity | Self::Target | Self::Name | Self::ModulePath | Self::File | Self::Line
        )
    }
}

/// A key with its constant bytes.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) key: Key,
    /// `,"name":`
    pub(super) lead: Block,
    /// For [`Key::Level`], by the numbers of severities: `,"name":"INFO"`.
    levels: Vec<Block>,
    names: LevelNames,
}

impl Part {
    /// `name` is escaped.
    pub(super) fn new(key: Key, name: &[u8], names: LevelNames) -> Self {
        let lead = [b",\"", name, b"\":"].concat();
        let levels = match key {
            Key::Level => {
                (1..=24).filter_map(Severity::from_number).map(|severity| level(&lead, severity, names)).collect()
            }
            _ => Vec::new(),
        };
        Self { key, lead: Block::new(&lead), levels, names }
    }

    /// Appends the whole member `,"level":"INFO"`.
    #[inline]
    pub(super) fn put_level(&self, severity: Severity, out: &mut Vec<u8>) {
        match self.levels.get(usize::from(severity.number() - 1)) {
            Some(level) if !severity.is_named() => level.put(out),
            _ => self.put_name(severity, out),
        }
    }

    #[cold]
    fn put_name(&self, severity: Severity, out: &mut Vec<u8>) {
        self.lead.put(out);
        out.push(b'"');
        self.names.write(severity, out);
        out.push(b'"');
    }
}

fn level(lead: &[u8], severity: Severity, names: LevelNames) -> Block {
    let mut level = [lead, b"\""].concat();
    names.write(severity, &mut level);
    level.push(b'"');
    Block::new(&level)
}
