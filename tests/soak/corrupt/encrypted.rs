//! An encrypted file, and everything that can be done to it without the key.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use tracing_handlers::encryption::{Decryptor, End, Key, Keys, MAGIC};
use tracing_handlers::read::{Event, Reader};
use tracing_handlers::sink::File;

use super::Random;
use super::bytes::{cut, flip, place, range};

pub struct World {
    keys: Keys,
    path: PathBuf,
    /// The file that is tampered with, and others of the same key and of another one.
    files: Vec<Encrypted>,
}

struct Encrypted {
    bytes: Vec<u8>,
    plain: Vec<u8>,
    /// The lengths of the plain text at which it was closed.
    closed: Vec<usize>,
}

#[derive(Debug, Default)]
pub struct Figures {
    tampered: u64,
    read: u64,
}

impl World {
    pub fn new(directory: &Path, random: &mut Random) -> Result<Self, String> {
        let keys = Keys::new(Key::from_bytes(std::array::from_fn(|_| random.next() as u8)));
        let path = directory.join("app.log.enc");
        let others = [keys.clone(), keys.clone(), Keys::new(Key::from_bytes([1; 32]))];
        let files: Result<Vec<_>, String> = others.into_iter().map(|keys| write(&path, keys, random)).collect();
        let world = Self { keys, path, files: files? };
        let own = &world.files[0];
        match world.read(&own.bytes) {
            (text, Ok(End::Closed)) if text == own.plain => Ok(world),
            (_, end) => Err(format!("an encrypted file that was not touched: {end:?}")),
        }
    }

    /// Tampers with the file, and compares what is read with what was written.
    pub fn run(&self, random: &mut Random, figures: &mut Figures) -> Result<(), String> {
        let mut bytes = self.files[0].bytes.clone();
        for _ in 0..=random.below(3) {
            self.tamper(&mut bytes, random);
        }
        figures.tampered += 1;
        let (text, end) = self.read(&bytes);
        figures.read += text.len() as u64;
        let is_written = |file: &Encrypted| {
            let is_closed = matches!(end, Ok(End::Closed));
            file.plain.starts_with(&text) && (!is_closed || file.closed.contains(&text.len()))
        };
        // The files of another key cannot be read at all, and the others only in place of this one.
        if !self.files[..2].iter().any(is_written) {
            return Err(format!("{end:?}: read {:?}", String::from_utf8_lossy(&text)));
        }
        // A reader shows the same.
        fs::write(&self.path, &bytes).map_err(|error| error.to_string())?;
        let shown = Reader::files([&self.path]).keys(self.keys.clone()).filter_map(Event::line);
        let shown: Vec<u8> = shown.flat_map(|line| [&line.bytes[..], b"\n"].concat()).collect();
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // What does not begin like an encrypted file is shown as it is.
        match shown == text[..whole] || !MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]) {
            true => Ok(()),
            false => Err(format!("a reader shows {:?}", String::from_utf8_lossy(&shown))),
        }
    }

    fn tamper(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        let other = &self.files[random.below(self.files.len() as u64) as usize].bytes;
        let (units, others) = (units(bytes), units(other));
        let (some, theirs) = (range(units.len(), random), range(others.len(), random));
        match random.below(10) {
            0 => flip(bytes, random),
            1 => cut(bytes, random),
            2 => *bytes = [&units[..some.start], &units[some.end..]].concat().concat(),
            3 => *bytes = [&units[..some.end], &units[some.start..]].concat().concat(),
            4 => *bytes = [&units[..some.start], &others[theirs], &units[some.end..]].concat().concat(),
            5 => bytes.extend_from_slice(other),
            6 => bytes.extend(std::iter::repeat_n(0, random.below(100) as usize)),
            7 => {
                let mut swapped = units.clone();
                if let (Some(one), Some(two)) = (place(units.len(), random), place(units.len(), random)) {
                    swapped.swap(one, two);
                }
                *bytes = swapped.concat();
            }
            8 => *bytes = others[theirs].concat(),
            _ => drop(bytes.splice(..0, b"all is well\n".iter().copied())),
        }
    }

    /// What is read up to the end or an error.
    fn read(&self, bytes: &[u8]) -> (Vec<u8>, Result<End, String>) {
        let (mut decryptor, mut text) = (Decryptor::new(bytes, self.keys.clone()), Vec::new());
        let read = decryptor.read_to_end(&mut text);
        (text, read.map(|_| decryptor.end()).map_err(|error| error.to_string()))
    }
}

/// Writes a file, in several sessions.
fn write(path: &Path, keys: Keys, random: &mut Random) -> Result<Encrypted, String> {
    let text = |error: std::io::Error| error.to_string();
    let (mut plain, mut closed) = (Vec::new(), vec![0]);
    for session in 0..1 + random.below(4) {
        let options = File::options().encrypt(keys.clone()).buffer(random.pick(&[0, 0, 100]));
        let mut file = options.open(path).map_err(|error| format!("{error:#}"))?;
        for number in 0..1 + random.below(6) {
            let line = format!("session {session}, line {number}, {}\n", random.next());
            file.write_all(line.as_bytes()).map_err(text)?;
            plain.extend_from_slice(line.as_bytes());
        }
        drop(file);
        closed.push(plain.len());
    }
    let bytes = fs::read(path).map_err(text)?;
    fs::remove_file(path).map_err(text)?;
    Ok(Encrypted { bytes, plain, closed })
}

/// Splits a file into its headers and blocks; what is neither is the last unit.
fn units(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut units = Vec::new();
    while !bytes.is_empty() {
        let len = match bytes {
            [0x89, ..] => 36,
            [_, high, middle, low, ..] => {
                8 + usize::from(*low) + 256 * usize::from(*middle) + 65_536 * usize::from(*high)
            }
            _ => bytes.len(),
        };
        let (unit, rest) = bytes.split_at(len.min(bytes.len()));
        units.push(unit.to_vec());
        bytes = rest;
    }
    units
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tampered, read } = self;
        write!(f, "{tampered} encrypted files tampered with, {read} bytes read, all of them written")
    }
}
