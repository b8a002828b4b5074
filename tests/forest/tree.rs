//! The description of a tree, and the strategy that generates it.

use proptest::prelude::*;

/// A tree of handlers. Severities are numbers; `None` stands for off.
#[derive(Clone, Debug)]
pub enum Tree {
    Output(End),
    /// A third-party end that implements `handle` alone. It fails as the list says, then works.
    Bare(Vec<bool>),
    Counts(Option<u8>),
    Queue(Box<Tree>),
    Buffer {
        capacity: usize,
        ring: bool,
        flush_at: Option<u8>,
        inner: Box<Tree>,
    },
    Scoped {
        always: u8,
        hold_all: bool,
        inner: Box<Tree>,
    },
    Route {
        by: By,
        cases: Vec<(usize, Tree)>,
        otherwise: Option<Box<Tree>>,
    },
    /// A route by the field `area` that makes its handlers.
    Made {
        each: Box<Tree>,
        otherwise: Option<Box<Tree>>,
        level: Option<u8>,
    },
    Fallback(Vec<Tree>),
    Retry {
        times: u32,
        inner: Box<Tree>,
    },
    Dedup {
        distinct: usize,
        fields: bool,
        inner: Box<Tree>,
    },
    Audit(Box<Tree>),
    OrStop(Box<Tree>),
    Filtered {
        sieve: Sieve,
        /// In seconds.
        tell_every: Option<u64>,
        inner: Box<Tree>,
    },
    Rewriting {
        change: Change,
        only_shop: bool,
        inner: Box<Tree>,
    },
    Alert {
        level: Option<u8>,
        count: usize,
        per_area: bool,
        to: Option<Box<Tree>>,
    },
    /// One to three handlers.
    Tuple(Vec<Tree>),
    Many(Vec<Tree>),
    Maybe(Option<Box<Tree>>),
    Shared(Box<Tree>),
    /// A third-party wrapper that implements `handle` and `inner` alone.
    Wrapper(Box<Tree>),
    /// The same around two handlers.
    Pair(Box<[Tree; 2]>),
}

#[derive(Clone, Debug)]
pub struct End {
    pub level: Option<u8>,
    /// From 0 (off) to 5 (TRACE).
    pub spans: usize,
    pub closes: bool,
    pub sieve: Option<Sieve>,
    pub tell_missing: bool,
    /// The outcome of each write; after the last one the sink takes everything.
    pub takes: Vec<Take>,
    /// Whether each flush fails; after the last one none does.
    pub flushes_fail: Vec<bool>,
}

/// An end that takes everything.
impl Default for End {
    fn default() -> Self {
        Self {
            level: Some(1),
            spans: 3,
            closes: false,
            sieve: None,
            tell_missing: true,
            takes: Vec::new(),
            flushes_fail: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Take {
    All,
    /// At most this many lines.
    Some(usize),
    /// No line, with a permanent error.
    Closed,
    Panics,
}

#[derive(Clone, Copy, Debug)]
pub enum Sieve {
    Level(Option<u8>),
    Shop,
    OneIn(u64),
}

#[derive(Clone, Copy, Debug)]
pub enum By {
    Severity,
    Target,
    Area,
}

#[derive(Clone, Copy, Debug)]
pub enum Change {
    Loud,
    Severity(u8),
    /// Panics where the message is `two`.
    Trips,
}

impl Tree {
    pub fn inner(&self) -> Vec<&Self> {
        match self {
            Self::Output(_) | Self::Bare(_) | Self::Counts(_) => Vec::new(),
            Self::Queue(inner)
            | Self::Audit(inner)
            | Self::OrStop(inner)
            | Self::Shared(inner)
            | Self::Wrapper(inner) => {
                vec![inner]
            }
            Self::Buffer { inner, .. }
            | Self::Scoped { inner, .. }
            | Self::Retry { inner, .. }
            | Self::Dedup { inner, .. }
            | Self::Filtered { inner, .. }
            | Self::Rewriting { inner, .. } => vec![inner],
            Self::Route { cases, otherwise, .. } => {
                cases.iter().map(|(_, tree)| tree).chain(otherwise.as_deref()).collect()
            }
            Self::Made { each, otherwise, .. } => std::iter::once(&**each).chain(otherwise.as_deref()).collect(),
            Self::Alert { to: inner, .. } | Self::Maybe(inner) => inner.as_deref().into_iter().collect(),
            Self::Fallback(all) | Self::Tuple(all) | Self::Many(all) => all.iter().collect(),
            Self::Pair(both) => both.iter().collect(),
        }
    }

    fn inner_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Output(_) | Self::Bare(_) | Self::Counts(_) => Vec::new(),
            Self::Queue(inner)
            | Self::Audit(inner)
            | Self::OrStop(inner)
            | Self::Shared(inner)
            | Self::Wrapper(inner) => {
                vec![inner]
            }
            Self::Buffer { inner, .. }
            | Self::Scoped { inner, .. }
            | Self::Retry { inner, .. }
            | Self::Dedup { inner, .. }
            | Self::Filtered { inner, .. }
            | Self::Rewriting { inner, .. } => vec![inner],
            Self::Route { cases, otherwise, .. } => {
                cases.iter_mut().map(|(_, tree)| tree).chain(otherwise.as_deref_mut()).collect()
            }
            Self::Made { each, otherwise, .. } => {
                std::iter::once(&mut **each).chain(otherwise.as_deref_mut()).collect()
            }
            Self::Alert { to: inner, .. } | Self::Maybe(inner) => inner.as_deref_mut().into_iter().collect(),
            Self::Fallback(all) | Self::Tuple(all) | Self::Many(all) => all.iter_mut().collect(),
            Self::Pair(both) => both.iter_mut().collect(),
        }
    }

    fn any(&self, is_it: &impl Fn(&Self) -> bool) -> bool {
        is_it(self) || self.inner().into_iter().any(|inner| inner.any(is_it))
    }

    /// The same tree without failures, for use behind an [`OrStop`](tracing_handlers::handler::OrStop), which would stop the test.
    pub fn calm(mut self) -> Self {
        match &mut self {
            Self::Output(end) => (end.takes, end.flushes_fail) = (Vec::new(), Vec::new()),
            Self::Bare(fails) => fails.clear(),
            Self::Rewriting { change: change @ Change::Trips, .. } => *change = Change::Loud,
            _ => {}
        }
        // An audit treats a dropped duplicate as an error.
        if let Self::Audit(inner) = self {
            self = Self::Wrapper(inner);
        }
        for inner in self.inner_mut() {
            *inner = std::mem::replace(inner, Self::Maybe(None)).calm();
        }
        self
    }

    /// The same tree for a process that exits. Its ends are outputs, and nothing fails. Handlers that treat a record differently once
    /// the process is exiting do not stand behind a queue, where the time of its arrival is not known.
    pub fn settled(self) -> Self {
        self.calm().without_timing(false)
    }

    fn without_timing(mut self, is_behind_queue: bool) -> Self {
        self = match self {
            Self::Bare(_) => Self::Output(End::default()),
            Self::Dedup { inner, .. } if is_behind_queue => Self::Wrapper(inner),
            tree => tree,
        };
        match &mut self {
            Self::Filtered { tell_every, .. } if is_behind_queue => *tell_every = None,
            Self::Buffer { ring, .. } if is_behind_queue => *ring = false,
            _ => {}
        }
        let is_behind_queue = is_behind_queue || matches!(self, Self::Queue(_));
        for inner in self.inner_mut() {
            *inner = std::mem::replace(inner, Self::Maybe(None)).without_timing(is_behind_queue);
        }
        self
    }

    /// Whether it contains a queue.
    pub fn has_queue(&self) -> bool {
        self.any(&|tree| matches!(tree, Self::Queue(_)))
    }

    /// Whether it contains a handler that holds records.
    pub fn holds(&self) -> bool {
        self.any(&|tree| matches!(tree, Self::Queue(_) | Self::Buffer { .. } | Self::Scoped { .. }))
    }

    /// The same tree without audits in front of a queue among several handlers: they cannot tell which record was lost, as their
    /// documentation says.
    fn tidy(mut self) -> Self {
        for inner in self.inner_mut() {
            *inner = std::mem::replace(inner, Self::Maybe(None)).tidy();
        }
        let branches = |tree: &Self| tree.inner().len() > 1 || matches!(tree, Self::Made { .. });
        match self {
            Self::Audit(inner) if inner.has_queue() && inner.any(&branches) => Self::Wrapper(inner),
            Self::OrStop(inner) => Self::OrStop(Box::new(inner.calm())),
            tree => tree,
        }
    }
}

/// Random trees, one to five deep.
pub fn trees() -> impl Strategy<Value = Tree> {
    prop_oneof![1 => deep(1), 3 => deep(2), 3 => deep(3), 2 => deep(4)].prop_map(Tree::tidy)
}

fn deep(depth: usize) -> BoxedStrategy<Tree> {
    if depth == 0 {
        return ends().boxed();
    }
    let inner = deep(depth - 1);
    prop_oneof![1 => ends(), 6 => around(inner.clone()), 3 => among(inner)].boxed()
}

fn ends() -> impl Strategy<Value = Tree> {
    let fails = prop::collection::vec(any::<bool>(), 0..4);
    prop_oneof![
        6 => outputs().prop_map(Tree::Output),
        2 => fails.prop_map(Tree::Bare),
        1 => severities().prop_map(Tree::Counts),
    ]
}

fn around(inner: impl Strategy<Value = Tree> + Clone + 'static) -> impl Strategy<Value = Tree> {
    let one = inner.prop_map(Box::new);
    let change = prop_oneof![Just(Change::Loud), (1_u8..=24).prop_map(Change::Severity), Just(Change::Trips)];
    prop_oneof![
        2 => one.clone().prop_map(Tree::Queue),
        2 => (1_usize..6, any::<bool>(), severities(), one.clone())
            .prop_map(|(capacity, ring, flush_at, inner)| Tree::Buffer { capacity, ring, flush_at, inner }),
        2 => (prop::sample::select(vec![1_u8, 9, 13]), any::<bool>(), one.clone())
            .prop_map(|(always, hold_all, inner)| Tree::Scoped { always, hold_all, inner }),
        2 => (0_u32..3, one.clone()).prop_map(|(times, inner)| Tree::Retry { times, inner }),
        2 => (1_usize..3, any::<bool>(), one.clone())
            .prop_map(|(distinct, fields, inner)| Tree::Dedup { distinct, fields, inner }),
        1 => one.clone().prop_map(Tree::Audit),
        1 => one.clone().prop_map(Tree::OrStop),
        2 => (sieves(), prop::option::weighted(0.8, prop::sample::select(vec![0_u64, 30, 1 << 30])), one.clone())
            .prop_map(|(sieve, tell_every, inner)| Tree::Filtered { sieve, tell_every, inner }),
        2 => (change, any::<bool>(), one.clone())
            .prop_map(|(change, only_shop, inner)| Tree::Rewriting { change, only_shop, inner }),
        2 => (severities(), 1_usize..4, any::<bool>(), prop::option::weighted(0.8, one.clone()))
            .prop_map(|(level, count, per_area, to)| Tree::Alert { level, count, per_area, to }),
        1 => prop::option::weighted(0.7, one.clone()).prop_map(Tree::Maybe),
        1 => one.clone().prop_map(Tree::Shared),
        2 => one.prop_map(Tree::Wrapper),
    ]
}

fn among(inner: impl Strategy<Value = Tree> + Clone + 'static) -> impl Strategy<Value = Tree> {
    let one = inner.clone().prop_map(Box::new);
    let by = prop_oneof![Just(By::Severity), Just(By::Target), Just(By::Area)];
    let cases = prop::collection::vec(prop::option::weighted(0.6, inner.clone()), 3);
    let cases = cases.prop_map(|cases| {
        cases.into_iter().enumerate().filter_map(|(index, tree)| Some((index, tree?))).collect::<Vec<_>>()
    });
    let some = |range: std::ops::Range<usize>| prop::collection::vec(inner.clone(), range);
    prop_oneof![
        1 => (by, cases, prop::option::of(one.clone())).prop_map(|(by, cases, otherwise)| Tree::Route {
            by,
            cases,
            otherwise
        }),
        1 => (one.clone(), prop::option::of(one), severities()).prop_map(|(each, otherwise, level)| Tree::Made {
            each,
            otherwise,
            level
        }),
        2 => some(1..4).prop_map(Tree::Fallback),
        1 => some(1..4).prop_map(Tree::Tuple),
        1 => some(0..4).prop_map(Tree::Many),
        1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| Tree::Pair(Box::new([one, other]))),
    ]
}

fn outputs() -> impl Strategy<Value = End> {
    let take = prop_oneof![
        2 => Just(Take::All),
        3 => (0_usize..3).prop_map(Take::Some),
        1 => Just(Take::Closed),
        1 => Just(Take::Panics),
    ];
    let takes = prop_oneof![1 => Just(Vec::new()), 3 => prop::collection::vec(take, 1..12)];
    let flushes_fail = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(any::<bool>(), 1..4)];
    let (closes, tell_missing) = (prop::bool::weighted(0.3), prop::bool::weighted(0.8));
    let sieve = prop::option::weighted(0.3, sieves());
    (severities(), 0_usize..7, closes, sieve, tell_missing, takes, flushes_fail).prop_map(
        |(level, spans, closes, sieve, tell_missing, takes, flushes_fail)| End {
            level,
            spans,
            closes,
            sieve,
            tell_missing,
            takes,
            flushes_fail,
        },
    )
}

fn severities() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![8 => Just(Some(1)), 4 => (1_u8..=24).prop_map(Some), 1 => Just(None)]
}

fn sieves() -> impl Strategy<Value = Sieve> {
    prop_oneof![
        2 => severities().prop_map(Sieve::Level),
        1 => Just(Sieve::Shop),
        2 => (0_u64..4).prop_map(Sieve::OneIn),
    ]
}
