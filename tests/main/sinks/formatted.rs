//! `write!` and `writeln!` to sinks: whatever the number of pieces, one record.

use std::fs;
use std::io::Write as _;

use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{File, Memory, Writer};
use tracing_subscriber::fmt::MakeWriter as _;

#[test]
fn a_rotation_does_not_come_between_the_pieces_of_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    let mut file = File::open(&path).unwrap().rotation(Rotation::size(4).keep(3));
    (1..=3).for_each(|number| writeln!(file, "{number} {}", number + 1).unwrap());
    let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!([text("app.log.2"), text("app.log.1"), text("app.log")], ["1 2\n", "2 3\n", "3 4\n"]);
}

#[test]
fn lines_of_several_threads_are_whole() {
    let memory = Memory::new();
    let writer = Writer::new(memory.clone());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let writer = &writer;
            scope.spawn(move || {
                (0..100).for_each(|line| writeln!(writer.make_writer(), "{thread} {line} {thread}").unwrap());
            });
        }
    });
    let mut lines = memory.lines();
    lines.sort_unstable();
    let mut expected: Vec<_> = (0..400).map(|n| format!("{0} {1} {0}", n / 100, n % 100)).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}
