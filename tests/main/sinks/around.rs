//! Sinks inside a closure: what passes through, and what happens if the closure does not write.

#[cfg(unix)]
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
#[cfg(unix)]
use std::time::Duration;
use std::time::Instant;

use tracing_handlers::format::{Caps, Text, Time};
use tracing_handlers::sink::{self, Color, Commit, Framed, Make, Memory, Reminder, Sink, Write};
use tracing_handlers::{Error, ErrorKind, Output, Partial, Severity};
use tracing_subscriber::prelude::*;

use super::write;

/// Says which of its methods were called.
#[derive(Clone, Default)]
struct Probe(Arc<Mutex<Vec<&'static str>>>);

impl Probe {
    fn called(&self, method: &'static str) {
        self.0.lock().unwrap().push(method);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Sink for Probe {
    fn write(&mut self, _: Framed<'_>) -> Result<(), Partial> {
        self.called("write");
        Err(Partial::new(1, Error::new(ErrorKind::Full, "half of it")))
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.called("flush");
        Err(Error::new(ErrorKind::Timeout, "flush"))
    }

    fn write_buffered(&mut self) -> Result<(), Error> {
        self.called("write_buffered");
        Err(Error::new(ErrorKind::Closed, "write_buffered"))
    }

    fn set_reminder(&mut self, _: Reminder) {
        self.called("set_reminder");
    }

    fn close(&mut self, _: Instant) -> Result<(), Error> {
        self.called("close");
        Err(Error::new(ErrorKind::Format, "close"))
    }

    fn pending(&self) -> usize {
        7
    }

    fn commit(&mut self) -> Option<Commit> {
        self.called("commit");
        None
    }

    fn lost(&mut self) -> usize {
        8
    }

    fn caps(&self) -> Caps {
        Caps::default().with_color(true).with_color_from(Severity::WARN, false)
    }

    fn describe(&self) -> String {
        "probe".into()
    }

    fn forget_pending(&mut self) {
        self.called("forget_pending");
    }
}

#[test]
fn everything_passes_through_and_what_writes_does_so_inside_the_closure() {
    let probe = Probe::default();
    let outer = probe.clone();
    let mut sink = sink::around(probe.clone(), move |write| {
        outer.called("(");
        write();
        outer.called(")");
    });
    let refused = write(&mut sink, &["one\n", "two\n"]).unwrap_err();
    assert_eq!((refused.delivered, refused.error.kind()), (1, ErrorKind::Full));
    let soon = Instant::now();
    assert_eq!(sink.flush(soon).unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(sink.write_buffered().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(sink.close(soon).unwrap_err().kind(), ErrorKind::Format);
    let inside = ["write", "flush", "write_buffered", "close"].map(|method| ["(", method, ")"]).concat();
    assert_eq!(probe.take(), inside);
    sink.commit();
    sink.forget_pending();
    assert_eq!(probe.take(), ["commit", "forget_pending"]);
    assert_eq!((sink.pending(), sink.lost(), sink.describe()), (7, 8, "probe".to_owned()));
    assert_eq!(sink.caps(), probe.caps());
}

#[test]
fn an_owner_gives_its_reminder_to_the_inner_sink() {
    let probe = Probe::default();
    let _writer = sink::Writer::new(sink::around(probe.clone(), |write| write()));
    assert!(probe.take().contains(&"set_reminder"));
}

#[test]
fn a_closure_that_does_not_write_refuses_the_lines_and_one_that_writes_twice_writes_once() {
    let memory = Memory::new();
    let times = Arc::new(AtomicUsize::new(0));
    let given = times.clone();
    let mut sink = sink::around(memory.clone(), move |write| (0..given.load(Ordering::Relaxed)).for_each(|_| write()));
    let refused = write(&mut sink, &["one\n"]).unwrap_err();
    assert_eq!((refused.delivered, refused.error.kind()), (0, ErrorKind::Io));
    assert_eq!(refused.error.to_string(), "memory: the closure around the sink did not write");
    assert_eq!(sink.flush(Instant::now()).unwrap_err().kind(), ErrorKind::Io);
    times.store(2, Ordering::Relaxed);
    write(&mut sink, &["two\n"]).unwrap();
    assert_eq!(memory.lines(), ["two"]);
}

#[test]
fn a_closure_that_panics_after_it_has_written_leaves_no_lines_missing() {
    let memory = Memory::new();
    let mut writes = 0;
    let sink = sink::around(memory.clone(), move |write| {
        writes += 1;
        assert!(writes != 1, "before");
        write();
        assert!(writes != 2, "after");
    });
    let output = Output::new(Text::new().time(Time::none()).target(false), sink);
    let layer = tracing_handlers::layer(output);
    let handle = layer.handle();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        ["one", "two", "three"].into_iter().for_each(|line| tracing::info!("{line}"));
    });
    let lines = memory.lines();
    assert!(lines[0].contains("1 record missing here"), "{lines:?}");
    assert_eq!(lines[1..], [" INFO two", " INFO three"]);
    let stats = handle.stats()[0].stats;
    assert_eq!((stats.delivered, stats.failed), (2, 1));
}

#[test]
fn writers_are_colored_if_they_say_so() {
    let colored = |sink: &dyn Sink| sink.caps().color;
    let make = || Make::new(std::io::sink as fn() -> std::io::Sink);
    assert!(!colored(&Write::new(Vec::new())) && !colored(&make()));
    assert!(colored(&Write::new(Vec::new()).color(Color::Always)) && colored(&make().color(Color::Always)));
    assert!(!colored(&Write::new(Vec::new()).color(Color::Always).color(Color::Never)));

    let memory = Memory::new();
    let sink = sink::around(Write::new(memory.clone()).color(Color::Always), |write| write());
    let output = Output::new(Text::new().time(Time::none()), sink);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
        tracing::warn!(target: "shop", "hot");
    });
    assert_eq!(memory.lines(), ["\x1b[33m WARN\x1b[0m \x1b[2mshop:\x1b[0m hot"]);
}

#[cfg(unix)]
#[test]
fn a_console_that_is_not_read_holds_the_closure_no_longer_than_its_patience() {
    use super::console::{in_child, process_of};
    use tracing_handlers::sink::Console;

    if in_child() {
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let seen = longest.clone();
        let console = Console::stdout().patience(Duration::from_millis(50));
        let mut sink = sink::around(console, move |write| {
            let start = Instant::now();
            write();
            let mut longest = seen.lock().unwrap();
            *longest = start.elapsed().max(*longest);
        });
        let line = format!("{}\n", "x".repeat(4_000));
        let is_refused = (0..1_000).any(|_| write(&mut sink, &[&line]).is_err());
        // Far above the patience, and far below what a reader that never reads would take.
        let is_short = *longest.lock().unwrap() < Duration::from_secs(20);
        exit(i32::from(!is_refused) + 2 * i32::from(!is_short));
    }
    let test = "around::a_console_that_is_not_read_holds_the_closure_no_longer_than_its_patience";
    let mut child = process_of(test).spawn().unwrap();
    // Its output is not read.
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
