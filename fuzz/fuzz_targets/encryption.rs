//! Encrypted logs: whatever happens to one, nothing but its beginning is ever decrypted.

#![no_main]

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use fuzz::damage::Damage;
use fuzz::{errors, scratch};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::encryption::{Decryptor, End, Key, Keys};
use tracing_handlers::read::{Event, Reader};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Damaged(Vec<Damage>, u8),
    Other(&'a [u8]),
    Behind(&'a [u8]),
    KeyFile(&'a [u8]),
}

fuzz_target!(|input: Input| {
    let (content, piece) = match input {
        Input::Damaged(all, piece) => {
            let mut content = GOLDEN.to_vec();
            all.iter().take(8).for_each(|damage| damage.apply(&mut content));
            (content, piece)
        }
        Input::Other(content) => (content.to_vec(), 0),
        Input::KeyFile(content) => return check_key_file(content),
        Input::Behind(content) => ([GOLDEN, content].concat(), 0),
    };
    let mut decryptor = Decryptor::new(&*content, keys());
    let (mut text, mut buffer) = (Vec::new(), vec![0; usize::from(piece) + 1]);
    let end = loop {
        match decryptor.read(&mut buffer) {
            Ok(0) => break Ok(decryptor.end()),
            Ok(read) => text.extend(&buffer[..read]),
            Err(error) => break Err(error),
        }
    };
    assert!(TEXT.as_bytes().starts_with(&text), "{:?}", String::from_utf8_lossy(&text));
    match &end {
        Ok(End::Closed) => {
            assert!(GOLDEN.starts_with(&content), "it is accepted");
            assert!(text.len() == TEXT.len() || text == &TEXT.as_bytes()[..FIRST.len()]);
        }
        Ok(End::Open) => assert!(GOLDEN.starts_with(&content), "it is accepted"),
        Ok(End::Torn { bytes }) => {
            assert!(*bytes > 0 && GOLDEN.starts_with(&content[..content.len() - *bytes as usize]))
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            errors::check_text(&format!("{error:#}"), "");
            assert!(!GOLDEN.starts_with(&content), "it is refused: {error}");
            assert_eq!(decryptor.read(&mut buffer).map_err(|error| error.to_string()), Err(error.to_string()));
        }
    }
    check_reader(&content, &text);
});

/// The reader reads the same lines, where the content is encrypted at all.
fn check_reader(content: &[u8], text: &[u8]) {
    if !content.starts_with(&GOLDEN[..8]) {
        return;
    }
    scratch::empty_dir();
    let path = scratch::file("app.log", content);
    let lines: Vec<_> = Reader::files([&path]).keys(keys()).filter_map(Event::line).map(|line| line.bytes).collect();
    let expected: Vec<_> =
        text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")).collect();
    assert_eq!(lines, expected);
    assert_eq!(Reader::files([&path]).filter_map(Event::line).count(), 0, "it is read without a key");
}

/// A key is 32 bytes, as they are or in digits, and the error of another file does not show what is in it.
fn check_key_file(content: &[u8]) {
    scratch::empty_dir();
    let path = scratch::file("key", content);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is our file");
    let read = Key::from_file(&path);
    let digits = content.trim_ascii();
    match read {
        Ok(key) => assert!(content.len() == 32 || matches!(digits.len(), 43 | 44 | 64), "{key:?}"),
        Err(error) => {
            assert!(
                content.len() != 32 && !(digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit)),
                "{error}"
            );
            errors::check_text(&format!("{error:#}"), "");
            assert!(digits.len() < 20 || !format!("{error:?}").contains(&*String::from_utf8_lossy(digits)));
        }
    }
}

fn keys() -> Keys {
    Keys::new(Key::from_bytes([7; 32]))
}

const FIRST: &str = "{\"line\":0}\nline 1\n{\"line\":2}\nline 3\n";
const TEXT: &str = "{\"line\":0}\nline 1\n{\"line\":2}\nline 3\n{\"line\":4}\nline 5\n";
const GOLDEN: &[u8] = include_bytes!("../golden/encrypted.log");
