use crate::format::width;

/// The width of a value: padding and truncation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) align: Align,
    pub(super) fill: char,
    pub(super) width: usize,
    pub(super) keep: Keep,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    Left,
    Right,
    Middle,
}

/// The part that is kept of a value that is too long.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keep {
    All,
    First(usize),
    Last(usize),
}

impl Layout {
    /// Parses an option: `<12`, `*^9`, `>12.-12`, `.10`, `12`. Returns `None` if it is another option.
    pub(super) fn parse(option: &str) -> Option<Self> {
        let mut layout = Self::default();
        let mut rest = option;
        let mut chars = option.chars();
        let (first, second) = (chars.next()?, chars.next());
        if let Some(align) = second.and_then(Align::of) {
            (layout.fill, layout.align) = (first, align);
            rest = chars.as_str();
        } else if let Some(align) = Align::of(first) {
            layout.align = align;
            rest = &option[1..];
        }
        let (width, keep) = rest.split_once('.').map_or((rest, None), |(width, keep)| (width, Some(keep)));
        if !width.is_empty() {
            layout.width = number(width)?;
        } else if rest.len() < option.len() {
            return None;
        }
        layout.keep = keep.map_or(Some(Keep::All), |keep| match keep.strip_prefix('-') {
            Some(last) => number(last).map(Keep::Last),
            None => number(keep).map(Keep::First),
        })?;
        Some(layout)
    }

    /// Applies the layout to the end of `out`, from `start` on.
    pub(super) fn apply(self, out: &mut Vec<u8>, start: usize) {
        match self.keep {
            Keep::All if self.width == 0 => return,
            Keep::All => {}
            Keep::First(count) => keep(out, start, 0, count),
            Keep::Last(count) => {
                let all = visible(&out[start..]);
                keep(out, start, all.saturating_sub(count), all);
            }
        }
        let missing = self.width.saturating_sub(visible(&out[start..]));
        let left = match self.align {
            Align::Left => 0,
            Align::Right => missing,
            Align::Middle => missing / 2,
        };
        width::insert_char(out, start, left, self.fill);
        let end = out.len();
        width::insert_char(out, end, missing - left, self.fill);
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self { align: Align::Left, fill: ' ', width: 0, keep: Keep::All }
    }
}

impl Align {
    fn of(sign: char) -> Option<Self> {
        Some(match sign {
            '<' => Self::Left,
            '>' => Self::Right,
            '^' => Self::Middle,
            _ => return None,
        })
    }
}

fn number(digits: &str) -> Option<usize> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && *number <= MAX)
}

/// Returns the number of characters, without those of control sequences for styles.
fn visible(text: &[u8]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < text.len() {
        let (length, is_seen) = next(&text[at..]);
        count += usize::from(is_seen);
        at += length;
    }
    count
}

/// Keeps the characters with these indices, and all control sequences for styles.
fn keep(out: &mut Vec<u8>, start: usize, first: usize, end: usize) {
    let (mut number, mut at, mut to) = (0, start, start);
    while at < out.len() {
        let (length, is_seen) = next(&out[at..]);
        if !is_seen || (first..end).contains(&number) {
            out.copy_within(at..at + length, to);
            to += length;
        }
        number += usize::from(is_seen);
        at += length;
    }
    out.truncate(to);
}

/// Returns the length of the first character, or of a control sequence for styles (ECMA-48, `SGR`), and whether it is a character.
fn next(text: &[u8]) -> (usize, bool) {
    if text.starts_with(b"\x1b[") {
        let code = text[2..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        if text.get(2 + code) == Some(&b'm') {
            return (code + 3, false);
        }
    }
    (width::start_of(text, 1), true)
}

const MAX: usize = 10_000;
