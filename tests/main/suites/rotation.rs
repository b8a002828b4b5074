//! The steps of spdlog's `rotating_file_sink` and `test_file_logging.cpp`, for [`Rotation::size`].

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink::File;

fn open(path: &Path, max_size: u64, max_files: usize, rotate_on_open: bool) -> File {
    let naming = Naming::numbered().before_extension(true);
    let rotation = Rotation::size(max_size).keep(max_files).on_startup(rotate_on_open).naming(naming);
    File::open(path).unwrap().rotation(rotation)
}

fn files(dir: &Path) -> BTreeMap<String, String> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(dir).unwrap().map(read).filter(|(name, _)| !name.starts_with('.')).collect()
}

fn messages(file: &mut File, count: usize) {
    (0..count).for_each(|number| file.write_all(format!("Test message {number}\n").as_bytes()).unwrap());
}

/// What spdlog does: the file rotates before the line that would make it longer than the limit, if there is anything in it.
struct Steps {
    max_size: usize,
    max_files: usize,
    /// The current file, then the newest old one.
    files: Vec<String>,
}

impl Steps {
    fn new(max_size: usize, max_files: usize) -> Self {
        Self { max_size, max_files, files: vec![String::new()] }
    }

    fn open(&mut self, rotate_on_open: bool) {
        if rotate_on_open && !self.files[0].is_empty() {
            self.rotate();
        }
    }

    fn write(&mut self, line: &str) {
        if self.files[0].len() + line.len() > self.max_size && !self.files[0].is_empty() {
            self.rotate();
        }
        self.files[0].push_str(line);
    }

    fn rotate(&mut self) {
        self.files.insert(0, String::new());
        self.files.truncate(self.max_files + 1);
    }

    fn files(&self) -> BTreeMap<String, String> {
        let name = |number| if number == 0 { "mylog.txt".to_owned() } else { format!("mylog.{number}.txt") };
        self.files.iter().enumerate().map(|(number, text)| (name(number), text.clone())).collect()
    }
}

#[test]
fn ten_messages_fit_and_a_thousand_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rotating_log");
    let max_size = 10 * 1_024;
    // By an earlier program.
    fs::write(&path, "Test message\n".repeat(10)).unwrap();
    let mut file = open(&path, max_size, 2, true);
    messages(&mut file, 10);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 10);
    assert_eq!(files(dir.path()).len(), 2, "the file of the program before");
    messages(&mut file, 1_000);
    assert!(files(dir.path()).values().all(|text| text.len() as u64 <= max_size));
    assert_eq!(files(dir.path()).into_keys().collect::<Vec<_>>(), ["rotating_log", "rotating_log.1", "rotating_log.2"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn names_and_contents_are_those_of_spdlog_after_every_step(
        before in prop::option::of("[a-z]{0,9}\n"),
        rotate_on_open in any::<bool>(),
        openings in prop::collection::vec(prop::collection::vec(1_usize..30, 1..12), 1..4),
        max_size in 1_u64..40,
        max_files in 1_usize..4,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mylog.txt");
        let mut steps = Steps::new(max_size as usize, max_files);
        // By an earlier program.
        if let Some(text) = before {
            fs::write(&path, &text).unwrap();
            steps.files[0] = text;
        }
        // Only the first opening of this process is the program's start.
        steps.open(rotate_on_open);
        let mut number = 0;
        for lengths in openings {
            let mut file = open(&path, max_size, max_files, rotate_on_open);
            for length in lengths {
                number += 1;
                let line = format!("{number:0>width$}\n", width = length - 1);
                file.write_all(line.as_bytes()).unwrap();
                steps.write(&line);
                prop_assert_eq!(files(dir.path()), steps.files());
            }
        }
    }
}
