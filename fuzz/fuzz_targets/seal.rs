//! Sealed logs: whatever happens to one, verification accepts nothing but its beginning.

#![no_main]

use fuzz::damage::Damage;
use fuzz::{errors, scratch};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tracing_handlers::seal::{Head, Key, Unverified, Verifier};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Damaged(Vec<Damage>),
    /// A file of any content, alone or behind the log.
    Other(bool, &'a [u8]),
}

fuzz_target!(|input: Input| {
    let (content, behind) = match input {
        Input::Damaged(all) => {
            let mut content = GOLDEN.to_vec();
            all.iter().take(8).for_each(|damage| damage.apply(&mut content));
            (content, None)
        }
        Input::Other(false, content) => (content.to_vec(), None),
        Input::Other(true, content) => (GOLDEN.to_vec(), Some(content)),
    };
    scratch::empty_dir();
    let path = scratch::file("app.log", &content);
    let verifier = Verifier::new(&Key::from_bytes([7; 32]));
    let verified = verifier.files([&path]);
    let whole = whole_lines(&content);
    match &verified {
        Ok(verified) => {
            assert!(GOLDEN.starts_with(whole), "it is accepted: {:?}", String::from_utf8_lossy(&content));
            assert_eq!(verified.torn, (content.len() - whole.len()) as u64);
            let head =
                verified.head.map(|head| head.to_string().parse::<Head>().expect("a head is read as it is shown"));
            assert_eq!(head, verified.head);
            let is_closed = content == GOLDEN || content == first_part();
            assert_eq!(verified.closed, is_closed, "{verified:?}");
        }
        Err(Unverified::Broken(broken)) => {
            assert!(!broken.is_empty() && broken.len() <= 1_000);
            // A line that lacks only its line feed was changed.
            let may_be_refused = whole.is_empty() || GOLDEN.get(content.len()) == Some(&b'\n');
            assert!(!GOLDEN.starts_with(&content) || may_be_refused, "it is refused: {broken:?}");
        }
        Err(unreadable) => errors::check_text(&unreadable.to_string(), ""),
    }
    if let Err(error) = &verified {
        errors::check_text(&error.to_string(), "");
    }
    check_head(&verifier, &path, whole);
    if let Some(content) = behind {
        let other = scratch::file("app.log.1", content);
        let both = verifier.files([&path, &other]);
        assert!(
            both.is_err() || whole_lines(content).is_empty() || GOLDEN.starts_with(whole_lines(content)),
            "{both:?}"
        );
        let _ = verifier.family(&path);
    }
});

/// With the head of the whole log, only the whole log is accepted; what follows its last line may be missing.
fn check_head(verifier: &Verifier, path: &std::path::Path, whole: &[u8]) {
    let golden = scratch::file("golden", GOLDEN);
    let head = verifier.files([&golden]).expect("the log is genuine").head.expect("it has lines");
    if verifier.clone().expect(head).files([path]).is_ok() {
        assert!(GOLDEN.len() - whole.len() <= last_line(GOLDEN).len(), "its end is missing");
    }
}

fn whole_lines(content: &[u8]) -> &[u8] {
    &content[..content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)]
}

fn last_line(content: &[u8]) -> &[u8] {
    content.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default()
}

/// Up to the end of the first close.
fn first_part() -> &'static [u8] {
    let mut end = 0;
    for line in GOLDEN.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.starts_with(b"seal-checkpoint close") {
            break;
        }
    }
    &GOLDEN[..end]
}

const GOLDEN: &[u8] = include_bytes!("../golden/sealed.log");
