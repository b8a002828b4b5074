//! Where one record's bytes end.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// Marks the end of a record among the bytes of many.
///
/// As text a framing is its name: `newline`, `null`, `octet counting` or `none`, in upper or lower case when parsed.
///
/// ```
/// use tracing_handlers::Framing;
///
/// assert_eq!("octet counting".parse::<Framing>()?, Framing::OctetCounting);
/// assert_eq!(Framing::OctetCounting.to_string(), "octet counting");
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// A line feed behind each record (NDJSON, text files; RFC 6587 section 3.4.2).
    #[default]
    Newline,
    /// A NUL byte behind each record (GELF over TCP).
    Null,
    /// The length in bytes, in decimal, and a space in front of each record (RFC 6587 section 3.4.1).
    OctetCounting,
    /// Nothing: each record is a datagram or an entry of its own.
    None,
}

impl Framing {
    /// Frames the record that starts at `start` of `buffer` and goes to its end.
    #[inline]
    pub fn frame(self, buffer: &mut Vec<u8>, start: usize) {
        match self {
            Self::Newline => buffer.push(b'\n'),
            Self::Null => buffer.push(0),
            Self::OctetCounting => put_length(buffer, start),
            Self::None => {}
        }
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Newline => "newline",
            Self::Null => "null",
            Self::OctetCounting => "octet counting",
            Self::None => "none",
        })
    }
}

impl FromStr for Framing {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let all = [Self::Newline, Self::Null, Self::OctetCounting, Self::None];
        all.into_iter().find(|framing| text.trim().eq_ignore_ascii_case(&framing.to_string())).ok_or_else(|| {
            let message = format!("unknown framing `{text}`: expected newline, null, octet counting or none");
            Error::new(ErrorKind::Config, message)
        })
    }
}

#[cold]
fn put_length(buffer: &mut Vec<u8>, start: usize) {
    let mut digits = itoa::Buffer::new();
    let length = digits.format(buffer.len() - start);
    buffer.splice(start..start, length.bytes().chain([b' ']));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framing_is_parsed_from_what_it_shows() {
        for framing in [Framing::Newline, Framing::Null, Framing::OctetCounting, Framing::None] {
            assert_eq!(framing.to_string().to_uppercase().parse::<Framing>().unwrap(), framing);
        }
        let error = "lines".parse::<Framing>().unwrap_err();
        assert_eq!(error.to_string(), "unknown framing `lines`: expected newline, null, octet counting or none");
    }

    #[test]
    fn each_framing_marks_the_end_of_the_last_record_alone() {
        let framed = |framing: Framing| {
            let mut buffer = b"before".to_vec();
            buffer.extend_from_slice("grüße".as_bytes());
            framing.frame(&mut buffer, 6);
            String::from_utf8(buffer).unwrap()
        };
        assert_eq!(framed(Framing::Newline), "beforegrüße\n");
        assert_eq!(framed(Framing::Null), "beforegrüße\0");
        assert_eq!(framed(Framing::OctetCounting), "before7 grüße");
        assert_eq!(framed(Framing::None), "beforegrüße");
    }
}
