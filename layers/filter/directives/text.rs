//! Splits a text into directives, and tells where in the text an error is.

use crate::{Error, ErrorKind};

/// A part of a text, without the blanks around it.
#[derive(Clone, Copy)]
pub(super) struct Piece<'t> {
    whole: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Piece<'t> {
    pub(super) fn new(whole: &'t str) -> Self {
        Self { whole, start: 0, end: whole.len() }.trimmed()
    }

    pub(super) fn text(self) -> &'t str {
        &self.whole[self.start..self.end]
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The part from `from` to `to`, which are counted in bytes from its own beginning.
    pub(super) fn part(self, from: usize, to: usize) -> Self {
        Self { start: self.start + from, end: self.start + to, ..self }.trimmed()
    }

    /// The parts before and after the first `separator`.
    pub(super) fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let at = self.text().find(separator)?;
        Some((self.part(0, at), self.part(at + separator.len_utf8(), self.text().len())))
    }

    /// The parts between the commas that are outside of braces, parentheses, brackets and quotes. Empty ones are left out.
    pub(super) fn split_at_commas(self) -> impl Iterator<Item = Self> {
        let text = self.text();
        // Once for the whole text, which may be long: no pair extends beyond a comma that is outside.
        let closed = closed(text);
        let mut start = Some(0);
        std::iter::from_fn(move || {
            let from = start?;
            let comma = find_outside_of(&closed, &text[from..], from, ',').map(|at| from + at);
            start = comma.map(|comma| comma + 1);
            Some(self.part(from, comma.unwrap_or(text.len())))
        })
        .filter(|piece| !piece.is_empty())
    }

    /// Returns an error about this part of the text.
    pub(super) fn error(self, what: &str) -> Error {
        let column = self.whole[..self.start].chars().count() + 1;
        let message = match self.text() {
            "" => format!("column {column}: {what}"),
            text => format!("column {column}, `{text}`: {what}"),
        };
        Error::new(ErrorKind::Config, message)
    }

    fn trimmed(self) -> Self {
        let text = self.text();
        let start = self.start + (text.len() - text.trim_start().len());
        Self { start, end: start + text.trim().len(), ..self }
    }
}

/// Returns the first place of `wanted` that is outside of brackets of any kind and of quotes. A bracket or a quote that is never
/// closed is an ordinary character, and so is what comes after a backslash.
#[cfg(feature = "env-filter")]
pub(super) fn find_outside(text: &str, wanted: char) -> Option<usize> {
    find_outside_of(&closed(text), text, 0, wanted)
}

/// The same for a part of a text whose pairs are `closed`; the part begins at `from`.
fn find_outside_of(closed: &[(usize, usize)], text: &str, from: usize, wanted: char) -> Option<usize> {
    let is_inside = |at: usize| closed.iter().any(|(open, close)| *open < at && at <= *close);
    text.char_indices().find(|(at, char)| *char == wanted && !is_inside(from + at)).map(|(at, _)| at)
}

/// Returns the places of the pairs of brackets and of quotes, and of backslashes with the characters after them.
fn closed(text: &str) -> Vec<(usize, usize)> {
    let (mut open, mut closed) = (Vec::<(usize, char)>::new(), Vec::new());
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => closed.extend(chars.next().map(|(after, _)| (at, after))),
            '"' => {
                if let Some(end) = end_of_quoted(&text[at + 1..]).map(|end| at + 1 + end) {
                    closed.push((at, end));
                    chars.by_ref().find(|(at, _)| *at == end);
                }
            }
            '[' | '{' | '(' => open.push((at, char)),
            ']' | '}' | ')' => {
                if let Some(index) = open.iter().rposition(|(_, opening)| *opening == opening_of(char)) {
                    closed.push((open[index].0, at));
                    open.truncate(index);
                }
            }
            _ => {}
        }
    }
    closed
}

fn opening_of(closing: char) -> char {
    match closing {
        ']' => '[',
        '}' => '{',
        _ => '(',
    }
}

/// Returns the place of the closing quote.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, char)| {
        let ends = char == '"' && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        ends.then_some(at)
    })
}
