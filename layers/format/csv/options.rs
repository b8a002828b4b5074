/// What stands between the cells.
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

/// Which cells stand in double quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quoting {
    /// Those that must, the empty text, and those with spaces at an end. Python's `QUOTE_MINIMAL`. A cell without a value is
    /// empty, without quotes, so that the two can be told apart.
    #[default]
    Minimal,
    /// All but numbers, cells without a value included. Python's `QUOTE_NONNUMERIC`.
    NonNumeric,
    /// All. Python's `QUOTE_ALL`.
    All,
}

/// Line breaks in values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineBreaks {
    /// Written `\n` and `\r`, and a backslash `\\`: a record is a line, whatever reads it, and every text can be read back.
    #[default]
    Escaped,
    /// As they are, inside quotes (RFC 4180, 2.6), backslashes too: a record may have several lines, so that only a reader
    /// that knows CSV finds where it ends.
    Kept,
}

/// The fields that share a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nested {
    /// As [`Logfmt`](crate::format::Logfmt) writes them: `a=1 b="two words"`.
    #[default]
    Pairs,
    /// As an object of JSON, as [`Json`](crate::format::Json) writes it; nothing where there are no fields.
    Json,
}
