//! Several layers of this crate in one subscriber: they share what they capture, and behave as if they did not.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::Value;
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Level, Metadata, Span, Subscriber, debug, error, info, info_span, warn};
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::filter::LevelFilter;
use tracing_handlers::format::Text;
use tracing_handlers::handler::from_fn;
use tracing_handlers::sink::Memory;
use tracing_handlers::{Handler, Output};
use tracing_subscriber::filter::{EnvFilter, FilterFn, Targets, filter_fn};
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;
use tracing_subscriber::registry::LookupSpan;

use crate::collect::{Seen, alone, pin, spans};

fn log_in(subscriber: impl Into<Dispatch>, log: impl FnOnce()) {
    pin();
    tracing::dispatcher::with_default(&subscriber.into(), log);
}

/// A value that counts how often it is formatted.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("counted")
    }
}

fn without(name: &'static str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(move |metadata| metadata.name() != name)
}

type Boxed<S> = Box<dyn Layer<S> + Send + Sync>;

#[test]
fn handlers_become_layers_in_every_place_where_layers_go() {
    let [console, json, errors, option, list, boxed, inner, tuple] = [(); 8].map(|()| Memory::new());
    let output = |memory: &Memory| Output::new(Text::new(), memory.clone());
    let (verbose, several) = (false, vec![output(&list).layer().boxed(), None::<Output<Text, Memory>>.layer().boxed()]);
    let subscriber = registry()
        .with(output(&console).layer())
        .with(output(&json).layer().with_filter(EnvFilter::new("warn")))
        .with(output(&errors).level(Level::ERROR).layer())
        .with(Some(output(&option).layer()))
        .with(verbose.then(|| output(&option).layer()))
        .with(several)
        .with((Box::new(output(&boxed)) as Box<dyn Handler>).layer().and_then(Arc::new(output(&inner)).layer()))
        .with((output(&tuple), output(&tuple)).layer().with_filter(Targets::new().with_default(Level::WARN)));
    log_in(subscriber, || {
        info!("info");
        warn!("warn");
        error!("error");
    });
    let counts = [&console, &json, &errors, &option, &list, &boxed, &inner, &tuple].map(|memory| memory.lines().len());
    assert_eq!(counts, [3, 2, 1, 3, 3, 3, 3, 4]);
}

#[test]
fn a_list_of_boxed_layers_needs_no_annotation() {
    fn subscriber(layers: Vec<Boxed<registry::Registry>>) -> impl Subscriber + Send + Sync {
        registry().with(layers)
    }
    let (one, other) = (Seen::default(), Seen::default());
    let layers =
        vec![one.clone().layer().boxed(), Box::new(Some(other.clone().layer().with_filter(LevelFilter::WARN)))];
    log_in(Dispatch::new(subscriber(layers)), || {
        info!("info");
        warn!("warn");
    });
    assert_eq!((one.messages(), other.messages()), (vec!["info".into(), "warn".into()], vec!["warn".into()]));
}

#[test]
fn an_event_and_a_span_are_formatted_once_for_all_layers() {
    let [a, b, c] = [(); 3].map(|()| Seen::default());
    let value = Counted::default();
    let all = EnvFilter::new("trace");
    let layers =
        registry().with(a.clone().layer()).with(b.clone().layer().with_filter(all)).with(vec![c.clone().layer()]);
    log_in(layers, || {
        let span = info_span!("span", ?value, late = tracing::field::Empty).entered();
        assert_eq!(value.take(), 1, "a new span");
        info!(?value, "{value:?}");
        assert_eq!(value.take(), 2, "an event");
        span.record("late", tracing::field::debug(&value));
        assert_eq!(value.take(), 1, "a recorded value");
        info!(parent: None, ?value, "outside");
        info!(parent: &*span, ?value, "inside");
        std::thread::scope(|scope| {
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            let (span, value) = (&span, &value);
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || span.in_scope(|| info!(?value, "elsewhere")));
            });
        });
        assert_eq!(value.take(), 3, "events outside, in an explicit span, and on another thread");
    });
    let inside = vec!["span{value=counted, late=counted}".to_owned()];
    for seen in [a, b, c] {
        assert_eq!(seen.messages(), ["counted", "outside", "inside", "elsewhere"]);
        assert_eq!(seen.spans(), [vec!["span{value=counted}".to_owned()], vec![], inside.clone(), inside.clone()]);
    }
}

#[test]
fn a_value_is_recorded_once_and_a_cause_is_stored_once() {
    let [a, b] = [(); 2].map(|()| Seen::default());
    log_in(registry().with(a.clone().layer()).with(b.clone().layer()), || {
        let (one, other) = (info_span!("one", v = 0), info_span!("other", v = 0));
        for v in 1..4 {
            one.record("v", v);
            one.follows_from(&other);
            one.in_scope(|| info!("x"));
        }
    });
    for seen in [a, b] {
        assert_eq!(seen.spans(), [["one{v=1}"], ["one{v=2}"], ["one{v=3}"]]);
        let causes =
            |record: &tracing_handlers::RecordBuf| record.as_record().spans().next().unwrap().follows_from().count();
        assert_eq!(seen.all().iter().map(causes).collect::<Vec<_>>(), [1, 2, 3]);
    }
}

#[test]
fn a_span_that_is_hidden_from_one_layer_stays_hidden_in_either_order() {
    for hidden_from in [0, 1] {
        let seen: [Seen; 2] = Default::default();
        let layer = |index: usize| {
            let layer = seen[index].clone().layer();
            if index == hidden_from { layer.with_filter(without("middle")).boxed() } else { layer.boxed() }
        };
        log_in(registry().with(vec![layer(0), layer(1)]), || {
            let outer = info_span!("outer", v = 0).entered();
            let middle = info_span!("middle", v = 0).entered();
            let inner = info_span!("inner", v = 0).entered();
            info!("one");
            outer.record("v", 1);
            middle.record("v", 1);
            inner.record("v", 1);
            info!("two");
            drop(inner);
            info!("three");
            drop(middle);
            info!("four");
        });
        let few = [
            vec!["outer{v=0}", "inner{v=0}"],
            vec!["outer{v=1}", "inner{v=1}"],
            vec!["outer{v=1}"],
            vec!["outer{v=1}"],
        ];
        let all = [
            vec!["outer{v=0}", "middle{v=0}", "inner{v=0}"],
            vec!["outer{v=1}", "middle{v=1}", "inner{v=1}"],
            vec!["outer{v=1}", "middle{v=1}"],
            vec!["outer{v=1}"],
        ];
        assert_eq!(seen[hidden_from].spans(), few, "hidden from {hidden_from}");
        assert_eq!(seen[1 - hidden_from].spans(), all, "hidden from {hidden_from}");
    }
}

#[test]
fn three_layers_that_each_see_other_spans_keep_them_apart_in_every_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let seen: [Seen; 3] = Default::default();
        let layer = |index: usize| match index {
            0 => seen[0].clone().layer().boxed(),
            1 => seen[1].clone().layer().with_filter(without("one")).boxed(),
            _ => seen[2].clone().layer().with_filter(without("two")).boxed(),
        };
        log_in(registry().with(order.map(layer).into_iter().collect::<Vec<_>>()), || {
            let _spans = [info_span!("one").entered(), info_span!("two").entered(), info_span!("three").entered()];
            (0..3).for_each(|n| info!(n, "x"));
        });
        assert_eq!(seen[0].spans(), [["one{}", "two{}", "three{}"]; 3], "{order:?}");
        assert_eq!(seen[1].spans(), [["two{}", "three{}"]; 3], "{order:?}");
        assert_eq!(seen[2].spans(), [["one{}", "three{}"]; 3], "{order:?}");
    }
}

#[test]
fn a_cause_that_is_hidden_from_one_layer_does_not_appear_in_it() {
    for hidden_from in [0, 1] {
        let seen: [Seen; 3] = Default::default();
        let layer = |index: usize| {
            let layer = seen[index].clone().layer();
            if index == hidden_from { layer.with_filter(without("cause")).boxed() } else { layer.boxed() }
        };
        let dispatch = Dispatch::new(registry().with(vec![layer(0), layer(1), layer(2)]));
        log_in(dispatch, || {
            let outer = info_span!("outer", v = 0).entered();
            let inner = info_span!("inner", v = 0).entered();
            info!("before");
            outer.follows_from(info_span!("cause").id());
            info!("after");
            outer.record("v", 1);
            inner.record("v", 1);
            info!("recorded");
            let _new = info_span!("new").entered();
            info!("below");
        });
        for (index, seen) in seen.iter().enumerate() {
            let causes = |record: &tracing_handlers::RecordBuf| {
                record.as_record().spans().map(|span| span.follows_from().count()).sum()
            };
            let counts: Vec<usize> = seen.all().iter().map(causes).collect();
            let shown = usize::from(index != hidden_from);
            assert_eq!(counts, [0, shown, shown, shown], "{index} of {hidden_from}");
            assert_eq!(
                seen.spans()[2..],
                [vec!["outer{v=1}", "inner{v=1}"], vec!["outer{v=1}", "inner{v=1}", "new{}"]]
            );
        }
    }
}

#[test]
fn causes_of_spans_that_are_hidden_from_different_layers_do_not_appear_in_them() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let seen: [Seen; 3] = Default::default();
        let layer = |index: usize| match index {
            0 => seen[0].clone().layer().with_filter(without("one")).boxed(),
            1 => seen[1].clone().layer().with_filter(without("two")).boxed(),
            _ => seen[2].clone().layer().boxed(),
        };
        log_in(registry().with(order.map(layer).into_iter().collect::<Vec<_>>()), || {
            let (one, two) = (info_span!("one"), info_span!("two"));
            let outer = info_span!("outer").entered();
            let middle = info_span!("middle").entered();
            let _inner = info_span!("inner").entered();
            middle.follows_from(&one);
            outer.follows_from(&two);
            info!("x");
            info!("y");
        });
        for (seen, expected) in seen.iter().zip([[1, 0, 0], [0, 1, 0], [1, 1, 0]]) {
            for record in seen.all() {
                let causes = record.as_record().spans().map(|span| span.follows_from().count()).collect::<Vec<_>>();
                assert_eq!(causes, expected, "{order:?}");
            }
        }
    }
}

#[test]
fn a_hidden_cause_of_the_outermost_of_many_spans_does_not_exhaust_the_stack() {
    let seen: [Seen; 3] = Default::default();
    let [all, same, few] = seen.clone().map(Handler::layer);
    let layers = vec![all.boxed(), same.boxed(), few.with_filter(without("cause")).boxed()];
    let log = || {
        let outer = info_span!("outer").entered();
        let mut inner: Vec<_> = (0..5_000).map(|_| info_span!("inner").entered()).collect();
        outer.follows_from(info_span!("cause").id());
        info!("x");
        while inner.pop().is_some() {}
    };
    let run = move || log_in(registry().with(layers), log);
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap().join().unwrap();
    for (seen, expected) in seen.iter().zip([1, 1, 0]) {
        let causes: usize = seen.last().as_record().spans().map(|span| span.follows_from().count()).sum();
        assert_eq!(causes, expected);
    }
}

/// A layer of another crate in which another thread makes the first of these spans follow from the second one, when a value is recorded.
struct FollowsMeanwhile(Arc<Mutex<Option<(Span, Span)>>>);

impl<S: Subscriber> Layer<S> for FollowsMeanwhile {
    fn on_record(&self, _: &Id, _: &tracing::span::Record<'_>, _: Context<'_, S>) {
        if let Some((span, cause)) = self.0.lock().unwrap().take() {
            let follow = move || {
                span.follows_from(&cause);
            };
            std::thread::spawn(follow).join().unwrap();
        }
    }
}

#[test]
fn a_cause_that_is_added_while_a_value_is_recorded_is_not_lost() {
    let ([a, b], spans) = ([(); 2].map(|()| Seen::default()), Arc::default());
    let few = a.clone().layer().with_filter(without("cause"));
    log_in(registry().with(few).with(FollowsMeanwhile(Arc::clone(&spans))).with(b.clone().layer()), || {
        let (cause, span) = (info_span!("cause"), info_span!("span", number = 0));
        *spans.lock().unwrap() = Some((span.clone(), cause));
        span.record("number", 1);
        span.in_scope(|| info!("x"));
    });
    for (seen, expected) in [(a, 0), (b, 1)] {
        let causes: usize = seen.last().as_record().spans().map(|span| span.follows_from().count()).sum();
        assert_eq!((seen.spans(), causes), (vec![vec!["span{number=1}".to_owned()]], expected));
    }
}

/// Accepts all but every third event, whatever it is.
struct Except(usize);

static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl<S> Filter<S> for Except {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        NUMBER.load(Ordering::Relaxed) % 3 != self.0
    }
}

#[test]
fn an_event_that_one_layer_rejects_is_not_confused_with_the_next_one_at_its_address() {
    let [even, odd, all] = [(); 3].map(|()| Seen::default());
    let subscriber = registry()
        .with(even.clone().layer().with_filter(Except(0)))
        .with(all.clone().layer())
        .with(odd.clone().layer().with_filter(Except(1)));
    log_in(subscriber, || {
        for number in 0..30_usize {
            NUMBER.store(number, Ordering::Relaxed);
            info!(number, "x{number}");
        }
    });
    let messages =
        |wanted: fn(usize) -> bool| (0..30).filter(|n| wanted(*n)).map(|n| format!("x{n}")).collect::<Vec<_>>();
    assert_eq!(all.messages(), messages(|_| true));
    assert_eq!(even.messages(), messages(|n| n % 3 != 0));
    assert_eq!(odd.messages(), messages(|n| n % 3 != 1));
}

/// A layer of another crate that passes on events with this number in place of theirs.
struct Renumbers<L> {
    layer: L,
    number: u64,
    asks: bool,
}

impl<S: Subscriber, L: Layer<S>> Layer<S> for Renumbers<L> {
    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        !self.asks || self.layer.event_enabled(event, context)
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let names = event.metadata().fields();
        let number = names.field("number").unwrap();
        let values = [(&number, Some(&self.number as &dyn Value))];
        self.layer.on_event(&Event::new(event.metadata(), &names.value_set(&values)), context);
    }
}

#[test]
fn layers_inside_layers_that_change_events_do_not_mix_them() {
    for asks in [false, true] {
        let [a, b, c, d] = [(); 4].map(|()| Seen::default());
        let inside = |seen: &Seen, number| Renumbers { layer: seen.clone().layer(), number, asks };
        let subscriber =
            registry().with(a.clone().layer()).with(vec![inside(&b, 7), inside(&c, 8)]).with(d.clone().layer());
        log_in(subscriber, || (3..5_u64).for_each(|number| info!(number)));
        let numbers = |seen: &Seen| {
            let number = |record: &tracing_handlers::RecordBuf| record.as_record().field("number").unwrap().to_string();
            seen.all().iter().map(number).collect::<Vec<_>>().join(" ")
        };
        assert_eq!([a, b, c, d].map(|seen| numbers(&seen)), ["3 4", "7 7", "8 8", "3 4"], "{asks}");
    }
}

/// A layer of another crate that passes on new spans with this number in place of theirs.
struct RenumbersSpans<L> {
    layer: L,
    number: u64,
}

impl<S: Subscriber, L: Layer<S>> Layer<S> for RenumbersSpans<L> {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let names = attributes.metadata().fields();
        let number = names.field("number").unwrap();
        let values = [(&number, Some(&self.number as &dyn Value))];
        let values = names.value_set(&values);
        self.layer.on_new_span(&Attributes::new(attributes.metadata(), &values), id, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.layer.on_enter(id, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.layer.on_event(event, context);
    }
}

#[test]
fn a_layer_inside_one_that_changes_spans_does_not_mix_them() {
    let [a, b, c] = [(); 3].map(|()| Seen::default());
    let inside = RenumbersSpans { layer: b.clone().layer(), number: 7 };
    log_in(registry().with(a.clone().layer()).with(inside).with(c.clone().layer()), || {
        info_span!("span", number = 3).in_scope(|| info!("x"));
    });
    assert_eq!([a, b, c].map(|seen| seen.spans()), [3, 7, 3].map(|number| [[format!("span{{number={number}}}")]]));
}

#[test]
fn layers_around_one_that_sees_other_spans_still_share() {
    let [a, b, c, d] = [(); 4].map(|()| Seen::default());
    let value = Counted::default();
    let hides = || without("hidden");
    let subscriber = registry()
        .with(a.clone().layer())
        .with(b.clone().layer().with_filter(hides()))
        .with(c.clone().layer())
        .with(d.clone().layer().with_filter(hides()));
    log_in(subscriber, || {
        let _spans = [info_span!("shown", ?value).entered(), info_span!("hidden", ?value).entered()];
        assert_eq!(value.take(), 2, "each span once");
        for _ in 0..3 {
            info!(?value, "x");
            assert_eq!(value.take(), 2, "with the hidden span and without it");
        }
    });
    let (few, all) = (["shown{value=counted}"; 1], ["shown{value=counted}", "hidden{value=counted}"]);
    assert_eq!(
        (a.spans(), c.spans()),
        (vec![all.map(str::to_owned).to_vec(); 3], vec![all.map(str::to_owned).to_vec(); 3])
    );
    assert_eq!(
        (b.spans(), d.spans()),
        (vec![few.map(str::to_owned).to_vec(); 3], vec![few.map(str::to_owned).to_vec(); 3])
    );
}

#[test]
fn subscribers_that_take_turns_on_a_thread_do_not_mix() {
    let seen: [Seen; 4] = Default::default();
    let dispatch = |a: usize, b: usize| {
        Dispatch::new(
            registry().with(seen[a].clone().layer()).with(seen[b].clone().layer().with_filter(LevelFilter::INFO)),
        )
    };
    let (one, other) = (dispatch(0, 1), dispatch(2, 3));
    pin();
    let mut entered = Vec::new();
    for number in 0..20_usize {
        let (dispatch, name) = if number % 2 == 0 { (&one, "even") } else { (&other, "odd") };
        tracing::dispatcher::with_default(dispatch, || {
            entered.push(info_span!("span", name, number).entered());
            info!(number, "x");
            debug!(number, "y");
        });
    }
    while entered.pop().is_some() {}
    for (index, seen) in seen.iter().enumerate() {
        let numbers: Vec<usize> = (0..20).filter(|number| number % 2 == index / 2).collect();
        let times = if index % 2 == 0 { 2 } else { 1 };
        assert_eq!(seen.count(), numbers.len() * times, "{index}");
        for (record, number) in seen.all().iter().step_by(times).zip(numbers) {
            assert_eq!(record.as_record().field("number").unwrap().to_string(), number.to_string());
            let expected: Vec<String> = (0..=number)
                .filter(|outer| outer % 2 == number % 2)
                .map(|outer| format!("span{{name={:?}, number={outer}}}", if outer % 2 == 0 { "even" } else { "odd" }))
                .collect();
            assert_eq!(spans(record), expected);
        }
    }
}

#[test]
fn a_layer_with_a_clock_of_its_own_has_its_own_times() {
    let [a, b, c] = [(); 3].map(|()| Seen::default());
    let clock = |seconds| Manual::new(Timestamp::new(seconds, 0));
    let subscriber = registry()
        .with(a.clone().layer())
        .with(b.clone().layer().clock(clock(1)))
        .with(c.clone().layer().clock(clock(2)));
    log_in(subscriber, || info!("x"));
    let seconds = [&b, &c].map(|seen| seen.last().as_record().time().seconds());
    assert!(a.last().as_record().time().seconds() > 1_000 && seconds == [1, 2], "{seconds:?}");
}

#[test]
fn layers_that_share_an_event_show_the_same_time() {
    let [a, b] = [(); 2].map(|()| Seen::default());
    log_in(registry().with(a.clone().layer()).with(b.clone().layer()), || (0..100).for_each(|n| info!(n, "x")));
    let times = |seen: &Seen| seen.all().iter().map(|record| record.as_record().time()).collect::<Vec<_>>();
    assert_eq!(times(&a), times(&b));
}

#[test]
fn a_panic_in_a_handler_of_one_layer_does_not_reach_the_others() {
    let [a, b] = [(); 2].map(|()| Seen::default());
    let panics = from_fn(|record| match record.message() {
        "bad" => panic!("on purpose"),
        _ => Ok(()),
    });
    log_in(registry().with(a.clone().layer()).with(panics.layer()).with(b.clone().layer()), || {
        for message in ["one", "bad", "two"] {
            info!("{message}");
        }
    });
    for seen in [a, b] {
        assert_eq!(seen.messages(), ["one", "bad", "two"]);
    }
}

#[test]
fn more_layers_than_share_a_span_see_it_too() {
    let seen: [Seen; 11] = Default::default();
    let layers: Vec<_> = seen.iter().map(|seen| seen.clone().layer()).collect();
    log_in(registry().with(layers), || {
        let span = info_span!("span", v = 0).entered();
        span.record("v", 1);
        let _inner = info_span!("inner").entered();
        info!("x");
        span.record("v", 2);
        info!("y");
    });
    for seen in seen {
        assert_eq!(seen.messages(), ["x", "y"]);
        assert_eq!(seen.spans(), [["span{v=1}", "inner{}"], ["span{v=2}", "inner{}"]]);
    }
}

#[test]
fn each_layer_has_the_lifecycle_events_of_a_span_once() {
    use tracing_handlers::record::SpanEvents;
    let [a, b] = [(); 2].map(|()| Memory::new());
    let output = |memory: &Memory| {
        let format = tracing_handlers::format::from_fn(|record, out| {
            out.push_str(&format!("{:?}", record.kind()));
            Ok(())
        });
        Output::new(format, memory.clone()).span_events(SpanEvents::ALL)
    };
    log_in(registry().with(output(&a).layer()).with(output(&b).layer()), || drop(info_span!("span").entered()));
    assert_eq!((a.lines(), b.lines().len()), (b.lines(), 4));
}

/// A layer of another crate that logs whatever it receives.
struct Echo;

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Echo {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "echo" {
            info!(target: "echo", "echo");
        }
    }
}

alone! {
    fn a_layer_in_between_that_logs_costs_no_event_and_mixes_none() {
        let [a, b, c] = [(); 3].map(|()| Seen::default());
        registry().with(a.clone().layer()).with(Echo).with(b.clone().layer()).with(c.clone().layer()).init();
        let span = info_span!("span").entered();
        for number in 0..3 {
            info!(number, "x{number}");
        }
        drop(span);
        let nested = ["x0", "echo", "x1", "echo", "x2", "echo"];
        assert_eq!(a.messages(), nested);
        let after = ["echo", "x0", "echo", "x1", "echo", "x2"];
        assert_eq!((b.messages(), c.messages()), (after.map(str::to_owned).to_vec(), after.map(str::to_owned).to_vec()));
        assert!([a, b, c].iter().all(|seen| seen.spans().iter().all(|spans| spans == &["span{}"])));
    }

    #[cfg(feature = "log")]
    fn records_of_the_log_crate_reach_each_layer_once_with_their_key_values() {
        let [a, b, c] = [(); 3].map(|()| Seen::default());
        tracing_handlers::bridge_log().unwrap();
        let subscriber = registry().with(a.clone().layer()).with(b.clone().layer()).with(c.clone().layer().with_filter(LevelFilter::WARN));
        tracing::subscriber::set_global_default(subscriber).unwrap();
        for pieces in 0..3 {
            log::info!(target: "shop", pieces; "sold");
        }
        log::warn!(target: "other", "sold out");
        let shown = |seen: &Seen| {
            let line = |record: &tracing_handlers::RecordBuf| {
                let record = record.as_record();
                let pieces = record.field("pieces").map(|value| value.to_string()).unwrap_or_default();
                format!("{} {} {pieces}", record.target(), record.message())
            };
            seen.all().iter().map(line).collect::<Vec<_>>()
        };
        let all = ["shop sold 0", "shop sold 1", "shop sold 2", "other sold out "];
        assert_eq!((shown(&a), shown(&b)), (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec()));
        assert_eq!(shown(&c), [all[3]]);
    }

    fn a_debug_that_logs_does_not_mix_events_of_several_layers() {
        struct Logs(u32);
        impl fmt::Debug for Logs {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if let Some(below) = self.0.checked_sub(1) {
                    info!(depth = below, inner = ?Logs(below), "inner {below}");
                }
                write!(f, "depth {}", self.0)
            }
        }
        let seen: [Seen; 3] = Default::default();
        registry().with(seen[0].clone().layer()).with(seen[1].clone().layer()).with(seen[2].clone().layer()).init();
        for depth in [2, 0, 1] {
            info!(depth, inner = ?Logs(depth), "outer {depth}");
        }
        for seen in &seen {
            for record in seen.all() {
                let record = record.as_record();
                let depth = record.field("depth").unwrap().to_string();
                assert_eq!(record.field("inner").unwrap().to_string(), format!("depth {depth}"));
                assert!(record.message().ends_with(&depth));
            }
            let outer: Vec<_> = seen.messages().into_iter().filter(|message| message.starts_with("outer")).collect();
            assert_eq!(outer, ["outer 2", "outer 0", "outer 1"]);
        }
    }

    fn the_current_span_is_that_of_each_layer_after_spans_are_exited_out_of_order() {
        let [a, b] = [(); 2].map(|()| Seen::default());
        registry().with(a.clone().layer()).with(b.clone().layer().with_filter(without("hidden"))).init();
        let [one, hidden, two] = [info_span!("one"), info_span!("hidden"), info_span!("two")];
        let step = |span: &Span, enter: bool| span.with_subscriber(|(id, dispatch)| match enter {
            true => dispatch.enter(id),
            false => dispatch.exit(id),
        });
        for span in [&one, &hidden, &two] {
            step(span, true);
            info!("x");
        }
        for span in [&hidden, &one, &two] {
            step(span, false);
            info!("y");
        }
        assert_eq!(a.spans(), [vec!["one{}"], vec!["hidden{}"], vec!["two{}"], vec!["two{}"], vec!["two{}"], vec![]]);
        assert_eq!(b.spans(), [vec!["one{}"], vec!["one{}"], vec!["two{}"], vec!["two{}"], vec!["two{}"], vec![]]);
    }
}
