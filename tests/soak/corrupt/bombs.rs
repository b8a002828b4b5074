//! Files that are made to take memory: a process that verifies, reads and opens them needs less than 64 MiB. The sample has smaller
//! files, and a lower limit.

use std::fs;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use tracing_handlers::encryption::{Encryptor, Keys};
use tracing_handlers::read::{Event, Gap, Reader};
use tracing_handlers::rotation::Rotation;
use tracing_handlers::seal::{Key, Seal, Unverified, Verifier};
use tracing_handlers::sink::File;

use super::super::Plan;
use super::super::child::Worker;
use super::log;

/// Makes the files, and opens them in a process of its own, whose memory is measured. Says how much it needed.
pub fn run(directory: &Path, plan: Plan) -> Result<String, String> {
    let (len, most) = if plan.is_sample { (48 << 20, 40) } else { (1 << 30, 64) };
    make(directory, len).map_err(|error| format!("{error:#}"))?;
    match Worker::start("corrupt", directory, 0, most, &[])?.wait()? {
        (true, _) => fs::read_to_string(directory.join(PEAK)).map_err(|error| error.to_string()),
        _ => Err("the child was killed".to_owned()),
    }
}

/// Opens everything, and checks that this needed less than `most` MiB of memory.
pub fn child(directory: &Path, most: u64) {
    super::super::child::READY.say();
    let broken =
        |name: &str| matches!(Verifier::new(&key()).family(log(&directory.join(name))), Err(Unverified::Broken(_)));
    let unreadable =
        |name: &str| matches!(Verifier::new(&key()).family(log(&directory.join(name))), Err(Unverified::Unreadable(_)));
    let read = |name: &str| {
        let reader = Reader::open(log(&directory.join(name))).expect("it is there").keys(keys());
        reader
            .map(|event| match event {
                Event::Line(line) => drop(line.bytes),
                Event::Gap(Gap::TooLong { .. } | Gap::Unreadable { .. } | Gap::Torn { .. }) => {}
                other => panic!("{other:?}"),
            })
            .count()
    };
    let open = |name: &str| options().open(log(&directory.join(name)));

    assert!(broken("line") && read("line") > 0);
    assert!(open("line").is_err(), "its newest archive is not what was written");
    assert!(broken("end") && read("end") > 0);
    assert!(open("end").is_err(), "its last line was not written");
    assert!(unreadable("window") && read("window") > 0);
    assert!(broken("many lines") && read("many lines") > 0);
    assert!(read("encrypted") > 0);
    let genuine = Verifier::new(&key()).family(log(&directory.join("long")));
    assert_eq!(genuine.expect("it was written like that").lines, 2);
    open("long").expect("it was written like that");

    let peak = peak();
    assert!(peak < most << 20, "it needed {} MiB", peak >> 20);
    fs::write(directory.join(PEAK), format!("at most {} MiB for files made to take more", peak >> 20))
        .expect("there is room");
}

fn make(directory: &Path, len: u64) -> Result<(), tracing_handlers::Error> {
    let cannot = |error| tracing_handlers::Error::io("cannot make the files", error);
    let make = || -> io::Result<()> {
        for name in ["line", "end", "window", "many lines", "long", "encrypted"] {
            fs::create_dir(directory.join(name))?;
        }
        // An archive that begins as it should, and whose second line does not end.
        let line = log(&directory.join("line"));
        write_to(&line, b"one\n")?;
        let archive = fs::read(&line)?;
        fs::remove_file(&line)?;
        let packed = flate2::write::GzEncoder::new(
            fs::File::create(line.with_extension("log.1.gz"))?,
            flate2::Compression::fast(),
        );
        let mut packed = BufWriter::with_capacity(1 << 20, packed);
        packed.write_all(&archive)?;
        repeat(b'x', len, &mut packed)?;
        packed.write_all(b"\n")?;
        packed.into_inner()?.finish()?;
        // A current file whose last line does not end; it takes no room on the disk.
        let end = log(&directory.join("end"));
        write_to(&end, b"one\n")?;
        let mut file = fs::File::options().write(true).open(&end)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(b"x")?;
        let whole = file.metadata()?.len();
        file.set_len(whole + len)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(b"\n")?;
        // An archive that asks for 128 MiB.
        let window = log(&directory.join("window"));
        write_to(&window, b"one\n")?;
        let mut packed = zstd::Encoder::new(fs::File::create(window.with_extension("log.1.zst"))?, 1)?;
        packed.window_log(27)?;
        repeat(b'x', len, &mut packed)?;
        packed.finish()?;
        // Short lines without end, compressed as well as they can be.
        let many = log(&directory.join("many lines"));
        write_to(&many, b"one\n")?;
        let mut packed = zstd::Encoder::new(fs::File::create(many.with_extension("log.1.zst"))?, 1)?;
        packed.window_log(25)?;
        packed.write_all(b"x")?;
        repeat(b'\n', len / 16, &mut packed)?;
        packed.finish()?;
        // A line that long may also be genuine.
        let long = vec![b'x'; len.min(LONG) as usize];
        write_to(&log(&directory.join("long")), &[b"one\n", &long[..], b"\n"].concat())?;
        let encrypted = log(&directory.join("encrypted"));
        let mut encryptor = BufWriter::with_capacity(1 << 20, Encryptor::new(fs::File::create(encrypted)?, keys()));
        repeat(b'x', len / 40, &mut encryptor)?;
        encryptor.into_inner()?.finish()?;
        Ok(())
    };
    make().map_err(cannot)
}

/// Writes `byte` so many times. `io::repeat` is slow without optimization.
fn repeat(byte: u8, len: u64, to: &mut impl io::Write) -> io::Result<()> {
    let piece = vec![byte; 1 << 20];
    (0..len).step_by(piece.len()).try_for_each(|done| {
        let rest = usize::try_from(len - done).unwrap_or(usize::MAX);
        to.write_all(&piece[..rest.min(piece.len())])
    })
}

fn write_to(path: &Path, record: &[u8]) -> io::Result<()> {
    let mut file = options().open(path).map_err(io::Error::other)?;
    file.write_all(record)
}

fn options() -> tracing_handlers::sink::FileOptions {
    File::options().seal(Seal::new(key())).rotation(Rotation::size(1 << 40).keep(9))
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn keys() -> Keys {
    Keys::new(key())
}

/// The most memory this process has needed so far.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system tells");
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse::<u64>().ok());
    peak.expect("the system tells") << 10
}

#[cfg(not(target_os = "linux"))]
fn peak() -> u64 {
    crate::skip::skipped_in("corrupt", "only Linux tells how much memory a process has needed");
    0
}

const PEAK: &str = "peak";
/// More than what a process may need.
const LONG: u64 = 70 << 20;
