use std::collections::BTreeMap;

use tracing_handlers::filter::LevelFilter;
use tracing_handlers::record::{Kind, SpanEvents};
use tracing_handlers::stats::DropReason;

use super::{Asked, Counted, Handled, Model, Node, Rec, level_of};

/// A `ScopedBuffer`.
pub struct Scoped {
    inner: Node,
    always: u8,
    hold_all: bool,
    scopes: BTreeMap<usize, Scope>,
    counted: Counted,
}

#[derive(Default)]
struct Scope {
    kept: Vec<Rec>,
    is_released: bool,
}

impl Scoped {
    pub fn new(inner: Node, name: &str, always: u8, hold_all: bool) -> Self {
        Self { inner, always, hold_all, scopes: BTreeMap::new(), counted: Counted::named(name) }
    }

    fn pass(&mut self, record: &Rec) -> Handled {
        let handled = self.inner.handle(record);
        self.counted.one(handled)
    }

    fn release(&mut self, kept: &[Rec]) -> Handled {
        if kept.is_empty() {
            return Ok(());
        }
        let handled = self.inner.batch(kept);
        self.counted.all(kept.len(), handled).map_err(|missed| missed.fault)
    }

    fn inside(&mut self, request: usize, record: &Rec) -> Handled {
        let triggers = record.severity >= 17;
        let passes = record.severity >= self.always && !self.hold_all && !triggers;
        if passes || self.scopes.get(&request).is_some_and(|scope| scope.is_released) {
            return self.pass(record);
        }
        let scope = self.scopes.entry(request).or_default();
        scope.kept.push(record.clone());
        if !triggers {
            return Ok(());
        }
        scope.is_released = true;
        let kept = std::mem::take(&mut scope.kept);
        self.release(&kept)
    }

    fn outside(&mut self, is_out: bool, record: &Rec) -> Handled {
        let is_wanted = record.severity >= self.always || record.severity >= 17 || record.kind == Kind::Loss;
        if is_wanted || is_out {
            return self.pass(record);
        }
        self.counted.drop(DropReason::NotNeeded, 1);
        Ok(())
    }

    fn close(&mut self, request: usize, record: &Rec) -> Handled {
        let mut scope = self.scopes.remove(&request).unwrap_or_default();
        let kept = std::mem::take(&mut scope.kept);
        let count = kept.len();
        let important: Vec<_> =
            kept.into_iter().filter(|record| self.hold_all && record.severity >= self.always).collect();
        self.counted.drop(DropReason::NotNeeded, count - important.len());
        let released = self.release(&important);
        if !self.inner.span_events().contains(Kind::SpanClose) {
            return released;
        }
        self.outside(scope.is_released, record).and(released)
    }
}

impl Model for Scoped {
    fn handle(&mut self, record: &Rec) -> Handled {
        match record.request {
            Some(request) if record.is_of_span() => self.close(request, record),
            _ if !self.inner.wants(record) => Ok(()),
            Some(request) => self.inside(request, record),
            None => self.outside(false, record),
        }
    }

    fn inner(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn inner_mut(&mut self) -> Vec<&mut Node> {
        vec![&mut self.inner]
    }

    fn own_reports(&self) -> Vec<Counted> {
        let pending = self.scopes.values().map(|scope| scope.kept.len() as u64).sum();
        vec![Counted { pending, ..self.counted.clone() }]
    }

    /// Spans that can be requests are wanted, unless the handler wants nothing.
    fn enabled(&self, asked: Asked<'_>) -> bool {
        let is_request = asked.is_span && level_of(asked.severity) <= self.inner.most().max(LevelFilter::INFO);
        self.inner.enabled(asked) || (is_request && self.inner.most() != LevelFilter::OFF)
    }

    fn most(&self) -> LevelFilter {
        match self.inner.most() {
            LevelFilter::OFF => LevelFilter::OFF,
            level => level.max(LevelFilter::INFO),
        }
    }

    fn span_events(&self) -> SpanEvents {
        self.inner.span_events() | SpanEvents::CLOSE
    }

    fn fork(&mut self) {
        let kept = std::mem::take(&mut self.scopes).into_values().map(|scope| scope.kept.len()).sum();
        self.counted.drop(DropReason::Forked, kept);
        self.inner.fork();
    }
}
