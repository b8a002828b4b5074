use crate::record::Severity;

/// Colors and styles: parameters of a control sequence (ECMA-48, `SGR`), and whether they include the level's color.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    codes: String,
    by_level: bool,
}

/// The styles that enclose a part, innermost first.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) style: &'a Style,
    pub(super) around: Option<&'a Around<'a>>,
}

impl Style {
    pub(super) fn is_none(&self) -> bool {
        self.codes.is_empty() && !self.by_level
    }

    /// Adds the style with this name. Returns `false` if there is none.
    pub(super) fn add(&mut self, word: &str) -> bool {
        if word == "color" {
            self.by_level = true;
            return true;
        }
        let Some((_, code)) = CODES.iter().find(|(name, _)| *name == word) else { return false };
        if !self.codes.is_empty() {
            self.codes.push(';');
        }
        self.codes.push_str(code);
        true
    }

    pub(super) fn begin(&self, severity: Severity, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(self.codes.as_bytes());
        if self.by_level {
            if !self.codes.is_empty() {
                out.push(b';');
            }
            out.extend_from_slice(of_level(severity));
        }
        out.push(b'm');
    }
}

/// Ends a style and restores the ones around it.
pub(super) fn end(around: Option<&Around<'_>>, severity: Severity, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[0m");
    begin_again(around, severity, out);
}

fn begin_again(around: Option<&Around<'_>>, severity: Severity, out: &mut Vec<u8>) {
    if let Some(Around { style, around }) = around {
        begin_again(*around, severity, out);
        style.begin(severity, out);
    }
}

/// Returns the color of the level, as in [`Text`](crate::format::Text).
fn of_level(severity: Severity) -> &'static [u8] {
    match severity.number() {
        0..=4 => b"35",
        5..=8 => b"34",
        9..=12 => b"32",
        13..=16 => b"33",
        17..=20 => b"31",
        _ => b"1;31",
    }
}

const CODES: [(&str, &str); 14] = [
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("reverse", "7"),
    ("black", "30"),
    ("red", "31"),
    ("green", "32"),
    ("yellow", "33"),
    ("blue", "34"),
    ("magenta", "35"),
    ("cyan", "36"),
    ("white", "37"),
    ("grey", "90"),
];
