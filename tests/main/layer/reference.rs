//! The spans of events against a plain layer that keeps the fields itself and asks the Registry for everything.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use proptest::prelude::*;
use tracing::field::{Empty, Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Span, Subscriber, info, info_span};
use tracing_handlers::format::{Caps, Format, Json, Out};
use tracing_handlers::format::{
    LevelNames,
    json::{Duplicates, FieldLayout, SpanLayout},
};
use tracing_handlers::handler::{Handler, from_fn};
use tracing_handlers::{Part, Record, RecordBuf};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

use crate::collect::pin;

/// What each event was logged in, one line per event: `root{a=1}<-[2] child{}`.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn handler(&self) -> impl Handler {
        let lines = self.clone();
        from_fn(move |record| {
            let mut line = record.field("n").map(|n| format!("{n}:")).unwrap_or_default();
            for span in record.spans() {
                let follows: Vec<_> = span.follows_from().collect();
                let _ = write!(line, " #{} {span:?}<-{follows:?}", span.id());
            }
            lines.0.lock().unwrap().push(line);
            Ok(())
        })
    }
}

struct Reference {
    lines: Lines,
    /// Layers do not share extensions of one type.
    number: u32,
}

#[derive(Default)]
struct Kept(BTreeMap<u32, (Fields, Vec<u64>)>);

#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        match self.0.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, old)) => *old = value,
            None => self.0.push((field.name(), value)),
        }
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Reference {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        if extensions.get_mut::<Kept>().is_none() {
            extensions.insert(Kept::default());
        }
        attributes.record(&mut extensions.get_mut::<Kept>().unwrap().0.entry(self.number).or_default().0);
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(&mut span.extensions_mut().get_mut::<Kept>().unwrap().0.get_mut(&self.number).unwrap().0);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        extensions.get_mut::<Kept>().unwrap().0.get_mut(&self.number).unwrap().1.push(follows.into_u64());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let n = fields.0.iter().find(|(name, _)| *name == "n").unwrap();
        let mut line = format!("{}:", n.1);
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let (fields, follows) = &extensions.get::<Kept>().unwrap().0[&self.number];
            let fields: Vec<_> = fields.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = write!(line, " #{} {}{{{}}}<-{follows:?}", span.id().into_u64(), span.name(), fields.join(", "));
        }
        self.lines.0.lock().unwrap().push(line);
    }
}

/// Lines of formats that remember, where a record without a past is written otherwise.
fn compare_formats(formats: Vec<Json>, wrong: Lines) -> impl Handler {
    from_fn(move |record| {
        for level in [tracing::Level::TRACE, tracing::Level::INFO, tracing::Level::ERROR] {
            let record = record.with_span_level(level.into());
            for format in &formats {
                // Nothing is known of a record that was changed, even if it was not.
                let mut plain = RecordBuf::from(&record);
                plain.set_message(record.message());
                let plain = plain.as_record().with_span_level(level.into());
                let lines = [written(format, &plain), written(format, &record), written(format, &record)];
                if lines[0] != lines[1] || lines[0] != lines[2] {
                    wrong.0.lock().unwrap().push(lines.join("\n"));
                }
            }
        }
        Ok(())
    })
}

fn written(format: &Json, record: &Record<'_>) -> String {
    let mut line = Vec::new();
    format.format(record, &mut Out::new(&mut line, Caps::default())).unwrap();
    String::from_utf8(line).unwrap()
}

fn formats() -> Vec<Json> {
    let all =
        [Part::Time, Part::Level, Part::Severity, Part::Target, Part::Name, Part::ModulePath, Part::File, Part::Line];
    let rest = [Part::ThreadName, Part::ThreadId, Part::Message, Part::Fields, Part::Span, Part::Spans];
    let json = Json::new();
    vec![
        json.clone().spans(SpanLayout::Nested),
        json.clone().rename(Part::Spans, "a").duplicates(Duplicates::Last),
        json.clone().keys(all.clone().into_iter().chain(rest.clone())).level_names(LevelNames::Lower),
        json.clone().keys(rest.into_iter().chain(all)).fields(FieldLayout::Nested).duplicates(Duplicates::First),
        json.clone().spans(SpanLayout::Flat),
        json.clone().keys([Part::Spans]),
        json.clone().keys([]),
        json,
    ]
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Make {
        kind: usize,
        at: usize,
        under: Under,
    },
    Enter(usize),
    /// The entering with this number on the thread, whichever is innermost.
    Exit(usize),
    Record {
        at: usize,
        field: usize,
        long: bool,
    },
    Follow(usize, usize),
    Copy(usize, usize),
    Drop(usize),
    Log(Under),
    /// The thread ends, and another one begins.
    End,
}

#[derive(Clone, Copy, Debug)]
enum Under {
    Current,
    Root,
    Span(usize),
}

const SPANS: usize = 5;
const THREADS: usize = 3;

fn under() -> impl Strategy<Value = Under> {
    prop_oneof![4 => Just(Under::Current), 1 => Just(Under::Root), 2 => (0..SPANS).prop_map(Under::Span)]
}

fn step() -> impl Strategy<Value = (usize, Do)> {
    let at = || 0..SPANS;
    let what = prop_oneof![
        4 => (0..4_usize, at(), under()).prop_map(|(kind, at, under)| Do::Make { kind, at, under }),
        5 => at().prop_map(Do::Enter),
        4 => (0..4_usize).prop_map(Do::Exit),
        4 => (at(), 0..3_usize, prop::bool::weighted(0.1)).prop_map(|(at, field, long)| Do::Record { at, field, long }),
        1 => (at(), at()).prop_map(|(a, b)| Do::Follow(a, b)),
        1 => (at(), at()).prop_map(|(a, b)| Do::Copy(a, b)),
        2 => at().prop_map(Do::Drop),
        8 => under().prop_map(Do::Log),
        1 => Just(Do::End),
    ];
    (prop_oneof![3 => Just(0), 1 => 0..THREADS], what)
}

/// What one thread is to do next, with the spans that it is in.
type Work = Box<dyn FnOnce(&mut Vec<Span>) + Send>;

struct Worker {
    work: Sender<(Work, Sender<()>)>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(dispatch: &Dispatch) -> Self {
        let (work, receive) = channel::<(Work, Sender<()>)>();
        let dispatch = dispatch.clone();
        let thread = std::thread::spawn(move || {
            let _default = tracing::dispatcher::set_default(&dispatch);
            let mut entered = Vec::<Span>::new();
            for (work, done) in receive {
                work(&mut entered);
                drop(done);
            }
            entered.iter().for_each(exit);
        });
        Self { work, thread }
    }

    fn run(&self, work: impl FnOnce(&mut Vec<Span>) + Send + 'static) {
        let (done, wait) = channel();
        self.work.send((Box::new(work), done)).unwrap();
        assert!(wait.recv().is_err());
    }

    fn end(self) {
        drop(self.work);
        self.thread.join().unwrap();
    }
}

fn make(kind: usize, under: Under, spans: &[Option<Span>], time: u64) -> Span {
    let parent = match under {
        Under::Current => {
            return match kind {
                0 => info_span!("one", a = time, b = Empty, c = Empty),
                1 => info_span!("hidden", a = Empty, b = time, c = Empty),
                2 => tracing::error_span!("quiet", a = Empty, b = Empty, c = Empty),
                _ => tracing::trace_span!("two", a = time, b = time, c = time),
            };
        }
        Under::Root => None,
        Under::Span(at) => spans[at].as_ref().and_then(Span::id),
    };
    match kind {
        0 => info_span!(parent: parent, "one", a = time, b = Empty, c = Empty),
        1 => info_span!(parent: parent, "hidden", a = Empty, b = time, c = Empty),
        2 => tracing::error_span!(parent: parent, "quiet", a = Empty, b = Empty, c = Empty),
        _ => tracing::trace_span!(parent: parent, "two", a = time, b = time, c = time),
    }
}

/// Without a guard, so that the order may be any.
fn exit(span: &Span) {
    span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
}

fn act(what: Do, time: u64, spans: &mut [Option<Span>], entered: &mut Vec<Span>) {
    match what {
        Do::Make { kind, at, under } => spans[at] = Some(make(kind, under, spans, time)),
        Do::Enter(at) => {
            if let Some(span) = &spans[at] {
                span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
                entered.push(span.clone());
            }
        }
        Do::Exit(back) => {
            if let Some(at) = entered.len().checked_sub(1 + back) {
                exit(&entered.remove(at));
            }
        }
        Do::Record { at, field, long } => {
            let Some(span) = &spans[at] else { return };
            let field = ["a", "b", "c"][field];
            match long {
                true => span.record(field, "x".repeat(3000 + time as usize).as_str()),
                false => span.record(field, time),
            };
        }
        Do::Follow(a, b) => {
            if let (Some(a), Some(b)) = (&spans[a], &spans[b]) {
                a.follows_from(b);
            }
        }
        Do::Copy(from, to) => spans[to] = spans[from].clone(),
        Do::Drop(at) => spans[at] = None,
        Do::Log(Under::Current) => info!(n = time, "x"),
        Do::Log(Under::Root) => info!(parent: None, n = time, "x"),
        Do::Log(Under::Span(at)) => info!(parent: spans[at].as_ref().and_then(Span::id), n = time, "x"),
        Do::End => {}
    }
}

fn check(steps: &[(usize, Do)]) {
    pin();
    let [all, all_again, all_expected, shown, shown_again, shown_expected, wrong] = [(); 7].map(|()| Lines::default());
    let hides = || filter_fn(|metadata| metadata.name() != "hidden");
    let handlers = (all.handler(), compare_formats(formats(), wrong.clone()));
    let dispatch = Dispatch::new(
        tracing_subscriber::registry()
            .with(tracing_handlers::layer(handlers))
            .with(Reference { lines: all_expected.clone(), number: 0 })
            .with(tracing_handlers::layer(shown.handler()).with_filter(hides()))
            .with(Reference { lines: shown_expected.clone(), number: 1 }.with_filter(hides()))
            // These share with the ones above what they capture.
            .with(tracing_handlers::layer(shown_again.handler()).with_filter(hides()))
            .with(tracing_handlers::layer(all_again.handler())),
    );
    let spans = Arc::new(Mutex::new(vec![None::<Span>; SPANS]));
    let mut workers: Vec<_> = (0..THREADS).map(|_| Worker::start(&dispatch)).collect();
    for (time, &(thread, what)) in steps.iter().enumerate() {
        let spans = spans.clone();
        workers[thread].run(move |entered| act(what, time as u64, &mut spans.lock().unwrap(), entered));
        if matches!(what, Do::End) {
            workers.remove(thread).end();
            workers.insert(thread, Worker::start(&dispatch));
        }
    }
    workers.into_iter().for_each(Worker::end);
    assert_eq!(wrong.all(), [""; 0], "without a past; for the first time; for the second");
    assert_eq!(all.all(), all_expected.all());
    assert_eq!(all_again.all(), all_expected.all(), "again");
    assert_eq!(shown_again.all(), shown_expected.all(), "again, with a stock filter");
    assert_eq!(shown.all(), shown_expected.all(), "with a stock filter");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_spans_of_every_event_are_those_that_the_registry_tells(steps in prop::collection::vec(step(), 1..120)) {
        check(&steps);
    }
}
