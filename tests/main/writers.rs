//! Lines of others as records: how they are cut, joined and judged, and those of child processes.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;
use tracing::Level;
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::format::Json;
use tracing_handlers::handler::from_fn;
use tracing_handlers::receive::{self, Lines};
use tracing_handlers::sink::Null;
use tracing_handlers::testing::{Captured, expect};
use tracing_handlers::{Error, ErrorKind, Handler, Output, Queue, RecordBuf, Severity, Value, selflog};
use tracing_subscriber::Registry;
use tracing_subscriber::prelude::*;

use crate::collect::alone;

fn messages_of(writes: &[&[u8]]) -> Vec<String> {
    let captured = Captured::new();
    let mut lines = Lines::new(captured.clone());
    for bytes in writes {
        lines.write_all(bytes).unwrap();
    }
    drop(lines);
    captured.messages()
}

#[test]
fn lines_end_with_lf_or_crlf_wherever_the_writes_are_cut() {
    assert_eq!(messages_of(&[b"one\ntwo\r\nthree"]), ["one", "two", "three"]);
    assert_eq!(messages_of(&[b"on", b"e\r", b"\n", b"", b"tw", b"o", b"\n"]), ["one", "two"]);
    // A CR elsewhere is part of the line, and only one is part of the end.
    assert_eq!(messages_of(&[b"10%\r20%\n", b"x\r\r\n"]), ["10%\r20%", "x\r"]);
}

#[test]
fn what_is_not_utf_8_is_replaced_and_a_character_in_two_writes_is_whole() {
    assert_eq!(messages_of(&[b"gr\xc3", b"\xbcn\n", b"\xff!\n"]), ["grün", "\u{fffd}!"]);
}

#[test]
fn blank_lines_are_records_where_that_is_wanted() {
    assert_eq!(messages_of(&[b"\n\r\none\n\n"]), ["one"]);
    let captured = Captured::new();
    let mut lines = Lines::new(captured.clone()).blank(true);
    lines.write_all(b"\none\n\r\n").unwrap();
    assert_eq!(captured.messages(), ["", "one", ""]);
}

#[test]
fn a_long_line_is_several_records_cut_between_characters() {
    let parts_of = |writes: &[&str]| {
        let captured = Captured::new();
        let mut lines = Lines::new(captured.clone()).max_line(8);
        writes.iter().for_each(|text| lines.write_all(text.as_bytes()).unwrap());
        drop(lines);
        let part = |record: &RecordBuf| match record.as_record().field("part") {
            Some(Value::U64(part)) => part,
            _ => 0,
        };
        captured
            .records()
            .iter()
            .map(|record| (record.as_record().message().to_owned(), part(record)))
            .collect::<Vec<_>>()
    };
    let wanted =
        |parts: &[(&str, u64)]| parts.iter().map(|(text, part)| ((*text).to_owned(), *part)).collect::<Vec<_>>();
    let whole = wanted(&[("01234567", 1), ("89", 2), ("next", 0)]);
    assert_eq!(parts_of(&["0123456789\nnext\n"]), whole);
    assert_eq!(parts_of(&["01234", "5678", "9", "\nnext"]), whole);
    assert_eq!(parts_of(&["01234567\r", "\n", "next"]), wanted(&[("01234567", 0), ("next", 0)]));
    assert_eq!(parts_of(&["1234567ü9\n"]), wanted(&[("1234567", 1), ("ü9", 2)]));
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_added_however_the_bytes_come(
        text in "[a-zäöü€😀 \n]{0,200}", cuts in prop::collection::vec(0_usize..400, 0..10), max_line in 4_usize..40,
    ) {
        let captured = Captured::new();
        let mut lines = Lines::new(captured.clone()).max_line(max_line);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        for piece in cuts.windows(2) {
            lines.write_all(&text.as_bytes()[piece[0]..piece[1]]).unwrap();
        }
        drop(lines);
        prop_assert!(captured.messages().iter().all(|message| message.len() <= max_line));
        prop_assert_eq!(captured.messages().concat(), text.replace('\n', ""));
    }
}

#[test]
fn a_line_of_very_many_parts_in_one_write_takes_time_in_proportion() {
    // Moved along for each part, this would be half a terabyte.
    let bytes = vec![b'x'; 2 << 20];
    let parts = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = parts.clone();
    let mut lines = Lines::new(from_fn(move |_| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }))
    .max_line(4);
    lines.write_all(&bytes).unwrap();
    lines.finish();
    assert_eq!(parts.load(std::sync::atomic::Ordering::Relaxed), bytes.len() / 4);
    let mut endless = Lines::new(Captured::new()).max_line(usize::MAX);
    endless.write_all(b"one line").unwrap();
}

#[test]
fn the_severity_is_the_line_s_own_where_one_is_found() {
    let captured = Captured::new();
    let clock = Arc::new(Manual::new(Timestamp::new(100, 0)));
    let mut lines = Lines::new(captured.clone())
        .target("legacy")
        .severity(Level::DEBUG)
        .severity_of(receive::prefix)
        .max_line(18)
        .clock(clock);
    lines.write_all(b"ERROR: out of paper\n[notice] refilled\nplain\n").unwrap();
    // The second part of the first line is part of an error, too.
    assert_eq!(captured.messages(), ["out of pape", "r", "refilled", "plain"]);
    captured.assert_count(2, expect().level(Level::ERROR).target("legacy"));
    captured.assert_logged(expect().severity(Severity::NOTICE).message("refilled"));
    captured.assert_logged(expect().level(Level::DEBUG).message("plain"));
    assert!(captured.records().iter().all(|record| record.as_record().time() == Timestamp::new(100, 0)));
}

alone! {
    fn a_handler_that_fails_or_panics_is_told_and_the_writer_knows_nothing_of_it() {
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tell = told.clone();
        selflog::set(move |message| tell.lock().unwrap().push(message.to_owned()));
        let captured = Captured::new();
        let behind = captured.clone();
        let mut lines = Lines::new(from_fn(move |record| match record.message() {
            "fail" => Err(Error::new(ErrorKind::Full, "the box is full")),
            "panic" => panic!("as it should"),
            _ => behind.handle(record),
        }))
        .target("legacy");
        lines.write_all(b"fail\npanic\nfine\n").unwrap();
        assert_eq!(captured.messages(), ["fine"]);
        assert!(told.lock().unwrap()[0].starts_with("legacy: the box is full"), "{told:?}");
    }
}

#[test]
fn a_closure_that_panics_leaves_the_line_as_it_is() {
    let captured = Captured::new();
    let mut lines = Lines::new(captured.clone()).severity_of(|_| panic!("as it should"));
    lines.write_all(b"one\n").unwrap();
    captured.assert_logged(expect().level(Level::INFO).message("one"));
}

#[test]
fn lines_go_to_the_handlers_of_a_layer_and_after_a_swap_to_the_new_ones() {
    let (before, after) = (Captured::new(), Captured::new());
    let layer = tracing_handlers::layer(before.clone());
    let handle = layer.handle();
    let _guard = tracing_subscriber::registry().with(layer).set_default();
    let mut lines = Lines::new(handle.clone());
    lines.write_all(b"one\n").unwrap();
    handle.swap(after.clone());
    lines.write_all(b"two\n").unwrap();
    assert_eq!((before.messages(), after.messages()), (vec!["one".to_owned()], vec!["two".to_owned()]));
}

#[test]
fn a_layer_s_handle_asks_its_handlers_and_hands_them_one_record_after_another() {
    let warnings = Output::new(Json::new(), Null).level(Level::WARN).spans(LevelFilter::OFF);
    let handle = tracing_handlers::layer::<Registry>(warnings).handle();
    let record = RecordBuf::new(Severity::INFO, "", "one");
    assert!(!handle.enabled(&record.as_record().meta()) && Handler::max_level(&handle) == LevelFilter::WARN);
    handle.handle(&record.as_record()).unwrap();
    assert_eq!(handle.stats()[0].stats.accepted, 0);
    // What a handler feeds back comes after the record that it is at.
    let (captured, again) = (Captured::new(), handle.clone());
    let feeds_back = from_fn(move |record| match record.message() {
        "one" => again.handle(&RecordBuf::new(Severity::INFO, "", "two").as_record()),
        _ => Ok(()),
    });
    handle.swap((feeds_back, captured.clone()));
    handle.handle(&record.as_record()).unwrap();
    assert_eq!(captured.messages(), ["one", "two"]);
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn lines_of(captured: &Captured, level: Level) -> Lines<Captured> {
    Lines::new(captured.clone()).target("child").severity(level)
}

#[test]
fn a_child_process_loses_no_line_of_either_output() {
    let captured = Captured::new();
    let script = "i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf last";
    let mut child =
        receive::spawn(shell(script), lines_of(&captured, Level::INFO), lines_of(&captured, Level::WARN)).unwrap();
    assert!(child.wait().unwrap().success());
    let messages_at =
        |level| captured.at(level).iter().map(|record| record.as_record().message().to_owned()).collect::<Vec<_>>();
    let numbered = |name: &str| (0..2_000).map(|number| format!("{name} {number}")).collect::<Vec<_>>();
    assert_eq!(messages_at(Level::INFO), [numbered("out"), vec!["last".to_owned()]].concat());
    assert_eq!(messages_at(Level::WARN), numbered("err"));
    // Once more changes nothing.
    assert!(child.wait().unwrap().success() && child.try_wait().unwrap().is_some());
}

#[test]
fn what_a_child_leaves_in_the_background_is_not_waited_for() {
    let captured = Captured::new();
    let mut command = shell("sleep 1000 & echo $!");
    command.stdin(Stdio::null());
    let mut child =
        receive::spawn(command, lines_of(&captured, Level::INFO), lines_of(&captured, Level::WARN)).unwrap();
    child.wait().unwrap();
    let messages = captured.messages();
    let [sleeper] = &messages[..] else { panic!("{messages:?}") };
    assert!(Command::new("kill").arg(sleeper).status().unwrap().success());
}

#[test]
fn a_child_is_fed_and_ended() {
    let captured = Captured::new();
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped());
    let mut child =
        receive::spawn(command, lines_of(&captured, Level::INFO), lines_of(&captured, Level::WARN)).unwrap();
    assert!(child.try_wait().unwrap().is_none());
    let mut stdin = child.stdin().unwrap();
    stdin.write_all(b"fed\nbinary: \0\x01lines and more").unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(captured.messages(), ["fed", "binary: \0\x01lines and more"]);

    let mut child =
        receive::spawn(shell("exec sleep 1000"), lines_of(&captured, Level::INFO), lines_of(&captured, Level::WARN))
            .unwrap();
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_child_that_nobody_waits_for_goes_on() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let lines = || {
        let sender = sender.clone();
        Lines::new(from_fn(move |record| {
            let _ = sender.send(record.message().to_owned());
            Ok(())
        }))
    };
    let mut command = shell("read line; echo got $line; printf end");
    command.stdin(Stdio::piped());
    let mut child = receive::spawn(command, lines(), lines()).unwrap();
    let mut stdin = child.stdin().unwrap();
    drop(child);
    stdin.write_all(b"it\n").unwrap();
    let next = || receiver.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!((next(), next()), ("got it".to_owned(), "end".to_owned()));
}

#[test]
fn a_child_that_cannot_be_started_is_an_error_that_names_it() {
    let captured = Captured::new();
    let command = Command::new("there-is-no-such-program");
    let refused =
        receive::spawn(command, lines_of(&captured, Level::INFO), lines_of(&captured, Level::WARN)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Io);
    assert_eq!(refused.to_string(), "cannot start there-is-no-such-program");
}

#[test]
fn a_child_s_lines_pass_a_queue() {
    let captured = Captured::new();
    let queue = Arc::new(Queue::new(captured.clone()));
    let lines = || Lines::new(queue.clone());
    let mut child = receive::spawn(shell("echo one; printf two"), lines(), lines()).unwrap();
    child.wait().unwrap();
    queue.flush(std::time::Instant::now() + std::time::Duration::from_secs(5)).unwrap();
    assert_eq!(captured.messages(), ["one", "two"]);
}
