//! Three layers behind stock filters, in every order, and one layer with three outputs that filter in the same way, against a model:
//! 2,000 generated spans and events on several threads. Each test has a process of its own, for values that log.
//!
//! Where a stock filter hides a span from a layer, the two differ by what tracing-subscriber defines: for the layer the span does not
//! exist, so that an event belongs to the innermost other span that its thread is in, and a span to the nearest ancestor that it sees.

use std::fmt::{self, Write as _};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use tracing::field::{Empty, debug};
use tracing::{Dispatch, Level, Span};
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::handler::Handler;
use tracing_handlers::{Error, Meta, Record};
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, registry};

use crate::collect::alone;

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
const TARGETS: [&str; 3] = ["a", "b", "c"];
const STEPS: u64 = 2_000;
const SPANS: usize = 6;
const THREADS: usize = 3;

/// The filters as functions: what `stock` builds decides the same.
fn passes(filter: usize, level: usize, target: usize) -> bool {
    let most = match (filter, TARGETS[target]) {
        (0, _) => 2,
        (1, "a") => 3,
        (1, "b") => 1,
        (2, "a") => 4,
        (2, "b") => 2,
        (2, _) => 1,
        _ => return false,
    };
    level <= most
}

fn stock(filter: usize, lines: &Lines) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = Shows { lines: lines.clone(), filter: None }.layer();
    match filter {
        0 => layer.with_filter(LevelFilter::INFO).boxed(),
        1 => layer.with_filter("a=debug,b=warn".parse::<Targets>().unwrap()).boxed(),
        _ => layer.with_filter(EnvFilter::new("warn,a=trace,b=info")).boxed(),
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Writes lines of what passes its filter, if it has one.
struct Shows {
    lines: Lines,
    filter: Option<usize>,
}

impl Shows {
    fn shows(&self, level: Level, target: &str) -> bool {
        let level = LEVELS.iter().position(|other| *other == level).unwrap();
        let target = TARGETS.iter().position(|other| *other == target).unwrap();
        self.filter.is_none_or(|filter| passes(filter, level, target))
    }
}

impl Handler for Shows {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        self.shows(meta.level(), meta.target)
    }

    fn handle(&self, record: &Record<'_>) -> Result<(), Error> {
        if !self.shows(record.severity().level(), record.target()) {
            return Ok(());
        }
        let mut line = format!("{} {}", record.target(), record.message());
        for field in record.fields() {
            let _ = write!(line, " {}={}", field.name, field.value);
        }
        for span in record.spans().filter(|span| self.shows(span.severity().level(), span.target())) {
            let _ = write!(line, " {span:?}<{}", span.follows_from().count());
        }
        self.lines.push(line);
        Ok(())
    }
}

/// A value that logs an event, which all filters let pass.
struct Logs(u64);

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::error!(target: "a", "nested {}", self.0);
        f.write_str("logged")
    }
}

/// Calls a macro of tracing with each combination of target and level: a callsite each.
macro_rules! at {
    ($target:expr, $level:expr, $macro:ident ($($parent:tt)*) $($rest:tt)*) => {
        match ($target, $level) {
            (0, 0) => tracing::$macro!(target: "a", $($parent)* Level::ERROR, $($rest)*),
            (0, 1) => tracing::$macro!(target: "a", $($parent)* Level::WARN, $($rest)*),
            (0, 2) => tracing::$macro!(target: "a", $($parent)* Level::INFO, $($rest)*),
            (0, 3) => tracing::$macro!(target: "a", $($parent)* Level::DEBUG, $($rest)*),
            (0, _) => tracing::$macro!(target: "a", $($parent)* Level::TRACE, $($rest)*),
            (1, 0) => tracing::$macro!(target: "b", $($parent)* Level::ERROR, $($rest)*),
            (1, 1) => tracing::$macro!(target: "b", $($parent)* Level::WARN, $($rest)*),
            (1, 2) => tracing::$macro!(target: "b", $($parent)* Level::INFO, $($rest)*),
            (1, 3) => tracing::$macro!(target: "b", $($parent)* Level::DEBUG, $($rest)*),
            (1, _) => tracing::$macro!(target: "b", $($parent)* Level::TRACE, $($rest)*),
            (_, 0) => tracing::$macro!(target: "c", $($parent)* Level::ERROR, $($rest)*),
            (_, 1) => tracing::$macro!(target: "c", $($parent)* Level::WARN, $($rest)*),
            (_, 2) => tracing::$macro!(target: "c", $($parent)* Level::INFO, $($rest)*),
            (_, 3) => tracing::$macro!(target: "c", $($parent)* Level::DEBUG, $($rest)*),
            (_, _) => tracing::$macro!(target: "c", $($parent)* Level::TRACE, $($rest)*),
        }
    };
}

#[derive(Clone, Copy, Debug)]
enum Under {
    Current,
    Root,
    Span(usize),
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Make {
        at: usize,
        target: usize,
        level: usize,
        under: Under,
    },
    Drop(usize),
    Enter(usize),
    Exit,
    Record(usize),
    Follow(usize, usize),
    Log {
        target: usize,
        level: usize,
        under: Under,
    },
    /// An event whose field logs another one.
    Nest,
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }

    fn under(&mut self) -> Under {
        match self.below(6) {
            0 => Under::Root,
            1 => Under::Span(self.below(SPANS)),
            _ => Under::Current,
        }
    }

    fn step(&mut self) -> Do {
        let (at, target, level, under) = (self.below(SPANS), self.below(3), self.below(5), self.under());
        match self.below(16) {
            0..=2 => Do::Make { at, target, level, under },
            3 => Do::Drop(at),
            4..=5 => Do::Enter(at),
            6 => Do::Exit,
            7..=8 => Do::Record(at),
            9 => Do::Follow(at, self.below(SPANS)),
            10 => Do::Nest,
            _ => Do::Log { target, level, under },
        }
    }
}

/// A span of the model.
#[derive(Clone, Default)]
struct Known {
    target: usize,
    level: usize,
    /// The span that tracing takes for its parent.
    parent: Option<usize>,
    values: String,
    late: Option<u64>,
    /// The spans that it follows from.
    follows: Vec<usize>,
}

/// What each thread is in, and all spans that there have been, by number.
#[derive(Default)]
struct Model {
    spans: Vec<Known>,
    slots: [Option<usize>; SPANS],
    entered: [Vec<usize>; THREADS],
}

impl Model {
    /// The span that is current on a thread, for tracing; with a `filter`, for a layer behind it.
    fn current(&self, thread: usize, filter: Option<usize>) -> Option<usize> {
        let entered = &self.entered[thread];
        let first = |place: usize| !entered[..place].contains(&entered[place]);
        (0..entered.len())
            .rev()
            .filter(|place| first(*place))
            .map(|place| entered[place])
            .find(|span| self.sees(filter, *span))
    }

    /// A span without a callsite that anyone wants does not exist.
    fn exists(target: usize, level: usize) -> bool {
        (0..3).any(|filter| passes(filter, level, target))
    }

    fn sees(&self, filter: Option<usize>, span: usize) -> bool {
        let Known { target, level, .. } = self.spans[span];
        filter.is_none_or(|filter| passes(filter, level, target))
    }

    /// The spans of an event, root first, that a layer or an output with this filter shows. A layer looks for the current span among
    /// those that it sees.
    fn scope(&self, thread: usize, under: Under, filter: usize, is_layer: bool) -> String {
        let leaf = match under {
            Under::Root => None,
            Under::Current => self.current(thread, is_layer.then_some(filter)),
            // What is hidden is nobody's parent: an event of an explicit parent that the layer does not see has no spans.
            Under::Span(at) => self.slots[at].filter(|span| !is_layer || self.sees(Some(filter), *span)),
        };
        let path = std::iter::successors(leaf, |span| self.spans[*span].parent);
        let mut path: Vec<usize> = path.filter(|span| self.sees(Some(filter), *span)).collect();
        path.reverse();
        let show = |span: usize| {
            let known = &self.spans[span];
            let late = known.late.map(|late| format!(", late={late}")).unwrap_or_default();
            let follows =
                known.follows.iter().filter(|follows| !is_layer || self.sees(Some(filter), **follows)).count();
            format!(" s{{{}{late}}}<{follows}", known.values)
        };
        path.into_iter().map(show).collect()
    }

    /// Applies a step, and adds the lines of the outputs, or of the layers in this order.
    fn step(&mut self, what: Do, time: u64, thread: usize, order: Option<[usize; 3]>, lines: &mut [Vec<String>; 3]) {
        match what {
            Do::Make { at, target, level, under } => {
                let parent = match under {
                    Under::Root => None,
                    Under::Current => self.current(thread, None),
                    Under::Span(at) => self.slots[at],
                };
                let known = Known { target, level, parent, values: format!("n={time}"), ..Known::default() };
                self.slots[at] = Self::exists(target, level).then(|| {
                    self.spans.push(known);
                    self.spans.len() - 1
                });
            }
            Do::Drop(at) => self.slots[at] = None,
            Do::Enter(at) => self.entered[thread].extend(self.slots[at]),
            Do::Exit => drop(self.entered[thread].pop()),
            Do::Record(at) => {
                if let Some(span) = self.slots[at] {
                    self.spans[span].late = Some(time);
                }
            }
            Do::Follow(one, other) => {
                if let (Some(one), Some(other)) = (self.slots[one], self.slots[other]) {
                    self.spans[one].follows.push(other);
                }
            }
            Do::Log { target, level, under } => {
                for filter in (0..3).filter(|filter| passes(*filter, level, target)) {
                    let scope = self.scope(thread, under, filter, order.is_some());
                    lines[filter].push(format!("{} event n={time}{scope}", TARGETS[target]));
                }
            }
            Do::Nest => {
                let mut log = |filter: usize, text: &str| {
                    let scope = self.scope(thread, Under::Current, filter, order.is_some());
                    lines[filter].push(format!("a {text}{scope}"));
                };
                let nested = format!("nested {time}");
                let outer = format!("outer x=logged n={time}");
                // After a nested event a layer captures the outer one by itself, so that the nested one is logged again.
                for layer in order.unwrap_or([0; 3]).iter().take(if order.is_some() { 3 } else { 1 }) {
                    (0..3).for_each(|filter| log(filter, &nested));
                    match order {
                        Some(_) => log(*layer, &outer),
                        None => (0..3).for_each(|filter| log(filter, &outer)),
                    }
                }
            }
        }
    }
}

fn act(what: Do, time: u64, spans: &mut [Span], entered: &mut Vec<Span>) {
    match what {
        Do::Make { at, target, level, under } => {
            spans[at] = match under {
                Under::Current => at!(target, level, span() "s", n = time, late = Empty),
                Under::Root => at!(target, level, span(parent: None::<tracing::Id>,) "s", n = time, late = Empty),
                Under::Span(other) => at!(target, level, span(parent: spans[other].id(),) "s", n = time, late = Empty),
            }
        }
        Do::Drop(at) => spans[at] = Span::none(),
        Do::Enter(at) => {
            if spans[at].with_subscriber(|(id, dispatch)| dispatch.enter(id)).is_some() {
                entered.push(spans[at].clone());
            }
        }
        Do::Exit => exit(entered.pop()),
        Do::Record(at) => drop(spans[at].record("late", debug(time))),
        Do::Follow(one, other) => drop(spans[one].follows_from(spans[other].id())),
        Do::Log { target, level, under } => match under {
            Under::Current => at!(target, level, event() n = time, "event"),
            Under::Root => at!(target, level, event(parent: None::<tracing::Id>,) n = time, "event"),
            Under::Span(at) => at!(target, level, event(parent: spans[at].id(),) n = time, "event"),
        },
        Do::Nest => tracing::error!(target: "a", x = ?Logs(time), n = time, "outer"),
    }
}

fn exit(span: Option<Span>) {
    if let Some(span) = span {
        span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
    }
}

type Work = (Do, u64, Sender<()>);

/// Runs the steps on several threads, one at a time, under the global subscriber.
fn run(seed: u64, mut step: impl FnMut(Do, u64, usize)) {
    let spans = Arc::new(Mutex::new(vec![Span::none(); SPANS]));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (send, receive) = channel::<Work>();
                let spans = spans.clone();
                scope.spawn(move || {
                    let mut entered = Vec::new();
                    for (what, time, done) in receive {
                        act(what, time, &mut spans.lock().unwrap(), &mut entered);
                        drop(done);
                    }
                    while !entered.is_empty() {
                        exit(entered.pop());
                    }
                });
                send
            })
            .collect();
        let mut random = Random(seed);
        for time in 0..STEPS {
            let thread = [0, 0, 1, 2][random.below(4)];
            let what = random.step();
            let (done, wait) = channel();
            threads[thread].send((what, time, done)).unwrap();
            assert!(wait.recv().is_err());
            step(what, time, thread);
        }
    });
}

fn check(order: Option<[usize; 3]>) {
    let lines: [Lines; 3] = Default::default();
    let dispatch = match order {
        Some(order) => Dispatch::new(
            registry().with(order.map(|filter| stock(filter, &lines[filter])).into_iter().collect::<Vec<_>>()),
        ),
        None => {
            let output = |filter: usize| Shows { lines: lines[filter].clone(), filter: Some(filter) };
            Dispatch::new(registry().with((output(0), output(1), output(2)).layer()))
        }
    };
    tracing::dispatcher::set_global_default(dispatch).unwrap();
    let (mut model, mut expected) = (Model::default(), Default::default());
    run(0x5eed, |what, time, thread| {
        model.step(what, time, thread, order, &mut expected);
        for (filter, (lines, expected)) in lines.iter().zip(&expected).enumerate() {
            assert_eq!(lines.all().last(), expected.last(), "filter {filter}, step {time}: {what:?}");
        }
    });
    for (filter, (lines, expected)) in lines.iter().zip(&expected).enumerate() {
        assert_eq!(&lines.all(), expected, "filter {filter}");
        assert!(expected.len() > 300, "{} lines are few", expected.len());
    }
}

alone! {
    fn one_layer_with_three_outputs() {
        check(None);
    }

    fn layers_with_level_targets_env_filter() {
        check(Some([0, 1, 2]));
    }

    fn layers_with_level_env_filter_targets() {
        check(Some([0, 2, 1]));
    }

    fn layers_with_targets_level_env_filter() {
        check(Some([1, 0, 2]));
    }

    fn layers_with_targets_env_filter_level() {
        check(Some([1, 2, 0]));
    }

    fn layers_with_env_filter_level_targets() {
        check(Some([2, 0, 1]));
    }

    fn layers_with_env_filter_targets_level() {
        check(Some([2, 1, 0]));
    }
}
