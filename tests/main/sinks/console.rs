//! The console in a child process, whose streams are ours to close and to fill.

#[cfg(unix)]
use std::fs::File;
use std::io::{Read as _, Write as _};
#[cfg(unix)]
use std::os::fd::FromRawFd as _;
use std::process::{Command, Stdio, exit};

use tracing::Level;
#[cfg(unix)]
use tracing_handlers::Output;
use tracing_handlers::Severity;
#[cfg(unix)]
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::{Color, Console, Sink};
#[cfg(unix)]
use tracing_subscriber::prelude::*;

use super::{write, write_as, write_until_refused};

/// Runs `test` of this module in a process of its own, where [`in_child`] is true.
fn child(test: &str) -> Command {
    let mut child = captured_child(test);
    child.arg("--nocapture");
    child
}

fn captured_child(test: &str) -> Command {
    process_of(&format!("console::{test}"))
}

/// Runs `test`, which is named from the module of sinks on, in a process of its own.
pub(super) fn process_of(test: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &format!("sinks::{test}")]).env(IN_CHILD, "1");
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    child
}

pub(super) fn in_child() -> bool {
    std::env::var_os(IN_CHILD).is_some()
}

const IN_CHILD: &str = "TRACING_HANDLERS_TEST_CHILD";

/// Past what the test harness says on standard output.
fn lines_of(output: &[u8]) -> Vec<&str> {
    let text = std::str::from_utf8(output).unwrap();
    text.lines().filter(|line| line.starts_with("line ")).collect()
}

#[test]
fn severe_lines_go_to_standard_error_and_the_others_to_standard_output() {
    if in_child() {
        let lines = [
            (Severity::INFO, "line 1\n"),
            (Severity::WARN, "line 2\n"),
            (Severity::FATAL, "line 3\n"),
            (Severity::DEBUG, "line 4\n"),
        ];
        write_as(&mut Console::split(Level::WARN), &lines).unwrap();
        exit(0);
    }
    let output = child("severe_lines_go_to_standard_error_and_the_others_to_standard_output").output().unwrap();
    assert_eq!(lines_of(&output.stdout), ["line 1", "line 4"]);
    assert_eq!(lines_of(&output.stderr), ["line 2", "line 3"]);
}

#[test]
fn a_held_lock_of_stdout_does_not_hold_up_the_console() {
    if in_child() {
        let _held = std::io::stdout().lock();
        let writer = std::thread::spawn(|| write(&mut Console::stdout(), &["line 1\n"]).is_ok());
        exit(i32::from(!writer.join().unwrap()));
    }
    let output = child("a_held_lock_of_stdout_does_not_hold_up_the_console").output().unwrap();
    assert!(output.status.success());
    assert_eq!(lines_of(&output.stdout), ["line 1"]);
}

#[test]
fn a_closed_pipe_is_an_error_and_no_panic() {
    if in_child() {
        // The parent closes its end only now: the test harness would not survive it earlier.
        eprintln!("ready");
        let _ = std::io::stdin().read(&mut [0]);
        let partial = write_until_refused(&mut Console::stdout());
        eprintln!("line {} delivered, {:?}", partial.delivered, partial.error.io_error().map(std::io::Error::kind));
        let captured = write(&mut Console::stdout().captured(true), &["line 1\n"]);
        eprintln!("line captured: {}", captured.is_err());
        exit(0);
    }
    let mut child = child("a_closed_pipe_is_an_error_and_no_panic").spawn().unwrap();
    child.stderr.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(b"!").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(lines_of(&output.stderr), ["line 0 delivered, Some(BrokenPipe)", "line captured: true"]);
}

#[cfg(unix)]
#[test]
fn a_full_non_blocking_pipe_is_waited_for_and_tears_no_line() {
    const LINES: usize = 20_000;
    if in_child() {
        set_non_blocking(1);
        let lines: Vec<_> = (0..LINES).map(|number| format!("line {number}\n")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        exit(i32::from(write(&mut Console::stdout(), &lines).is_err()));
    }
    let output = child("a_full_non_blocking_pipe_is_waited_for_and_tears_no_line").output().unwrap();
    assert!(output.status.success());
    let expected: Vec<_> = (0..LINES).map(|number| format!("line {number}")).collect();
    assert_eq!(lines_of(&output.stdout), expected);
}

#[cfg(unix)]
#[test]
fn a_non_blocking_pipe_that_nobody_reads_is_given_up_and_the_torn_line_finished_later() {
    if in_child() {
        set_non_blocking(1);
        let long = format!("line {}\n", "x".repeat(100_000));
        let mut console = Console::stdout();
        let partial = write(&mut console, &["line 1\n", &long, "line refused\n"]).unwrap_err();
        eprintln!("line {} {}", partial.delivered, console.pending());
        let _ = std::io::stdin().read(&mut [0]);
        // The parent reads from here on.
        while write(&mut console, &["line 2\n"]).is_err() {}
        exit(0);
    }
    let name = "a_non_blocking_pipe_that_nobody_reads_is_given_up_and_the_torn_line_finished_later";
    let mut child = child(name).spawn().unwrap();
    let mut told = [0; 9];
    child.stderr.as_mut().unwrap().read_exact(&mut told).unwrap();
    assert_eq!(&told, b"line 2 1\n");
    child.stdin.take().unwrap().write_all(b"!").unwrap();
    let output = child.wait_with_output().unwrap();
    let lines = lines_of(&output.stdout);
    assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [6, 100_005, 6]);
}

#[cfg(unix)]
fn set_non_blocking(descriptor: i32) {
    // SAFETY: fcntl with these arguments touches no memory.
    let done = unsafe { libc::fcntl(descriptor, libc::F_SETFL, libc::O_WRONLY | libc::O_NONBLOCK) };
    assert_eq!(done, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_on_a_full_device_is_an_error() {
    if in_child() {
        let partial = write(&mut Console::stderr(), &["line 1\n"]).unwrap_err();
        println!("line {:#}", partial.error);
        exit(0);
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = child("standard_error_on_a_full_device_is_an_error").stderr(full).output().unwrap();
    assert_eq!(lines_of(&output.stdout), ["line cannot write to stderr: No space left on device (os error 28)"]);
}

#[test]
fn color_follows_the_setting_and_the_environment() {
    if in_child() {
        println!("line {}", Console::stdout().caps().color);
        exit(0);
    }
    assert!(Console::stdout().color(Color::Always).caps().color);
    assert!(!Console::stdout().color(Color::Never).caps().color);
    let shown = |variables: &[(&str, &str)]| {
        let mut child = child("color_follows_the_setting_and_the_environment");
        without_color_variables(&mut child).envs(variables.iter().copied());
        lines_of(&child.output().unwrap().stdout) == ["line true"]
    };
    assert!(!shown(&[]), "a pipe is no terminal");
    assert!(shown(&[("CLICOLOR_FORCE", "1")]));
    assert!(!shown(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(shown(&[("FORCE_COLOR", "1")]));
    assert!(!shown(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
}

fn without_color_variables(child: &mut Command) -> &mut Command {
    ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM"].iter().fold(child, Command::env_remove)
}

#[cfg(unix)]
#[test]
fn each_stream_of_a_split_console_has_color_if_it_is_a_terminal() {
    if in_child() {
        let log = |console| {
            let output = Output::new(Text::new().time(Time::none()), console);
            tracing::subscriber::with_default(
                tracing_subscriber::registry().with(tracing_handlers::layer(output)),
                || {
                    tracing::info!(target: "t", "line to stdout");
                    tracing::warn!(target: "t", "line to stderr");
                },
            );
        };
        log(Console::split(Level::WARN));
        log(Console::split(Level::WARN).color(Color::Never));
        log(Console::split(Level::WARN).color(Color::Always));
        exit(0);
    }
    let child = || {
        let mut child = child("each_stream_of_a_split_console_has_color_if_it_is_a_terminal");
        without_color_variables(&mut child);
        child
    };
    // Color by `Auto`, `Never` and `Always`.
    let has_color = |bytes: &[u8]| -> Vec<bool> {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        lines.filter(|line| line.contains("line to")).map(|line| line.contains('\x1b')).collect()
    };
    let (mut read, write) = terminal();
    let output = child().stderr(write).output().unwrap();
    assert_eq!(has_color(&output.stdout), [false, false, true]);
    assert_eq!(has_color(&shown_on(&mut read)), [true, false, true]);
    let (mut read, write) = terminal();
    let output = child().stdout(write).output().unwrap();
    assert_eq!(has_color(&output.stderr), [false, false, true]);
    assert_eq!(has_color(&shown_on(&mut read)), [true, false, true]);
    let output = child().output().unwrap();
    assert_eq!([has_color(&output.stdout), has_color(&output.stderr)], [[false, false, true], [false, false, true]]);
}

/// A terminal: where what is written to it can be read, and where to write.
#[cfg(unix)]
fn terminal() -> (File, File) {
    let (mut read, mut write) = (0, 0);
    let null = std::ptr::null_mut();
    // SAFETY: both descriptors are written to, and the others may be null.
    let opened = unsafe { libc::openpty(&raw mut read, &raw mut write, null, null.cast(), null.cast()) };
    assert_eq!(opened, 0);
    // SAFETY: they are open, and nothing else owns them.
    unsafe { (File::from_raw_fd(read), File::from_raw_fd(write)) }
}

/// Reads what was written before everyone closed the terminal, which Linux reports as an error.
#[cfg(unix)]
fn shown_on(terminal: &mut File) -> Vec<u8> {
    let mut shown = Vec::new();
    let _ = terminal.read_to_end(&mut shown);
    shown
}

#[test]
fn a_console_is_called_by_its_streams() {
    assert_eq!(Console::stdout().describe(), "stdout");
    assert_eq!(Console::stderr().describe(), "stderr");
    assert_eq!(Console::split(Level::WARN).describe(), "console");
}

#[test]
fn what_is_captured_goes_through_the_print_macros() {
    const TEXT: &str = "captured by the harness";
    if in_child() {
        write(&mut Console::stdout().captured(true), &[TEXT, "\n"]).unwrap();
    } else {
        let shows = |mut child: Command| String::from_utf8(child.output().unwrap().stdout).unwrap().contains(TEXT);
        assert!(shows(child("what_is_captured_goes_through_the_print_macros")));
        assert!(!shows(captured_child("what_is_captured_goes_through_the_print_macros")));
    }
}
