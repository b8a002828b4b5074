//! `init_default`: what it writes, and where, follows from the environment.

use std::io::Read as _;
use std::os::fd::{FromRawFd as _, OwnedFd};

use tracing::{Level, debug, error, info, info_span, trace};
use tracing_handlers::ErrorKind;

use super::*;

cases! {
    init_default_logs => |ended| ended.succeeds();
    init_default_logs_at_info_and_in_json_away_from_terminals => |ended| ended.succeeds();
    init_default_logs_text_with_colors_on_a_terminal => |ended| ended.succeeds();
    init_default_reads_rust_log_before_log_level => |ended| ended.succeeds();
    init_default_takes_the_format_that_is_set => |ended| ended.succeeds();
    init_default_reports_what_it_cannot_read => |ended| ended.succeeds();
    init_reads_no_variable => |ended| ended.succeeds();
}

/// The child of the other cases.
fn init_default_logs(_: &Path) {
    let handle = tracing_handlers::init_default().unwrap();
    if std::env::var_os("RUST_LOG").is_none() {
        // It reads the variables again.
        let again = tracing_handlers::init_default().unwrap_err();
        assert_eq!((again.kind(), again.to_string().as_str()), (ErrorKind::Config, "cannot install the subscriber"));
    }
    log_all();
    assert_eq!(handle.stats()[0].stats.failed, 0);
}

fn log_all() {
    let _request = info_span!("request", id = 7).entered();
    error!(target: "shop", "an error");
    info!(target: "shop", pieces = 3, "sold");
    log::info!(target: "shop", key = 1; "of log");
    debug!(target: "hyper", "a detail");
    trace!(target: "hyper", "noise");
}

const CHILD: &str = "init_default_logs";

fn command(case: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--child", case, "."]).stdin(Stdio::null());
    for name in ["RUST_LOG", "LOG_LEVEL", "LOG_FORMAT", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").envs(variables.iter().copied());
    command
}

/// Returns what a child writes to its standard output, which is a pipe, and to standard error.
fn run_in(case: &str, variables: &[(&str, &str)]) -> (String, String) {
    let output = command(case, variables).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{err}");
    (out, err)
}

/// Returns the messages of the lines, which are JSON.
fn messages(variables: &[(&str, &str)]) -> Vec<String> {
    let (out, err) = run_in(CHILD, variables);
    assert_eq!(err, "");
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    out.lines().map(|line| parse(line)["message"].as_str().unwrap().to_owned()).collect()
}

/// Returns what a child writes to its standard output, which is a terminal.
fn on_terminal(variables: &[(&str, &str)]) -> String {
    let (mut ours, mut theirs) = (0, 0);
    let null = std::ptr::null_mut();
    // SAFETY: two integers are written to; name and settings may be null.
    assert_eq!(unsafe { libc::openpty(&raw mut ours, &raw mut theirs, null, null.cast(), null.cast()) }, 0);
    // SAFETY: descriptors that were just made, and belong to no one else.
    let (mut ours, theirs) = unsafe { (fs::File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    // The command keeps the other end open until it is dropped.
    let mut child = command(CHILD, variables).stdout(Stdio::from(theirs)).spawn().unwrap();
    let mut text = Vec::new();
    // A terminal that all others have closed is an error on Linux.
    let _ = ours.read_to_end(&mut text);
    assert!(child.wait().unwrap().success());
    String::from_utf8(text).unwrap().replace("\r\n", "\n")
}

fn init_default_logs_at_info_and_in_json_away_from_terminals(directory: &Path) {
    let expected = ["an error", "sold", "of log"];
    assert_eq!(messages(&[]), expected);
    assert_eq!(messages(&[("RUST_LOG", ""), ("LOG_LEVEL", " "), ("LOG_FORMAT", "")]), expected);
    let path = directory.join("out");
    let file = fs::File::create(&path).unwrap();
    assert!(command(CHILD, &[]).stdout(file).status().unwrap().success());
    let text = fs::read_to_string(path).unwrap();
    assert_eq!((text.lines().count(), text.contains('\x1b')), (3, false), "{text}");
    assert!(text.contains(r#""pieces":3,"spans":[{"name":"request","id":7}]}"#), "{text}");
}

fn init_default_logs_text_with_colors_on_a_terminal(_: &Path) {
    let colored = on_terminal(&[]);
    assert!(colored.lines().count() == 3 && colored.contains('\x1b') && !colored.starts_with('{'), "{colored}");
    let plain = on_terminal(&[("NO_COLOR", "1")]);
    assert!(!plain.contains('\x1b') && plain.contains(" INFO request{id=7}: shop: sold pieces=3\n"), "{plain}");
    let json = on_terminal(&[("LOG_FORMAT", "json")]);
    assert!(json.lines().count() == 3 && json.lines().all(|line| line.starts_with('{')), "{json}");
}

fn init_default_reads_rust_log_before_log_level(_: &Path) {
    assert_eq!(messages(&[("RUST_LOG", "error"), ("LOG_LEVEL", "trace")]), ["an error"]);
    assert_eq!(messages(&[("RUST_LOG", ""), ("LOG_LEVEL", "Error")]), ["an error"]);
    assert_eq!(messages(&[("LOG_LEVEL", "warn,hyper=debug")]), ["an error", "a detail"]);
    assert_eq!(messages(&[("RUST_LOG", "hyper")]), ["a detail", "noise"]);
    assert!(messages(&[("RUST_LOG", "off")]).is_empty());
    #[cfg(feature = "env-filter")]
    assert_eq!(messages(&[("RUST_LOG", "off,[request{id=7}]=info")]), ["an error", "sold", "of log"]);
}

fn init_default_takes_the_format_that_is_set(_: &Path) {
    let first = |form| {
        let (out, err) = run_in(CHILD, &[("LOG_FORMAT", form), ("RUST_LOG", "info,hyper=off")]);
        assert_eq!(err, "");
        out
    };
    assert!(first("Text").contains("Z  INFO request{id=7}: shop: sold pieces=3\n"));
    assert!(first(" compact ").contains(" INFO shop: sold pieces=3 id=7\n"));
    assert!(first("PRETTY").contains("\n    in request with id: 7") || first("pretty").lines().count() > 6);
    assert!(first("logfmt").contains(" msg=sold") || first("logfmt").contains("message=sold"));
    let forced = run_in(CHILD, &[("LOG_FORMAT", "text"), ("FORCE_COLOR", "1")]).0;
    assert!(forced.contains('\x1b'), "{forced}");
}

fn init_default_reports_what_it_cannot_read(_: &Path) {
    let lines = |variables: &[(&str, &str)]| {
        let (out, err) = run_in(CHILD, variables);
        (out.lines().count(), err)
    };
    let (count, err) = lines(&[("RUST_LOG", "shop=lout,hyper=debug")]);
    assert!(
        count == 1 && err.contains("RUST_LOG: column 6, `lout`: expected a level") && err.lines().count() == 1,
        "{err}"
    );
    let (count, err) = lines(&[("RUST_LOG", "20")]);
    assert!(count == 3 && err.contains("RUST_LOG: column 1, `20`") && err.lines().count() == 1, "{err}");
    let (count, err) = lines(&[("LOG_FORMAT", "xml")]);
    let expected = "LOG_FORMAT: `xml`: expected one of text, compact, pretty, json, logfmt; ignored";
    assert!(count == 3 && err.contains(expected), "{err}");

    use std::os::unix::ffi::OsStrExt as _;
    let no_unicode = std::ffi::OsStr::from_bytes(b"info\xff");
    let output = command(CHILD, &[]).env("RUST_LOG", no_unicode).env("LOG_FORMAT", no_unicode).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && output.stdout.iter().filter(|byte| **byte == b'\n').count() == 3, "{err}");
    assert!(err.contains("RUST_LOG: not valid Unicode") && err.contains("LOG_FORMAT: `info"), "{err}");
}

fn init_reads_no_variable(directory: &Path) {
    match std::env::var_os("LOG_FORMAT") {
        None => {
            let variables = [("RUST_LOG", "off"), ("LOG_LEVEL", "off"), ("LOG_FORMAT", "json")];
            let (out, err) = run_in("init_reads_no_variable", &variables);
            assert_eq!((out.lines().count(), err.as_str()), (5, ""), "{out} {directory:?}");
            assert!(out.lines().all(|line| !line.starts_with('{')), "{out}");
        }
        Some(_) => {
            let output = Output::new(format::Text::new(), tracing_handlers::sink::Console::stdout());
            tracing_handlers::init(output.level(Level::TRACE)).unwrap();
            log_all();
        }
    }
}
