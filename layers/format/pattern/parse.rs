use super::layout::Layout;
use super::source::Source;
use super::{Piece, PieceOptions};
use crate::clock::Strftime;
use crate::format::{LevelNames, Time};
use crate::record::Part;
use crate::{Error, ErrorKind};

/// Reads a whole pattern.
pub(super) fn pattern(text: &str) -> Result<Box<[Piece]>, Error> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let pieces = reader.pieces();
    let pieces = pieces.and_then(|pieces| match reader.rest().is_empty() {
        true => Ok(pieces),
        false => reader.wrong("unmatched `}`; write `}}` for the character"),
    });
    pieces.map_err(|Wrong { at, what }| {
        let place = text.get(..at).unwrap_or(text).chars().count() + 1;
        Error::new(ErrorKind::Config, format!("pattern {text:?}: at character {place}: {what}"))
    })
}

/// An error in a pattern, and the byte where it is.
struct Wrong {
    at: usize,
    what: String,
}

struct Reader<'p> {
    text: &'p str,
    at: usize,
    depth: usize,
}

impl<'p> Reader<'p> {
    /// Reads up to the end, or to a brace that closes the enclosing piece.
    fn pieces(&mut self) -> Result<Box<[Piece]>, Wrong> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        loop {
            let plain = self.until(&['{', '}']).unwrap_or_else(|| self.take(self.rest().len()));
            literal.push_str(plain);
            if let Some(brace) = self.double_brace() {
                literal.push(brace);
                continue;
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
            }
            match self.rest().starts_with('{') {
                true => pieces.push(self.piece()?),
                false => return Ok(pieces.into()),
            }
        }
    }

    /// Inside a piece, `}}` is not a brace but the end of two pieces.
    fn double_brace(&mut self) -> Option<char> {
        let (pair, brace) = match self.rest() {
            rest if rest.starts_with("{{") => ("{{", '{'),
            rest if rest.starts_with("}}") && self.depth == 0 => ("}}", '}'),
            _ => return None,
        };
        self.take(pair.len());
        Some(brace)
    }

    fn piece(&mut self) -> Result<Piece, Wrong> {
        let begin = self.at;
        self.take(1);
        let piece = match self.rest() {
            rest if rest.starts_with('?') => self.section(true)?,
            rest if rest.starts_with('!') => self.section(false)?,
            rest if starts_with(rest, "style ") => self.group()?,
            _ => self.value()?,
        };
        match self.rest().starts_with('}') {
            true => self.take(1),
            false => return Err(unmatched(begin)),
        };
        Ok(piece)
    }

    fn section(&mut self, wanted: bool) -> Result<Piece, Wrong> {
        self.take(1);
        let begin = self.at;
        let name = self.name(begin - "{?".len())?;
        let source = self.source(&name, begin)?;
        self.colon()?;
        Ok(Piece::Section { source, wanted, pieces: self.inner()? })
    }

    fn group(&mut self) -> Result<Piece, Wrong> {
        self.take("style ".len());
        let begin = self.at;
        let words = self.until(&[':', '{', '}']).unwrap_or("");
        self.colon()?;
        let (options, _) = self.options(words, begin, false)?;
        Ok(Piece::Group { options, pieces: self.inner()? })
    }

    /// Reads the colon before the pattern of a section or group.
    fn colon(&mut self) -> Result<(), Wrong> {
        match self.rest().starts_with(':') {
            true => self.take(1),
            false => return self.wrong("expected `:` and a pattern"),
        };
        Ok(())
    }

    fn inner(&mut self) -> Result<Box<[Piece]>, Wrong> {
        if self.depth == MAX_DEPTH {
            return self.wrong("sections and styles are nested too deeply");
        }
        self.depth += 1;
        let pieces = self.pieces()?;
        self.depth -= 1;
        Ok(pieces)
    }

    fn value(&mut self) -> Result<Piece, Wrong> {
        let begin = self.at;
        if starts_with(self.rest(), "time:") || starts_with(self.rest(), "time@") {
            self.take("time".len());
            let rest = self.until(&['{', '}']).ok_or_else(|| unmatched(begin - 1))?;
            let source = time_source(rest, begin + "time".len())?;
            return Ok(Piece::Value { source, options: PieceOptions::default(), default: "".into() });
        }
        let name = self.name(begin - 1)?;
        let source = self.source(&name, begin)?;
        let is_level = matches!(source, Source::Level(_));
        let words = self.after(':', &['|', '{', '}']);
        let (options, level) = self.options(words, self.at - words.len(), is_level)?;
        let default = self.after('|', &['{', '}']).into();
        Ok(Piece::Value { source: level.unwrap_or(source), options, default })
    }

    /// Reads a part's name up to a sign that ends it, and replaces the escapes in it. `open`: where the brace is.
    fn name(&mut self, open: usize) -> Result<String, Wrong> {
        let mut name = self.span()?.to_owned();
        loop {
            name.push_str(self.until(&[':', '|', '{', '}', '\\']).ok_or_else(|| unmatched(open))?);
            if !self.rest().starts_with('\\') {
                return Ok(name);
            }
            match self.rest().chars().nth(1).filter(|char| ":|{}\\".contains(*char)) {
                Some(char) => name.push(char),
                None => return self.wrong(r"expected `\:`, `\|`, `\{`, `\}` or `\\` after a backslash"),
            }
            self.take(2);
        }
    }

    /// Reads `span[SPAN]`, as a [`Part`] reads it: everything up to the bracket belongs to the span's name.
    fn span(&mut self) -> Result<&'p str, Wrong> {
        let rest = self.rest();
        if !starts_with(rest.trim_start(), "span[") {
            return Ok("");
        }
        let mut is_escaped = false;
        let end = rest.find(|char| {
            let is_end = char == ']' && !is_escaped;
            is_escaped = char == '\\' && !is_escaped;
            is_end
        });
        match end {
            Some(end) => Ok(self.take(end + 1)),
            None => self.wrong("expected `]` after the span's name"),
        }
    }

    /// Takes everything between `sign`, if that comes next, and the first of `ends`.
    fn after(&mut self, sign: char, ends: &[char]) -> &'p str {
        match self.rest().starts_with(sign) {
            true => {
                self.take(sign.len_utf8());
                self.until(ends).unwrap_or("")
            }
            false => "",
        }
    }

    fn source(&self, name: &str, at: usize) -> Result<Source, Wrong> {
        match name {
            "" => Err(Wrong { at, what: "expected the name of a part".into() }),
            name => Source::of(name).map_err(|error| Wrong { at, what: error.to_string() }),
        }
    }

    /// Reads options; `words` begin at `at`. Those of a level may include the style of its name.
    fn options(&self, words: &str, at: usize, is_level: bool) -> Result<(PieceOptions, Option<Source>), Wrong> {
        let (mut options, mut level) = (PieceOptions::default(), None);
        let mut done = 0;
        for word in words.split(' ') {
            let place = at + done;
            done += word.len() + 1;
            let lower = word.to_ascii_lowercase();
            if word.is_empty() || options.style.add(&lower) {
                continue;
            }
            if let Some(layout) = Layout::parse(word) {
                options.layout = layout;
                continue;
            }
            level = level_source(&lower).filter(|_| is_level);
            if level.is_none() {
                return Err(Wrong { at: place, what: format!("unknown option `{word}`") });
            }
        }
        Ok((options, level))
    }

    fn rest(&self) -> &'p str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn take(&mut self, length: usize) -> &'p str {
        let taken = self.rest().get(..length).unwrap_or("");
        self.at += taken.len();
        taken
    }

    /// Takes everything before the first of `signs`; `None` if there is none.
    fn until(&mut self, signs: &[char]) -> Option<&'p str> {
        self.rest().find(signs).map(|length| self.take(length))
    }

    fn wrong<T>(&self, what: &str) -> Result<T, Wrong> {
        Err(Wrong { at: self.at, what: what.to_owned() })
    }
}

fn unmatched(at: usize) -> Wrong {
    Wrong { at, what: "unmatched `{`; write `{{` for the character".into() }
}

fn starts_with(text: &str, keyword: &str) -> bool {
    text.get(..keyword.len()).is_some_and(|head| head.eq_ignore_ascii_case(keyword))
}

fn level_source(word: &str) -> Option<Source> {
    Some(Source::Level(match word {
        "number" => return Some(Source::Part(Part::Severity)),
        "upper" => LevelNames::Upper,
        "lower" => LevelNames::Lower,
        "python" => LevelNames::Python,
        "groups" => LevelNames::Groups,
        "syslog" => LevelNames::Syslog,
        _ => return None,
    }))
}

/// Reads `@ZONE:FORMAT`, of which either may be missing; `rest` begins at `at`.
fn time_source(rest: &str, at: usize) -> Result<Source, Wrong> {
    let (zone, format) = match rest.split_once(':') {
        Some((zone, format)) => (zone, Some(format)),
        None => (rest, None),
    };
    let time = match zone.strip_prefix('@') {
        Some(zone) => Time::named(zone).map_err(|error| Wrong { at: at + 1, what: format!("{error:#}") })?,
        None => Time::rfc3339(),
    };
    let Some(format) = format else { return Ok(Source::Time(time)) };
    let at = at + zone.len() + 1;
    if format.contains('%') {
        let format = Strftime::strict(format).map_err(|(place, what)| Wrong { at: at + place, what })?;
        return Ok(Source::Calendar(format, time.in_use().clone()));
    }
    named_time(time, format).map(Source::Time).ok_or_else(|| {
        let what = format!("`{format}` is neither a time format nor the name of one");
        Wrong { at, what }
    })
}

/// Reads `rfc3339`, `rfc3339.3` and the like.
fn named_time(time: Time, format: &str) -> Option<Time> {
    let (name, digits) = format.split_once('.').map_or((format, None), |(name, digits)| (name, Some(digits)));
    let time = match name.to_ascii_lowercase().as_str() {
        "rfc3339" => time,
        "clock" => time.short(true).precision(3),
        "unix_seconds" => Time::unix_seconds(),
        "unix_millis" => Time::unix_millis(),
        "unix_nanos" => Time::unix_nanos(),
        _ => return None,
    };
    match digits {
        None => Some(time),
        Some(digits) => digits.parse().ok().filter(|digits| *digits <= 9).map(|digits| time.precision(digits)),
    }
}

const MAX_DEPTH: usize = 16;
