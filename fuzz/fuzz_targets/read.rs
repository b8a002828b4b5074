//! Log files and their archives: plain, compressed, damaged.

#![no_main]

use std::collections::HashMap;
use std::io::Write as _;

use fuzz::scratch;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::read::{Event, Gap, Reader};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    max_line: Option<u8>,
    oldest_first: bool,
    files: Vec<File<'a>>,
    last: &'a [u8],
}

#[derive(Arbitrary, Debug)]
struct File<'a> {
    name: Name,
    packing: Packing,
    content: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name {
    Live,
    Number(u8),
    Dated(u8),
    DatedNumber(u8, u8),
    BeforeExtension(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Packing {
    Raw,
    Gzip,
    Zstd,
    /// The end, or a byte, is missing.
    Cut(bool, u16),
}

fuzz_target!(|input: Input| {
    let dir = scratch::empty_dir();
    let mut written = HashMap::new();
    let live = File { name: Name::Live, packing: Packing::Raw, content: input.last };
    for file in input.files.iter().take(5).chain([&live]) {
        let (bytes, is_whole) = file.packed();
        let path = scratch::file(&file.file_name(), &bytes);
        written.insert(path, (file.content, is_whole));
    }
    let path = dir.join("app.log");
    let opened = match input.oldest_first {
        true => Reader::open_oldest_first(&path),
        false => Reader::open(&path),
    };
    let max_line = input.max_line.map_or(usize::MAX, usize::from);
    check(opened.expect("the live file exists").max_line(max_line), &written, max_line);
    for (path, (content, is_whole)) in &written {
        check(
            Reader::files([path]).max_line(max_line),
            &HashMap::from([(path.clone(), (*content, *is_whole))]),
            max_line,
        );
    }
});

/// All lines of whole files come, in their order and no longer than allowed; of others, the reader says that they are not whole.
fn check(reader: Reader, written: &HashMap<std::path::PathBuf, (&[u8], bool)>, max_line: usize) {
    let mut lines: HashMap<_, Vec<Vec<u8>>> = HashMap::new();
    for event in reader {
        match event {
            Event::Line(line) => {
                assert!(line.bytes.len() <= max_line && !line.bytes.contains(&b'\n'));
                let lines = lines.entry(line.file.to_path_buf()).or_default();
                lines.push(line.bytes);
                assert_eq!(line.number, lines.len() as u64);
            }
            Event::Gap(gap) => {
                let shown = gap.to_string();
                assert!(!shown.contains('\n') && shown.len() < 1_000, "{shown:?}");
                match gap {
                    Gap::Missing { .. } => {}
                    Gap::Torn { file, bytes, .. } => lines.entry(file.to_path_buf()).or_default().push(bytes),
                    Gap::TooLong { file, len, .. } => {
                        assert!(len > max_line as u64);
                        // A place for the line, so that the numbers of the next ones fit.
                        lines.entry(file.to_path_buf()).or_default().push(Vec::new());
                    }
                    Gap::Unreadable { file, .. } => {
                        let (content, is_whole) = written[&*file];
                        assert!(!is_whole || looks_packed(content) || content.is_empty(), "{shown}");
                    }
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }
    for (path, read) in lines {
        let Some((content, true)) = written.get(&path) else { continue };
        if max_line == usize::MAX && !looks_packed(content) {
            let expected: Vec<_> = content.split(|byte| *byte == b'\n').collect();
            let expected = expected.strip_suffix(&[&b""[..]]).unwrap_or(&expected);
            assert_eq!(read, expected, "{}", path.display());
        }
    }
}

/// Whether the content itself looks compressed or encrypted to a reader that knows only the first bytes.
fn looks_packed(content: &[u8]) -> bool {
    content.starts_with(&[0x1f, 0x8b])
        || content.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || content.first() >= Some(&0x80)
        || content.get(..3).is_some_and(|first| &first[..2] == b"\x2a\x4d" || first[1..] == *b"\x2a\x4d")
}

impl File<'_> {
    /// The bytes of the file, and whether its content can be read from them.
    fn packed(&self) -> (Vec<u8>, bool) {
        match self.packing {
            Packing::Raw => (self.content.to_vec(), true),
            Packing::Gzip => (gzip(self.content), true),
            Packing::Zstd => (zstd::encode_all(self.content, 1).expect("memory can be written to"), true),
            Packing::Cut(end, at) => {
                let mut bytes = gzip(self.content);
                let at = usize::from(at) % bytes.len();
                if end {
                    bytes.truncate(at);
                } else {
                    bytes.remove(at);
                }
                (bytes, false)
            }
        }
    }

    fn file_name(&self) -> String {
        let extension = match self.packing {
            Packing::Raw => "",
            Packing::Zstd => ".zst",
            Packing::Gzip | Packing::Cut(..) => ".gz",
        };
        match self.name {
            // The live file is plain, and is always written last.
            Name::Live => "app.log".to_owned(),
            Name::Number(number) => format!("app.log.{number}{extension}"),
            Name::Dated(day) => format!("app.log.2026-11-{:02}{extension}", day % 30 + 1),
            Name::DatedNumber(day, number) => format!("app.log.2026-11-{:02}.{number}{extension}", day % 30 + 1),
            Name::BeforeExtension(number) => format!("app.{number}.log{extension}"),
        }
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory can be written to")
}
