use std::collections::{HashMap, VecDeque};

use tracing_handlers::filter::LevelFilter;
use tracing_handlers::record::{Kind, SpanEvents};

use super::{Asked, Counted, Handled, Model, Node, Rec, allows, level_of, most_of};

/// An `Alert` with a window and a cool-down of one minute.
pub struct Alert {
    level: Option<u8>,
    count: usize,
    per_area: bool,
    to: Option<Node>,
    /// By area. Records without one share a window.
    windows: HashMap<Option<String>, Window>,
    counted: Counted,
}

#[derive(Default)]
struct Window {
    times: VecDeque<i64>,
    quiet_until: Option<i64>,
}

impl Alert {
    pub fn new(level: Option<u8>, count: usize, per_area: bool, to: Option<Node>, name: &str) -> Self {
        Self { level, count, per_area, to, windows: HashMap::new(), counted: Counted::named(name) }
    }

    fn alarm(&self, area: Option<&str>, record: &Rec) -> Rec {
        let (name, count) = (&self.counted.name, self.count);
        let of = area.map_or(String::new(), |area| format!(" of {area}"));
        let mut alarm = record.clone();
        alarm.kind = Kind::Event;
        alarm.severity = 19;
        alarm.message = format!("{name}: {count} records{of} within 60 s, the last: {}", record.message);
        let alarm = alarm.with("alert", name).with("count", count).with("within", "60.0");
        area.map_or(alarm.clone(), |area| alarm.with("key", area))
    }
}

impl Window {
    fn is_full_with(&mut self, record: &Rec, count: usize) -> bool {
        // A late record counts as having the time of its predecessor.
        let time = self.times.back().map_or(record.time, |last| record.time.max(*last));
        self.times.push_back(time);
        if self.times.len() > count {
            self.times.pop_front();
        }
        let are_many = self.times.len() == count && time - self.times[0] < 60;
        let is_full = are_many && self.quiet_until.is_none_or(|until| time >= until);
        if is_full {
            self.quiet_until = Some(time + 60);
        }
        is_full
    }
}

impl Model for Alert {
    fn handle(&mut self, record: &Rec) -> Handled {
        if record.is_of_span() || !allows(self.level, record.severity) {
            return Ok(());
        }
        let area = record.field("area").filter(|_| self.per_area);
        let window = self.windows.entry(area.map(str::to_owned)).or_default();
        let alarm = window.is_full_with(record, self.count).then(|| self.alarm(area, record));
        let given = match (alarm, &mut self.to) {
            (Some(alarm), Some(to)) => to.handle(&alarm),
            _ => Ok(()),
        };
        self.counted.one(given)
    }

    fn inner(&self) -> Vec<&Node> {
        self.to.iter().collect()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        self.to.iter_mut().collect()
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![self.counted.clone()]
    }

    fn enabled(&self, asked: Asked<'_>) -> bool {
        match asked.is_span {
            true => self.per_area && self.level.is_some() && level_of(asked.severity) <= self.most(),
            false => allows(self.level, asked.severity),
        }
    }

    /// A span may have the field, so spans are wanted with `per`.
    fn most(&self) -> LevelFilter {
        match most_of(self.level) {
            level if level != LevelFilter::OFF && self.per_area => level.max(LevelFilter::INFO),
            level => level,
        }
    }

    fn span_events(&self) -> SpanEvents {
        SpanEvents::NONE
    }
}
