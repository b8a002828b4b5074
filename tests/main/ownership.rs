//! Owners, groups and permissions of files that are made, and links that are not followed. What takes another user than the one
//! that runs the tests is in `tests/ends/files.rs`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_handlers::ErrorKind;
use tracing_handlers::rotation::Rotation;
use tracing_handlers::sink::{self, File, Sink as _};

use crate::skip::needs;

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn owners(path: &Path) -> (u32, u32) {
    let metadata = path.metadata().unwrap();
    (metadata.uid(), metadata.gid())
}

fn is_root(directory: &Path) -> Result<(), &'static str> {
    match owners(directory).0 {
        0 => Ok(()),
        _ => Err("not running as root"),
    }
}

#[track_caller]
fn refused(path: &Path, why: &str) {
    let error = File::open(path).unwrap_err();
    assert_eq!((error.kind(), error.io_error().unwrap().kind()), (ErrorKind::Io, std::io::ErrorKind::PermissionDenied));
    let error = format!("{error:#}");
    assert!(error.starts_with(&format!("cannot open {}: ", path.display())) && error.contains(why), "{error}");
}

#[test]
fn what_is_made_belongs_to_whom_it_should_and_so_does_what_rotation_begins() {
    let dir = tempfile::tempdir().unwrap();
    needs!(is_root(dir.path()));
    let path = dir.path().join("logs/deep/app.log");
    let options = File::options().owner(4_001).group(4_002).mode(0o640).dir_mode(0o750);
    let mut file = options.clone().rotation(Rotation::size(4)).open(&path).unwrap();
    file.write_all(b"one\n").unwrap();
    file.write_all(b"two\n").unwrap();
    for made in [&path, &dir.path().join("logs/deep/app.log.1")] {
        assert_eq!((owners(made), made.metadata().unwrap().mode() & 0o7777), ((4_001, 4_002), 0o640));
    }
    for made in ["logs", "logs/deep"].map(|name| dir.path().join(name)) {
        assert_eq!((owners(&made), made.metadata().unwrap().mode() & 0o7777), ((4_001, 4_002), 0o750));
    }
    // It is opened again, although it and its directory belong to other users.
    drop(file);
    options.open(&path).unwrap();
}

#[test]
fn owners_have_names_and_what_exists_keeps_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "").unwrap();
    let before = owners(&path);
    File::options().owner("root").group("root").open(&path).unwrap();
    assert_eq!(owners(&path), before);
    needs!(is_root(dir.path()));
    let path = dir.path().join("new.log");
    File::options().owner(String::from("root")).group("4003").open(&path).unwrap();
    assert_eq!(owners(&path), (0, 4_003));
}

#[test]
fn an_unknown_account_is_an_error_when_the_file_is_opened_delayed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    for delay in [false, true] {
        let error = File::options().group("no such group").delay(delay).open(&path).unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Config, "there is no group \"no such group\""));
    }
    assert!(!path.exists());
}

#[test]
fn links_are_followed_in_private_directories_and_refused_in_shared_ones() {
    let dir = tempfile::tempdir().unwrap();
    let [precious, link, dangling] = ["precious", "link", "dangling"].map(|name| dir.path().join(name));
    fs::write(&precious, "").unwrap();
    symlink("precious", &link).unwrap();
    symlink("not there yet", &dangling).unwrap();
    for path in [&link, &dangling] {
        File::open(path).unwrap().write_all(b"x\n").unwrap();
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "x\n");
    fs::remove_file(dir.path().join("not there yet")).unwrap();
    for shared in [0o777, 0o1777, 0o702] {
        permit(dir.path(), shared);
        refused(&link, "it is a symbolic link, and others can write to its directory");
        refused(&dangling, "it is a symbolic link, and others can write to its directory");
        File::open(&precious).unwrap();
        File::open(dir.path().join(format!("new{shared}"))).unwrap();
    }
    assert!(!dir.path().join("not there yet").exists());
    for path in [&link, &dangling] {
        File::options().follow_links(true).open(path).unwrap();
    }
}

#[test]
fn a_file_that_a_link_leads_to_is_made_with_the_permissions_that_were_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let [link, via, target] = ["link", "via", "logs/app.log"].map(|name| dir.path().join(name));
    fs::create_dir(dir.path().join("logs")).unwrap();
    symlink("via", &link).unwrap();
    symlink(&target, &via).unwrap();
    let mut file = File::options().mode(0o604).open(&link).unwrap();
    file.write_all(b"x\n").unwrap();
    assert_eq!(target.metadata().unwrap().mode() & 0o7777, 0o604);
    assert_eq!(fs::read_to_string(&target).unwrap(), "x\n");
    assert!(link.is_symlink() && via.is_symlink());
}

#[test]
fn a_link_to_itself_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link");
    symlink("link", &link).unwrap();
    assert!(File::open(&link).is_err());
}

#[test]
fn hard_links_are_refused_in_shared_directories() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "").unwrap();
    fs::hard_link(&path, dir.path().join("second")).unwrap();
    File::open(&path).unwrap();
    permit(dir.path(), 0o1777);
    refused(&path, "it has 2 hard links, and others can write to its directory");
    File::options().follow_links(true).open(&path).unwrap();
}

#[test]
fn a_directory_that_another_group_can_write_to_is_shared() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link");
    symlink("app.log", &link).unwrap();
    permit(dir.path(), 0o770);
    File::open(&link).unwrap();
    needs!(is_root(dir.path()));
    chown(dir.path(), None, Some(4_004)).unwrap();
    permit(dir.path(), 0o770);
    refused(&link, "it is a symbolic link");
    permit(dir.path(), 0o750);
    File::open(&link).unwrap();
}

#[test]
fn a_file_put_in_its_place_while_it_is_delayed_or_rotated_is_refused_too() {
    let dir = tempfile::tempdir().unwrap();
    permit(dir.path(), 0o1777);
    let [path, precious] = ["app.log", "precious"].map(|name| dir.path().join(name));
    fs::write(&precious, "").unwrap();
    let mut file = File::options().delay(true).open(&path).unwrap();
    symlink(&precious, &path).unwrap();
    assert!(format!("{:#}", file.write_all(b"x\n").unwrap_err()).contains("it is a symbolic link"));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "");
}

#[test]
fn no_moment_is_left_in_which_a_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    permit(dir.path(), 0o1777);
    let [path, link, plain, precious] = ["app.log", "a link", "plain", "precious"].map(|name| dir.path().join(name));
    fs::write(&precious, "").unwrap();
    let (stop, mut opened, mut refused) = (AtomicBool::new(false), 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                symlink(&precious, &link).unwrap();
                fs::rename(&link, &path).unwrap();
                fs::write(&plain, "").unwrap();
                fs::rename(&plain, &path).unwrap();
                let _ = fs::remove_file(&path);
            }
        });
        while opened < 200 || refused < 200 {
            // The first write looks at the path again, and may be refused for that.
            match File::open(&path).map(|mut file| file.write_all(b"x\n")) {
                Ok(_) => opened += 1,
                Err(_) => refused += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_to_string(&precious).unwrap(), "");
}

#[test]
fn pipes_and_descriptors_are_written_to_as_ever() {
    let dir = tempfile::tempdir().unwrap();
    permit(dir.path(), 0o1777);
    let path = dir.path().join("pipe");
    let name = std::ffi::CString::new(path.clone().into_os_string().into_encoded_bytes()).unwrap();
    // SAFETY: the name ends with a zero.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let reader = std::thread::spawn({
        let path = path.clone();
        move || fs::read_to_string(path).unwrap()
    });
    File::open(&path).unwrap().write_all(b"through a pipe\n").unwrap();
    assert_eq!(reader.join().unwrap(), "through a pipe\n");

    let (mut reader, writer) = std::io::pipe().unwrap();
    let named = Path::new("/dev/fd").join(writer.as_raw_fd().to_string());
    let mut file = sink::File::open(&named).unwrap();
    file.write_all(b"through a descriptor\n").unwrap();
    drop((file, writer));
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through a descriptor\n");
    let null = File::open("/dev/null").unwrap();
    assert_eq!(null.describe(), "file /dev/null");
}
