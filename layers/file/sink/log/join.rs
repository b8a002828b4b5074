//! Handlers join a log and leave it.

use std::sync::Arc;

use super::{Log, SharedLog, Twin, live};
use crate::file::rotation::{Lock, Rotation, Rotator, With};
use crate::file::sink::devices;
use crate::file::sink::encoder::{Encoder, FileEncoder};
use crate::file::sink::log::Settings;
use crate::file::sink::place::Place;
use crate::{Error, ErrorKind, selflog};

impl SharedLog {
    /// Returns the log at `place`: the open one if there is one.
    pub(in crate::file::sink) fn at(place: &Place) -> Result<Arc<Self>, Error> {
        // What the program was given, such as `/dev/stdout`, is opened each time.
        let key = if devices::lead_to(&place.absolute) { None } else { live::key_of(&place.absolute) };
        if let Some(known) = key.as_deref().and_then(live::find) {
            return Ok(known);
        }
        let log = Self::new(place, key.clone())?;
        log.hold_at_forks();
        Ok(match key {
            Some(key) => live::enter(&key, log),
            None => log,
        })
    }

    /// Adds the handler `number`. What its settings change applies to the others too.
    pub(in crate::file::sink) fn admit(
        &self,
        number: u64,
        settings: Settings,
        encoder: Option<&dyn Encoder>,
        is_durable: bool,
    ) -> Result<(), Error> {
        // Not under the lock: it is registered with the process, as forks require. The same goes for one that is not used.
        let mut encoder = encoder.map(|encoder| FileEncoder::new(encoder.renewed()));
        let mut log = self.lock()?;
        log.set_encoder(&mut encoder)?;
        if is_durable {
            log.need_group();
        }
        let changed = log.enter(number, settings);
        drop(log);
        self.tell_changed(&changed);
        self.renew_rotator()?;
        self.lock()?.look_again()
    }

    /// Sets the rotation that the handler `number` wants, unless the file can never be rotated like this.
    pub(in crate::file::sink) fn set_rotation(&self, number: u64, rotation: Rotation) -> Result<(), Error> {
        let mut log = self.lock()?;
        rotation.check(&self.place.absolute, With { shared: log.shared, encoded: log.encoder.is_some() })?;
        let Some(place) = log.handlers.iter().position(|(known, _)| *known == number) else { return Ok(()) };
        // Moved to the end: its rotation is the newest.
        let (_, mut settings) = log.handlers.remove(place);
        settings.rotation = Some(rotation);
        let changed = log.enter(number, settings);
        drop(log);
        self.tell_changed(&changed);
        self.renew_rotator()
    }

    /// Removes the handler `number`. What only it wanted does not apply any more.
    pub(in crate::file::sink) fn dismiss(&self, number: u64) -> Result<(), Error> {
        let mut log = self.lock()?;
        let before = log.rotates_for();
        log.handlers.retain(|(known, _)| *known != number);
        if log.handlers.is_empty() {
            // Here, and not when the log is dropped: a fork at this moment keeps it for a while.
            let unused = log.close();
            drop(log);
            drop(unused);
            return Ok(());
        }
        log.apply();
        if log.rotates_for() != before {
            log.wanted += 1;
        }
        drop(log);
        self.renew_rotator()
    }

    fn tell_changed(&self, changed: &[&str]) {
        if !changed.is_empty() {
            let (path, names) = (self.place.name.display(), changed.join(", "));
            selflog::tell(&format!(
                "file {path}: opened again with other settings, which now apply to all handlers that write to it: {names}"
            ));
        }
    }

    /// Makes the rotator that the handlers want. Not under the lock: it is registered with the process, as forks require.
    fn renew_rotator(&self) -> Result<(), Error> {
        let Some(Wanted { number, rotation, family_lock, shared }) = self.lock()?.wanted() else { return Ok(()) };
        let rotator = rotation.map(|rotation| Rotator::new(rotation, &self.place.absolute, &family_lock, shared));
        let unused = self.lock()?.install(number, rotator);
        // It may run code of the application.
        drop(unused);
        Ok(())
    }
}

/// The rotation that the handlers want.
struct Wanted {
    number: u64,
    rotation: Option<Rotation>,
    family_lock: Arc<Lock>,
    shared: bool,
}

impl Log {
    /// Sets the encoder of the first handler. The others must have the same. Leaves the one that is not used.
    fn set_encoder(&mut self, encoder: &mut Option<FileEncoder>) -> Result<(), Error> {
        if self.handlers.is_empty() && !self.was_opened {
            std::mem::swap(&mut self.encoder, encoder);
            return Ok(());
        }
        let what = match (&mut self.encoder, encoder) {
            (None, None) => return Ok(()),
            (Some(open), Some(new)) if open.encodes_like(new) => {
                if open.is_inherited() {
                    // The state belongs to the parent process. The next write opens and locks the file again.
                    std::mem::swap(open, new);
                    self.set_open(None);
                }
                return Ok(());
            }
            (Some(_), Some(_)) => "it is open in this process with another key, or sealed instead of encrypted",
            (Some(_), None) => "it is open in this process, and is sealed or encrypted there",
            (None, Some(_)) => "it is open in this process, and is neither sealed nor encrypted there",
        };
        Err(Error::new(ErrorKind::Config, format!("{}: {what}", self.describe())))
    }

    /// Returns the names of the settings that change for other handlers.
    fn enter(&mut self, number: u64, settings: Settings) -> Vec<&'static str> {
        let (before, was_shared) = (self.settings(), self.shared);
        let sets_rotation = settings.rotation.is_some();
        self.handlers.push((number, settings));
        self.was_joined |= self.handlers.len() > 1;
        let after = self.apply();
        if sets_rotation || self.shared != was_shared {
            self.wanted += 1;
        }
        match before {
            Some(before) if self.handlers.len() > 1 => before.changed_by(&after),
            _ => Vec::new(),
        }
    }

    /// The settings that apply.
    fn settings(&self) -> Option<Settings> {
        self.handlers.iter().fold(None, |older: Option<Settings>, (_, newer)| {
            Some(older.map_or_else(|| newer.clone(), |older| older.overridden_by(newer)))
        })
    }

    fn apply(&mut self) -> Settings {
        let settings = self.settings().unwrap_or_default();
        self.opening = settings.opening.clone();
        // Later on it holds the lines of this process.
        self.opening.truncate &= !self.was_opened;
        self.watch = settings.watch.clone();
        self.shared = settings.shared;
        settings
    }

    /// The handler whose rotation applies, and whether the file is shared.
    fn rotates_for(&self) -> (Option<u64>, bool) {
        let newest = self.handlers.iter().rev().find(|(_, settings)| settings.rotation.is_some());
        (newest.map(|(number, _)| *number), self.shared)
    }

    /// The rotation that is wanted, if that is not the one in use.
    fn wanted(&mut self) -> Option<Wanted> {
        if self.wanted == self.installed {
            return None;
        }
        // One for all rotators: what the previous one has left to do in the background excludes the next one.
        let family_lock = self.family_lock.get_or_insert_with(|| Arc::new(Lock::new())).clone();
        let default = self.shared.then(Rotation::on_request);
        let rotation = self.settings().and_then(|settings| settings.rotation).or(default);
        Some(Wanted { number: self.wanted, rotation, family_lock, shared: self.shared })
    }

    /// Replaces the rotator, unless another one has been wanted since. Returns the one that is not used.
    fn install(&mut self, wanted: u64, mut rotator: Option<Rotator>) -> Option<Rotator> {
        if self.wanted != wanted {
            return rotator;
        }
        let is_in_use = self.was_joined && self.was_opened;
        if is_in_use {
            rotator.iter_mut().for_each(Rotator::continues);
        }
        let family = rotator.as_ref().map(|rotator| rotator.family().clone());
        self.registered.set_archives(family.map(|family| move |name: &std::ffi::OsStr| family.may_produce(name)));
        if let Some(lock) = self.family_lock.as_ref().filter(|lock| lock.is_shared() != self.shared) {
            match self.shared {
                true => lock.share(&self.place.absolute, self.opening.ownership()),
                false => lock.unshare(),
            }
        }
        self.lock = rotator.as_ref().filter(|_| self.shared).map(|rotator| rotator.lock().clone());
        self.installed = wanted;
        std::mem::swap(&mut self.rotator, &mut rotator);
        // The file may need another name now; a pipe stays open.
        if is_in_use {
            self.open_anew_locked()
        } else {
            self.leave()
        }
        rotator
    }

    fn open_anew_locked(&mut self) {
        if self.open.is_none() {
            return;
        }
        let lock = self.lock.clone();
        match self.acquire(lock.as_deref()) {
            Ok(_held) => self.open_anew(),
            Err(_) => self.leave(),
        }
    }

    /// Opens the file. Returns the log that has it open under another name instead, if there is one.
    pub(in crate::file::sink) fn open_first(&mut self) -> Result<Option<Arc<SharedLog>>, Error> {
        if !self.was_opened && self.handlers.len() == 1 {
            self.twin = Twin::Wanted;
        }
        let opened = self.open_locked();
        match std::mem::take(&mut self.twin) {
            Twin::Found(twin) => Ok(Some(twin)),
            _ => opened.map(|()| None),
        }
    }
}
