//! What others can do to a process: namespaces that give a child the id of its parent, and variables of the environment.

#[cfg(all(target_os = "linux", feature = "encryption"))]
use tracing_handlers::encryption::{Decryptor, Encryptor, Key, Keys};

use super::*;

cases! {
    #[cfg(feature = "gzip")]
    no_variable_of_the_environment_kills_a_process => |ended| ended.succeeds();
    #[cfg(all(target_os = "linux", feature = "encryption"))]
    a_child_with_the_id_of_its_parent_uses_no_nonce_of_its_parent => |ended| ended.succeeds();
    #[cfg(all(target_os = "linux", feature = "encryption"))]
    a_forked_child_with_the_id_of_its_parent_uses_no_nonce_of_its_parent => |ended| ended.succeeds();
}

/// The points of `layers/file/rotation/fault.rs` are not built into programs.
#[cfg(feature = "gzip")]
fn no_variable_of_the_environment_kills_a_process(directory: &Path) {
    use tracing_handlers::rotation::{Compression, Rotation, settle};

    let rotation = Rotation::size(100).keep(9).compression(Compression::gzip());
    // SAFETY: no other thread exists yet.
    unsafe { std::env::set_var("TRACING_HANDLERS_KILL_AT", "packing") };
    let mut file = tracing_handlers::sink::File::options().rotation(rotation).open(directory.join("app.log")).unwrap();
    (0..9).for_each(|_| writeln!(file, "{}", "x".repeat(60)).unwrap());
    drop(file);
    assert!(settle(Duration::from_secs(30)));
    assert!(directory.join("app.log.1.gz").exists());
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
        let mut file = tracing_handlers::sink::File::options().encrypt(keys.clone()).open(&path).unwrap();
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
