//! What belongs to a path, and is shared by all handlers of this process that write to it.

mod join;
mod live;
mod mutex;
mod rest;
mod settings;

pub(super) use rest::Rest;
pub(super) use settings::Settings;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::control::{Control, Requests};
use super::durable::Durable;
use super::encoder::FileEncoder;
use super::group::Group;
use super::open::Open;
use super::opening::Opening;
use super::place::Place;
use super::watch::Watch;
use crate::Error;
use crate::file::rotation::{Lock, Registered, Rotator};
use crate::process::{self, Generation};
use crate::selflog::{self, Health};
use crate::sync::Mutex;
use live::Entry;

/// The log at a path. Every [`File`](super::File) on that path holds it; the last one that is dropped closes it.
pub(super) struct SharedLog {
    place: Place,
    control: Control,
    /// The number of the last handler.
    handlers: AtomicU64,
    /// The handler whose line is written in part. Outside the mutex: asking for it must not wait for a write.
    rest_of: Arc<AtomicU64>,
    /// The thread that holds the lock, by its token; 0: none.
    holder: AtomicUsize,
    /// Set if a fork could not lock it: the lock's holder does not exist in this process.
    abandoned: AtomicBool,
    state: Mutex<Log>,
}

/// The part of a log that is used under its lock.
pub(super) struct Log {
    me: Weak<SharedLog>,
    pub(super) place: Place,
    /// The handlers, and what each of them wants, the newest last.
    handlers: Vec<(u64, Settings)>,
    /// How often the rotation that the handlers want has changed, and which of these changes the rotator has.
    wanted: u64,
    installed: u64,
    pub(super) requests: Requests,
    /// Reports that the path cannot be opened again, and the file that is open stays in use.
    pub(super) stays: Health,
    /// `None` if no handler ever syncs, with the process that it belongs to.
    group: Option<(Arc<Group>, Generation)>,
    pub(super) opening: Opening,
    /// `None` before the first write of a delayed file, and after an error.
    pub(super) open: Option<Open>,
    was_opened: bool,
    /// More than one handler has used it at a time.
    was_joined: bool,
    /// The log of the same file under another name, if that is looked for and found.
    twin: Twin,
    pub(super) rest: Option<Rest>,
    rest_of: Arc<AtomicU64>,
    pub(super) watch: Option<Watch>,
    /// How often this process had been forked when the path was last looked at: children close descriptors.
    pub(super) forks: u64,
    pub(super) rotator: Option<Rotator>,
    registered: Registered,
    pub(super) shared: bool,
    /// The lock of the files that rotation renames.
    family_lock: Option<Arc<Lock>>,
    /// The same, of a shared file: while it is held, other processes neither write nor rotate the file.
    pub(super) lock: Option<Arc<Lock>>,
    /// Seals or encrypts lines.
    pub(super) encoder: Option<FileEncoder>,
    entry: Entry,
}

/// The handler that writes.
pub(super) struct Author<'a> {
    pub(super) number: u64,
    pub(super) preamble: &'a [u8],
    pub(super) durable: Option<&'a mut Durable>,
    /// Until when a write to a pipe may wait, during a flush.
    pub(super) deadline: Option<Instant>,
}

#[derive(Default)]
enum Twin {
    #[default]
    Unwanted,
    Wanted,
    Found(Arc<SharedLog>),
}

impl SharedLog {
    pub(super) fn control(&self) -> &Control {
        &self.control
    }

    /// Returns a number for another handler.
    pub(super) fn number(&self) -> u64 {
        self.handlers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether a line of the handler `number` is written in part.
    #[inline]
    pub(super) fn has_rest_of(&self, number: u64) -> bool {
        self.rest_of.load(Ordering::Relaxed) == number
    }

    fn new(place: &Place, key: Option<std::path::PathBuf>) -> Result<Arc<Self>, Error> {
        let registered = Registered::new(&place.absolute)?;
        let control = Control::default();
        let rest_of = Arc::new(AtomicU64::new(0));
        Ok(Arc::new_cyclic(|me| Self {
            place: place.clone(),
            control: control.clone(),
            handlers: AtomicU64::new(0),
            rest_of: rest_of.clone(),
            holder: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            state: Mutex::new(Log {
                me: me.clone(),
                place: place.clone(),
                handlers: Vec::new(),
                wanted: 0,
                installed: 0,
                requests: Requests::new(control),
                stays: Health::default(),
                group: None,
                opening: Opening::default(),
                open: None,
                was_opened: false,
                was_joined: false,
                twin: Twin::default(),
                rest: None,
                rest_of,
                watch: None,
                forks: process::forks(),
                rotator: None,
                registered,
                shared: false,
                family_lock: None,
                lock: None,
                encoder: None,
                entry: Entry::new(key),
            }),
        }))
    }
}

impl Log {
    pub(super) fn describe(&self) -> String {
        format!("file {}", self.place.name.display())
    }

    /// The group that syncs the file, if any handler needs one. A forked child gets a new one: it has neither the thread of its
    /// parent's, nor the holders of its lock.
    pub(super) fn group(&mut self) -> Option<&Arc<Group>> {
        if self.group.as_ref().is_some_and(|(_, process)| !process.is_current()) {
            self.group = None;
            self.need_group();
        }
        self.group.as_ref().map(|(group, _)| group)
    }

    fn need_group(&mut self) {
        let place = &self.place;
        self.group.get_or_insert_with(|| (Arc::new(Group::new(&place.name)), Generation::current()));
    }

    /// Replaces the open file.
    pub(super) fn set_open(&mut self, open: Option<Open>) {
        match &open {
            Some(open) => self.was_opened(open),
            None => self.entry.opened(None, &self.me),
        }
        self.open = open;
    }

    /// Called when a file was opened that is going to be used.
    pub(super) fn was_opened(&mut self, open: &Open) {
        self.was_opened = true;
        self.entry.opened(open.identity().filter(|_| open.is_regular()), &self.me);
    }

    /// Whether the file that was opened is in use by another log, under another name, and its handlers are to join that one.
    pub(super) fn finds_twin(&mut self, open: &Open) -> bool {
        let Some(identity) = open.identity().filter(|_| open.is_regular()) else { return false };
        if let Twin::Wanted = self.twin
            && let Some(twin) = live::with_identity(identity, &self.me)
        {
            self.twin = Twin::Found(twin);
        }
        matches!(self.twin, Twin::Found(_))
    }

    /// Keeps what is missing of a line of which a part is written.
    #[cold]
    pub(super) fn keep_rest(&mut self, rest: Rest) {
        self.rest_of.store(rest.number, Ordering::Relaxed);
        self.rest = Some(rest);
    }

    pub(super) fn forget_rest(&mut self) {
        self.rest = None;
        self.rest_of.store(0, Ordering::Relaxed);
    }
}

impl Log {
    /// Closes the file, after the last handler was removed. A handler that is added later begins as the first one. Returns the
    /// rotator, whose drop may run code of the application.
    fn close(&mut self) -> Option<Rotator> {
        if self.rest.is_some()
            && let Err(error) = self.write_rest()
        {
            selflog::tell(&format!("{}: the rest of a line is lost: {error:#}", self.describe()));
        }
        if let Err(error) = self.write_end() {
            selflog::tell(&format!("{}: cannot close: {error:#}", self.describe()));
        }
        if let Some((group, process)) = self.group.take()
            && process.is_current()
        {
            group.close();
        }
        self.forget_rest();
        self.set_open(None);
        (self.was_opened, self.was_joined, self.shared) = (false, false, false);
        self.registered.set_archives(None::<fn(&std::ffi::OsStr) -> bool>);
        (self.encoder, self.lock) = (None, None);
        self.rotator.take()
    }
}

impl fmt::Debug for SharedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLog").field("path", &self.place.name).finish_non_exhaustive()
    }
}
