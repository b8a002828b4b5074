//! The direction in which the numbers of archives count, if the files themselves prove one.

use std::fs::{File, Metadata};
use std::time::{Duration, SystemTime};

use super::name::Count;
use crate::file::rotation::is_oldest_first;

/// What an open file tells of its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness {
    /// When it was begun, as far as that is known: a compressed file was created later.
    begun: SystemTime,
    ended: SystemTime,
    /// Rotation has marked it as one of those that are numbered from the oldest.
    is_marked: bool,
}

impl Witness {
    pub(super) fn of(file: &File) -> Option<Self> {
        let metadata: Metadata = file.metadata().ok()?;
        let ended = metadata.modified().ok()?;
        let begun = metadata.created().map_or(ended, |begun| begun.min(ended));
        Some(Self { begun, ended, is_marked: is_oldest_first(file) })
    }
}

/// Returns the direction that the archives, by their numbers, and the file in use prove. `None` if they do not: they were copied, for
/// example, and have the times of their copies.
pub(super) fn proven(archives: &[(u64, Witness)], current: Option<Witness>) -> Option<Count> {
    if archives.len() < 2 {
        return None;
    }
    if archives.iter().all(|(_, witness)| witness.is_marked) {
        return Some(Count::Up);
    }
    // Without the file in use, copies that were made one after another would look like a log.
    let current = current?;
    let mut up: Vec<_> = archives.to_vec();
    up.sort_by_key(|(number, _)| *number);
    let mut files: Vec<_> = up.into_iter().map(|(_, witness)| witness).collect();
    if follow_one_another(&files, &current) {
        return Some(Count::Up);
    }
    files.reverse();
    follow_one_another(&files, &current).then_some(Count::Down)
}

/// Whether each file was begun after the one before it had ended, over a time in which nothing was just copied.
fn follow_one_another(archives: &[Witness], current: &Witness) -> bool {
    let later = archives.iter().skip(1).chain([current]);
    let is_in_order = archives.iter().zip(later).all(|(one, next)| one.ended <= next.begun);
    let (first, last) = (archives.first(), archives.last());
    let span = first.zip(last).and_then(|(first, last)| last.ended.duration_since(first.ended).ok());
    is_in_order && span.is_some_and(|span| span >= LONG)
}

const LONG: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that was begun and last written to at these seconds.
    fn file(begun: u64, ended: u64) -> Witness {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Witness { begun: at(begun), ended: at(ended), is_marked: false }
    }

    #[test]
    fn files_that_follow_one_another_prove_a_direction() {
        let [one, two, three] = [file(0, 10), file(10, 20), file(20, 30)];
        let current = Some(file(30, 99));
        assert_eq!(proven(&[(1, one), (2, two), (3, three)], current), Some(Count::Up));
        assert_eq!(proven(&[(3, one), (2, two), (1, three)], current), Some(Count::Down));
        assert_eq!(proven(&[(10, two), (9, one)], current), Some(Count::Up));
    }

    #[test]
    fn copies_and_changed_files_prove_nothing() {
        let [one, two] = [file(0, 10), file(10, 20)];
        let nothing = [
            ([one, two], None),
            // The file in use was copied first, as by `cp app.log*`.
            ([one, two], Some(file(0, 1))),
            // Both were edited later.
            ([file(40, 40), file(41, 41)], Some(file(20, 99))),
            ([file(0, 10), file(5, 20)], Some(file(20, 99))),
            // Within a moment.
            ([file(0, 0), file(0, 0)], Some(file(0, 0))),
        ];
        for ([one, two], current) in nothing {
            assert_eq!(proven(&[(1, one), (2, two)], current), None, "{one:?} {two:?} {current:?}");
        }
        assert_eq!(proven(&[(1, one)], Some(two)), None);
    }

    #[test]
    fn marks_prove_it_if_all_files_have_them() {
        let marked = Witness { is_marked: true, ..file(0, 0) };
        assert_eq!(proven(&[(1, marked), (2, marked)], None), Some(Count::Up));
        assert_eq!(proven(&[(1, marked), (2, file(0, 0))], Some(marked)), None);
    }
}
