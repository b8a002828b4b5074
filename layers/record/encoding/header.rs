//! The fixed header of a record.

use crate::clock::Timestamp;
use crate::record::primitive::{MAX_TEXT, put_shortened, text};
use crate::record::{Kind, Severity};

/// The length of the header in bytes.
pub(crate) const HEADER: usize = 100;

/// The position of a text: offset from the start of the record, and length.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Slot {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

impl Slot {
    pub(in crate::record) const NONE: Self = Self { at: 0, len: 0 };

    #[inline]
    pub(crate) fn read(self, raw: &[u8]) -> Option<&str> {
        if self.at == 0 {
            return None;
        }
        raw.get(self.at as usize..self.at as usize + self.len as usize).map(text)
    }
}

/// A record's header, read in place.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a>(&'a [u8; HEADER]);

impl<'a> Head<'a> {
    /// Returns the header at the front of `raw`; `None` if that is too short.
    #[inline]
    pub(crate) fn of(raw: &'a [u8]) -> Option<Self> {
        let head = Self(raw.first_chunk()?);
        Severity::from_number(head.0[5]).map(|_| head)
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.u32(0) as usize
    }

    #[inline]
    pub(crate) fn kind(self) -> Kind {
        Kind::from_number(self.0[4])
    }

    #[inline]
    pub(crate) fn severity(self) -> Severity {
        Severity::of_known(self.0[5], self.0[7])
    }

    /// The kind in the lower byte, the number of the severity in the upper one.
    #[inline]
    pub(crate) fn kind_and_severity(self) -> u16 {
        u16::from_le_bytes([self.0[4], self.0[5]])
    }

    #[inline]
    pub(crate) fn as_captured(self) -> bool {
        self.0[6] != 0
    }

    #[inline]
    pub(crate) fn callsite(self) -> u32 {
        self.u32(8)
    }

    #[inline]
    pub(crate) fn time(self) -> Timestamp {
        Timestamp::new(self.u64(16) as i64, self.u32(12))
    }

    #[inline]
    pub(crate) fn thread_id(self) -> u64 {
        self.u64(24)
    }

    #[inline]
    pub(crate) fn spans_version(self) -> u64 {
        self.u64(32)
    }

    #[inline]
    pub(crate) fn line(self) -> u32 {
        self.u32(40)
    }

    #[inline]
    pub(crate) fn fields_end(self) -> usize {
        self.u32(44) as usize
    }

    #[inline]
    pub(crate) fn spans_end(self) -> usize {
        self.u32(48) as usize
    }

    #[inline]
    pub(crate) fn message(self) -> Slot {
        self.slot(52)
    }

    #[inline]
    pub(crate) fn thread_name(self) -> Slot {
        self.slot(60)
    }

    #[inline]
    pub(crate) fn target(self) -> Slot {
        self.slot(68)
    }

    #[inline]
    pub(crate) fn module_path(self) -> Slot {
        self.slot(76)
    }

    #[inline]
    pub(crate) fn file(self) -> Slot {
        self.slot(84)
    }

    #[inline]
    pub(crate) fn name(self) -> Slot {
        self.slot(92)
    }

    #[inline]
    fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    #[inline]
    fn u64(self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }

    #[inline]
    fn slot(self, at: usize) -> Slot {
        let slot = self.u64(at);
        Slot { at: slot as u32, len: (slot >> 32) as u32 }
    }
}

/// A record's header, changed in place: writing back a copy costs more than writing all of its fields.
pub(crate) struct HeadMut<'a>(&'a mut [u8; HEADER]);

impl<'a> HeadMut<'a> {
    #[inline]
    pub(crate) fn of(raw: &'a mut [u8]) -> Option<Self> {
        raw.first_chunk_mut().map(Self)
    }

    pub(crate) fn set_kind(&mut self, kind: Kind) {
        self.0[4] = kind as u8;
    }

    #[inline]
    pub(crate) fn set_severity(&mut self, severity: Severity) {
        self.0[5] = severity.number();
        self.0[7] = severity.name_index();
    }

    /// Sets whether nothing has changed since the capture: the fields of the event and its spans are those of their callsites.
    #[inline]
    pub(crate) fn set_as_captured(&mut self, as_captured: bool) {
        self.0[6] = u8::from(as_captured);
    }

    /// Sets the callsite. 0: the record does not come from a callsite of this process.
    #[inline]
    pub(crate) fn set_callsite(&mut self, id: u32) {
        self.put32(8, id);
    }

    #[inline]
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        self.put32(12, time.nanos());
        self.put64(16, time.seconds() as u64);
    }

    #[inline]
    pub(crate) fn set_thread_id(&mut self, id: u64) {
        self.put64(24, id);
    }

    /// Sets the version of the spans: spans with the same version are equal in every byte. 0: unknown.
    #[inline]
    pub(crate) fn set_spans_version(&mut self, version: u64) {
        self.put64(32, version);
    }

    /// Sets the line. 0: unknown.
    #[inline]
    pub(crate) fn set_line(&mut self, line: u32) {
        self.put32(40, line);
    }

    #[inline]
    pub(crate) fn set_fields_end(&mut self, end: usize) {
        self.put32(44, end as u32);
    }

    #[inline]
    pub(crate) fn set_spans_end(&mut self, end: usize) {
        self.put32(48, end as u32);
    }

    #[inline]
    pub(crate) fn set_message(&mut self, slot: Slot) {
        self.put_slot(52, slot);
    }

    #[inline]
    pub(crate) fn set_thread_name(&mut self, slot: Slot) {
        self.put_slot(60, slot);
    }

    #[inline]
    pub(crate) fn set_target(&mut self, slot: Slot) {
        self.put_slot(68, slot);
    }

    #[inline]
    pub(crate) fn set_module_path(&mut self, slot: Slot) {
        self.put_slot(76, slot);
    }

    #[inline]
    pub(crate) fn set_file(&mut self, slot: Slot) {
        self.put_slot(84, slot);
    }

    #[inline]
    pub(crate) fn set_name(&mut self, slot: Slot) {
        self.put_slot(92, slot);
    }

    #[inline]
    pub(super) fn put32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn put64(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn put_slot(&mut self, at: usize, slot: Slot) {
        self.put64(at, u64::from(slot.at) | u64::from(slot.len) << 32);
    }
}

/// Appends the header of an empty record to an empty buffer.
#[inline]
pub(crate) fn begin(raw: &mut Vec<u8>, kind: Kind, severity: Severity, time: Timestamp) {
    raw.extend_from_slice(&[0; HEADER]);
    let Some(mut head) = HeadMut::of(raw) else { return };
    head.0[4] = kind as u8;
    head.set_severity(severity);
    head.set_time(time);
    head.set_fields_end(HEADER);
    head.set_spans_end(HEADER);
    head.put32(0, HEADER as u32);
}

/// Appends a text at the end of the record that starts at `start`.
pub(crate) fn put_slot(out: &mut Vec<u8>, start: usize, text: &str) -> Slot {
    let at = (out.len() - start) as u32;
    match text.len() {
        ..=MAX_TEXT => out.extend_from_slice(text.as_bytes()),
        _ => put_shortened(text, MAX_TEXT, |text| out.extend_from_slice(text.as_bytes())),
    }
    Slot { at, len: (out.len() - start) as u32 - at }
}
