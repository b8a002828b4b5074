//! A sealed log with its archives, and everything that can be done to it without the key.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use tracing_handlers::read::{Event, Reader};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::seal::{Key, Seal, Verifier};
use tracing_handlers::sink::File;

use super::super::lines::{Form, Number};
use super::Random;
use super::bytes::{cut, flip, gzip, lines, place, zstd};

/// Logs in memory, each a list of files, the oldest first. The last one is the current one.
pub struct World {
    key: Key,
    directory: std::path::PathBuf,
    /// The log that is tampered with; another one of the same key; and files of another key and without seals.
    own: Vec<Vec<u8>>,
    other: Vec<Vec<u8>>,
    foreign: Vec<Vec<u8>>,
}

#[derive(Debug, Default)]
pub struct Figures {
    tampered: u64,
    genuine: u64,
    lines: u64,
}

/// The files under their names.
type Files = Vec<(String, Vec<u8>)>;

impl World {
    pub fn new(directory: &Path, random: &mut Random) -> Result<Self, String> {
        let key = Key::from_bytes(std::array::from_fn(|_| random.next() as u8));
        let own = write(directory, &key, random)?;
        let other = write(directory, &key, random)?;
        let mut foreign = write(directory, &Key::from_bytes([1; 32]), random)?;
        foreign.push(b"all is well\nall is well again\n".to_vec());
        foreign.push(b"all is".to_vec());
        foreign.push(Vec::new());
        foreign.push(b"\x89THENC\r\nall is well\n".to_vec());
        let world = Self { key, directory: directory.join("sealed"), own, other, foreign };
        world.is_genuine_untouched()?;
        Ok(world)
    }

    /// Tampers with the log, and compares what the verifier says with what a reader shows.
    pub fn run(&self, random: &mut Random, figures: &mut Figures) -> Result<(), String> {
        let mut files = self.named(random);
        for _ in 0..=random.below(3) {
            self.tamper(&mut files, random);
        }
        self.put(&files)?;
        figures.tampered += 1;
        let verified = Verifier::new(&self.key).family(super::log(&self.directory));
        let Ok(verified) = verified else { return Ok(()) };
        figures.genuine += 1;
        let shown = self.shown();
        figures.lines += shown.len() as u64;
        let is_of = |log: &[Vec<u8>]| {
            let mut written: HashSet<_> = log.iter().flat_map(|file| lines(file)).collect();
            // Each at most once.
            shown.iter().all(|line| written.remove(line))
        };
        match is_of(&self.own) || is_of(&self.other) {
            true => Ok(()),
            false => Err(format!("{verified:?}, and yet a reader shows {:?}", text(&shown))),
        }
    }

    /// No false alarms: of the log as it was written, and of one that lacks what retention removes or a crash cuts off.
    fn is_genuine_untouched(&self) -> Result<(), String> {
        let mut random = Random::of(0, 0);
        for removed in 0..self.own.len() {
            let mut files = self.named(&mut random);
            files.drain(..removed);
            let (_, current) = files.last_mut().ok_or("no files")?;
            cut(current, &mut random);
            self.put(&files)?;
            let verified = Verifier::new(&self.key).family(super::log(&self.directory));
            verified.map_err(|wrong| format!("without its {removed} oldest files and its end: {wrong}"))?;
        }
        Ok(())
    }

    /// The log's files, some of them compressed.
    fn named(&self, random: &mut Random) -> Files {
        let count = self.own.len();
        let dated = random.chance(1, 3);
        let name = |at: usize| match (count - 1 - at, dated) {
            (0, _) => "app.log".to_owned(),
            (_, true) => format!("app.log.2026-11-{:02}", at + 1),
            (number, false) => format!("app.log.{number}"),
        };
        let files = self.own.iter().enumerate().map(|(at, file)| (name(at), file.clone()));
        let mut files: Files = files.collect();
        let archives = files.len() - 1;
        for file in &mut files[..archives] {
            if random.chance(1, 3) {
                pack(file, random);
            }
        }
        files
    }

    fn tamper(&self, files: &mut Files, random: &mut Random) {
        let Some(at) = place(files.len(), random) else { return };
        let name = any_name(random);
        match random.below(16) {
            0 => flip(&mut files[at].1, random),
            1 => cut(&mut files[at].1, random),
            2 => drop(files.remove(at)),
            3 => files[at].0 = name,
            4 => files.push((name, files[at].1.clone())),
            5 => {
                let with = random.below(files.len() as u64) as usize;
                let bytes = std::mem::take(&mut files[at].1);
                files[at].1 = std::mem::replace(&mut files[with].1, bytes);
            }
            6 => files.push((name, self.any_file(random))),
            7 => {
                let mut packed = files[at].clone();
                pack(&mut packed, random);
                files.push(packed);
            }
            8 => files[at].1.extend_from_slice(b"all is well"),
            9 => files[at].1.extend(self.any_file(random)),
            10 => {
                let half = files[at].1.len() / 2;
                files[at].1.drain(..half);
            }
            11 => files[at].1.truncate(30),
            _ => self.tamper_with_lines(&mut files[at].1, random),
        }
    }

    fn tamper_with_lines(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        let mut all = lines(bytes);
        let Some(at) = place(all.len(), random) else { return };
        match random.below(6) {
            0 => drop(all.remove(at)),
            1 => all.insert(at, all[at].clone()),
            2 => all.insert(at, b"all is well\n".to_vec()),
            3 => {
                let others = lines(&self.any_file(random));
                if let Some(other) = place(others.len(), random) {
                    all.insert(at, others[other].clone());
                }
            }
            4 => {
                let with = random.below(all.len() as u64) as usize;
                all.swap(at, with);
            }
            _ => flip(&mut all[at], random),
        }
        *bytes = all.concat();
    }

    fn any_file(&self, random: &mut Random) -> Vec<u8> {
        let log = random.pick(&[&self.own, &self.other, &self.foreign]);
        let file = log[random.below(log.len() as u64) as usize].clone();
        match random.below(4) {
            0 => gzip(&file),
            1 => zstd(&file),
            _ => file,
        }
    }

    /// Makes these the only files.
    fn put(&self, files: &Files) -> Result<(), String> {
        let text = |error: std::io::Error| error.to_string();
        let _ = fs::remove_dir_all(&self.directory);
        fs::create_dir(&self.directory).map_err(text)?;
        files.iter().try_for_each(|(name, bytes)| fs::write(self.directory.join(name), bytes).map_err(text))
    }

    /// All lines that a reader shows.
    fn shown(&self) -> Vec<Vec<u8>> {
        let Ok(reader) = Reader::open(super::log(&self.directory)) else { return Vec::new() };
        let lines = reader.filter_map(Event::line).map(|line| [&line.bytes[..], b"\n"].concat());
        lines.collect()
    }
}

/// A name that a reader takes for one of the log's files, or one close to it.
fn any_name(random: &mut Random) -> String {
    let number = 1 + random.below(9);
    let name = match random.below(8) {
        0 => "app.log".to_owned(),
        1 => format!("app.{number}.log"),
        2 => format!("app.log.2026-11-0{number}"),
        3 => format!("app.log.0{number}"),
        4 => format!("app-{number}.log"),
        _ => format!("app.log.{number}"),
    };
    name + random.pick(&["", "", "", ".gz", ".zst"])
}

fn pack((name, bytes): &mut (String, Vec<u8>), random: &mut Random) {
    let is_gzip = random.chance(1, 2);
    *bytes = if is_gzip { gzip(bytes) } else { zstd(bytes) };
    name.push_str(if is_gzip { ".gz" } else { ".zst" });
}

/// Writes a log, and returns its files.
fn write(directory: &Path, key: &Key, random: &mut Random) -> Result<Vec<Vec<u8>>, String> {
    let place = directory.join("written");
    let form = random.pick(&[Form::Text, Form::Json]);
    let size = 500 + random.below(800);
    let every = 1 + random.below(6);
    let text = |error: std::io::Error| error.to_string();
    for session in 0..1 + random.below(3) {
        let seal = Seal::new(key.clone()).every(every);
        let file = File::options().rotation(Rotation::size(size).keep(100)).seal(seal).open(super::log(&place));
        let output = tracing_handlers::Output::new(form.format(), file.map_err(|error| format!("{error:#}"))?);
        for number in 0..2 + random.below(12) {
            let line = Number { run: session, thread: 0, number };
            let written = tracing_handlers::Handler::handle(&output, &line.record().as_record());
            written.map_err(|error| format!("{error:#}"))?;
        }
    }
    let mut files = Vec::new();
    for number in (1..100).rev() {
        let name = place.join(format!("app.log.{number}"));
        if name.exists() {
            files.push(fs::read(name).map_err(text)?);
        }
    }
    files.push(fs::read(super::log(&place)).map_err(text)?);
    fs::remove_dir_all(&place).map_err(text)?;
    Ok(files)
}

fn text(lines: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(&lines.concat()).chars().take(2_000).collect()
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tampered, genuine, lines } = self;
        write!(
            f,
            "{tampered} sealed logs tampered with, {genuine} of them called genuine with {lines} lines, all of them written"
        )
    }
}
