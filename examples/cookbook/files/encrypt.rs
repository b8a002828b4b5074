//! An encrypted log, and a change of its key: new lines are encrypted with the new key, and old lines remain readable with the old
//! one. Neither log4j2 nor Python's cookbook has an encrypted log. The buffer combines many lines in a block; without it, each line
//! takes 24 bytes more.

use std::fs;
use std::io::Read;

use tracing_handlers::encryption::{Decryptor, Key, Keys};
use tracing_handlers::format::{Text, Time};
use tracing_handlers::{Output, sink};

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "encrypt", about: "a log that can be read only with its key", make, shows: SHOWS };

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log.enc");
    // A program would use Key::from_env("LOG_KEY")?, with a key from `openssl rand -base64 32`.
    let (old, new) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
    let log = |keys: &Keys, message: &str| {
        let file = sink::File::options().encrypt(keys.clone()).buffer(64 * 1024).open(&path).expect("our key");
        logged(Output::new(Text::new().time(Time::none()), file), || tracing::info!(target: "shop", "{message}"));
    };

    log(&Keys::new(old.clone()), "sold");
    let both = Keys::new(new.clone()).and(old);
    log(&both, "paid");

    let bytes = fs::read(&path).expect("the file");
    let is_shown = bytes.windows(4).any(|window| window == b"sold");
    let refused = sink::File::options().encrypt(Keys::new(new)).open(&path).expect_err("the old key is missing");
    let mut decryptor = Decryptor::open(&path, both).expect("the file");
    let mut text = String::new();
    decryptor.read_to_string(&mut text).expect("genuine");
    let kind = refused.kind();
    format!(
        "{text}{:?}, {} bytes, the word can be seen: {is_shown}, without the old key: {kind:?}",
        decryptor.end(),
        bytes.len()
    )
}

const SHOWS: &str = r#"
 INFO shop: sold
 INFO shop: paid
Closed, 202 bytes, the word can be seen: false, without the old key: Config
"#;
