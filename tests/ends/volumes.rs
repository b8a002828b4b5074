//! Volumes, mounts and attributes under which a file cannot be opened or rotated as usual.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::sync::Mutex;

use tracing_handlers::rotation::{Naming, Rotation};
use tracing_handlers::sink;

use super::*;
use crate::skip::{installed, needs};

cases! {
    a_volume_of_a_group_takes_the_logs_of_its_members => |ended| ended.succeeds();
    a_directory_of_another_user_in_such_a_volume_does_too => |ended| ended.succeeds();
    what_leads_out_of_a_volume_of_a_group_is_refused => |ended| ended.succeeds();
    a_volume_of_a_group_is_not_trusted_by_others_or_with_the_sticky_bit => |ended| ended.succeeds();
    a_file_that_is_mounted_by_itself_is_reported_and_can_be_copied => |ended| ended.succeeds();
    a_file_in_a_directory_that_may_not_be_written_to_is_reported => |ended| ended.succeeds();
    a_file_of_another_user_in_a_sticky_directory_is_reported_and_can_be_copied => |ended| ended.succeeds();
    a_file_that_only_grows_is_reported_and_not_copied_again_and_again => |ended| ended.succeeds();
    a_directory_that_is_immutable_is_reported => |ended| ended.succeeds();
}

const GROUP: u32 = 2_000;
const USER: u32 = 1_000;

/// From now on the process is user 1000, as which it belongs to these groups besides its own.
fn become_user(groups: &[u32]) -> Result<(), &'static str> {
    // SAFETY: the list has as many groups as it is told.
    let done = unsafe {
        libc::setgroups(groups.len(), groups.as_ptr()) == 0 && libc::setgid(USER) == 0 && libc::setuid(USER) == 0
    };
    if done { Ok(()) } else { Err("not running as root") }
}

/// A directory with this mode, owner and group. The error is the reason why there is none.
fn make_dir(path: &Path, mode: u32, owner: u32, group: u32) -> Result<(), &'static str> {
    fs::create_dir(path).unwrap();
    chown(path, Some(owner), Some(group)).map_err(|_| "not running as root")?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    Ok(())
}

/// A file with a line, which the group may write to.
fn make_file(path: &Path, owner: u32) {
    fs::write(path, "before\n").unwrap();
    chown(path, Some(owner), Some(GROUP)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o664)).unwrap();
}

/// As Kubernetes makes it for `fsGroup: 2000`.
fn volume(directory: &Path) -> Result<PathBuf, &'static str> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    let volume = directory.join("volume");
    make_dir(&volume, 0o2775, 0, GROUP).map(|()| volume)
}

fn texts<const N: usize>(directory: &Path, names: [&str; N]) -> [String; N] {
    names.map(|name| fs::read_to_string(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn a_volume_of_a_group_takes_the_logs_of_its_members(directory: &Path) {
    let volume = needs!(volume(directory));
    // A container that ran as another user has left these.
    for name in ["app.log", "shared.log", "kept.log"] {
        make_file(&volume.join(name), 1_001);
    }
    symlink("kept.log", volume.join("current")).unwrap();
    needs!(become_user(&[GROUP]));
    let rotation = || Rotation::size(8).keep(2);
    let write = |name: &str, options: sink::FileOptions| {
        let mut file = options.rotation(rotation()).open(volume.join(name)).unwrap();
        (0..2).for_each(|number| writeln!(file, "line {number}").unwrap());
    };
    write("app.log", sink::File::options());
    assert_eq!(texts(&volume, ["app.log", "app.log.1", "app.log.2"]), ["line 1\n", "line 0\n", "before\n"]);
    write("shared.log", sink::File::options().shared(true));
    assert_eq!(texts(&volume, ["shared.log", "shared.log.1"]), ["line 1\n", "line 0\n"]);
    assert_eq!(volume.join("app.log").metadata().unwrap().gid(), GROUP);

    writeln!(sink::File::open(volume.join("current")).unwrap(), "by the link").unwrap();
    assert_eq!(texts(&volume, ["kept.log"]), ["before\nby the link\n"]);
    let live = rotation().naming(Naming::numbered().live(true));
    let mut file = sink::File::options().rotation(live).open(volume.join("live.log")).unwrap();
    (0..2).for_each(|number| writeln!(file, "line {number}").unwrap());
    assert_eq!(fs::read_link(volume.join("live.log")).unwrap(), Path::new("live.log.2"));
    assert_eq!(texts(&volume, ["live.log", "live.log.1"]), ["line 1\n", "line 0\n"]);
}

fn a_directory_of_another_user_in_such_a_volume_does_too(directory: &Path) {
    let volume = needs!(volume(directory));
    let theirs = volume.join("theirs");
    needs!(make_dir(&theirs, 0o2775, 1_001, GROUP));
    make_file(&theirs.join("app.log"), 1_002);
    // The group is the process's own one here.
    let own = directory.join("own");
    needs!(make_dir(&own, 0o2775, 1_001, USER));
    make_file(&own.join("app.log"), 1_002);
    chown(own.join("app.log"), None, Some(USER)).unwrap();
    needs!(become_user(&[GROUP]));
    for directory in [theirs, own] {
        let mut file = sink::File::open(directory.join("app.log")).unwrap().rotation(Rotation::size(8));
        writeln!(file, "line").unwrap();
        assert_eq!(texts(&directory, ["app.log", "app.log.1"]), ["line\n", "before\n"]);
    }
}

fn what_leads_out_of_a_volume_of_a_group_is_refused(directory: &Path) {
    let volume = needs!(volume(directory));
    let precious = directory.join("precious");
    make_file(&precious, USER);
    for (name, target) in [("absolute", precious.as_path()), ("relative", Path::new("../precious"))] {
        symlink(target, volume.join(name)).unwrap();
    }
    symlink("../not there yet", volume.join("dangling")).unwrap();
    symlink("absolute", volume.join("link to a link")).unwrap();
    fs::hard_link(&precious, volume.join("second name")).unwrap();
    let pipe = std::ffi::CString::new(volume.join("pipe").to_str().unwrap()).unwrap();
    // SAFETY: the name ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o666) }, 0);
    chown(volume.join("pipe"), Some(1_001), None).unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
    needs!(become_user(&[GROUP]));
    for name in ["absolute", "relative", "dangling", "link to a link"] {
        files::refused(&volume.join(name), "it is a symbolic link, and others can write to its directory");
    }
    files::refused(&volume.join("second name"), "it has 2 hard links");
    files::refused(&volume.join("pipe"), "it belongs to user 1001");
    assert_eq!(texts(directory, ["precious"]), ["before\n"]);
    assert!(!directory.join("not there yet").exists());
}

fn a_volume_of_a_group_is_not_trusted_by_others_or_with_the_sticky_bit(directory: &Path) {
    let volume = needs!(volume(directory));
    make_file(&volume.join("app.log"), 1_001);
    symlink("app.log", volume.join("link")).unwrap();
    let refuses = |groups: &'static [u32], mode: u32| {
        fs::set_permissions(&volume, fs::Permissions::from_mode(mode)).unwrap();
        let volume = volume.clone();
        wait_for(fork(move || {
            become_user(groups).expect("the parent is root");
            files::refused(&volume.join("link"), "it is a symbolic link");
            files::refused(&volume.join("app.log"), "it belongs to user 1001");
            std::process::exit(0);
        }));
    };
    refuses(&[], 0o2775);
    refuses(&[GROUP + 1], 0o2775);
    refuses(&[GROUP], 0o3775);
    refuses(&[GROUP], 0o2777);
}

/// What selflog is told.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn listen() {
    selflog::set(|message| TOLD.lock().unwrap().push(message.to_owned()));
}

/// Takes what was told since the last call.
#[track_caller]
fn was_told(wanted: &[&str]) {
    let told = std::mem::take(&mut *TOLD.lock().unwrap());
    let is_right = |(told, wanted): (&String, &&str)| told.contains(*wanted);
    assert!(told.len() == wanted.len() && told.iter().zip(wanted).all(is_right), "{told:#?}");
}

/// Opens the log, writes three lines of which each would begin a new file, and closes it.
fn write_three(path: &Path, rotation: Rotation) {
    let mut file = sink::File::options().rotation(rotation).open(path).unwrap();
    ["one", "two", "six"].iter().for_each(|line| writeln!(file, "{line}").unwrap());
}

fn small() -> Rotation {
    Rotation::size(4)
}

fn is_mounted(kind: Option<&Path>, target: &Path, flags: libc::c_ulong) -> bool {
    let name = |path: &Path| std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let (source, target) = (kind.map(name), name(target));
    let source = source.as_ref().map_or(std::ptr::null(), |source| source.as_ptr());
    // SAFETY: the names end with zeros, or are not given.
    unsafe { libc::mount(source, target.as_ptr(), std::ptr::null(), flags, std::ptr::null()) == 0 }
}

/// As `docker run -v /host/app.log:/logs/app.log` does it.
fn a_file_that_is_mounted_by_itself_is_reported_and_can_be_copied(directory: &Path) {
    let (outside, logs) = (directory.join("outside"), directory.join("logs"));
    fs::create_dir(&logs).unwrap();
    let path = logs.join("app.log");
    [&outside, &path].iter().for_each(|path| fs::write(path, "").unwrap());
    // SAFETY: takes flags only. This process has one thread.
    let alone = unsafe { libc::unshare(libc::CLONE_NEWNS) == 0 };
    let mounted = alone
        && is_mounted(None, Path::new("/"), libc::MS_REC | libc::MS_PRIVATE)
        && is_mounted(Some(&outside), &path, libc::MS_BIND);
    needs!(if mounted { Ok(()) } else { Err("mounting is not permitted") });
    listen();
    write_three(&path, small());
    was_told(&[
        "it is a mount point and cannot be renamed; set `copy_truncate(true)` for its rotation",
        "rotation failed",
    ]);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "one\ntwo\nsix\n");

    write_three(&path, small().copy_truncate(true));
    was_told(&[]);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "six\n");
    assert_eq!(texts(&logs, ["app.log", "app.log.1", "app.log.2"]), ["six\n", "two\n", "one\n"]);
    assert_eq!(texts(&logs, ["app.log.3"]), ["one\ntwo\nsix\n"]);
}

fn a_file_in_a_directory_that_may_not_be_written_to_is_reported(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    let logs = directory.join("logs");
    needs!(make_dir(&logs, 0o755, 0, 0));
    for name in ["app.log", "emptied.log"] {
        make_file(&logs.join(name), USER);
    }
    needs!(become_user(&[]));
    listen();
    for rotation in [small(), small().copy_truncate(true), small().naming(Naming::numbered_oldest_first())] {
        write_three(&logs.join("app.log"), rotation);
        was_told(&["may not be written to; permit that, or leave rotation to a program that may", "rotation failed"]);
    }
    assert_eq!(texts(&logs, ["app.log"]), [format!("before\n{}", "one\ntwo\nsix\n".repeat(3))]);
    write_three(&logs.join("emptied.log"), small().keep(0));
    was_told(&[]);
    assert_eq!(texts(&logs, ["emptied.log"]), ["six\n"]);
}

fn a_file_of_another_user_in_a_sticky_directory_is_reported_and_can_be_copied(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    let logs = directory.join("logs");
    needs!(make_dir(&logs, 0o1777, 0, 0));
    make_file(&logs.join("app.log"), 0);
    chown(logs.join("app.log"), None, Some(USER)).unwrap();
    needs!(become_user(&[]));
    listen();
    write_three(&logs.join("app.log"), small());
    was_told(&["has the sticky bit, and so it cannot be renamed; set `copy_truncate(true)`", "rotation failed"]);
    write_three(&logs.join("app.log"), small().copy_truncate(true));
    was_told(&[]);
    assert_eq!(texts(&logs, ["app.log", "app.log.1", "app.log.2"]), ["six\n", "two\n", "one\n"]);
    assert_eq!(texts(&logs, ["app.log.3"]), ["before\none\ntwo\nsix\n"]);
}

/// An attribute of `chattr`, removed again in the end.
struct Attribute(PathBuf, &'static str);

impl Attribute {
    fn set(path: &Path, attribute: &'static str) -> Result<Self, String> {
        let set = Command::new("chattr").arg(format!("+{attribute}")).arg(path).output();
        match installed("chattr", set)?.status.success() {
            true => Ok(Self(path.to_owned(), attribute)),
            false => Err("setting attributes of files is not permitted here".to_owned()),
        }
    }
}

impl Drop for Attribute {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg(format!("-{}", self.1)).arg(&self.0).status();
    }
}

fn a_file_that_only_grows_is_reported_and_not_copied_again_and_again(directory: &Path) {
    let path = directory.join("app.log");
    fs::write(&path, "").unwrap();
    let _attribute = needs!(Attribute::set(&path, "a"));
    listen();
    for rotation in [small(), small().copy_truncate(true), small().keep(0)] {
        write_three(&path, rotation);
        was_told(&["it is append-only (`chattr +a`) and can be neither renamed nor emptied", "rotation failed"]);
    }
    assert_eq!(texts(directory, ["app.log"]), ["one\ntwo\nsix\n".repeat(3)]);
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.starts_with("app.log.") || name.ends_with(".tmp")));
}

fn a_directory_that_is_immutable_is_reported(directory: &Path) {
    let logs = directory.join("logs");
    fs::create_dir(&logs).unwrap();
    let path = logs.join("app.log");
    fs::write(&path, "").unwrap();
    let _attribute = needs!(Attribute::set(&logs, "i"));
    listen();
    for rotation in [small(), small().copy_truncate(true)] {
        write_three(&path, rotation);
        was_told(&["is immutable or append-only (`chattr`); remove that attribute", "rotation failed"]);
    }
    write_three(&path, small().keep(0));
    was_told(&[]);
    assert_eq!(texts(&logs, ["app.log"]), ["six\n"]);
}
