//! Frames that earlier versions wrote.

use std::fs;
use std::path::{Path, PathBuf};

use tracing_handlers::RecordBuf;
use tracing_handlers::record::wire::{self, Frames, Id, Limits};

use super::model::{Item, Model, Span, sample};
use super::said;

#[test]
fn frames_of_every_earlier_version_are_read() {
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "bin"));
    assert!(files.len() >= VERSION_1.len(), "{files:?}");
    for path in files {
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(read(&fs::read(&path).unwrap()), expected, "{}", path.display());
    }
}

#[test]
fn version_1_is_written_byte_for_byte_as_before() {
    for name in VERSION_1 {
        let golden = fs::read(folder().join(format!("v1-{name}.bin"))).unwrap();
        let mut frames = Frames::new(&golden, Limits::new());
        let (mut record, mut again) = (RecordBuf::default(), Vec::new());
        while let Some(frame) = frames.next(&mut record).unwrap() {
            wire::encode(&record.as_record(), frame.id, &Limits::new(), &mut again).unwrap();
        }
        assert_eq!(again, golden, "{name}");
    }
}

/// For a new version: a missing file is written, and the test fails once, so that what was written is looked at.
#[test]
fn the_files_of_version_1_are_the_frames_of_the_models() {
    for (name, models) in VERSION_1.into_iter().zip([kinds(), vec![sample()], spans(), vec![bare()]]) {
        let path = folder().join(format!("v1-{name}.bin"));
        let ids = (0..).map(|number: u8| [number; 16]);
        let bytes: Vec<u8> = models.iter().zip(ids).flat_map(|(model, id)| model.frame(id)).collect();
        if !path.exists() {
            fs::write(path.with_extension("txt"), read(&bytes)).unwrap();
            fs::write(&path, bytes).unwrap();
            panic!("{} was missing and has been written", path.display());
        }
        assert_eq!(fs::read(path).unwrap(), bytes, "{name}");
    }
}

fn read(bytes: &[u8]) -> String {
    let mut frames = Frames::new(bytes, Limits::new());
    let (mut record, mut out) = (RecordBuf::default(), String::new());
    while let Some(frame) = frames.next(&mut record).unwrap() {
        let id = frame.id.as_ref().map(Id::to_string).unwrap_or_default();
        out.push_str(&format!(
            "version {} kind {} id {id}\n{}\n",
            frame.version,
            frame.kind,
            said(&record.as_record())
        ));
    }
    assert!(frames.rest().is_empty() && frames.unknown() == 0);
    out
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/main/wire/golden")
}

const VERSION_1: [&str; 4] = ["kinds", "values", "spans", "bare"];

fn bare() -> Model {
    Model {
        severity: (1, ""),
        time: (-1, 999_999_999),
        thread: (None, 0),
        message: None,
        target: String::new(),
        name: String::new(),
        place: (None, None, 0),
        fields: Vec::new(),
        spans: Vec::new(),
        kind: 0,
    }
}

fn kinds() -> Vec<Model> {
    let of = |kind| Model { kind, severity: (4 * kind + 1, ""), message: Some("new".into()), ..bare() };
    (0..6).map(of).collect()
}

fn spans() -> Vec<Model> {
    let span = |id: u64| Span {
        id,
        severity: 9,
        name: format!("ebene {id} ä"),
        target: "t".into(),
        fields: vec![("i".into(), Item::U64(id)), (String::new(), Item::Follows(id + 100))],
    };
    vec![Model { spans: (1..40).map(span).collect(), ..bare() }]
}
