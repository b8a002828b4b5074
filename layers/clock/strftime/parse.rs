use super::{Directive, Item, Pad};

/// Parses `format` as C does.
pub(super) fn c(format: &str) -> Box<[Item]> {
    let mut items = Items::default();
    let mut rest = format;
    while let Some((at, found)) = next(rest, false) {
        items.text(&rest[..at]);
        let (text, after) = rest[at..].split_at(found.length);
        let letter = u8::try_from(found.letter).unwrap_or(0);
        match is_known(letter) && is_fit(found.modifier, letter) {
            true => items.0.push(Item::Directive(Directive { letter, ..found.directive })),
            // A lone `%` at the end, for instance. For months, glibc applies the case before it looks at the modifier.
            false => {
                let upper = found.directive.upper | (found.directive.swap && b"bBh".contains(&letter));
                items.0.push(Item::Verbatim(text.into(), Directive { upper, ..found.directive }));
            }
        }
        rest = after;
    }
    items.text(rest);
    items.0.into()
}

/// Parses `format` and refuses unknown directives, with the byte where the directive begins.
pub(super) fn strict(format: &str) -> Result<Box<[Item]>, (usize, String)> {
    let mut items = Items::default();
    let mut done = 0;
    while let Some((at, found)) = next(&format[done..], true) {
        items.text(&format[done..done + at]);
        let place = done + at;
        let text = &format[place..place + found.length];
        let item = strict_item(text, &found).ok_or_else(|| (place, format!("`{text}` is not a time directive")))?;
        items.0.push(item);
        done = place + found.length;
    }
    items.text(&format[done..]);
    Ok(items.0.into())
}

fn strict_item(text: &str, found: &Found) -> Option<Item> {
    let letter = u8::try_from(found.letter).ok()?;
    if letter == b'f' || letter == b'.' {
        return fraction(text);
    }
    let fits = is_known(letter) && found.modifier.is_none() && found.directive.width <= MAX_WIDTH;
    fits.then_some(Item::Directive(Directive { letter, ..found.directive }))
}

/// Parses a directive for the fraction: `%f`, `%3f`, `%.3f`.
fn fraction(text: &str) -> Option<Item> {
    let digits = text.strip_prefix('%')?.strip_suffix('f')?;
    let (point, digits) = digits.strip_prefix('.').map_or((false, digits), |digits| (true, digits));
    let digits = match digits {
        "" if !point => 6,
        digits => digits.parse().ok().filter(|digits| (1..=9).contains(digits))?,
    };
    Some(Item::Fraction { digits, point })
}

/// A directive, known or not.
struct Found {
    /// In bytes, including the `%`.
    length: usize,
    modifier: Option<char>,
    letter: char,
    directive: Directive,
}

/// Returns the next directive of `text` and the byte it begins at. With `strict`, `%.3f` is one.
fn next(text: &str, strict: bool) -> Option<(usize, Found)> {
    let at = text.find('%')?;
    let mut chars = text[at + 1..].chars().peekable();
    let mut directive = Directive::plain(0);
    let mut length = 1;
    while let Some(flag) = chars.next_if(|char| "_-0^#".contains(*char)) {
        match flag {
            '_' => directive.pad = Pad::Spaces,
            '-' => directive.pad = Pad::Not,
            '0' => directive.pad = Pad::Zeros,
            '^' => directive.upper = true,
            _ => directive.swap = true,
        }
        length += 1;
    }
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        directive.width = directive.width.saturating_mul(10).saturating_add(digit as usize - '0' as usize);
        length += 1;
    }
    if !strict {
        directive.width = directive.width.min(MAX_WIDTH);
    }
    let modifier = chars.next_if(|char| matches!(char, 'E' | 'O'));
    length += usize::from(modifier.is_some());
    let letter = chars.next();
    length += letter.map_or(0, char::len_utf8);
    if strict && letter == Some('.') {
        let ours = chars.clone().take_while(|char| char.is_ascii_digit()).count();
        let is_ours = chars.nth(ours) == Some('f');
        if is_ours {
            return Some((at, Found { length: length + ours + 1, modifier, letter: 'f', directive }));
        }
    }
    Some((at, Found { length, modifier, letter: letter.unwrap_or('\0'), directive }))
}

fn is_known(letter: u8) -> bool {
    b"aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%".contains(&letter)
}

/// Whether glibc accepts the modifier before that letter; in the C locale it then has no effect.
fn is_fit(modifier: Option<char>, letter: u8) -> bool {
    match modifier {
        None => true,
        Some('E') => !b"aAbBhdDeFgGHIjklmMSUVwW".contains(&letter),
        Some(_) => !b"aAcDFxXY".contains(&letter),
    }
}

#[derive(Default)]
struct Items(Vec<Item>);

impl Items {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.push(Item::Text(text.into()));
        }
    }
}

/// Larger widths are typing errors.
const MAX_WIDTH: usize = 1_000;
