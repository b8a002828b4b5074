//! No test sleeps for time to pass: a test waits for a condition, with `until`. Read off the source.

use std::fs;
use std::path::Path;

use crate::vocabulary::sources;

/// Sleeps that stay because the time that passes is what is tested, with their number in each file. Each has a comment that
/// begins with [`REASON`].
const EXCEPTIONS: &[(&str, usize)] = &[
    // That nothing is written again while a worker is idle.
    ("layers/handler/queue/worker.rs", 1),
    // How often an idle process wakes up.
    ("tests/ends/overload.rs", 1),
    // A patience that is longer than the default; the pace of a slow reader.
    ("tests/ends/stalled/mod.rs", 2),
    // How long nobody reads; an exit that waits for a reader.
    ("tests/ends/stalled/pauses.rs", 2),
    // Time limits, of which a child must not carry out its parent's; the pace of a queue at work.
    ("tests/ends/timed.rs", 5),
    // That nothing is written without a time limit.
    ("tests/main/sinks/file.rs", 1),
    // The pace of events whose latency is measured.
    ("tests/soak/latency.rs", 1),
    // CPU time for logrotate.
    ("tests/soak/logrotate.rs", 1),
    // Random moments at which processes are killed.
    ("tests/soak/processes.rs", 1),
];

const REASON: &str = "// Time passes: ";

/// The polling helper, this check with its samples, and the models, whose clock is their own.
const EXEMPT: &[&str] = &["tests/support/until.rs", "tests/main/waits.rs", "tests/models/"];

#[test]
fn tests_wait_for_conditions_and_not_for_time_to_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut refused, mut excused) = (Vec::new(), Vec::new());
    for file in ["tests", "layers"].into_iter().flat_map(sources) {
        let path = file.strip_prefix(root).unwrap().display().to_string().replace('\\', "/");
        if EXEMPT.iter().any(|exempt| path.starts_with(exempt)) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let waits = waits(tests_in(&path, &text));
        let reasons = waits.iter().filter(|wait| wait.has_reason).count();
        excused.extend((reasons > 0).then_some((path.clone(), reasons)));
        let bare = waits.into_iter().filter(|wait| !wait.has_reason);
        refused.extend(bare.map(|wait| format!("{path}: {}: {}", wait.why, wait.line)));
    }
    assert!(refused.is_empty(), "wait for a condition instead, with `until`: {refused:#?}");
    excused.sort();
    assert_eq!(excused, EXCEPTIONS.iter().map(|(path, count)| (path.to_string(), *count)).collect::<Vec<_>>());
}

#[test]
fn sleeps_are_found_however_they_are_called() {
    for line in [
        "thread::sleep(Duration::from_millis(1));",
        "    std::thread::sleep(pause);",
        "tokio::time::sleep(Duration::from_millis(1)).await;",
        "sleep(LONG);",
        "threads.iter().for_each(|_| thread::sleep_ms(1));",
        "thread::park_timeout(Duration::from_secs(1));",
        "thread::sleep_until(deadline);",
        "times.for_each(thread::sleep);",
    ] {
        assert_eq!(found(line), [("a sleep", false)], "{line}");
    }
    for line in [
        "// thread::sleep(pause)",
        "/// Calls `sleep(1)`.",
        "let mut command = shell(\"sleep 1000 & echo $!\");",
        "until(\"it sleeps\", || threads::sleeps_until_woken(worker));",
        "fn a_worker_that_may_sleep() {",
    ] {
        assert_eq!(found(line), [], "{line}");
    }
}

#[test]
fn a_receiver_that_is_to_time_out_is_a_sleep() {
    assert_eq!(found("assert!(arrived.recv_timeout(PAUSE).is_err());"), [("a wait that is to time out", false)]);
    assert_eq!(found("let _ = woken.wait_timeout(guard, PAUSE).unwrap();"), [("a wait that is to time out", false)]);
    assert_eq!(found("drop(arrived.recv_timeout(PAUSE));"), [("a wait that is to time out", false)]);
    assert_eq!(found("let worker = arrived.recv_timeout(Duration::from_secs(20)).unwrap();"), []);
}

#[test]
fn a_loop_that_polls_by_itself_is_found() {
    for text in [
        "while !done.load(SeqCst) {\n    thread::yield_now();\n}",
        "    while lock(&worker.state).running.is_none() {\n        std::hint::spin_loop();\n    }",
        "loop {\n    std::thread::yield_now();\n}",
        "while waits() {\n    // Until then.\n    std::thread::yield_now();\n}",
    ] {
        assert_eq!(found(text), [("a loop that polls without `until`", false)], "{text}");
    }
    assert_eq!(found("while !done() {\n    step();\n    thread::yield_now();\n}"), []);
}

#[test]
fn a_reason_stands_right_before_what_it_excuses() {
    assert_eq!(found("// Time passes: it is the subject.\nthread::sleep(LONG);"), [("a sleep", true)]);
    assert_eq!(found("// Time passes: it is\n// the subject.\nthread::sleep(LONG);"), [("a sleep", true)]);
    assert_eq!(found("// It takes a while.\nthread::sleep(LONG);"), [("a sleep", false)]);
    assert_eq!(found("// Time passes: here.\nstep();\nthread::sleep(LONG);"), [("a sleep", false)]);
    assert_eq!(found("// Time passes: \nthread::sleep(LONG);"), [("a sleep", false)], "it says nothing");
}

#[test]
fn unit_tests_are_searched_and_the_library_is_not() {
    let text = "fn work() {\n    work();\n}\n\n#[cfg(test)]\nmod tests {\n    fn test() {}\n}\n";
    assert_eq!(tests_in("layers/file/lock.rs", text), "    fn test() {}\n}\n");
    assert_eq!(tests_in("layers/file/lock.rs", "fn work() {}\n\n#[cfg(test)]\nmod tests;\n"), "");
    for path in ["layers/file/tests.rs", "layers/file/tests/zones.rs", "tests/main/queue.rs"] {
        assert_eq!(tests_in(path, text), text, "{path}");
    }
}

fn found(text: &str) -> Vec<(&'static str, bool)> {
    waits(text).into_iter().map(|wait| (wait.why, wait.has_reason)).collect()
}

/// A line that waits without `until`.
struct Wait<'t> {
    line: &'t str,
    why: &'static str,
    has_reason: bool,
}

fn waits(text: &str) -> Vec<Wait<'_>> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let is_wait = |(index, line): (usize, &&'_ str)| -> Option<(usize, &'static str)> {
        let before = lines[..index].iter().rfind(|line| !line.starts_with("//")).unwrap_or(&"");
        let after = lines.get(index + 1);
        match line {
            _ if line.starts_with("//") => None,
            _ if sleeps(line) => Some((index, "a sleep")),
            _ if is_to_time_out(line) => Some((index, "a wait that is to time out")),
            _ if only_yields(line) && begins_loop(before) && after == Some(&"}") => {
                Some((index, "a loop that polls without `until`"))
            }
            _ => None,
        }
    };
    let found = lines.iter().enumerate().filter_map(is_wait);
    found.map(|(index, why)| Wait { line: lines[index], why, has_reason: has_reason(&lines[..index]) }).collect()
}

fn sleeps(line: &str) -> bool {
    let functions = ["sleep", "sleep_ms", "sleep_until", "park_timeout", "park_timeout_ms"];
    let is_in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_call = |name: &str| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            // A call, or the function itself as a value.
            let is_used = after.starts_with('(') || before.ends_with("::") && after.starts_with([')', ',', ';']);
            is_used && !before.ends_with(is_in_word) && !before.ends_with("fn ") && !before.ends_with(['`', '"'])
        })
    };
    functions.into_iter().any(is_call)
}

/// Whether the result of the wait is the time-out, or is not looked at.
fn is_to_time_out(line: &str) -> bool {
    let waits = ["recv_timeout(", "wait_timeout(", "wait_timeout_while("].iter().any(|wait| line.contains(wait));
    let ignored = ["is_err()", "unwrap_err()", "Timeout)", "Err(_)"].iter().any(|ending| line.contains(ending));
    waits && (ignored || line.starts_with("let _ = ") || line.starts_with("drop("))
}

fn only_yields(line: &str) -> bool {
    ["yield_now();", "spin_loop();"].iter().any(|end| line.ends_with(end))
}

fn begins_loop(line: &str) -> bool {
    line == "loop {" || line.starts_with("while ") && line.ends_with('{')
}

/// Whether the comment that ends here says why time must pass.
fn has_reason(lines: &[&str]) -> bool {
    let comment = lines.iter().rev().take_while(|line| line.starts_with("//"));
    comment.last().is_some_and(|first| first.starts_with(REASON))
}

/// The part of a file that is tests: all of it, or the module `tests` at the end.
fn tests_in<'t>(path: &str, text: &'t str) -> &'t str {
    let is_test = path.split(['/', '.']).any(|part| part == "tests");
    if is_test { text } else { text.split_once("\nmod tests {\n").map_or("", |(_, tests)| tests) }
}
