/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are days")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday to Friday.
    pub const WORKING: [Self; 5] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday];

    /// In their order, which is that of ISO 8601.
    pub(crate) const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// By its English name or the first three letters of it, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let at = names.iter().position(|full| name.eq_ignore_ascii_case(full) || name.eq_ignore_ascii_case(&full[..3]));
        at.map(|at| Self::ALL[at])
    }
}
