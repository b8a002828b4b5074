//! What others can do to a process: namespaces that give a child the id of its parent, and variables of the environment.

#[cfg(all(target_os = "linux", feature = "encryption"))]
use tracing_handlers::encryption::Encryptor;
#[cfg(all(unix, feature = "encryption"))]
use tracing_handlers::encryption::{Decryptor, Key, Keys};

#[cfg(any(feature = "gzip", feature = "zstd"))]
use tracing_handlers::rotation::Compression;
use tracing_handlers::rotation::{Rotation, settle};
use tracing_handlers::sink;

use super::*;

cases! {
    #[cfg(feature = "gzip")]
    no_variable_of_the_environment_kills_a_process => |ended| ended.succeeds();
    #[cfg(feature = "zstd")]
    no_variable_of_the_environment_kills_a_process_when_a_point_is_reached_again => |ended| ended.succeeds();
    no_variable_of_the_environment_kills_a_process_that_copies_its_file => |ended| ended.succeeds();
    #[cfg(all(unix, feature = "seal"))]
    a_child_that_outlives_its_parent_does_not_keep_its_sealed_log_locked => |ended| ended.succeeds();
    #[cfg(all(unix, feature = "encryption"))]
    a_child_that_outlives_its_parent_does_not_keep_its_encrypted_log_locked => |ended| ended.succeeds();
    #[cfg(all(target_os = "linux", feature = "encryption"))]
    a_child_with_the_id_of_its_parent_uses_no_nonce_of_its_parent => |ended| ended.succeeds();
    #[cfg(all(target_os = "linux", feature = "encryption"))]
    a_forked_child_with_the_id_of_its_parent_uses_no_nonce_of_its_parent => |ended| ended.succeeds();
}

/// The points of `layers/file/rotation/fault.rs` are not built into programs.
#[cfg(feature = "gzip")]
fn no_variable_of_the_environment_kills_a_process(directory: &Path) {
    rotate_with(directory, "packing", |rotation| rotation.compression(Compression::gzip()));
    assert!(directory.join("app.log.1.gz").exists());
}

#[cfg(feature = "zstd")]
fn no_variable_of_the_environment_kills_a_process_when_a_point_is_reached_again(directory: &Path) {
    rotate_with(directory, "removed:2", |rotation| rotation.compression(Compression::zstd()));
    assert!(directory.join("app.log.2.zst").exists());
}

fn no_variable_of_the_environment_kills_a_process_that_copies_its_file(directory: &Path) {
    rotate_with(directory, "copied", |rotation| rotation.copy_truncate(true));
    assert!(directory.join("app.log.1").exists());
}

/// Rotates a file several times in a process in whose environment this point is named.
fn rotate_with(directory: &Path, point: &str, set: impl FnOnce(Rotation) -> Rotation) {
    let rotation = set(Rotation::size(100).keep(9));
    // SAFETY: no other thread exists yet.
    unsafe { std::env::set_var("TRACING_HANDLERS_KILL_AT", point) };
    let mut file = sink::File::options().rotation(rotation).open(directory.join("app.log")).unwrap();
    (0..9).for_each(|_| writeln!(file, "{}", "x".repeat(60)).unwrap());
    drop(file);
    assert!(settle(Duration::from_secs(30)));
}

#[cfg(all(unix, feature = "seal"))]
fn a_child_that_outlives_its_parent_does_not_keep_its_sealed_log_locked(directory: &Path) {
    use tracing_handlers::seal::{Key, Seal, verify};

    let key = || Key::from_bytes([7; 32]);
    let path = directory.join("log");
    while_a_child_lives_on(&path, || sink::File::options().seal(Seal::new(key())));
    assert_eq!(verify(&path, &key()).unwrap().lines, 2);
}

#[cfg(all(unix, feature = "encryption"))]
fn a_child_that_outlives_its_parent_does_not_keep_its_encrypted_log_locked(directory: &Path) {
    let keys = || Keys::new(Key::from_bytes([7; 32]));
    let path = directory.join("log.enc");
    while_a_child_lives_on(&path, || sink::File::options().encrypt(keys()));
    assert_eq!(std::io::read_to_string(Decryptor::open(&path, keys()).unwrap()).unwrap(), "one\ntwo\n");
}

/// A process opens a log, forks, and ends without closing it. Opens the log again while the child lives on.
#[cfg(all(unix, any(feature = "seal", feature = "encryption")))]
fn while_a_child_lives_on(path: &Path, options: impl Fn() -> sink::FileOptions) {
    let (mut ready, mut is_ready) = std::io::pipe().unwrap();
    let parent = fork(|| {
        let mut file = options().open(path).unwrap();
        writeln!(file, "one").unwrap();
        fork(|| {
            is_ready.write_all(&std::process::id().to_ne_bytes()).unwrap();
            // SAFETY: it takes nothing, and waits for a signal.
            unsafe { libc::pause() };
        });
        // Dropping it would unlock the log.
        std::mem::forget(file);
    });
    wait_for(parent);
    let mut child = [0; 4];
    std::io::Read::read_exact(&mut ready, &mut child).unwrap();
    let mut file = options().open(path).unwrap();
    writeln!(file, "two").unwrap();
    // SAFETY: it takes numbers only. The child ends by itself only after its alarm.
    assert_eq!(unsafe { libc::kill(libc::pid_t::from_ne_bytes(child), libc::SIGKILL) }, 0, "the child has lived on");
}

#[cfg(all(target_os = "linux", feature = "encryption"))]
fn a_child_with_the_id_of_its_parent_uses_no_nonce_of_its_parent(directory: &Path) {
    as_first_process_of_a_namespace(directory, |work| {
        // `clone(2)` calls no fork handlers.
        // SAFETY: as `fork(2)`; this process has one thread.
        let child = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_NEWPID | libc::SIGCHLD, 0, 0, 0, 0) };
        end_child(child as libc::pid_t, work)
    });
}

#[cfg(all(target_os = "linux", feature = "encryption"))]
fn a_forked_child_with_the_id_of_its_parent_uses_no_nonce_of_its_parent(directory: &Path) {
    as_first_process_of_a_namespace(directory, |work| {
        // SAFETY: it takes numbers only; this process has one thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWPID) }, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: this process has one thread.
        end_child(unsafe { libc::fork() }, work)
    });
}

/// A child of the first process of a namespace, made by `make`, is the first one of another namespace.
#[cfg(all(target_os = "linux", feature = "encryption"))]
fn as_first_process_of_a_namespace(directory: &Path, make: fn(&mut dyn FnMut() -> bool) -> bool) {
    // SAFETY: it takes numbers only.
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
        return crate::skip::skipped("this user may not make a PID namespace");
    }
    // SAFETY: this process has one thread.
    let is_well = end_child(unsafe { libc::fork() }, &mut || {
        let keys = Keys::new(Key::from_bytes([7; 32]));
        let path = directory.join("app.log.enc");
        let mut file = sink::File::options().encrypt(keys.clone()).open(&path).unwrap();
        let mut encryptor = Encryptor::new(Vec::new(), keys.clone());
        file.write_all(b"one\n").unwrap();
        encryptor.write_all(b"one\n").unwrap();
        assert_eq!(std::process::id(), 1);
        let is_refused = make(&mut || {
            std::process::id() == 1 && file.write_all(b"child\n").is_err() && encryptor.write_all(b"child\n").is_err()
        });
        file.write_all(b"two\n").unwrap();
        drop(file);
        let text = std::io::read_to_string(Decryptor::open(&path, keys).unwrap()).unwrap();
        is_refused && text == "one\ntwo\n"
    });
    assert!(is_well, "a child wrote with a nonce of its parent");
}

/// Does `work` in the child, and says in the parent whether it succeeded.
#[cfg(all(target_os = "linux", feature = "encryption"))]
fn end_child(child: libc::pid_t, work: &mut dyn FnMut() -> bool) -> bool {
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(false);
        // SAFETY: it ends the child without running anything of the parent's.
        unsafe { libc::_exit(if done { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above, and writes to a local.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status == 0
}
