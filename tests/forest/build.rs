//! Builds the real handlers of a tree.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::filter::{self, Filter, LevelFilter, Threshold};
use tracing_handlers::handler::{
    Alert, Audit, Buffer, Case, Counts, Dedup, Fallback, Filtered, Handler, OrStop, Output, Queue, Retry, Rewriting,
    Route, ScopedBuffer,
};
use tracing_handlers::record::SpanEvents;
use tracing_handlers::sink::Sink;
use tracing_handlers::{RecordBuf, Severity, format};

use super::parts::{Bare, Pair, Probe, Scripted, Seen, Wrapper, format};
use super::record::{AREAS, TARGETS};
use super::tree::{By, Change, End, Sieve, Tree};

pub type Real = Box<dyn Handler>;

/// What the handlers of a tree are built with.
#[derive(Clone)]
pub struct Bench {
    pub seen: Arc<Seen>,
    pub clock: Arc<Manual>,
    sinks: Arc<MakeSink>,
}

type MakeSink = dyn Fn(&str, &End) -> Destination + Send + Sync;
type Destination = Box<dyn Sink>;

impl Bench {
    /// With sinks in memory.
    pub fn new() -> Self {
        let seen = Arc::<Seen>::default();
        let received = seen.clone();
        let sink = move |name: &str, end: &End| -> Destination {
            let (takes, flushes_fail) = (end.takes.clone().into(), end.flushes_fail.clone().into());
            Box::new(Scripted { received: received.end(name), takes, flushes_fail })
        };
        Self { seen, ..Self::with_sinks(sink) }
    }

    /// With sinks from `make`.
    pub fn with_sinks(make: impl Fn(&str, &End) -> Destination + Send + Sync + 'static) -> Self {
        let clock = Arc::new(Manual::new(Timestamp::new(1_000, 0)));
        Self { seen: Arc::default(), clock, sinks: Arc::new(make) }
    }

    /// Builds the handlers of `tree`. The outermost is called `name`, those behind it `name.0`, `name.1` and so on.
    pub fn build(&self, tree: &Tree, name: &str) -> Real {
        let inner = |number: usize, tree: &Tree| self.build(tree, &format!("{name}.{number}"));
        let all =
            |trees: &[Tree]| trees.iter().enumerate().map(|(number, tree)| inner(number, tree)).collect::<Vec<_>>();
        match tree {
            Tree::Output(end) => self.output(end, name),
            Tree::Bare(fails) => {
                let fails = Mutex::new(fails.iter().copied().collect());
                Box::new(Bare { received: self.seen.end(name), fails })
            }
            Tree::Counts(level) => Box::new(Counts::new().level(threshold(*level))),
            Tree::Queue(tree) => {
                let probe = Probe { seen: self.seen.clone(), log: self.seen.queue(name), handler: inner(0, tree) };
                Box::new(Queue::new(probe).name(name).close_timeout(PATIENCE))
            }
            Tree::Buffer { capacity, ring, flush_at, inner: tree } => {
                let buffer = Buffer::new(inner(0, tree)).name(name).capacity(*capacity).ring(*ring);
                Box::new(buffer.flush_at(threshold(*flush_at)))
            }
            Tree::Scoped { always, hold_all, inner: tree } => {
                let buffer = ScopedBuffer::new(inner(0, tree)).name(name).always(threshold(Some(*always)));
                Box::new(buffer.hold_all(*hold_all))
            }
            Tree::Route { by, cases, otherwise } => self.route(*by, cases, otherwise.as_deref(), name),
            Tree::Made { each, otherwise, level } => {
                let (bench, each, base) = (self.clone(), each.clone(), name.to_owned());
                let route = Route::by_field("area", move |made| Ok(bench.build(&each, &format!("{base}:{made}"))));
                let route = route.name(name).level(threshold(*level)).clock(self.clock.clone());
                Box::new(match otherwise {
                    Some(tree) => route.otherwise(inner(1, tree)),
                    None => route,
                })
            }
            Tree::Fallback(trees) => {
                let mut all = all(trees).into_iter();
                let first = Fallback::new(all.next().expect("at least one")).name(name).clock(self.clock.clone());
                Box::new(all.fold(first, Fallback::or))
            }
            Tree::Retry { times, inner: tree } => {
                let retry = Retry::new(inner(0, tree)).name(name).times(*times).clock(self.clock.clone());
                Box::new(retry.wait_by(|_| ()))
            }
            Tree::Dedup { distinct, fields, inner: tree } => {
                Box::new(Dedup::new(inner(0, tree)).name(name).distinct(*distinct).fields(*fields))
            }
            Tree::Audit(tree) => Box::new(Audit::new(inner(0, tree)).name(name).timeout(PATIENCE)),
            Tree::OrStop(tree) => Box::new(OrStop::new(inner(0, tree)).name(name)),
            Tree::Filtered { sieve, tell_every, inner: tree } => {
                let filtered = Filtered::new(filter_of(*sieve), inner(0, tree)).name(name);
                Box::new(match tell_every {
                    Some(seconds) => filtered.tell_every(Duration::from_secs(*seconds)),
                    None => filtered,
                })
            }
            Tree::Rewriting { change, only_shop, inner: tree } => {
                let rewriting = Rewriting::new(rewrite(*change), inner(0, tree));
                Box::new(if *only_shop { rewriting.only(filter::targets(["shop"])) } else { rewriting })
            }
            Tree::Alert { level, count, per_area, to } => {
                let alert = Alert::new(threshold(*level), *count, Duration::from_secs(60)).name(name);
                let alert = if *per_area { alert.per("area") } else { alert };
                Box::new(match to {
                    Some(to) => alert.to(inner(0, to)),
                    None => alert,
                })
            }
            Tree::Tuple(trees) => tuple(all(trees)),
            Tree::Many(trees) => Box::new(all(trees)),
            Tree::Maybe(tree) => Box::new(tree.as_ref().map(|tree| inner(0, tree))),
            Tree::Shared(tree) => Box::new(Arc::new(inner(0, tree))),
            Tree::Wrapper(tree) => Box::new(Wrapper(inner(0, tree))),
            Tree::Pair(both) => Box::new(Pair(inner(0, &both[0]), inner(1, &both[1]))),
        }
    }

    fn output(&self, end: &End, name: &str) -> Real {
        let output = Output::new(format::from_fn(format), (self.sinks)(name, end)).name(name);
        let output = output.level(threshold(end.level)).tell_missing(end.tell_missing);
        let output = match SPANS[end.spans] {
            Some(level) => output.spans(level),
            None => output,
        };
        let output = if end.closes { output.span_events(SpanEvents::CLOSE) } else { output };
        Box::new(match end.sieve {
            Some(sieve) => output.filter(filter_of(sieve)),
            None => output,
        })
    }

    fn route(&self, by: By, cases: &[(usize, Tree)], otherwise: Option<&Tree>, name: &str) -> Real {
        let (route, case): (_, fn(usize) -> Case) = match by {
            By::Severity => (Route::by_severity(), |case| Severity::from_number(SEVERITIES[case]).unwrap().into()),
            By::Target => (Route::by_target(), |case| TARGETS[case].into()),
            By::Area => (Route::by_value("area"), |case| AREAS[case].into()),
        };
        let route = cases.iter().fold(route.name(name), |route, (number, tree)| {
            route.with(case(*number), self.build(tree, &format!("{name}.{number}")))
        });
        Box::new(match otherwise {
            Some(tree) => route.otherwise(self.build(tree, &format!("{name}.{OTHERWISE}"))),
            None => route,
        })
    }
}

fn tuple(all: Vec<Real>) -> Real {
    let mut all = all.into_iter();
    match (all.next(), all.next(), all.next()) {
        (Some(a), Some(b), Some(c)) => Box::new((a, b, c)),
        (Some(a), Some(b), None) => Box::new((a, b)),
        (Some(a), ..) => Box::new((a,)),
        _ => unreachable!("a tuple has one to three"),
    }
}

fn threshold(severity: Option<u8>) -> Threshold {
    severity.and_then(Severity::from_number).map_or(Threshold::OFF, Threshold::from)
}

fn filter_of(sieve: Sieve) -> Box<dyn Filter> {
    match sieve {
        Sieve::Level(level) => Box::new(threshold(level)),
        Sieve::Shop => Box::new(filter::targets(["shop"])),
        Sieve::OneIn(n) => Box::new(filter::one_in(n)),
    }
}

fn rewrite(change: Change) -> impl Fn(&mut RecordBuf) + Send + Sync + 'static {
    move |record| match change {
        Change::Severity(number) => record.set_severity(Severity::from_number(number).unwrap()),
        Change::Trips if record.as_record().message() == "two" => std::panic::resume_unwind(Box::new("on purpose")),
        Change::Loud | Change::Trips => {
            let loud = record.as_record().message().to_uppercase();
            record.set_message(&loud);
        }
    }
}

pub const SEVERITIES: [u8; 3] = [5, 10, 17];
/// The number in the name of the handler that takes all other cases of a route.
pub const OTHERWISE: usize = 3;
pub const SPANS: [Option<LevelFilter>; 7] = [
    Some(LevelFilter::OFF),
    Some(LevelFilter::ERROR),
    Some(LevelFilter::WARN),
    Some(LevelFilter::INFO),
    Some(LevelFilter::DEBUG),
    Some(LevelFilter::TRACE),
    None,
];
pub const PATIENCE: Duration = Duration::from_secs(60);
