/// The character between cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Separator {
    /// `,`, as in RFC 4180.
    #[default]
    Comma,
    /// `;`, which spreadsheets expect where the comma is the decimal point.
    Semicolon,
    /// A tab: TSV. A tab in a value is written `\t`.
    Tab,
    /// `|`
    Pipe,
}

impl Separator {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

/// Which cells are in double quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quoting {
    /// Those that need it, the empty text, and texts that begin or end with a space: Python's `QUOTE_MINIMAL`. A cell without a
    /// value is empty, without quotes, which distinguishes it from the empty text.
    #[default]
    Minimal,
    /// All except numbers, including cells without a value: Python's `QUOTE_NONNUMERIC`.
    NonNumeric,
    /// All: Python's `QUOTE_ALL`.
    All,
}

/// How line breaks in values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineBreaks {
    /// As `\n` and `\r`, and a backslash as `\\`: each record is one line for every reader, and every text can be restored.
    #[default]
    Escaped,
    /// Unchanged, inside quotes (RFC 4180, 2.6): a record may span several lines, so that only a reader that understands CSV finds
    /// its end. A backslash is written as `\\`, so that every text can be restored here too: `C:\temp` is not taken for `C:`, a tab
    /// and `emp`.
    Kept,
}

/// How the fields that share a column are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldsAs {
    /// As in [`Logfmt`](crate::format::Logfmt): `a=1 b="two words"`.
    #[default]
    Pairs,
    /// As a JSON object, as in [`Json`](crate::format::Json); the cell is empty if there are no fields.
    Json,
}
