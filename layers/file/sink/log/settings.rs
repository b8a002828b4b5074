use crate::file::rotation::Rotation;
use crate::file::sink::opening::Opening;
use crate::file::sink::watch::Watch;

/// What a handler wants of the file that it shares with others.
#[derive(Clone, Debug, Default)]
pub(in crate::file::sink) struct Settings {
    pub(in crate::file::sink) opening: Opening,
    pub(in crate::file::sink) watch: Option<Watch>,
    pub(in crate::file::sink) shared: bool,
    pub(in crate::file::sink) rotation: Option<Rotation>,
}

impl Settings {
    /// What `newer` sets, and of the others what it does not set.
    pub(super) fn overridden_by(self, newer: &Self) -> Self {
        let (old, new) = (self.opening, &newer.opening);
        let mut opening = new.clone();
        opening.truncate |= old.truncate;
        opening.is_durable |= old.is_durable;
        let ownership = &mut opening.ownership;
        ownership.mode = ownership.mode.or(old.ownership.mode);
        ownership.dir_mode = ownership.dir_mode.or(old.ownership.dir_mode);
        ownership.owner = ownership.owner.take().or(old.ownership.owner);
        ownership.group = ownership.group.take().or(old.ownership.group);
        Self {
            opening,
            watch: newer.watch.clone(),
            // Other processes rely on it.
            shared: self.shared || newer.shared,
            rotation: newer.rotation.clone().or(self.rotation),
        }
    }

    /// The names of the settings that `newer` changes.
    pub(super) fn changed_by(&self, newer: &Self) -> Vec<&'static str> {
        let (old, new) = (&self.opening, &newer.opening);
        let rotates_alike = match (&self.rotation, &newer.rotation) {
            (None, None) => true,
            (Some(old), Some(new)) => old.is_like(new),
            _ => false,
        };
        let watches = |of: &Self| of.watch.as_ref().map(Watch::interval);
        let changes = [
            ("create_dirs", old.keep_dirs != new.keep_dirs),
            ("mode", old.ownership.mode != new.ownership.mode),
            ("dir_mode", old.ownership.dir_mode != new.ownership.dir_mode),
            ("owner", old.ownership.owner != new.ownership.owner),
            ("group", old.ownership.group != new.ownership.group),
            ("follow_links", old.follow_links != new.follow_links),
            ("rotation", !rotates_alike),
            ("watch", watches(self) != watches(newer)),
            ("shared", self.shared != newer.shared),
        ];
        changes.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
    }
}
