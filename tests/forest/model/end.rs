use std::collections::VecDeque;
use std::rc::Rc;

use tracing_handlers::filter::LevelFilter;
use tracing_handlers::record::{Kind, SpanEvents};
use tracing_handlers::stats::DropReason;

use super::super::build::SPANS;
use super::super::tree::{End, Sieve, Take};
use super::{
    Asked, Batched, Counted, Fault, Handled, Missed, Model, Node, Rec, World, allows, level_of, most_of, records,
};

/// A filter.
pub struct Judge {
    sieve: Sieve,
    asked: u64,
    counted: Counted,
}

impl Judge {
    pub fn new(sieve: Sieve) -> Self {
        let name = match sieve {
            Sieve::OneIn(n) => format!("one in {n}"),
            _ => String::new(),
        };
        Self { sieve, asked: 0, counted: Counted::named(&name) }
    }

    pub fn enabled(&self, asked: Asked<'_>) -> bool {
        match self.sieve {
            Sieve::Level(level) => allows(level, asked.severity),
            Sieve::Shop => is_shop(asked.target),
            Sieve::OneIn(_) => true,
        }
    }

    pub fn most(&self) -> LevelFilter {
        match self.sieve {
            Sieve::Level(level) => most_of(level),
            Sieve::Shop | Sieve::OneIn(_) => LevelFilter::TRACE,
        }
    }

    pub fn reason(&self) -> DropReason {
        match self.sieve {
            Sieve::OneIn(_) => DropReason::Sampled,
            _ => DropReason::Filtered,
        }
    }

    /// `one_in(n)` passes the first of every `n` records below ERROR.
    pub fn passes(&mut self, record: &Rec) -> bool {
        let Sieve::OneIn(n) = self.sieve else { return self.enabled(record.into()) };
        let exempt = record.severity >= 17 || record.kind == Kind::Loss;
        if !exempt {
            self.asked += 1;
        }
        let passes = exempt || (n > 0 && (self.asked - 1).is_multiple_of(n));
        match passes {
            true => self.counted.delivered += 1,
            false => self.counted.drop(DropReason::Sampled, 1),
        }
        passes
    }

    pub fn reports(&self) -> Vec<Counted> {
        if matches!(self.sieve, Sieve::OneIn(_)) { vec![self.counted.clone()] } else { Vec::new() }
    }
}

pub fn is_shop(target: &str) -> bool {
    target == "shop" || target.starts_with("shop::")
}

/// An `Output` with a scripted sink.
pub struct Output {
    end: End,
    judge: Option<Judge>,
    takes: VecDeque<Take>,
    flushes_fail: VecDeque<bool>,
    counted: Counted,
    lines: Vec<String>,
    missing: u64,
    reason: &'static str,
    world: Rc<World>,
}

impl Output {
    pub fn new(end: &End, name: &str, world: &Rc<World>) -> Self {
        Self {
            end: end.clone(),
            judge: end.sieve.map(Judge::new),
            takes: end.takes.clone().into(),
            flushes_fail: end.flushes_fail.clone().into(),
            counted: Counted::named(name),
            lines: Vec::new(),
            missing: 0,
            reason: "",
            world: world.clone(),
        }
    }

    fn takes(&mut self, record: &Rec) -> bool {
        let by_level = match record.is_of_span() {
            true => self.end.closes && level_of(record.severity) <= self.span_level(),
            false => allows(self.end.level, record.severity),
        };
        by_level && self.judge.as_mut().is_none_or(|judge| judge.passes(record))
    }

    fn most_of_judge(&self) -> LevelFilter {
        self.judge.as_ref().map_or(LevelFilter::TRACE, Judge::most)
    }

    /// Which spans are shown: those at the level that was set, or else at that of events, but at least those at INFO.
    fn span_level(&self) -> LevelFilter {
        let events = most_of(self.end.level).min(self.most_of_judge());
        SPANS[self.end.spans].unwrap_or(events.max(LevelFilter::INFO))
    }

    /// Whether any record can have spans, or be of one.
    fn has_spans(&self) -> bool {
        (self.end.level.is_some() || self.end.closes) && self.most_of_judge() != LevelFilter::OFF
    }

    /// One write, preceded by a notice if records are missing. The error is the number of records refused, which are the last ones.
    fn write(&mut self, of: &[&Rec]) -> Result<(), (usize, Fault)> {
        let notice = (self.missing > 0).then(|| {
            Rec::notice(
                self.missing,
                &format!("{} missing here: {}", records(self.missing), self.reason),
                self.reason,
                0,
            )
        });
        let all: Vec<_> = notice.iter().chain(of.iter().copied()).collect();
        let (taken, fault, reason) = match self.takes.pop_front().unwrap_or(Take::All) {
            Take::Some(lines) if lines < all.len() => (lines, Fault::Passing, "no room"),
            Take::Closed => (0, Fault::Lasting, "closed"),
            Take::Panics => (0, Fault::Lasting, "the sink panicked"),
            Take::All | Take::Some(_) => (all.len(), Fault::Passing, ""),
        };
        self.lines.extend(all[..taken].iter().map(|record| record.line()));
        let is_told = notice.is_some() && taken > 0;
        let own = taken - usize::from(is_told);
        if is_told {
            self.missing = 0;
        }
        self.counted.delivered += own as u64;
        self.counted.failed += (of.len() - own) as u64;
        if own == of.len() {
            return Ok(());
        }
        if self.end.tell_missing {
            // A refused notice of another handler counts as the records that it reports.
            let told = |record: &&Rec| match record.kind {
                Kind::Loss => record.field("lost").map_or(0, |lost| lost.parse().unwrap()),
                _ => 1,
            };
            self.missing += of[own..].iter().map(told).sum::<u64>();
            self.reason = reason;
        }
        Err((of.len() - own, fault))
    }
}

impl Model for Output {
    fn handle(&mut self, record: &Rec) -> Handled {
        if !self.takes(record) {
            return Ok(());
        }
        self.write(&[record]).map_err(|(_, fault)| fault)
    }

    /// All lines go to the sink in one write.
    fn batch(&mut self, records: &[Rec]) -> Batched {
        let mut places = Vec::new();
        for (place, record) in records.iter().enumerate() {
            if self.takes(record) {
                places.push(place);
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        let taken: Vec<_> = places.iter().map(|place| &records[*place]).collect();
        self.write(&taken).map_err(|(missed, fault)| Missed { places: places.split_off(places.len() - missed), fault })
    }

    fn inner(&self) -> Vec<&Node> {
        Vec::new()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        Vec::new()
    }

    fn own_reports(&self) -> Vec<Counted> {
        let filter = self.judge.iter().flat_map(Judge::reports);
        std::iter::once(self.counted.clone()).chain(filter).collect()
    }

    fn enabled(&self, asked: Asked<'_>) -> bool {
        match asked.is_span {
            true => self.has_spans() && level_of(asked.severity) <= self.span_level(),
            false => {
                allows(self.end.level, asked.severity) && self.judge.as_ref().is_none_or(|judge| judge.enabled(asked))
            }
        }
    }

    fn most(&self) -> LevelFilter {
        match self.has_spans() {
            true => most_of(self.end.level).min(self.most_of_judge()).max(self.span_level()),
            false => LevelFilter::OFF,
        }
    }

    fn span_events(&self) -> SpanEvents {
        if self.end.closes { SpanEvents::CLOSE } else { SpanEvents::NONE }
    }

    fn flush(&mut self) -> Handled {
        if self.flushes_fail.pop_front().unwrap_or(false) { Err(Fault::Passing) } else { Ok(()) }
    }

    /// Missing records and lines that the sink still holds belong to the parent.
    fn fork(&mut self) {
        self.missing = 0;
        if self.world.seen.is_none() {
            let kept = std::mem::take(&mut self.counted.delivered);
            self.counted.drop(DropReason::Forked, kept as usize);
        }
    }

    fn lines(&self, lines: &mut Vec<(String, Vec<String>)>) {
        lines.push((self.counted.name.clone(), self.lines.clone()));
    }
}

/// A third-party end that wants everything and has no report.
pub struct Bare {
    name: String,
    fails: VecDeque<bool>,
    lines: Vec<String>,
}

impl Bare {
    pub fn new(fails: &[bool], name: &str) -> Self {
        Self { name: name.to_owned(), fails: fails.iter().copied().collect(), lines: Vec::new() }
    }
}

impl Model for Bare {
    fn handle(&mut self, record: &Rec) -> Handled {
        if self.fails.pop_front().unwrap_or(false) {
            return Err(Fault::Passing);
        }
        self.lines.push(record.line());
        Ok(())
    }

    fn inner(&self) -> Vec<&Node> {
        Vec::new()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        Vec::new()
    }

    fn enabled(&self, _: Asked<'_>) -> bool {
        true
    }

    fn most(&self) -> LevelFilter {
        LevelFilter::TRACE
    }

    fn lines(&self, lines: &mut Vec<(String, Vec<String>)>) {
        lines.push((self.name.clone(), self.lines.clone()));
    }
}

/// A `Counts`.
pub struct Counts {
    level: Option<u8>,
    counted: Counted,
}

impl Counts {
    pub fn new(level: Option<u8>) -> Self {
        Self { level, counted: Counted::named("counts") }
    }
}

impl Model for Counts {
    fn handle(&mut self, record: &Rec) -> Handled {
        if !record.is_of_span() && allows(self.level, record.severity) {
            self.counted.delivered += 1;
        }
        Ok(())
    }

    fn inner(&self) -> Vec<&Node> {
        Vec::new()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        Vec::new()
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![self.counted.clone()]
    }

    fn enabled(&self, asked: Asked<'_>) -> bool {
        !asked.is_span && allows(self.level, asked.severity)
    }

    fn most(&self) -> LevelFilter {
        most_of(self.level)
    }
}
