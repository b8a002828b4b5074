//! A tamper-evident audit log: each line has a seal that requires the key and depends on the previous line. `verify` detects a changed
//! line, and a file removed from among the rotated ones. A removed end is detected by an expected head, which is stored elsewhere.
//! Python's cookbook and log4j2 have no equivalent; systemd's journal calls it sealing.

use std::fs;

use tracing_handlers::format::{Json, Time};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::seal::{Key, Seal, Unverified, Verifier, verify};
use tracing_handlers::{Output, sink};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "seal", about: "a tamper-evident log", make, shows: SHOWS };

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    // A program would use Key::from_file("/etc/shop/seal.key")?, with a key from `openssl rand -hex 32`.
    let key = Key::from_bytes(*b"32 bytes from a random generator");

    let rotation = Rotation::size(1024).keep(100);
    let file =
        sink::File::options().seal(Seal::new(key.clone())).rotation(rotation).open(&path).expect("sealed before");
    logged(Output::new(Json::new().time(Time::none()), file), || {
        (1..=20).for_each(|pieces| tracing::info!(target: "shop", pieces, "sold"));
    });
    let verified = verify(&path, &key).expect("it is unchanged");
    let several = if verified.files > 3 { "several" } else { "few" };
    let mut shown = format!("{} lines in {several} files, closed: {}\n", verified.lines, verified.closed);

    let genuine = fs::read_to_string(&path).expect("the log");
    fs::write(&path, genuine.replace("\"pieces\":20", "\"pieces\":2")).expect("written");
    shown += &result(&Verifier::new(&key), &path);

    let (cut, _) = genuine.split_once("{\"level\"").expect("a line");
    fs::write(&path, cut).expect("written");
    shown += &result(&Verifier::new(&key), &path);
    shown += &result(&Verifier::new(&key).expect(verified.head.expect("there are lines")), &path);

    fs::write(&path, genuine).expect("written");
    fs::remove_file(folder.path().join("audit.jsonl.1")).expect("an archive");
    shown + &result(&Verifier::new(&key), &path)
}

fn result(verifier: &Verifier, path: &std::path::Path) -> String {
    match verifier.family(path) {
        Ok(verified) => format!("genuine, closed: {}\n", verified.closed),
        Err(Unverified::Broken(broken)) => {
            // Without line numbers, which depend on the number of lines that fit into a file.
            let flaw = broken[0].flaw.to_string();
            format!("{}\n", flaw.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or_default().trim_end())
        }
        Err(other) => format!("{other}\n"),
    }
}

const SHOWS: &str = r#"
20 lines in several files, closed: true
the line was changed, or does not belong here
genuine, closed: false
the expected head is not in the log
continues after line
"#;
