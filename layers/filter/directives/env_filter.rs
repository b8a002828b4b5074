use std::fmt;

use super::directive::Directive;
use super::targets::Targets;
use crate::filter::{Filter, LevelFilter, Threshold};
use crate::record::{Meta, Record};

/// Directives by target, span and field: `info,shop=debug,[request{user=ada}]=trace`. Tracing-subscriber's `EnvFilter`, as the
/// filter of one output.
///
/// # Directives
///
/// Directives are separated by commas, outside of brackets and quotes. A bracket or a quote in a value that is not one of a pair
/// is written with a backslash. Each part may be absent:
///
/// ```text
/// target[span{field=value,field}]=level
/// ```
///
/// | directive | passes |
/// |---|---|
/// | `info` | all other targets from INFO up |
/// | `shop=debug`, `shop` | targets that begin with `shop`, from DEBUG up; all of them |
/// | `[request]=debug` | what happens in spans called `request`, from DEBUG up |
/// | `shop[request]=debug` | the same, only if the span's target begins with `shop` |
/// | `[{user}]=debug` | what happens in spans that have a field `user`, and events that have one themselves |
/// | `[request{user=ada}]=debug` | what happens in spans `request` in which the field `user` has this value |
///
/// Levels and targets are those of [`Targets`]. A directive with a span or a field only adds: an event passes if the longest
/// directive without spans lets it pass, or if any directive with spans does, for any span that it is in.
///
/// A value that is a boolean or a number (`true`, `7`, `-1`, `0.5`) equals values of these types. Any other is a regular expression
/// for strings and for texts of `Debug` and `Display`, which must match up to the end of the text, but may begin anywhere: `da`
/// matches `ada`, `ad` does not. A string that is logged as `user = "ada"` or `%user` has no quotes, and one that is logged as `?user`
/// has: `user=ada` finds the former, `user="ada"` the latter, and `user="?ada"?` both. `user=` is the same as `user`.
///
/// Values set later by `Span::record` count from then on.
///
/// ```
/// use tracing_handlers::{Output, filter::EnvFilter, format::{Text, Time}, sink::Memory};
/// use tracing_subscriber::prelude::*;
///
/// let memory = Memory::new();
/// let output = Output::new(Text::new().time(Time::none()).target(false), memory.clone());
/// let output = output.filter(EnvFilter::try_new("warn,[request{user=ada}]=debug")?);
/// let subscriber = tracing_subscriber::registry().with(tracing_handlers::layer(output));
/// tracing::subscriber::with_default(subscriber, || {
///     for user in ["ada", "bob"] {
///         let _request = tracing::info_span!("request", user).entered();
///         tracing::debug!("looked up");
///     }
/// });
/// assert_eq!(memory.lines(), ["DEBUG request{user=ada}: looked up"]);
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
///
/// # Cost
///
/// Without spans and fields the answers are cached per callsite. With them, an event that only a span may let pass is judged by the
/// callsites and the spans before it is captured, and each thread remembers the answers that refuse.
///
/// # Differences from tracing-subscriber's
///
/// As a filter of one layer, that one selects the same events, with these exceptions:
///
/// | case | there | here |
/// |---|---|---|
/// | variable set, but empty or blank | `try_from_env` returns a filter that is off | as if it were not set |
/// | `"info, shop=debug"`, `"info "` | an error; a target with a blank, and silence | blanks are ignored |
/// | `[{a=1,b=2}]`, `[{a="x,y"}]` | cut at the comma, an error | two fields; one value |
/// | `[{a=x=y}]`, `[{a=x{2}}]` | the value `x`; an error | the values `x=y`, `x{2}` |
/// | `[{a=}]` | values that are empty | any value |
/// | `[{a=\w+}]`, `\b` | errors, depending on the features of other crates | as in the crate `regex` |
/// | `[]`, `a=info[b]`, `"a b"`, `a*` | directives that select nothing | errors |
/// | `[garbage]` | everything in spans of that name | the same, and nothing else |
/// | `notice`, `warning`, `critical` | targets of these names, at TRACE | levels |
/// | `20` | a target of that name, at TRACE | an error |
/// | `wran` | a target of that name, at TRACE | the same, and reported to [`selflog`](crate::selflog) |
/// | `Span::record` in a span that is entered | counts when the span is entered again | counts at once |
/// | a value that is recorded again | the former value still counts | the latest value counts |
/// | a parent that is set explicitly, and is not entered | does not count | counts |
/// | an event or span with an explicit parent, or none | the spans that the thread is in count | the parent's count |
/// | a span that is entered within another one, but is not its child | the other one counts | it does not count |
/// | spans beyond the most verbose directive | count if another layer wants them | never count |
/// | [`with_regex(false)`](super::EnvFilterBuilder::with_regex) | a value matches if the expected text begins with it | the whole text |
/// | records of the `log` crate, lines of other processes | by their level and target | by their fields too |
///
/// Where it takes an invalid directive for nothing, it prints to standard error, this one to [`selflog`](crate::selflog).
#[must_use = "a filter does nothing until it is asked about records"]
#[derive(Clone, Default)]
pub struct EnvFilter {
    /// Those that judge events by themselves, the most specific one first.
    statics: Vec<Directive>,
    /// Those that depend on the spans, the most specific one first. A directive may be both.
    dynamics: Vec<Directive>,
    limits: Limits,
}

/// The most verbose levels of any directive that was ever added.
#[derive(Clone, Copy)]
struct Limits {
    of_spans: Threshold,
    of_all: Threshold,
    has_values: bool,
}

impl EnvFilter {
    /// Adds a directive, instead of one for the same target, span and fields. It overrides what a user has set in the environment;
    /// for defaults see [`or_default`](Self::or_default).
    pub fn add_directive(mut self, directive: Directive) -> Self {
        self.limits.of_all = self.limits.of_all.or(directive.level);
        if directive.is_static() {
            add(&mut self.statics, directive.clone());
        }
        if directive.is_dynamic() {
            self.limits.of_spans = self.limits.of_spans.or(directive.level);
            self.limits.has_values |= directive.fields.iter().any(|field| field.value.is_some());
            add(&mut self.dynamics, directive);
        }
        self
    }

    /// Adds `defaults` below these directives. Those without spans apply only to targets that no such directive of these applies to,
    /// as in [`Targets::or_default`]; those with spans are added, unless there is one for the same target, span and fields.
    ///
    /// ```
    /// use tracing_handlers::filter::EnvFilter;
    ///
    /// let user = EnvFilter::try_new("shop=debug")?;
    /// let filter = user.or_default(EnvFilter::try_new("info,shop=info,[request]=debug")?);
    /// assert_eq!(filter.to_string(), "shop=debug,info,[request]=debug");
    /// # Ok::<(), tracing_handlers::Error>(())
    /// ```
    pub fn or_default(self, defaults: impl Into<Self>) -> Self {
        let Self { statics, dynamics, .. } = defaults.into();
        let is_new = |default: &Directive| match default.is_dynamic() {
            true => !self.dynamics.iter().any(|own| own.replaces(default)),
            false => !self.statics.iter().any(|own| {
                own.fields.is_empty()
                    && default.target.as_deref().map_or(own.target.is_none(), |target| own.has_target(target))
            }),
        };
        let statics = statics.into_iter().filter(|default| !default.is_dynamic());
        let new: Vec<_> = statics.chain(dynamics).filter(is_new).collect();
        new.into_iter().fold(self, Self::add_directive)
    }

    /// The directives, the most specific ones first; those with spans last.
    pub fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.statics.iter().filter(|directive| !directive.is_dynamic()).chain(&self.dynamics)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statics.is_empty() && self.dynamics.is_empty()
    }

    /// Whether a directive without spans lets the record pass.
    fn passes_by_itself(&self, record: &Record<'_>) -> bool {
        let is_span = record.kind().is_of_span();
        let applies = |directive: &&Directive| {
            directive.has_target(record.target())
                && (is_span || directive.fields.iter().all(|field| has_field(record, &field.name)))
        };
        self.statics.iter().find(applies).is_some_and(|directive| directive.level.allows(record.severity()))
    }

    /// Whether a directive lets the record pass for a span that it is in.
    fn passes_by_spans(&self, record: &Record<'_>) -> bool {
        let passing = || self.dynamics.iter().filter(|directive| directive.level.allows(record.severity()));
        let of_span = record.kind().is_of_span();
        let mut spans = record.with_span_level(self.span_level()).spans().rev();
        // A span that a directive is about passes itself.
        if of_span
            && spans.clone().next().is_some_and(|span| self.dynamics.iter().any(|directive| directive.is_about(&span)))
        {
            return true;
        }
        passing().next().is_some()
            && spans.any(|span| passing().any(|directive| directive.is_about(&span) && directive.matches_values(&span)))
    }
}

fn add(directives: &mut Vec<Directive>, directive: Directive) {
    match directives.iter_mut().find(|known| directive.replaces(known)) {
        Some(known) => *known = directive,
        None => {
            let place = directives.partition_point(|known| known.order() <= directive.order());
            directives.insert(place, directive);
        }
    }
}

/// Whether the event's callsite has a field of this name; or the record, if it does not have the fields of a callsite.
fn has_field(record: &Record<'_>, name: &str) -> bool {
    match record.callsite().filter(|_| record.is_as_captured()) {
        Some(callsite) => callsite.names().contains(&name),
        None if name == "message" => !record.message().is_empty(),
        None => record.field(name).is_some(),
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { of_spans: Threshold::OFF, of_all: Threshold::OFF, has_values: false }
    }
}

impl From<Targets> for EnvFilter {
    fn from(targets: Targets) -> Self {
        let default = targets.default_level().into_iter().map(Directive::from);
        let rules = targets.iter().map(|(target, level)| Directive { target: Some(target.to_owned()), ..level.into() });
        default.chain(rules).fold(Self::default(), Self::add_directive)
    }
}

impl Filter for EnvFilter {
    fn enabled(&self, meta: &Meta<'_>) -> bool {
        let level = |directive: &Directive| directive.level.allows(meta.severity);
        if meta.is_span && self.dynamics.iter().any(|directive| directive.may_be_about(meta.target, meta.name)) {
            return true;
        }
        let mut statics = self.statics.iter().filter(|directive| directive.has_target(meta.target));
        // The names of the fields are not known here.
        let by_itself = statics.find(|directive| directive.fields.is_empty() || level(directive)).is_some_and(level);
        by_itself || self.limits.of_spans.allows(meta.severity)
    }

    fn max_level(&self) -> LevelFilter {
        self.limits.of_all.level()
    }

    fn accepts(&self, record: &Record<'_>) -> bool {
        self.passes_by_itself(record) || self.passes_by_spans(record)
    }

    fn per_record(&self) -> bool {
        self.looks_at_spans()
    }

    fn looks_at_spans(&self) -> bool {
        !self.dynamics.is_empty()
    }

    fn passes_in(&self, record: &Record<'_>) -> Option<bool> {
        Some(self.passes(record))
    }

    /// Like tracing-subscriber's, it takes all spans into account if the values of fields matter.
    fn span_level(&self) -> LevelFilter {
        match self.looks_at_spans() {
            false => LevelFilter::OFF,
            true if self.limits.has_values => LevelFilter::TRACE,
            true => self.limits.of_all.level(),
        }
    }

    fn needs_span(&self, meta: &Meta<'_>) -> bool {
        meta.level() <= self.span_level()
            && self.dynamics.iter().any(|directive| directive.may_be_about(meta.target, meta.name))
    }
}

/// Writes the directives as they are parsed, the most specific ones first; those with spans last.
impl fmt::Display for EnvFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.directives().map(Directive::to_string).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for EnvFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnvFilter").field(&format_args!("{self}")).finish()
    }
}
