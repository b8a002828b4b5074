//! Descriptors that other code closes, and paths that cannot be opened again.

use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink;

use super::*;
use crate::skip::needs;

cases! {
    descriptors_that_a_daemon_closes_cost_no_line => |ended| ended.succeeds();
    a_file_that_got_the_number_of_a_log_is_neither_written_to_nor_closed => |ended| ended.succeeds();
    a_forked_daemon_that_closes_its_descriptors_logs_on => |ended| ended.succeeds();
    behind_a_chroot_the_file_that_is_open_takes_all_lines => |ended| ended.succeeds();
    a_new_file_of_another_user_is_not_taken_for_the_one_that_is_open => |ended| ended.succeeds();
    a_rotation_at_standard_output_leaves_the_links_alone => |ended| ended.succeeds();
    a_pipe_without_a_reader_does_not_hold_up_the_start => |ended| ended.succeeds().took_less_than(20);
}

fn close_all() {
    // SAFETY: only files of this crate are open beyond standard error; that is what is tested here.
    assert_eq!(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) }, 0);
}

fn files_of(directory: &Path) -> Vec<(PathBuf, sink::File)> {
    let open = |name: &str, options: sink::FileOptions| {
        let path = directory.join(name);
        (path.clone(), options.open(path).unwrap())
    };
    let options = sink::File::options;
    #[allow(unused_mut, reason = "without the features, nothing is added")]
    let mut files = vec![
        open("plain", options()),
        open("watched", options().watch(Duration::ZERO)),
        open("synced", options().durability(sink::Durability::Synced)),
        open("shared", options().shared(true).rotation(Rotation::size(MANY))),
        open("rotated", options().rotation(Rotation::size(MANY))),
        open("buffered", options().buffer(1)),
    ];
    #[cfg(feature = "seal")]
    files.push(open("sealed", options().seal(tracing_handlers::seal::Seal::new(seal::key()))));
    files
}

const MANY: u64 = 1 << 30;

fn write_to_each(files: &mut [(PathBuf, sink::File)], line: &str) {
    files.iter_mut().for_each(|(path, file)| writeln!(file, "{line}").unwrap_or_else(|e| panic!("{path:?}: {e}")));
}

#[track_caller]
fn each_has(files: &[(PathBuf, sink::File)], text: &str) {
    files.iter().for_each(|(path, _)| assert_eq!(without_seals(path), text, "{path:?}"));
}

fn without_seals(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("seal-checkpoint "));
    lines.map(|line| line.split(" seal=").next().unwrap_or_default().to_owned() + "\n").collect()
}

fn descriptors_that_a_daemon_closes_cost_no_line(directory: &Path) {
    let mut files = files_of(directory);
    write_to_each(&mut files, "one");
    close_all();
    let victims: Vec<_> = (0..30).map(|n| fs::File::create(directory.join(format!("database {n}"))).unwrap()).collect();
    write_to_each(&mut files, "two");
    write_to_each(&mut files, "three");
    each_has(&files, "one\ntwo\nthree\n");
    drop(files);
    victims.iter().for_each(|victim| assert_eq!(victim.metadata().unwrap().len(), 0));
}

fn a_file_that_got_the_number_of_a_log_is_neither_written_to_nor_closed(directory: &Path) {
    let victim = fs::File::create(directory.join("database")).unwrap();
    let mut files = files_of(directory);
    files.retain(|(path, _)| path.ends_with("watched") || path.ends_with("shared"));
    write_to_each(&mut files, "one");
    let numbers: Vec<i32> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2 && *number != victim.as_raw_fd())
        .filter(|number| fs::read_link(format!("/proc/self/fd/{number}")).is_ok_and(|path| path.starts_with(directory)))
        .collect();
    assert!(numbers.len() >= 3, "two files and a lock: {numbers:?}");
    // SAFETY: only files of this crate are closed; that is what is tested here.
    numbers.iter().for_each(|number| assert_eq!(unsafe { libc::dup2(victim.as_raw_fd(), *number) }, *number));
    write_to_each(&mut files, "two");
    each_has(&files, "one\ntwo\n");
    drop(files);
    assert_eq!(victim.metadata().unwrap().len(), 0);
    // SAFETY: asks whether they are open.
    numbers.iter().for_each(|number| assert!(unsafe { libc::fcntl(*number, libc::F_GETFD) } >= 0));
}

fn a_forked_daemon_that_closes_its_descriptors_logs_on(directory: &Path) {
    let mut files = files_of(directory);
    // A forked child may not continue a sealed file.
    files.retain(|(path, _)| !path.ends_with("synced") && !path.ends_with("sealed"));
    write_to_each(&mut files, "parent");
    wait_for(fork(|| {
        close_all();
        let victim = fs::File::create(directory.join("database")).unwrap();
        write_to_each(&mut files, "child");
        assert_eq!(victim.metadata().unwrap().len(), 0);
    }));
    write_to_each(&mut files, "parent again");
    each_has(&files, "parent\nchild\nparent again\n");
}

fn behind_a_chroot_the_file_that_is_open_takes_all_lines(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    let jail = directory.join("jail");
    fs::create_dir(&jail).unwrap();
    let path = directory.join("log");
    // Opened here, for its path leads nowhere later.
    let found = fs::File::options().create(true).append(true).read(true).open(&path).unwrap();
    let mut file = sink::File::options().watch(Duration::ZERO).open(&path).unwrap();
    writeln!(file, "one").unwrap();
    let jail = std::ffi::CString::new(jail.to_str().unwrap()).unwrap();
    // SAFETY: the path ends with a zero.
    let in_jail = unsafe { libc::chroot(jail.as_ptr()) == 0 && libc::chdir(c"/".as_ptr()) == 0 };
    needs!(if in_jail { files::become_nobody() } else { Err("only root may change the root directory") });
    writeln!(file, "two").unwrap();
    file.control().reopen();
    writeln!(file, "three").unwrap();
    assert_eq!(std::io::read_to_string(&found).unwrap(), "one\ntwo\nthree\n");
}

/// logrotate's `create 640 root`, for a program that has given up its rights.
fn a_new_file_of_another_user_is_not_taken_for_the_one_that_is_open(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    let (path, moved) = (directory.join("log"), directory.join("log.1"));
    let mut file = sink::File::options().watch(Duration::ZERO).open(&path).unwrap();
    writeln!(file, "one").unwrap();
    fs::rename(&path, &moved).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    needs!(files::become_nobody());
    writeln!(file, "two").unwrap();
    writeln!(file, "three").unwrap();
    assert_eq!(fs::read_to_string(&moved).unwrap(), "one\ntwo\nthree\n");
}

fn a_rotation_at_standard_output_leaves_the_links_alone(directory: &Path) {
    let (redirected, link, second) = (directory.join("redirected"), directory.join("link"), directory.join("second"));
    let file = fs::File::options().create(true).append(true).open(&redirected).unwrap();
    // SAFETY: both are open, and nothing else writes to standard output.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), 1) }, 1);
    symlink("/proc/self/fd/1", &link).unwrap();
    symlink(&link, &second).unwrap();
    let namings =
        [Naming::numbered(), Naming::numbered_oldest_first().before_extension(true), Naming::dated("%F").unwrap()];
    for path in [&link, &second] {
        for naming in &namings {
            for keep in [0, 3] {
                let rotation = Rotation::size(1).keep(keep).on_startup(true).naming(naming.clone());
                let mut file = sink::File::open(path).unwrap().rotation(rotation);
                (0..3).for_each(|_| writeln!(file, "line").unwrap());
            }
        }
    }
    assert_eq!(fs::read_to_string(&redirected).unwrap(), "line\n".repeat(36));
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("/proc/self/fd/1"));
    assert_eq!(fs::read_link(&second).unwrap(), link);
    assert_eq!(
        fs::read_dir(directory)
            .unwrap()
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name() != "stderr"))
            .count(),
        3
    );
    assert!(redirected.metadata().unwrap().ino() != 0);
}

fn a_pipe_without_a_reader_does_not_hold_up_the_start(directory: &Path) {
    let path = directory.join("pipe");
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let mut refuses = sink::File::open(&path).unwrap();
    assert!(writeln!(refuses, "lost").is_err());
    let mut holds = sink::File::options().hold(BUFFER).open(&path).unwrap();
    writeln!(holds, "held").unwrap();
    let reader = thread::spawn({
        let path = path.clone();
        move || fs::read_to_string(path).unwrap()
    });
    until("the reader comes", || std::io::Write::flush(&mut holds).is_ok());
    writeln!(holds, "written").unwrap();
    drop(holds);
    drop(refuses);
    assert_eq!(reader.join().unwrap(), "held\nwritten\n");
}
