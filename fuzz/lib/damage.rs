//! Damage to files: what an attacker or a disk does to them.

use arbitrary::Arbitrary;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Damage {
    Flip { at: u16, bits: u8 },
    Cut { at: u16 },
    Remove { at: u16, length: u16 },
    Repeat { from: u16, length: u16, to: u16 },
    Insert { at: u16, byte: u8 },
    RemoveLine { line: u8 },
    RepeatLine { line: u8, to: u8 },
}

impl Damage {
    pub fn apply(self, bytes: &mut Vec<u8>) {
        let place = |at: u16| usize::from(at) % (bytes.len() + 1);
        let range = |at: u16, length: u16| place(at)..(place(at) + usize::from(length)).min(bytes.len());
        match self {
            Self::Flip { at, bits } => bytes.get_mut(usize::from(at)).into_iter().for_each(|byte| *byte ^= bits),
            Self::Cut { at } => bytes.truncate(place(at)),
            Self::Remove { at, length } => drop(bytes.drain(range(at, length))),
            Self::Repeat { from, length, to } => {
                let (copy, to) = (bytes[range(from, length)].to_vec(), place(to));
                drop(bytes.splice(to..to, copy));
            }
            Self::Insert { at, byte } => bytes.insert(place(at), byte),
            Self::RemoveLine { line } => {
                let mut lines = lines(bytes);
                if !lines.is_empty() {
                    lines.remove(usize::from(line) % lines.len());
                }
                *bytes = lines.concat();
            }
            Self::RepeatLine { line, to } => {
                let mut lines = lines(bytes);
                if let Some(copy) = lines.get(usize::from(line)).cloned() {
                    lines.insert(usize::from(to) % lines.len(), copy);
                }
                *bytes = lines.concat();
            }
        }
    }
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}
