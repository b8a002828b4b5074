//! A buffer of 64 KiB in front of a file, under a lock.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use super::BUFFER;

pub struct Buffer(Mutex<Inner>);

struct Inner {
    file: File,
    bytes: Vec<u8>,
    rotation: Option<Rotation>,
}

struct Rotation {
    path: PathBuf,
    written: usize,
}

impl Buffer {
    pub fn new(path: &Path) -> Self {
        Self(Mutex::new(Inner { file: create(path), bytes: Vec::with_capacity(BUFFER), rotation: None }))
    }

    pub fn rotating(path: &Path) -> Self {
        let buffer = Self::new(path);
        buffer.lock().rotation = Some(Rotation { path: path.to_owned(), written: 0 });
        buffer
    }

    #[inline]
    pub fn push(&self, line: &[u8]) {
        let mut inner = self.lock();
        inner.make_room(line.len());
        inner.bytes.extend_from_slice(line);
    }

    pub fn flush(&self) {
        self.lock().write();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nobody panics with it")
    }
}

impl Inner {
    #[inline]
    fn make_room(&mut self, needed: usize) {
        let full = |rotation: &Rotation, buffered: usize| {
            rotation.written + buffered + needed > crate::check::ROTATE_AT as usize
        };
        if self.rotation.as_ref().is_some_and(|rotation| full(rotation, self.bytes.len())) {
            self.rotate();
        }
        if self.bytes.len() + needed > BUFFER {
            self.write();
        }
    }

    fn write(&mut self) {
        self.file.write_all(&self.bytes).expect("there is room on the disk");
        if let Some(rotation) = &mut self.rotation {
            rotation.written += self.bytes.len();
        }
        self.bytes.clear();
    }

    #[cold]
    fn rotate(&mut self) {
        self.write();
        let Some(rotation) = &mut self.rotation else { return };
        let name = |number: usize| PathBuf::from(format!("{}.{number}", rotation.path.display()));
        // Renaming over a file makes some file systems write the other one to the disk first.
        let _ = fs::remove_file(name(5));
        for number in (1..5).rev() {
            let _ = fs::rename(name(number), name(number + 1));
        }
        fs::rename(&rotation.path, name(1)).expect("it is ours");
        self.file = create(&rotation.path);
        rotation.written = 0;
    }
}

pub fn create(path: &Path) -> File {
    File::options().append(true).create(true).open(path).expect("the directory is ours")
}
