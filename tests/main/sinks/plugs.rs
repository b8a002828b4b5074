//! tracing's own writers in our sinks, and our sinks under tracing's own layer.

use std::fs;
use std::time::Instant;

use tracing_handlers::format::{Text, Time};
use tracing_handlers::rotation::{KIB, Rotation};
use tracing_handlers::sink::{File, Make, Memory, Null, Sink, Write, Writer};
use tracing_handlers::{Output, Severity};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{write, write_as, write_until_refused};

#[test]
fn a_rolling_file_of_tracing_appender_takes_every_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = Make::new(tracing_appender::rolling::never(dir.path(), "app.log"));
    write(&mut sink, &["one\n", "two\n"]).unwrap();
    sink.flush(Instant::now()).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("app.log")).unwrap(), "one\ntwo\n");
}

#[test]
fn a_non_blocking_writer_gets_a_message_per_line_and_loses_none() {
    let memory = Memory::new();
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .buffered_lines_limit(16)
        .lossy(false)
        .finish(memory.clone());
    let mut sink = Make::new(writer);
    let lines: Vec<_> = (0..1000).map(|number| format!("{number}\n")).collect();
    write(&mut sink, &lines.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    drop(guard);
    // As many as messages: the worker's call of write is one line here.
    assert_eq!(memory.lines().len(), 1000);
    assert_eq!(memory.text(), lines.concat());
}

#[test]
fn every_rolling_file_serves_behind_an_output() {
    use tracing_appender::rolling::{RollingFileAppender, Rotation};
    for rotation in [Rotation::MINUTELY, Rotation::HOURLY, Rotation::DAILY, Rotation::WEEKLY, Rotation::NEVER] {
        let dir = tempfile::tempdir().unwrap();
        let roll = RollingFileAppender::new(rotation, dir.path(), "app.log");
        let output = Output::new(Text::new().time(Time::none()).target(false), Make::new(roll));
        let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
        tracing::subscriber::with_default(subscriber, || (0..10).for_each(|number| tracing::info!(number, "sold")));
        // A period may end in between.
        let files = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut lines: Vec<_> = files
            .flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        lines.sort();
        assert_eq!(lines, (0..10).map(|number| format!(" INFO sold number={number}")).collect::<Vec<_>>());
    }
}

#[test]
fn a_rotating_file_serves_behind_a_non_blocking_writer() {
    let dir = tempfile::tempdir().unwrap();
    let file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(KIB).keep(1000));
    let (writer, guard) = tracing_appender::non_blocking(file);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(writer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..100).for_each(|number| tracing::error!(number, "counted"));
    });
    drop(guard);
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let texts: Vec<_> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(texts.len() > 4 && texts.iter().all(|text| text.len() as u64 <= KIB && text.ends_with('\n')));
    assert_eq!(texts.concat().lines().count(), 100);
}

#[test]
fn a_rotating_file_serves_under_the_fmt_layer() {
    let dir = tempfile::tempdir().unwrap();
    let file = File::open(dir.path().join("app.log")).unwrap().rotation(Rotation::size(KIB).keep(1000));
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(Writer::new(file));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..100).for_each(|number| tracing::error!(number, "counted"));
    });
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let texts: Vec<_> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(texts.len() > 4 && texts.iter().all(|text| text.len() as u64 <= KIB && text.ends_with('\n')));
    assert_eq!(texts.concat().lines().count(), 100);
}

#[test]
fn a_write_sink_takes_whole_batches_and_flushes() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut sink = Write::new(std::io::BufWriter::new(writer)).named("pipe");
    write(&mut sink, &["one\n", "two\n"]).unwrap();
    sink.flush(Instant::now()).unwrap();
    drop(sink);
    assert_eq!(std::io::read_to_string(reader).unwrap(), "one\ntwo\n");
}

#[test]
fn a_write_sink_on_a_closed_pipe_is_an_error_that_names_it() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let partial = write_until_refused(&mut Write::new(writer).named("pipe"));
    assert_eq!(partial.delivered, 0);
    assert!(format!("{:#}", partial.error).starts_with("cannot write to pipe: "));
}

#[test]
fn memory_keeps_records_with_line_feeds_in_them_as_one() {
    let mut memory = Memory::new();
    write_as(&mut memory, &[(Severity::WARN, "one\n  and more\n"), (Severity::INFO, "two\n")]).unwrap();
    assert_eq!(memory.lines(), ["one\n  and more", "two"]);
    assert!(write(&mut Null, &["gone\n"]).is_ok());
}
