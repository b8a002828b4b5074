use crate::{Error, ErrorKind};

/// A user or group of the operating system, by number or by name.
///
/// A name is looked up when the file is opened. If there is no such account and the name is a number (`"33"`), that number is
/// used, as by `chown(1)`.
///
/// ```
/// use tracing_handlers::sink::Account;
///
/// assert_eq!(Account::from(0).to_string(), "0");
/// assert_eq!(Account::from("www-data").to_string(), "www-data");
/// assert_eq!("www-data".parse::<Account>()?, Account::from("www-data"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Number(u32),
    Name(String),
}

impl Account {
    pub(super) fn id(&self) -> Option<u32> {
        match &self.0 {
            Kind::Number(id) => Some(*id),
            Kind::Name(_) => None,
        }
    }

    pub(super) fn resolve_user(&mut self) -> Result<(), Error> {
        self.resolve("user", system::user)
    }

    pub(super) fn resolve_group(&mut self) -> Result<(), Error> {
        self.resolve("group", system::group)
    }

    fn resolve(&mut self, what: &str, find: fn(&str) -> std::io::Result<Option<u32>>) -> Result<(), Error> {
        if !cfg!(unix) {
            return Err(Error::new(ErrorKind::Config, format!("{what} {self}: owners cannot be set on this system")));
        }
        let Kind::Name(name) = &self.0 else { return Ok(()) };
        let found = find(name).map_err(|error| Error::io(format!("cannot look up the {what} {name:?}"), error))?;
        let Some(id) = found.or_else(|| name.parse().ok()) else {
            return Err(Error::new(ErrorKind::Config, format!("there is no {what} {name:?}")));
        };
        self.0 = Kind::Number(id);
        Ok(())
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Number(id) => f.pad(&id.to_string()),
            Kind::Name(name) => f.pad(name),
        }
    }
}

/// Every text is a name, without the whitespace around it; this never fails. A number that was displayed is read as a name, too.
impl std::str::FromStr for Account {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(text.trim().into())
    }
}

impl From<u32> for Account {
    fn from(id: u32) -> Self {
        Self(Kind::Number(id))
    }
}

impl From<&str> for Account {
    fn from(name: &str) -> Self {
        Self(Kind::Name(name.to_owned()))
    }
}

impl From<String> for Account {
    fn from(name: String) -> Self {
        Self(Kind::Name(name))
    }
}

#[cfg(unix)]
mod system {
    use std::ffi::{CStr, CString, c_char, c_int};
    use std::io;
    use std::mem::MaybeUninit;
    use std::ptr;

    pub(super) fn user(name: &str) -> io::Result<Option<u32>> {
        // SAFETY: `look_up` passes pointers that are valid during the call.
        look_up(name, |name, entry, buffer, found| unsafe {
            libc::getpwnam_r(name.as_ptr(), entry, buffer.as_mut_ptr(), buffer.len(), found)
        })
        .map(|found| found.map(|entry: libc::passwd| entry.pw_uid))
    }

    pub(super) fn group(name: &str) -> io::Result<Option<u32>> {
        // SAFETY: as in `user`.
        look_up(name, |name, entry, buffer, found| unsafe {
            libc::getgrnam_r(name.as_ptr(), entry, buffer.as_mut_ptr(), buffer.len(), found)
        })
        .map(|found| found.map(|entry: libc::group| entry.gr_gid))
    }

    /// Only the number of the result may be used: its other fields point into the buffer, which is freed.
    fn look_up<T>(
        name: &str,
        call: impl Fn(&CStr, *mut T, &mut [c_char], *mut *mut T) -> c_int,
    ) -> io::Result<Option<T>> {
        // No account has a name with a zero.
        let Ok(name) = CString::new(name) else { return Ok(None) };
        let mut buffer: Vec<c_char> = vec![0; 1 << 10];
        loop {
            let (mut entry, mut found) = (MaybeUninit::uninit(), ptr::null_mut());
            match call(&name, entry.as_mut_ptr(), &mut buffer, &raw mut found) {
                0 if found.is_null() => return Ok(None),
                // SAFETY: the call has initialized `entry` if `found` is set.
                0 => return Ok(Some(unsafe { entry.assume_init() })),
                libc::EINTR => {}
                // A group may have many members.
                libc::ERANGE if buffer.len() < MOST => buffer.resize(buffer.len() * 4, 0),
                // getpwnam(3): returned by some systems if there is no such account.
                libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
                code => return Err(io::Error::from_raw_os_error(code)),
            }
        }
    }

    const MOST: usize = 1 << 24;
}

#[cfg(not(unix))]
mod system {
    pub(super) fn user(_: &str) -> std::io::Result<Option<u32>> {
        Ok(None)
    }

    pub(super) fn group(_: &str) -> std::io::Result<Option<u32>> {
        Ok(None)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_and_numbers_are_used_as_they_are() {
        let user = |mut account: Account| account.resolve_user().map(|()| account.id());
        assert_eq!(user("root".into()).unwrap(), Some(0));
        assert_eq!(user(33.into()).unwrap(), Some(33));
        assert_eq!(user("4000000000".into()).unwrap(), Some(4_000_000_000));
        let mut group = Account::from(String::from("0"));
        group.resolve_group().unwrap();
        assert_eq!(group.id(), Some(0));
    }

    #[test]
    fn an_unknown_name_is_a_configuration_error() {
        for name in ["no such account", "", "a\0b", "4294967296", "-1"] {
            let error = Account::from(name).resolve_user().unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, format!("there is no user {name:?}")));
            let error = Account::from(name).resolve_group().unwrap_err();
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, format!("there is no group {name:?}")));
        }
    }
}
