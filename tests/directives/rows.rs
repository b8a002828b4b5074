//! What users of other libraries met, by the numbers of their reports, and where directives differ from tracing-subscriber's.

use std::sync::{Arc, Mutex};

use tracing::{Level, debug, error, event, info, info_span, trace, warn};
use tracing_handlers::filter::{self, Directive, EnvFilter, Filter, FilterExt, LevelFilter, Targets, Threshold};
use tracing_handlers::handler::{Alert, Buffer, Handler, Rewriting, ScopedBuffer};
use tracing_handlers::rewrite::SetSeverity;
use tracing_handlers::{Output, RecordBuf, Severity, format, selflog, sink::Memory};
use tracing_subscriber::filter as stock;
use tracing_subscriber::prelude::*;

use crate::alone;

/// Sets a variable while it runs `read`.
fn with_variable<T>(value: Option<&str>, read: impl FnOnce(&str) -> T) -> T {
    let name = "DIRECTIVES_TEST_LOG";
    // SAFETY: the tests of this binary that read or change variables hold one lock.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
    let read = read(name);
    // SAFETY: the same.
    unsafe { std::env::remove_var(name) };
    read
}

/// Returns what is told while `run` runs.
fn told(run: impl FnOnce()) -> Vec<String> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let to = told.clone();
    selflog::set(move |message| to.lock().unwrap().push(message.to_owned()));
    run();
    selflog::reset();
    let told = told.lock().unwrap();
    told.clone()
}

/// Returns the messages that pass a filter.
fn passing(filter: impl Filter, log: impl FnOnce()) -> Vec<String> {
    let memory = Memory::new();
    let message = |record: &tracing_handlers::Record<'_>, out: &mut format::Out<'_>| {
        out.push_str(record.message());
        Ok(())
    };
    let output = Output::new(format::from_fn(message), memory.clone()).filter(filter);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), log);
    memory.lines()
}

fn passes(filter: &impl Filter, target: &str, severity: Severity) -> bool {
    filter.passes(&RecordBuf::new(severity, target, "").as_record())
}

fn error_of<T: std::fmt::Debug>(result: Result<T, tracing_handlers::Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn row_31_an_empty_variable_is_one_that_is_not_set() {
    let _alone = alone();
    for value in [None, Some(""), Some("  "), Some("\t\n")] {
        with_variable(value, |name| {
            assert_eq!(Targets::from_env(name).unwrap(), None, "{value:?}");
            assert_eq!(Targets::from_env_or(name, Level::INFO), Level::INFO.into());
            assert_eq!(EnvFilter::from_env(name).to_string(), "error");
            let error = error_of(EnvFilter::try_from_env(name));
            assert_eq!(error, format!("{name}: not set, or empty"));
            let builder = EnvFilter::builder().with_env_var(name).with_default_directive(Level::WARN.into());
            assert_eq!(builder.from_env().unwrap().to_string(), "warn");
            assert_eq!(builder.from_env_lossy().to_string(), "warn");
        });
    }
    with_variable(Some("off"), |name| {
        assert_eq!(Targets::from_env(name).unwrap(), Some(LevelFilter::OFF.into()));
        assert_eq!(EnvFilter::try_from_env(name).unwrap().to_string(), "off");
    });
    // Commas alone are no directives either.
    assert_eq!(EnvFilter::new(",, ,").to_string(), "error");
    assert_eq!("info,".parse::<Targets>().unwrap(), Level::INFO.into());
}

#[test]
fn row_33_blanks_around_every_part_are_ignored() {
    let _alone = alone();
    let spellings = [
        "info,shop=debug",
        " info , shop = debug ",
        "info, shop=debug",
        "info,shop=debug ",
        "\u{3000}info,\u{3000}shop=debug\u{3000}",
        "\tinfo\n,\nshop\t=\tdebug\r\n",
        ",info,,shop=debug,",
    ];
    for spelling in spellings {
        assert_eq!(spelling.parse::<Targets>().unwrap().to_string(), "shop=debug,info", "{spelling:?}");
        assert_eq!(EnvFilter::try_new(spelling).unwrap().to_string(), "shop=debug,info", "{spelling:?}");
    }
    let dynamic = " shop [ request { user = ada , id } ] = debug , info ";
    assert_eq!(EnvFilter::try_new(dynamic).unwrap().to_string(), "info,shop[request{user=ada,id}]=debug");
    // Of tracing-subscriber 0.3.23: a target with a blank, which is silence.
    assert_eq!(stock::EnvFilter::new("info ").to_string(), "info =trace");
    assert!(stock::EnvFilter::try_new("info, shop=debug").is_err());
}

#[test]
fn row_34_commas_quotes_and_braces_belong_to_the_value_they_are_in() {
    let _alone = alone();
    for text in [
        "[{a=1,b=2}]=info",
        "[{a=\"x,y\"}]=info",
        "[request{a=(x,y)}]=info",
        "[{a=x{1,3}}]=info",
        "[{a=[,\\}]}]=info",
        "[{a=\\},b=\\,}]=info",
        "[{a=\"}]=,\"}]=info",
        "shop=debug,[{a=b=c,d}]=info",
        "[{a=-0,b=0}]=info",
    ] {
        let filter = EnvFilter::try_new(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), text);
        assert!(stock::EnvFilter::try_new(text).is_err() || text.contains("b=c"), "{text}");
    }
    let in_span = |text: &str| {
        passing(EnvFilter::try_new(text).unwrap(), || {
            let span = info_span!("request", bare = "a,b", debug = ?"bob", shown = %"{x}", number = 1, text = "1", good = true);
            span.in_scope(|| trace!("x"));
        }) == ["x"]
    };
    for finds in [
        "[{bare=a,b}]",
        "[{bare=a\\,b}]",
        "[{bare=a.b,number=1}]",
        "[{debug=\"bob\"}]",
        "[{shown=\\{x\\}}]",
        "[{number=1,good=true}]",
        "[{bare=b}]",
        "[{bare=\"?a\\,b\"?}]",
        "[{debug=\"?bob\"?}]",
        "[{bare=}]",
        "[{number=}]",
    ] {
        // A field `b` does not exist.
        assert_eq!(in_span(finds), finds != "[{bare=a,b}]", "{finds}");
    }
    // A boolean and a number are typed; a regular expression reaches the right edge.
    for misses in [
        "[{text=1}]",
        "[{number=2}]",
        "[{good=false}]",
        "[{bare=\"a,b\"}]",
        "[{debug=bob}]",
        "[{bare=a}]",
        "[{other=}]",
    ] {
        assert!(!in_span(misses), "{misses}");
    }
}

#[test]
fn row_37_directives_apply_to_the_beginnings_of_targets_and_routes_to_whole_names() {
    let _alone = alone();
    let targets = "tokio=info,tokio_xmpp::stream=warn".parse::<Targets>().unwrap();
    let env = EnvFilter::try_new("tokio=info,tokio_xmpp::stream=warn").unwrap();
    for (target, level) in [
        ("tokio", Level::INFO),
        ("tokio::net", Level::INFO),
        ("tokio_xmpp", Level::INFO),
        ("tokio_xmpp::stream::x", Level::WARN),
    ] {
        assert_eq!(targets.level_of(target), level.into(), "{target}");
        assert!(targets.would_enable(target, level) && passes(&env, target, level.into()));
    }
    let modules = filter::targets(["tokio"]);
    assert!(passes(&modules, "tokio::net", Severity::INFO) && !passes(&modules, "tokio_xmpp", Severity::INFO));
    // Wildcards are told apart from names.
    let error = error_of("tokio*=info".parse::<Targets>());
    assert!(error.contains("a target is the beginning of a name, without `*`"), "{error}");
}

#[test]
fn row_39_defaults_stay_below_what_the_user_asks_for() {
    let _alone = alone();
    let defaults = || "info,app=info,app::db=warn,hyper=off".parse::<Targets>().unwrap();
    let cases: [(&str, &[(&str, Level)]); 5] = [
        ("app=debug", &[("app", Level::DEBUG), ("app::db", Level::DEBUG), ("other", Level::INFO)]),
        ("app::db=trace", &[("app", Level::INFO), ("app::db", Level::TRACE), ("other", Level::INFO)]),
        (
            "debug",
            &[("app", Level::DEBUG), ("app::db", Level::DEBUG), ("hyper", Level::DEBUG), ("other", Level::DEBUG)],
        ),
        ("hyper::client=debug", &[("hyper::client", Level::DEBUG), ("app", Level::INFO)]),
        ("", &[("app", Level::INFO), ("app::db", Level::WARN), ("other", Level::INFO)]),
    ];
    for (user, expected) in cases {
        let targets = user.parse::<Targets>().unwrap().or_default(defaults());
        let env = EnvFilter::try_new(user).unwrap().or_default(defaults());
        for (target, level) in expected {
            assert_eq!(targets.level_of(target), (*level).into(), "{user} {target}");
            for other in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                assert_eq!(passes(&env, target, other.into()), other <= *level, "{user} {target} {other}");
            }
        }
        let from_variable = with_variable(Some(user), |name| Targets::from_env_or(name, defaults()));
        assert_eq!(from_variable, targets, "{user}");
    }
    // What overrides does so in both.
    let over: Directive = "app=info".parse().unwrap();
    assert_eq!(EnvFilter::new("app=debug").add_directive(over).to_string(), "app=info");
    assert_eq!("app=debug".parse::<Targets>().unwrap().with_target("app", Level::INFO).to_string(), "app=info");
    let spans = EnvFilter::new("[request]=warn").or_default(EnvFilter::new("[request]=debug,[query]=debug,info"));
    assert_eq!(spans.to_string(), "info,[request]=warn,[query]=debug");
}

#[test]
fn row_44_levels_are_tracing_s_numbers_and_the_names_of_all_severities() {
    let _alone = alone();
    let levels: [(&str, Threshold); 14] = [
        ("0", Threshold::OFF),
        ("off", Threshold::OFF),
        ("OFF", Threshold::OFF),
        ("1", Level::ERROR.into()),
        ("2", Level::WARN.into()),
        ("3", Level::INFO.into()),
        ("4", Level::DEBUG.into()),
        ("5", Level::TRACE.into()),
        ("Warning", Level::WARN.into()),
        ("notice", Severity::NOTICE.into()),
        ("CRITICAL", Severity::CRITICAL.into()),
        ("emerg", Severity::EMERGENCY.into()),
        ("info2", Severity::from_number(10).unwrap().into()),
        ("verbose", Severity::VERBOSE.into()),
    ];
    for (word, level) in levels {
        assert_eq!(word.parse::<Targets>().unwrap().default_level(), Some(level), "{word}");
        assert_eq!(format!("shop={word}").parse::<Targets>().unwrap().level_of("shop"), level, "{word}");
        let env = EnvFilter::try_new(word).unwrap();
        for severity in (1..=24).filter_map(Severity::from_number) {
            assert_eq!(passes(&env, "any", severity), level.allows(severity), "{word} {severity}");
        }
    }
    for (text, expected) in [
        ("20", "column 1, `20`: a number must be between 0 (`off`) and 5 (`trace`); Python's 20 is `info`"),
        ("info,shop=6", "column 11, `6`: a number must be between 0 (`off`) and 5 (`trace`)"),
        ("shop=wran", "column 6, `wran`: expected a level, did you mean `warn`?"),
        ("shop=", "column 1, `shop=`: expected a level after `=`"),
        (
            "über=loud",
            "column 6, `loud`: expected a level: `off`, `error`, `warn`, `info`, `debug`, `trace` or another severity",
        ),
    ] {
        assert_eq!(error_of(text.parse::<Targets>()), format!("directives: {expected}"));
    }
    let told = told(|| {
        let targets = "wran".parse::<Targets>().unwrap();
        assert!(targets.would_enable("wran::x", Level::TRACE) && !targets.would_enable("shop", Level::ERROR));
        assert!("warp,shop".parse::<Targets>().is_ok());
        assert!(EnvFilter::try_new("inof").is_ok());
    });
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "filter `wran` is the name of a target; for the level, write `warn`");
    assert_eq!(told[2], "filter `inof` is the name of a target; for the level, write `info`");
}

#[test]
fn an_invalid_variable_is_told_with_its_name_and_its_column_and_the_rest_applies() {
    let _alone = alone();
    with_variable(Some("warn, shop=lout ,hyper=off"), |name| {
        let expected = format!("{name}: column 12, `lout`: expected a level: ");
        for error in [error_of(Targets::from_env(name)), error_of(EnvFilter::try_from_env(name))] {
            assert!(error.starts_with(&expected), "{error}");
        }
        let told = told(|| {
            assert_eq!(Targets::from_env_or(name, Level::INFO).to_string(), "hyper=off,warn");
            assert_eq!(EnvFilter::from_env(name).to_string(), "hyper=off,warn");
        });
        assert!(
            told.len() == 2 && told.iter().all(|told| told.starts_with(&expected) && told.ends_with("; ignored")),
            "{told:?}"
        );
    });
    for wrong in [
        "[",
        "shop[",
        "[]",
        "[{}]",
        "[{=1}]",
        "[{r#=1}]",
        "[{a,r#}]",
        "[a{b]",
        "[a]b",
        "[a]=loud",
        "[{a=(}]",
        "shop=info[a]",
        "a b=info",
        "\"info\"",
        "info;shop=debug",
        "shop:debug",
        "info/regex",
        "*",
        "[a}{b]",
    ] {
        let error = error_of(EnvFilter::try_new(wrong));
        assert!(error.starts_with("directives: column "), "{wrong}: {error}");
        assert!(wrong.parse::<Targets>().is_err(), "{wrong}");
    }
    let error = error_of("[request]=info".parse::<Targets>());
    assert!(error.ends_with("spans and fields need an `EnvFilter`"), "{error}");
}

#[test]
fn a_span_without_a_level_passes_only_what_is_in_it() {
    let _alone = alone();
    let lines = passing(EnvFilter::new("[garbage]"), || {
        error!("outside");
        info_span!("other").in_scope(|| error!("elsewhere"));
        info_span!("garbage").in_scope(|| trace!("inside"));
    });
    assert_eq!(lines, ["inside"]);
}

/// In tracing-subscriber, a span's level is found out when it is entered.
#[test]
fn a_value_counts_from_when_it_is_recorded_until_another_is() {
    let _alone = alone();
    let lines = passing(EnvFilter::new("[request{user=ada}]=debug"), || {
        let span = info_span!("request", user = tracing::field::Empty).entered();
        debug!("no user");
        span.record("user", "ada");
        debug!("ada");
        info_span!("query").in_scope(|| debug!("ada's query"));
        span.record("user", "bob");
        debug!("bob");
    });
    assert_eq!(lines, ["ada", "ada's query"]);
}

#[test]
fn the_spans_of_an_event_are_its_parents_whether_entered_or_not() {
    let _alone = alone();
    let lines = passing(EnvFilter::new("[request]=debug"), || {
        let request = info_span!("request");
        let query = info_span!(parent: &request, "query");
        query.in_scope(|| debug!("in a child of it"));
        debug!(parent: &query, "by an explicit parent");
        request.in_scope(|| event!(parent: None, Level::DEBUG, "root"));
        let other = info_span!("other");
        request.in_scope(|| other.in_scope(|| debug!("in a span that is not a child of it")));
        request.in_scope(|| info_span!(parent: None, "detached").in_scope(|| debug!("detached")));
    });
    assert_eq!(lines, ["in a child of it", "by an explicit parent"]);
}

#[test]
fn without_regular_expressions_a_value_is_the_whole_text() {
    let _alone = alone();
    let in_span = |value: &str| {
        let filter = EnvFilter::builder().with_regex(false).parse(format!("[{{user={value}}}]")).unwrap();
        let log = || {
            info_span!("request", user = "a.b").in_scope(|| trace!("string"));
            info_span!("request", user = ?"a.b").in_scope(|| trace!("debug"));
            info_span!("request", user = %"a.b(").in_scope(|| trace!("display"));
            info_span!("request", user = 7).in_scope(|| trace!("number"));
        };
        passing(filter, log).join(" ")
    };
    assert_eq!(in_span("a.b"), "string");
    assert_eq!(in_span("\"a.b\""), "string debug");
    assert_eq!(in_span("a.b("), "display");
    assert_eq!((in_span("7"), in_span("a.c"), in_span("a.bc")), ("number".into(), "".into(), "".into()));
}

#[test]
fn spans_that_no_handler_shows_decide_too() {
    let _alone = alone();
    let memory = Memory::new();
    let text = format::Text::new().time(format::Time::none()).target(false);
    let output = Output::new(text, memory.clone())
        .spans(Level::WARN)
        .level(Level::INFO)
        .filter(EnvFilter::new("[request{id=7}]"));
    let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
    tracing::subscriber::with_default(subscriber, || {
        for id in [7, 8] {
            tracing::trace_span!("request", id).in_scope(|| info!("{id}"));
        }
    });
    assert_eq!(memory.lines(), [" INFO 7"]);
}

#[test]
fn spans_that_no_handler_shows_decide_wherever_a_handler_has_a_filter() {
    let _alone = alone();
    let memory = Memory::new();
    let output = || Output::new(format::Text::new(), memory.clone()).spans(Level::WARN);
    let filter = || EnvFilter::new("off,[request{id=7}]=error");
    let minute = std::time::Duration::from_secs(60);
    let handlers: [(&str, Box<dyn Handler>); 5] = [
        ("alert", Box::new(Alert::new(filter(), 1, minute).to(output()))),
        ("alert per user", Box::new(Alert::new(filter(), 1, minute).per("user").to(output()))),
        (
            "buffer",
            Box::new(Buffer::new(output()).flush_at(LevelFilter::OFF).flush_when(filter()).flush_on_close(false)),
        ),
        (
            "scoped buffer",
            Box::new(ScopedBuffer::new(output().level(Level::ERROR)).trigger(filter()).always(LevelFilter::OFF)),
        ),
        (
            "rewriting",
            Box::new(
                Rewriting::new(SetSeverity::to(Severity::DEBUG), output().level(Level::INFO)).only(filter().not()),
            ),
        ),
    ];
    for (name, handler) in handlers {
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(tracing_handlers::layer(handler)),
            || {
                info_span!("outer").in_scope(|| tracing::trace_span!("request", id = 7).in_scope(|| error!("x")));
            },
        );
        assert_eq!(memory.lines().len(), 1, "{name}");
        memory.clear();
    }
}

#[test]
fn directives_without_spans_switch_callsites_off() {
    let _alone = alone();
    for filter in
        [EnvFilter::new("warn,shop=info"), Targets::from([("shop", Level::INFO)]).with_default(Level::WARN).into()]
    {
        assert!(!filter.per_record() && !filter.looks_at_spans());
        assert_eq!((filter.max_level(), filter.span_level()), (LevelFilter::INFO, LevelFilter::OFF));
        let shown = std::cell::Cell::new(0);
        let lines = passing(filter, || {
            info!(target: "shop", "{}", { shown.set(shown.get() + 1); 1 });
            info!(target: "hyper", "{}", { shown.set(shown.get() + 1); 2 });
            warn!(target: "hyper", "3");
        });
        assert_eq!((lines, shown.get()), (vec!["1".to_owned(), "3".to_owned()], 1));
    }
}

#[test]
fn filters_combine_in_front_of_several_handlers() {
    let _alone = alone();
    let filter = EnvFilter::new("[request]=debug").and(Level::DEBUG).or(Targets::from([("shop", Level::ERROR)]));
    let (one, other) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(format::Text::new(), memory.clone()).spans(LevelFilter::OFF);
    let handler = tracing_handlers::handler::Filtered::new(filter, (output(&one), output(&other)));
    assert!(handler.enabled(&tracing_handlers::Meta::span(Severity::DEBUG, "any", "request")));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(handler)), || {
        info_span!("request").in_scope(|| debug!("in"));
        info!("out");
        error!(target: "shop", "error");
    });
    assert_eq!((one.lines().len(), other.lines().len()), (2, 2));
}
