use std::collections::HashMap;

use super::family::{Content, Family};
use super::lines::{Form, Number};

/// Knows what must be in a family of files, and holds it against what is.
#[derive(Debug)]
pub struct Oracle {
    form: Form,
    /// So many old files stay; `None`: all.
    keep: Option<usize>,
    /// How many lines of each thread of each run were acknowledged.
    acknowledged: HashMap<(u64, u64), u64>,
    /// What stood behind the last line's end when a process was killed, and has not been found again as a line of its own.
    torn: Vec<Vec<u8>>,
    before: Family,
    pub found: Found,
}

/// What the last look at the files found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    pub lines: u64,
    /// Lines that a kill left without their end.
    pub torn: u64,
    /// Acknowledged ones that went with the oldest files.
    pub retired: u64,
}

impl Oracle {
    pub fn new(form: Form, keep: Option<usize>) -> Self {
        let (acknowledged, torn) = Default::default();
        Self { form, keep, acknowledged, torn, before: Family::default(), found: Found::default() }
    }

    /// The first `count` lines of a thread are safe.
    pub fn acknowledge(&mut self, run: u64, thread: u64, count: u64) {
        let safe = self.acknowledged.entry((run, thread)).or_default();
        *safe = count.max(*safe);
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    /// All that was acknowledged is there, once, in order, whole; and what was there before still is.
    pub fn check(&mut self, family: Family) -> Result<(), String> {
        self.goes_on_from_before(&family)?;
        self.remember_torn(&family);
        let next = self.count(&family)?;
        self.has_what_was_acknowledged(&family, &next)?;
        self.before = family;
        Ok(())
    }

    /// What was there is there, byte for byte, and more behind it; without whole oldest files where old ones are removed.
    fn goes_on_from_before(&self, family: &Family) -> Result<(), String> {
        let now: Vec<u8> = concat(&family.files);
        let may_be_removed = self.is_full(family);
        let starts = 0..=if may_be_removed { self.before.files.len() } else { 0 };
        match starts.rev().any(|start| now.starts_with(&concat(&self.before.files[start..]))) {
            true => Ok(()),
            false => Err("what was in the files before is not there as it was".to_owned()),
        }
    }

    /// There are so many old files that some may have been removed: one less than are kept, in the moment between.
    fn is_full(&self, family: &Family) -> bool {
        self.keep.is_some_and(|keep| family.old() + 1 >= keep)
    }

    /// Only the newest file may end within a line, or one that did when it was the newest.
    fn remember_torn(&mut self, family: &Family) {
        let Some(newest) = family.files.last() else { return };
        let tail = tail(&newest.bytes);
        if !tail.is_empty() && !self.torn.iter().any(|torn| torn == tail) {
            self.torn.push(tail.to_vec());
        }
    }

    /// How many lines there are of each thread of each run: all whole, each one the next.
    fn count(&mut self, family: &Family) -> Result<HashMap<(u64, u64), u64>, String> {
        self.found = Found::default();
        let mut next = HashMap::new();
        for file in &family.files {
            for (at, line) in file.bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
                let whole = line.strip_suffix(b"\n").unwrap_or(line);
                let is_torn = self.torn.iter().any(|torn| torn == whole);
                let place = || format!("{}, line {}: {}", file.path.display(), at + 1, String::from_utf8_lossy(line));
                match self.form.parse(whole) {
                    Some(number) if whole.len() < line.len() || is_torn => {
                        self.follows(&mut next, number, family).map_err(|wrong| format!("{wrong}: {}", place()))?;
                    }
                    _ if is_torn => self.found.torn += 1,
                    _ => return Err(format!("not a whole line: {}", place())),
                }
            }
        }
        Ok(next)
    }

    fn follows(&mut self, next: &mut HashMap<(u64, u64), u64>, line: Number, family: &Family) -> Result<(), String> {
        self.found.lines += 1;
        let Number { run, thread, number } = line;
        // Those before the first went with the oldest files, if any did.
        let first = if self.is_full(family) { number } else { 0 };
        let expected = next.entry((run, thread)).or_insert(first);
        if number != *expected {
            let wrong = if number < *expected { "doubled, or out of order" } else { "lines are missing before" };
            return Err(format!("{wrong} (expected number {expected})"));
        }
        *expected += 1;
        Ok(())
    }

    fn has_what_was_acknowledged(&mut self, family: &Family, next: &HashMap<(u64, u64), u64>) -> Result<(), String> {
        let oldest = self.first_of(family);
        for (&(run, thread), &count) in &self.acknowledged {
            let seen = next.get(&(run, thread)).copied().unwrap_or(0);
            if seen >= count {
                continue;
            }
            // It may stand in a removed file only if nothing older than its run is left.
            let may_be_removed = self.is_full(family) && oldest.is_none_or(|oldest| oldest >= run);
            if !may_be_removed {
                return Err(format!("lost: thread {thread} of run {run} has {seen} lines, {count} were acknowledged"));
            }
            self.found.retired += count - seen;
        }
        Ok(())
    }

    /// The run of the first line that there is.
    fn first_of(&self, family: &Family) -> Option<u64> {
        let lines = family.files.iter().flat_map(|file| file.bytes.split(|byte| *byte == b'\n'));
        lines.filter_map(|line| self.form.parse(line)).next().map(|line| line.run)
    }
}

fn concat(files: &[Content]) -> Vec<u8> {
    files.iter().flat_map(|file| file.bytes.iter().copied()).collect()
}

/// What stands behind the last line's end.
pub fn tail(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    &bytes[end..]
}
