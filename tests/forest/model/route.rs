use std::collections::BTreeMap;
use std::rc::Rc;

use tracing_handlers::filter::LevelFilter;
use tracing_handlers::record::SpanEvents;
use tracing_handlers::stats::DropReason;

use super::super::build::SEVERITIES;
use super::super::record::{AREAS, TARGETS};
use super::super::tree::{By, Tree};
use super::{
    Asked, Batched, Counted, Fault, Handled, Missed, Model, Node, Rec, World, allows, hand, level_of, make, most_of,
};

pub use super::super::build::OTHERWISE;

/// A `Route` to given handlers.
pub struct Route {
    by: By,
    /// Sorted: the first that fits is the one meant.
    cases: Vec<(usize, Node)>,
    otherwise: Option<Node>,
    counted: Counted,
}

impl Route {
    pub fn new(by: By, mut cases: Vec<(usize, Node)>, otherwise: Option<Node>, name: &str) -> Self {
        let rank = |case: usize| match by {
            By::Severity => usize::from(SEVERITIES[case]),
            By::Target => TARGETS[case].split("::").count(),
            By::Area => 0,
        };
        cases.sort_by_key(|(case, _)| std::cmp::Reverse(rank(*case)));
        Self { by, cases, otherwise, counted: Counted::named(name) }
    }

    fn choose(&self, record: &Rec) -> Option<usize> {
        let fits = |case: usize| match self.by {
            By::Severity => record.severity >= SEVERITIES[case],
            By::Target => record.target == TARGETS[case] || record.target.starts_with(&format!("{}::", TARGETS[case])),
            By::Area => record.field("area") == Some(AREAS[case]),
        };
        let given = self.cases.iter().position(|(case, _)| fits(*case));
        given.or(self.otherwise.is_some().then_some(self.cases.len()))
    }
}

impl Model for Route {
    fn handle(&mut self, record: &Rec) -> Handled {
        let Some(chosen) = self.choose(record) else {
            self.counted.drop(DropReason::Filtered, 1);
            return Ok(());
        };
        let handled = hand(self.inner_mut().swap_remove(chosen), record);
        self.counted.one(handled)
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let mut parts = Vec::new();
        let events = self.span_events();
        for (place, record) in records.iter().enumerate() {
            if record.is_of_span() && !events.contains(record.kind) {
                continue;
            }
            match self.choose(record) {
                Some(chosen) => add(&mut parts, chosen, place, record),
                None => self.counted.drop(DropReason::Filtered, 1),
            }
        }
        let mut counted = std::mem::take(&mut self.counted);
        let handled = deliver(parts, &mut counted, |chosen, part| self.inner_mut().swap_remove(chosen).batch(part));
        self.counted = counted;
        handled
    }

    fn inner(&self) -> Vec<&Node> {
        self.cases.iter().map(|(_, inner)| inner).chain(&self.otherwise).collect()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        self.cases.iter_mut().map(|(_, inner)| inner).chain(&mut self.otherwise).collect()
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![self.counted.clone()]
    }

    /// A span may have the field, so a route by field wants spans.
    fn enabled(&self, asked: Asked<'_>) -> bool {
        let given = self.inner().iter().any(|inner| inner.enabled(asked));
        let spans = self.most().max(LevelFilter::INFO);
        let may_have_field = matches!(self.by, By::Area) && level_of(asked.severity) <= spans;
        given || (asked.is_span && may_have_field && self.most() != LevelFilter::OFF)
    }

    fn most(&self) -> LevelFilter {
        let given = self.inner().iter().map(|inner| inner.most()).max().unwrap_or(LevelFilter::OFF);
        match self.by {
            By::Area if given != LevelFilter::OFF => given.max(LevelFilter::INFO),
            _ => given,
        }
    }
}

/// The part of a batch for each handler: the handler, the places, the records.
type Parts<C> = Vec<(C, Vec<usize>, Vec<Rec>)>;

fn add<C: PartialEq>(parts: &mut Parts<C>, chosen: C, place: usize, record: &Rec) {
    match parts.iter_mut().find(|(known, ..)| *known == chosen) {
        Some((_, places, part)) => {
            places.push(place);
            part.push(record.clone());
        }
        None => parts.push((chosen, vec![place], vec![record.clone()])),
    }
}

fn deliver<C>(parts: Parts<C>, counted: &mut Counted, mut batch: impl FnMut(C, &[Rec]) -> Batched) -> Batched {
    let (mut missed, mut last) = (Vec::new(), None::<Fault>);
    for (chosen, places, part) in parts {
        if let Err(behind) = counted.all(part.len(), batch(chosen, &part)) {
            missed.extend(behind.places.iter().map(|index| places[*index]));
            last = Some(behind.fault);
        }
    }
    missed.sort_unstable();
    last.map_or(Ok(()), |fault| Err(Missed { places: missed, fault }))
}

/// A `Route` by the field `area` that makes its handlers.
pub struct Made {
    each: Tree,
    otherwise: Option<Node>,
    level: Option<u8>,
    made: BTreeMap<String, Node>,
    world: Rc<World>,
    counted: Counted,
}

impl Made {
    pub fn new(each: &Tree, otherwise: Option<Node>, level: Option<u8>, name: &str, world: &Rc<World>) -> Self {
        let counted = Counted::named(name);
        Self { each: each.clone(), otherwise, level, made: BTreeMap::new(), world: world.clone(), counted }
    }

    /// The value that selects the handler, empty without the field. `None`: the record is dropped.
    fn choose(&mut self, record: &Rec) -> Option<String> {
        let text = record.field("area").unwrap_or("");
        if text.is_empty() && self.otherwise.is_some() {
            return Some(String::new());
        }
        if record.is_of_span() || !allows(self.level, record.severity) {
            self.counted.drop(DropReason::Filtered, 1);
            return None;
        }
        if !self.made.contains_key(text) {
            let name = if text.is_empty() { "unknown" } else { text };
            let made = make(&self.each, &format!("{}:{name}", self.counted.name), &self.world);
            self.made.insert(text.to_owned(), made);
        }
        Some(text.to_owned())
    }

    fn chosen(&mut self, text: &str) -> &mut Node {
        match &mut self.otherwise {
            Some(otherwise) if text.is_empty() => otherwise,
            _ => self.made.get_mut(text).expect("it has been made"),
        }
    }
}

impl Model for Made {
    fn handle(&mut self, record: &Rec) -> Handled {
        let Some(text) = self.choose(record) else { return Ok(()) };
        let handled = hand(self.chosen(&text), record);
        self.counted.one(handled)
    }

    fn batch(&mut self, records: &[Rec]) -> Batched {
        let mut parts = Vec::new();
        let events = self.span_events();
        for (place, record) in records.iter().enumerate() {
            if record.is_of_span() && !events.contains(record.kind) {
                continue;
            }
            if let Some(text) = self.choose(record) {
                add(&mut parts, text, place, record);
            }
        }
        let mut counted = std::mem::take(&mut self.counted);
        let handled = deliver(parts, &mut counted, |text, part| self.chosen(&text).batch(part));
        self.counted = counted;
        handled
    }

    fn inner(&self) -> Vec<&Node> {
        self.otherwise.iter().chain(self.made.values()).collect()
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        self.otherwise.iter_mut().chain(self.made.values_mut()).collect()
    }

    fn own_reports(&self) -> Vec<Counted> {
        vec![self.counted.clone()]
    }

    fn enabled(&self, asked: Asked<'_>) -> bool {
        let given = self.otherwise.as_ref().is_some_and(|otherwise| otherwise.enabled(asked));
        let own = match asked.is_span {
            true => level_of(asked.severity) <= self.most().max(LevelFilter::INFO) && self.most() != LevelFilter::OFF,
            false => allows(self.level, asked.severity),
        };
        given || own
    }

    fn most(&self) -> LevelFilter {
        let given = self.otherwise.as_ref().map_or(LevelFilter::OFF, |otherwise| otherwise.most());
        match given.max(most_of(self.level)) {
            LevelFilter::OFF => LevelFilter::OFF,
            level => level.max(LevelFilter::INFO),
        }
    }

    /// Made handlers receive no span events.
    fn span_events(&self) -> SpanEvents {
        self.otherwise.as_ref().map_or(SpanEvents::NONE, |otherwise| otherwise.span_events())
    }
}
