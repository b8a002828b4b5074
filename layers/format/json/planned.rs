//! The parts of [`Json`](super::Json)'s object, prepared.

use super::value::in_quotes;
use crate::Severity;
use crate::bytes::Block;
use crate::format::LevelNames;
use crate::record::Part;

/// Returns the default name of a part.
pub(super) fn name(part: &Part) -> &str {
    match part {
        Part::Time => "timestamp",
        part => part.label(),
    }
}

/// A part of the object, with its constant bytes.
#[derive(Clone, Debug)]
pub(super) struct PlannedPart {
    pub(super) part: Part,
    /// `,"name":`
    pub(super) lead: Block,
    /// For [`Part::Level`], the whole member for each severity number: `,"name":"INFO"`.
    levels: Vec<Block>,
    names: LevelNames,
}

impl PlannedPart {
    /// Creates the part from a `name` that is already escaped.
    pub(super) fn new(part: Part, name: &[u8], names: LevelNames) -> Self {
        let lead = [b",\"", name, b"\":"].concat();
        let levels = match part {
            Part::Level => {
                (1..=24).filter_map(Severity::from_number).map(|severity| level(&lead, severity, names)).collect()
            }
            _ => Vec::new(),
        };
        Self { part, lead: Block::new(&lead), levels, names }
    }

    /// Returns whether the part is the same for all unchanged records of a callsite.
    pub(super) const fn is_of_callsite(&self) -> bool {
        matches!(
            self.part,
            Part::Level | Part::Severity | Part::Target | Part::Name | Part::ModulePath | Part::File | Part::Line
        )
    }

    /// Appends the whole member `,"level":"INFO"`.
    #[inline]
    pub(super) fn put_level(&self, severity: Severity, out: &mut Vec<u8>) {
        match self.levels.get(usize::from(severity.number() - 1)) {
            Some(level) if !severity.is_named() => level.put(out),
            _ => self.put_name(severity, out),
        }
    }

    #[cold]
    fn put_name(&self, severity: Severity, out: &mut Vec<u8>) {
        self.lead.put(out);
        in_quotes(out, |out| self.names.write(severity, out));
    }
}

fn level(lead: &[u8], severity: Severity, names: LevelNames) -> Block {
    let mut level = lead.to_vec();
    in_quotes(&mut level, |level| names.write(severity, level));
    Block::new(&level)
}
