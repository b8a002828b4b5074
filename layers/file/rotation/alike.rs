use super::Rotation;
use super::retention::Retention;

impl Rotation {
    /// Whether the settings are the same, as far as they can be compared: functions and clocks are left out.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let texts = |of: &Self| format!("{:?} {:?}", of.trigger, of.naming);
        texts(self) == texts(other)
            && self.retention.is_like(&other.retention)
            && self.compression == other.compression
            && self.rotator.is_some() == other.rotator.is_some()
            && self.copies == other.copies
    }
}

impl Retention {
    fn is_like(&self, other: &Self) -> bool {
        let budgets = match (&self.budget, &other.budget) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is(other),
            _ => false,
        };
        let limits = |of: &Self| (of.count, of.age, of.total, of.free);
        budgets && limits(self) == limits(other)
    }
}
