//! Random trees of handlers when a process exits or forks, compared with the model of `tests/forest`.

use std::collections::HashSet;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

#[expect(dead_code, reason = "shared with tests/main")]
#[path = "../forest/mod.rs"]
mod forest;

use forest::model::{Counted, Node, make};
use forest::record::{Current, says};
use forest::tree::trees;
use forest::{Bench, Real, Rec, Say, Tree, World};

macro_rules! cases_of_seeds {
    ($($seed:literal)*) => {
        pub(crate) const CASES: &[Case] = &[$(
            Case {
                name: concat!("a_random_tree_delivers_everything_at_the_end_", $seed),
                child: |directory| end(&Plan::new($seed), directory),
                check: |ended| Plan::new($seed).has_ended(ended),
            },
            Case {
                name: concat!("a_random_tree_leaves_to_the_parent_what_it_holds_at_a_fork_", $seed),
                child: |directory| fork_once(&Plan::new($seed), directory),
                check: |ended| Plan::new($seed).has_forked(ended),
            },
        )*];
    };
}

cases_of_seeds! { 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 }

/// A tree, and the records that a process sends through it.
struct Plan {
    seed: u8,
    tree: Tree,
    before: Vec<Say>,
    in_child: Vec<Say>,
    after: Vec<Say>,
}

impl Plan {
    fn new(seed: u8) -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let tree = trees().prop_map(Tree::settled).prop_filter("it must hold records", Tree::holds);
        let all = || prop::collection::vec(says(), 40);
        let plan = (tree, all(), all(), all()).new_tree(&mut runner).expect("some tree holds records");
        let (tree, before, in_child, after) = plan.current();
        Self { seed, tree, before, in_child, after }
    }

    fn way(&self) -> Way {
        [Way::Exit, Way::Return, Way::Panic, Way::Drop][usize::from(self.seed) % 4]
    }

    /// Whether a line is left unended at exit. In a tree with a queue its order among the other records would depend on timing.
    fn has_line(&self) -> bool {
        !self.tree.has_queue()
    }

    #[track_caller]
    fn has_ended(&self, ended: &Ended) {
        ended.exits(match self.way() {
            Way::Exit => 7,
            Way::Panic => 101,
            Way::Return | Way::Drop => 0,
        });
        let (mut model, world) = self.model();
        log_to(&mut model, &self.before, 0);
        world.is_exiting.set(self.way() != Way::Drop);
        if self.has_line() {
            let _ = model.handle(&unended());
        }
        let _ = model.flush();
        self.compare(&ended.directory, "parent", &lines_of(&model));
    }

    #[track_caller]
    fn has_forked(&self, ended: &Ended) {
        ended.succeeds();
        for (who, says) in [("parent", &self.after), ("child", &self.in_child)] {
            let (mut model, world) = self.model();
            log_to(&mut model, &self.before, 0);
            let mut before = Vec::new();
            if who == "child" {
                before = lines_of(&model);
                model.fork();
            }
            log_to(&mut model, says, self.before.len());
            world.is_exiting.set(true);
            let _ = model.flush();
            let mut lines = lines_of(&model);
            for (name, lines) in &mut lines {
                let known = before.iter().find(|(known, _)| known == name).map_or(0, |(_, lines)| lines.len());
                lines.drain(..known);
            }
            self.compare(&ended.directory, who, &lines);
        }
    }

    fn model(&self) -> (Node, Rc<World>) {
        let world = World::new(None);
        (make(&self.tree, "0", &world), world)
    }

    fn real(&self, directory: &Path, room: usize) -> (Bench, Arc<Real>) {
        let (directory, parent) = (directory.to_owned(), std::process::id());
        let bench = Bench::with_sinks(move |name, _| {
            Box::new(Divided { path: directory.join(file_name(name)), parent, lines: Vec::new(), room })
        });
        let real = Arc::new(bench.build(&self.tree, "0"));
        (bench, real)
    }

    /// Compares the files that one process has written with the lines of the model.
    #[track_caller]
    fn compare(&self, directory: &Path, who: &str, expected: &[(String, Vec<String>)]) {
        let names: HashSet<_> = expected.iter().map(|(name, _)| format!("{}.{who}", file_name(name))).collect();
        for (name, lines) in expected {
            let text = fs::read_to_string(directory.join(format!("{}.{who}", file_name(name)))).unwrap_or_default();
            let written: Vec<_> = text.lines().collect();
            assert_eq!(written, *lines, "{name} of the {who}; {:?}", self.tree);
        }
        for entry in fs::read_dir(directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.ends_with(who) || names.contains(&name), "{name}, of which the model knows nothing");
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Exit,
    Return,
    Panic,
    /// `main` drops the tree and returns.
    Drop,
}

fn end(plan: &Plan, directory: &Path) {
    let room = if plan.way() == Way::Drop { 0 } else { BUFFER };
    let (_, real) = plan.real(directory, room);
    let mut lines = Lines::new(real.clone());
    log_through(&real, &plan.before, 0);
    if plan.has_line() {
        lines.write_all(UNENDED.as_bytes()).unwrap();
    }
    if plan.way() == Way::Drop {
        return;
    }
    std::mem::forget(lines);
    match plan.way() {
        Way::Exit => std::process::exit(7),
        Way::Panic => panic!("on purpose"),
        Way::Return | Way::Drop => {}
    }
}

fn fork_once(plan: &Plan, directory: &Path) {
    let (bench, real) = plan.real(directory, BUFFER);
    // The queues hold all of their records until the process has forked.
    bench.seen.shut.store(true, Ordering::SeqCst);
    log_through(&real, &plan.before, 0);
    let child = fork(|| {
        let (mut model, _) = plan.model();
        log_to(&mut model, &plan.before, 0);
        model.fork();
        let mut reports = Vec::new();
        real.report(&mut reports);
        assert!(reports.iter().all(|report| report.stats.balances()), "{reports:?}");
        assert_eq!(reports.iter().map(Counted::from).collect::<Vec<_>>(), model.reports());
        bench.seen.shut.store(false, Ordering::SeqCst);
        log_through(&real, &plan.in_child, plan.before.len());
        std::process::exit(0);
    });
    bench.seen.shut.store(false, Ordering::SeqCst);
    wait_for(child);
    log_through(&real, &plan.after, plan.before.len());
    std::mem::forget(real);
}

fn records(says: &[Say], time: usize) -> Vec<Rec> {
    let requests = Current::default();
    says.iter().enumerate().map(|(number, say)| say.record((time + number) as i64, &requests)).collect()
}

fn log_through(real: &Real, says: &[Say], time: usize) {
    records(says, time).iter().for_each(|record| real.handle(&record.real().as_record()).unwrap());
}

fn log_to(model: &mut Node, says: &[Say], time: usize) {
    records(says, time).iter().for_each(|record| model.handle(record).unwrap());
}

fn lines_of(model: &Node) -> Vec<(String, Vec<String>)> {
    let mut lines = Vec::new();
    model.lines(&mut lines);
    lines
}

/// The record of the unended line, which is later than all others.
fn unended() -> Rec {
    Rec::event(9, "lines", UNENDED, 1_000_000_000)
}

fn file_name(name: &str) -> String {
    name.replace(':', "-")
}

/// Buffers lines, and writes them to a file of the process that flushes.
struct Divided {
    path: PathBuf,
    parent: u32,
    lines: Vec<Vec<u8>>,
    room: usize,
}

impl Divided {
    fn empty(&mut self) -> Result<(), Error> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let who = if std::process::id() == self.parent { "parent" } else { "child" };
        let path = format!("{}.{who}", self.path.display());
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(&self.lines.concat())?;
        self.lines.clear();
        Ok(())
    }
}

impl Sink for Divided {
    fn write(&mut self, framed: Framed<'_>) -> Result<(), Partial> {
        self.lines.extend(framed.iter().map(|(line, _)| line.to_owned()));
        if self.lines.len() > self.room { self.empty().map_err(Partial::from) } else { Ok(()) }
    }

    fn flush(&mut self, _: Instant) -> Result<(), Error> {
        self.empty()
    }

    fn pending(&self) -> usize {
        self.lines.len()
    }

    fn forget_pending(&mut self) {
        self.lines.clear();
    }

    fn describe(&self) -> String {
        "divided".to_owned()
    }
}

const UNENDED: &str = "not ended";
