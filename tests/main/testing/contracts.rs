//! The contracts: all parts of this crate keep them, and for each there is a part that breaks it and is found out.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::format::{self, Format, Json, LevelNames, Out, Text, Time};
use tracing_handlers::handler::{Alert, Counts, Report, Rewriting, Stats, from_fn};
use tracing_handlers::record::{Kind, Meta, Records, SpanEvents};
use tracing_handlers::rewrite::Redact;
use tracing_handlers::rotation::{KIB, Rotation};
use tracing_handlers::sink::{Console, File, Framed, Make, Memory, Null, Sink, Write};
use tracing_handlers::testing::{
    Captured, Failures, HandlerHarness, MockHandler, SinkHarness, check_binary_format, check_format, check_handler,
    check_sink,
};
use tracing_handlers::{Error, ErrorKind, Handler, Output, Partial, Queue, Record, RecordBuf, Value};

use crate::collect::alone;

fn contracts(checked: Result<(), Failures>) -> Vec<&'static str> {
    checked.err().map(|failures| failures.contracts()).unwrap_or_default()
}

#[test]
fn the_formats_of_this_crate_keep_the_contracts() {
    check_format(Text::full).unwrap();
    check_format(Text::compact).unwrap();
    check_format(Text::pretty).unwrap();
    check_format(|| Text::full().file(true).thread_names(true).thread_ids(true).level_names(LevelNames::Syslog))
        .unwrap();
    check_format(|| Text::compact().time(Time::none())).unwrap();
    check_format(Json::new).unwrap();
    check_binary_format(Json::new).unwrap();
    check_format(|| Box::new(Json::new()) as Box<dyn Format>).unwrap();
    check_format(|| Arc::new(Json::new())).unwrap();
}

/// As it should be, but for what `spoil` does.
fn spoiled(spoil: impl Fn(&Record<'_>, &mut Out<'_>) -> Result<(), Error> + Send + Sync + 'static) -> impl Format {
    let json = Json::new();
    format::from_fn(move |record, out| {
        json.format(record, out)?;
        spoil(record, out)
    })
}

#[test]
fn a_format_that_breaks_a_contract_is_found_out() {
    let panics = || {
        spoiled(|record, _| match record.message() {
            "" => panic!("there is no message"),
            _ => Ok(()),
        })
    };
    assert_eq!(contracts(check_format(panics)), ["no panic"]);
    let refuses = || {
        spoiled(|record, _| match record.spans().count() {
            ..100 => Ok(()),
            _ => Err(Error::new(ErrorKind::Format, "too many spans")),
        })
    };
    assert_eq!(contracts(check_format(refuses)), ["takes every record"]);
    let clears = || {
        let json = Json::new();
        format::from_fn(move |record, out| {
            out.buffer().clear();
            json.format(record, out)
        })
    };
    assert_eq!(contracts(check_format(clears)), ["appends only"]);
    let looks_back = || {
        format::from_fn(|record, out| {
            let before = out.buffer().len();
            Json::new().format(record, out)?;
            out.push_str(&before.to_string());
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(looks_back)), ["appends only"]);
    let counts = || {
        let count = AtomicUsize::new(0);
        spoiled(move |_, out| {
            out.push_str(&count.fetch_add(1, Ordering::Relaxed).to_string());
            Ok(())
        })
    };
    let broken = contracts(check_format(counts));
    assert!(broken.contains(&"deterministic") && broken.contains(&"nothing kept"), "{broken:?}");
    // It knows how many came before it, by thousands only.
    let remembers = || {
        let seen = AtomicBool::new(false);
        spoiled(move |record, out| {
            if record.kind() == Kind::Loss {
                seen.store(true, Ordering::Relaxed);
            }
            out.push_str(if seen.load(Ordering::Relaxed) { "!" } else { "." });
            Ok(())
        })
    };
    assert!(contracts(check_format(remembers)).contains(&"nothing kept"));
    let not_utf_8 = || {
        spoiled(|_, out| {
            out.push(0xff);
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(not_utf_8)), ["utf-8"]);
    let ends = || {
        spoiled(|_, out| {
            out.push(b'\n');
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(ends)), ["no line end"]);
    let breaks = || {
        spoiled(|record, out| {
            let name = record.fields().last().map_or("", |field| field.name);
            out.push_str(&name.chars().filter(|char| *char == '\n').collect::<String>());
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(breaks)), ["one line"]);
    let escapes_too_little = || {
        spoiled(|record, out| {
            for span in record.spans() {
                out.push_str(&span.name().replace(char::is_whitespace, " ").replace(['\u{b}', '\u{c}', '\u{85}'], ""));
            }
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(escapes_too_little)), ["no controls"]);
    // The marks that are seldom thought of, and a place that seldom is.
    for mark in ['\u{61c}', '\u{202b}', '\u{202c}', '\u{2068}'] {
        let lets_through = move || {
            spoiled(move |record, out| {
                let marks = record.message().chars().filter(|char| *char == mark);
                out.push_str(&marks.collect::<String>());
                Ok(())
            })
        };
        assert_eq!(contracts(check_format(lets_through)), ["no controls"], "{mark:?}");
    }
    let trusts_nested_values = || {
        spoiled(|record, out| {
            let nested = record.fields().filter(|field| matches!(field.value, Value::Json(_)));
            nested.for_each(|field| out.push_str(&field.value.to_string().replace(['\n', '\u{2028}', '\u{2029}'], "")));
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(trusts_nested_values)), ["one line", "no controls"]);
    let paints = || {
        spoiled(|_, out| {
            out.push_str("\x1b[0m");
            Ok(())
        })
    };
    assert_eq!(contracts(check_format(paints)), ["no controls"]);
    assert_eq!(contracts(check_format(|| Headed)), ["preamble"]);
    assert_eq!(contracts(check_binary_format(not_utf_8)), [""; 0]);
    assert_eq!(contracts(check_binary_format(panics)), ["no panic"]);
}

/// Its head has no line end.
struct Headed;

impl Format for Headed {
    fn format(&self, record: &Record<'_>, out: &mut Out<'_>) -> Result<(), Error> {
        Json::new().format(record, out)
    }

    fn preamble(&self, out: &mut Out<'_>) {
        out.push_str("time,message");
    }
}

/// Fails where it is told to, with half a line written.
#[derive(Clone, Default)]
struct Flaky {
    kept: Arc<Mutex<Vec<u8>>>,
    fails: Arc<AtomicBool>,
}

impl Flaky {
    fn harness<S: Sink>(self, sink: S) -> SinkHarness<S> {
        let (kept, fails) = (self.kept, self.fails);
        SinkHarness::new(sink)
            .read(move || kept.lock().unwrap().clone())
            .fail(move |fail| fails.store(fail, Ordering::Relaxed))
    }
}

impl io::Write for Flaky {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.kept.lock().unwrap();
        let taken = if self.fails.load(Ordering::Relaxed) { bytes.len() / 2 } else { bytes.len() };
        if taken == 0 && !bytes.is_empty() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        kept.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_sinks_of_this_crate_keep_the_contracts() {
    check_sink(|| {
        let memory = Memory::new();
        SinkHarness::new(memory.clone()).read(move || memory.bytes())
    })
    .unwrap();
    check_sink(|| Null).unwrap();
    check_sink(|| {
        let flaky = Flaky::default();
        flaky.clone().harness(Write::new(flaky))
    })
    .unwrap();
    check_sink(|| {
        let flaky = Flaky::default();
        let make = flaky.clone();
        flaky.harness(Make::new(move || make.clone()))
    })
    .unwrap();
    check_sink(|| Box::new(Memory::new()) as Box<dyn Sink>).unwrap();
}

#[test]
fn files_keep_the_contracts_with_a_buffer_and_with_rotation() {
    let harness = |open: fn(&std::path::Path) -> Result<File, Error>| {
        move || {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("app.log");
            let file = open(&path).unwrap();
            SinkHarness::new(file).read(move || {
                let _keep = &dir;
                std::fs::read(&path).unwrap_or_default()
            })
        }
    };
    check_sink(harness(|path| File::open(path))).unwrap();
    check_sink(harness(|path| File::options().buffer(64 << 10).open(path))).unwrap();
    check_sink(harness(|path| File::options().buffer(10).open(path))).unwrap();
    check_sink(harness(|path| File::options().delay(true).open(path))).unwrap();
    let rotating = || {
        let dir = tempfile::tempdir().unwrap();
        let file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(KIB).keep(10));
        (dir.keep(), SinkHarness::new(file)).1
    };
    check_sink(rotating).unwrap();
}

alone! {
    fn consoles_keep_the_contracts() {
        check_sink(Console::stdout).unwrap();
        check_sink(Console::stderr).unwrap();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Nameless,
    TakesNothing,
    AlwaysPending,
    Pretends,
    NeverDelivers,
    Hangs,
    Backwards,
    FirstOfBatch,
    ReplacesOddBytes,
    HeadEachTime,
    NeverForgets,
    HalfOnError,
}

/// A sink with one fault.
struct Faulty {
    fault: Fault,
    end: Flaky,
    buffer: Vec<Vec<u8>>,
}

impl Faulty {
    fn harness(fault: Fault) -> impl Fn() -> SinkHarness<Self> {
        move || {
            let end = Flaky::default();
            end.clone().harness(Self { fault, end, buffer: Vec::new() })
        }
    }

    fn deliver(&mut self) {
        let mut kept = self.end.kept.lock().unwrap();
        match self.fault {
            Fault::Backwards => self.buffer.drain(..).rev().for_each(|line| kept.extend(line)),
            _ => self.buffer.drain(..).for_each(|line| kept.extend(line)),
        }
    }
}

impl Sink for Faulty {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        if self.end.fails.load(Ordering::Relaxed) {
            if self.fault == Fault::HalfOnError {
                self.end.kept.lock().unwrap().extend_from_slice(&framed.bytes()[..framed.bytes().len() / 2]);
            }
            return Err(Partial::new(0, Error::new(ErrorKind::Io, "the disk is full")));
        }
        if self.fault == Fault::TakesNothing && framed.ends().is_empty() {
            self.buffer.push(b"nothing\n".to_vec());
        }
        if self.fault == Fault::HeadEachTime {
            self.buffer.push(framed.preamble().to_vec());
        }
        let most = if self.fault == Fault::FirstOfBatch { 1 } else { usize::MAX };
        for (line, _) in framed.iter().take(most) {
            self.buffer.push(match self.fault {
                Fault::ReplacesOddBytes => String::from_utf8_lossy(line).into_owned().into_bytes(),
                _ => line.to_vec(),
            });
        }
        if matches!(self.fault, Fault::None | Fault::HeadEachTime | Fault::TakesNothing | Fault::HalfOnError) {
            self.deliver();
        }
        Ok(())
    }

    fn flush(&mut self, deadline: Instant) -> Result<(), Error> {
        if self.fault == Fault::Hangs && deadline <= Instant::now() {
            loop {
                std::thread::park();
            }
        }
        match self.fault {
            Fault::NeverDelivers => self.buffer.clear(),
            _ => self.deliver(),
        }
        Ok(())
    }

    fn pending(&self) -> usize {
        match self.fault {
            Fault::AlwaysPending => 99,
            Fault::Pretends => 0,
            _ => self.buffer.len(),
        }
    }

    fn describe(&self) -> String {
        if self.fault == Fault::Nameless { String::new() } else { "faulty".to_owned() }
    }

    fn forget_pending(&mut self) {
        if self.fault != Fault::NeverForgets {
            self.buffer.clear();
        }
    }
}

#[test]
fn a_sink_that_breaks_a_contract_is_found_out() {
    let broken = |fault| contracts(check_sink(Faulty::harness(fault)));
    assert_eq!(broken(Fault::None), [""; 0]);
    assert_eq!(broken(Fault::Nameless), ["describe"]);
    assert_eq!(broken(Fault::TakesNothing), ["empty batch"]);
    assert_eq!(broken(Fault::AlwaysPending), ["empty batch", "pending", "forgets"]);
    assert_eq!(broken(Fault::Pretends), ["truthful", "forgets"]);
    assert!(broken(Fault::NeverDelivers).contains(&"flush"));
    assert_eq!(broken(Fault::Hangs), ["deadline"]);
    assert!(broken(Fault::Backwards).contains(&"ordered"));
    assert!(broken(Fault::FirstOfBatch).contains(&"batch"));
    assert_eq!(broken(Fault::ReplacesOddBytes), ["any bytes"]);
    assert_eq!(broken(Fault::HeadEachTime), ["preamble"]);
    assert_eq!(broken(Fault::NeverForgets), ["forgets"]);
    assert_eq!(broken(Fault::HalfOnError), ["all or nothing"]);
}

#[test]
fn the_handlers_of_this_crate_keep_the_contracts() {
    check_handler(|_| Output::new(Json::new(), Memory::new())).unwrap();
    check_handler(|_| Output::new(Text::new(), Null).level(Level::WARN)).unwrap();
    check_handler(|harness| Queue::new(harness.inner())).unwrap();
    check_handler(|harness| Queue::new(harness.inner()).capacity(4)).unwrap();
    check_handler(|harness| Rewriting::new(Redact::fields(["user"]), harness.inner())).unwrap();
    check_handler(|harness| (harness.inner(), Output::new(Json::new(), Null))).unwrap();
    check_handler(|harness| vec![harness.inner()]).unwrap();
    check_handler(|harness| Some(harness.inner())).unwrap();
    check_handler(|harness| Arc::new(harness.inner())).unwrap();
    check_handler(|harness| Box::new(Queue::new(Rewriting::new(Redact::fields(["user"]), harness.inner())))).unwrap();
    check_handler(|_| Captured::new()).unwrap();
    check_handler(|_| Counts::new()).unwrap();
    check_handler(|_| from_fn(|_| Ok(()))).unwrap();
    check_handler(|_| Alert::new(Level::INFO, 3, Duration::from_secs(60)).per("user").call(|_| ())).unwrap();
    check_handler(|harness| (Alert::new(Level::ERROR, 1, Duration::ZERO).call(|_| ()), harness.inner())).unwrap();
}

#[derive(Clone, Copy, PartialEq)]
enum Slip {
    None,
    Panics,
    WantsTooMuch,
    CountsTheUnwanted,
    CountsTwice,
    LosesSome,
    KeepsOne,
    ShowsNothing,
    WantsTooLittle,
    ForgetsFlush,
    ForgetsReports,
    ForgetsSpanEvents,
    Swaps,
    FirstOfBatch,
    SwallowsErrors,
    StopsAtErrors,
    StopsAtPanics,
    GivesWay,
    HoldsALock,
}

/// A handler with one fault.
struct Slips {
    slip: Slip,
    behind: MockHandler,
    accepted: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    kept: Mutex<Vec<RecordBuf>>,
    broken: AtomicBool,
    gate: Mutex<()>,
    count: Mutex<()>,
}

impl Slips {
    fn make(slip: Slip) -> impl Fn(&HandlerHarness) -> Self {
        move |harness| Self {
            slip,
            behind: harness.inner(),
            accepted: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            kept: Mutex::default(),
            broken: AtomicBool::new(false),
            gate: Mutex::default(),
            count: Mutex::default(),
        }
    }

    fn hand_over(&self, record: &Record<'_>) -> Result<(), Error> {
        let handled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.behind.handle(record)));
        let handled = handled.unwrap_or_else(|_| {
            self.broken.store(self.slip == Slip::StopsAtPanics, Ordering::Relaxed);
            Err(Error::new(ErrorKind::Panic, "the inner handler panicked"))
        });
        let _whole = self.count.lock().unwrap();
        self.accepted.fetch_add(if self.slip == Slip::CountsTwice { 2 } else { 1 }, Ordering::Relaxed);
        match handled.is_ok() || self.slip == Slip::SwallowsErrors {
            true => self.delivered.fetch_add(1, Ordering::Relaxed),
            false => self.failed.fetch_add(1, Ordering::Relaxed),
        };
        if self.slip == Slip::SwallowsErrors { Ok(()) } else { handled }
    }

    fn swap(&self, record: &Record<'_>) -> Result<(), Error> {
        let mut kept = self.kept.lock().unwrap();
        kept.push(RecordBuf::from(record));
        if kept.len() < 2 {
            return Ok(());
        }
        let pair = std::mem::take(&mut *kept);
        drop(kept);
        pair.iter().rev().try_for_each(|record| self.hand_over(&record.as_record()))
    }
}

impl Handler for Slips {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        match self.slip {
            Slip::CountsTheUnwanted => meta.level() <= Level::WARN,
            Slip::WantsTooLittle => meta.level() <= Level::ERROR,
            _ => true,
        }
    }

    fn max_level(&self) -> LevelFilter {
        if self.slip == Slip::WantsTooMuch { LevelFilter::INFO } else { LevelFilter::TRACE }
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        let number = record.message().parse::<u32>();
        match self.slip {
            Slip::Panics if record.message().is_empty() => panic!("there is no message"),
            Slip::LosesSome if number == Ok(3) => return Ok(()),
            Slip::StopsAtPanics if self.broken.load(Ordering::Relaxed) => return Ok(()),
            Slip::KeepsOne if self.kept.lock().unwrap().is_empty() => {
                self.accepted.fetch_add(1, Ordering::Relaxed);
                self.kept.lock().unwrap().push(RecordBuf::from(record));
                return Ok(());
            }
            Slip::Swaps => return self.swap(record),
            _ => {}
        }
        let _held = (self.slip == Slip::HoldsALock).then(|| self.gate.lock().unwrap());
        if self.slip == Slip::GivesWay {
            let Ok(_held) = self.gate.try_lock() else { return Ok(()) };
            std::thread::yield_now();
            return self.hand_over(record);
        }
        self.hand_over(record)
    }

    fn handle_batch(&self, records: Records<'_>) -> Result<(), Partial> {
        let mut failed = None;
        let most = if self.slip == Slip::FirstOfBatch { 1 } else { usize::MAX };
        for record in records.take(most) {
            if let Err(error) = self.handle(&record) {
                failed = Some(error);
                if self.slip == Slip::StopsAtErrors {
                    break;
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(Partial::new(0, error)))
    }

    fn span_events(&self) -> SpanEvents {
        if self.slip == Slip::ForgetsSpanEvents { SpanEvents::NONE } else { self.behind.span_events() }
    }

    fn flush(&self, deadline: Instant) -> Result<(), Error> {
        let _held = (self.slip == Slip::HoldsALock).then(|| self.gate.lock().unwrap());
        if self.slip == Slip::Swaps {
            let rest = std::mem::take(&mut *self.kept.lock().unwrap());
            rest.iter().try_for_each(|record| self.hand_over(&record.as_record()))?;
        }
        if self.slip == Slip::ForgetsFlush { Ok(()) } else { self.behind.flush(deadline) }
    }

    fn inner(&self, visit: &mut dyn FnMut(&dyn Handler) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.slip == Slip::ShowsNothing { ControlFlow::Continue(()) } else { visit(&self.behind) }
    }

    fn report(&self, reports: &mut Vec<Report>) {
        let _whole = self.count.lock().unwrap();
        let mut stats = Stats::default();
        stats.accepted = self.accepted.load(Ordering::Relaxed);
        stats.delivered = self.delivered.load(Ordering::Relaxed);
        stats.failed = self.failed.load(Ordering::Relaxed);
        stats.pending = if self.slip == Slip::KeepsOne { self.kept.lock().unwrap().len() as u64 } else { 0 };
        reports.push(Report::new("slips", stats));
        if self.slip != Slip::ForgetsReports {
            self.behind.report(reports);
        }
    }
}

#[test]
fn a_handler_that_breaks_a_contract_is_found_out() {
    let broken = |slip| contracts(check_handler(Slips::make(slip)));
    assert_eq!(broken(Slip::None), [""; 0]);
    // What it does not count is missing as well.
    assert_eq!(broken(Slip::Panics), ["no panic", "accounted"]);
    assert_eq!(broken(Slip::WantsTooMuch), ["enabled"]);
    assert_eq!(broken(Slip::CountsTheUnwanted), ["ignores unwanted"]);
    assert!(broken(Slip::CountsTwice).contains(&"balances"));
    assert!(broken(Slip::LosesSome).contains(&"accounted"));
    assert_eq!(broken(Slip::KeepsOne), ["flush delivers"]);
    assert_eq!(broken(Slip::ShowsNothing), ["shown"]);
    assert_eq!(broken(Slip::WantsTooLittle), ["ignores unwanted", "wants forwarded"]);
    assert_eq!(broken(Slip::ForgetsFlush), ["flush forwarded"]);
    assert_eq!(broken(Slip::ForgetsReports), ["reports forwarded"]);
    assert_eq!(broken(Slip::ForgetsSpanEvents), ["span events forwarded"]);
    assert!(broken(Slip::Swaps).contains(&"ordered"));
    assert!(broken(Slip::FirstOfBatch).contains(&"batch"));
    assert_eq!(broken(Slip::SwallowsErrors), ["error reported"]);
    assert_eq!(broken(Slip::StopsAtErrors), ["error isolated"]);
    assert_eq!(broken(Slip::StopsAtPanics), ["panic isolated"]);
    let gives_way = broken(Slip::GivesWay);
    assert!(gives_way.contains(&"concurrent"), "{gives_way:?}");
}

#[test]
fn a_handler_that_hangs_is_found_out() {
    let broken = contracts(check_handler(Slips::make(Slip::HoldsALock)));
    assert!(broken.contains(&"deadline") && broken.contains(&"reentrant"), "{broken:?}");
}

#[test]
fn failures_read_as_a_line_each() {
    let failures = check_sink(Faulty::harness(Fault::Nameless)).unwrap_err();
    assert_eq!(failures.to_string(), "describe: it says \"\"");
    assert_eq!(format!("{failures:?}"), "broken contracts: 1\ndescribe: it says \"\"");
    assert_eq!(failures.iter().next().unwrap().contract, "describe");
}
