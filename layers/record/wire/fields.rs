//! Verifies fields. Their layout in frames is that of fields with inline names in memory.

use super::texts::is_text;
use super::{Fault, Limits, check_json, layout};

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It contains something that this version does not know.
    Unknown,
    Fault(Fault),
}

pub(super) const MALFORMED: Stop = Stop::Fault(Fault::Malformed);
pub(super) const TOO_LARGE: Stop = Stop::Fault(Fault::TooLarge);

/// The rest of a part of a body: the bytes from `at` to `end`.
pub(super) struct Cursor<'a> {
    /// The whole body, so that verifying a short text may load bytes behind it.
    pub(super) body: &'a [u8],
    pub(super) at: usize,
    pub(super) end: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// Steps over `len` bytes; returns where they begin.
    #[inline]
    pub(super) fn skip(&mut self, len: usize) -> Result<usize, Stop> {
        if len > self.end - self.at {
            return Err(MALFORMED);
        }
        let at = self.at;
        self.at += len;
        Ok(at)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let at = self.skip(N)?;
        self.body[at..].first_chunk().copied().ok_or(MALFORMED)
    }

    /// Steps over a length of four bytes and as many bytes; returns where the latter begin.
    #[inline]
    pub(super) fn sized(&mut self) -> Result<usize, Stop> {
        let len = u32::from_le_bytes(self.array()?);
        self.skip(len as usize)
    }

    /// Steps over a name and its length.
    #[inline(always)]
    pub(super) fn label(&mut self) -> Result<(), Stop> {
        let len = u16::from_le_bytes(self.array()?);
        let at = self.skip(usize::from(len))?;
        self.text(at)
    }

    /// Verifies that the bytes from `at` to here are text.
    #[inline]
    fn text(&self, at: usize) -> Result<(), Stop> {
        if is_text(self.body, at, self.at) { Ok(()) } else { Err(MALFORMED) }
    }
}

/// Verifies fields, and counts them.
pub(super) struct Verifier<'l> {
    pub(super) limits: &'l Limits,
    pub(super) fields: usize,
}

impl Verifier<'_> {
    /// Verifies the fields in `area`. In `copy`, which is a copy of them, invalid JSON is turned into text.
    #[inline]
    pub(super) fn verify(&mut self, mut area: Cursor<'_>, in_span: bool, copy: &mut [u8]) -> Result<(), Stop> {
        let start = area.at;
        while !area.is_empty() {
            let at = area.at;
            self.fields += 1;
            if self.fields > self.limits.fields {
                return Err(TOO_LARGE);
            }
            let [tag] = area.array()?;
            if tag & layout::INLINE == 0 {
                verify_follows(tag, &mut area, in_span)?;
                continue;
            }
            area.label()?;
            match tag & !layout::INLINE {
                layout::I64 | layout::U64 | layout::F64 => drop(area.skip(8)?),
                layout::STR | layout::TEXT => self.verify_text(&mut area)?,
                layout::FALSE | layout::TRUE => {}
                layout::I128 | layout::U128 => drop(area.skip(16)?),
                layout::BYTES => drop(self.value(&mut area)?),
                layout::ERROR => self.verify_error(&mut area)?,
                layout::JSON => {
                    if !self.verify_json(&mut area)? {
                        copy[at - start] = layout::INLINE | layout::TEXT;
                    }
                }
                _ => return Err(Stop::Unknown),
            }
        }
        Ok(())
    }

    /// Steps over a value; returns where it begins.
    #[inline]
    fn value(&self, area: &mut Cursor<'_>) -> Result<usize, Stop> {
        let at = area.sized()?;
        if area.at - at > self.limits.value { Err(TOO_LARGE) } else { Ok(at) }
    }

    #[inline]
    fn verify_text(&self, area: &mut Cursor<'_>) -> Result<(), Stop> {
        let at = self.value(area)?;
        area.text(at)
    }

    #[inline(never)]
    fn verify_error(&self, area: &mut Cursor<'_>) -> Result<(), Stop> {
        let at = self.value(area)?;
        let mut messages = Cursor { body: area.body, at, end: area.at };
        while !messages.is_empty() {
            let at = messages.sized()?;
            messages.text(at)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn verify_json(&self, area: &mut Cursor<'_>) -> Result<bool, Stop> {
        let at = self.value(area)?;
        let text = str::from_utf8(&area.body[at..area.at]).map_err(|_| MALFORMED)?;
        Ok(check_json::is_one_line(text))
    }
}

#[cold]
fn verify_follows(tag: u8, area: &mut Cursor<'_>, in_span: bool) -> Result<(), Stop> {
    match tag {
        layout::FOLLOWS if in_span => area.skip(8).map(drop),
        layout::FOLLOWS => Err(MALFORMED),
        _ => Err(Stop::Unknown),
    }
}
