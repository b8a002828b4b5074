use std::rc::Rc;

use super::super::tree::Tree;
use super::around::Around;
use super::{Node, World};
use super::{alert, audit, buffer, dedup, end, fallback, filtered, group, queue, retry, rewriting, route, scoped};

/// The model of `tree`.
pub fn make(tree: &Tree, name: &str, world: &Rc<World>) -> Node {
    let inner = |number: usize, tree: &Tree| make(tree, &format!("{name}.{number}"), world);
    let all = |trees: &[Tree]| trees.iter().enumerate().map(|(number, tree)| inner(number, tree)).collect::<Vec<_>>();
    match tree {
        Tree::Output(end) => Box::new(end::Output::new(end, name, world)),
        Tree::Bare(fails) => Box::new(end::Bare::new(fails, name)),
        Tree::Counts(level) => Box::new(end::Counts::new(*level)),
        Tree::Queue(tree) => Box::new(queue::Queue::new(inner(0, tree), name, world)),
        Tree::Buffer { capacity, ring, flush_at, inner: tree } => {
            Box::new(buffer::Buffer::new(inner(0, tree), name, world, *capacity, *ring, *flush_at))
        }
        Tree::Scoped { always, hold_all, inner: tree } => {
            Box::new(scoped::Scoped::new(inner(0, tree), name, *always, *hold_all))
        }
        Tree::Route { by, cases, otherwise } => {
            let cases = cases.iter().map(|(number, tree)| (*number, inner(*number, tree))).collect();
            let otherwise = otherwise.as_ref().map(|tree| inner(route::OTHERWISE, tree));
            Box::new(route::Route::new(*by, cases, otherwise, name))
        }
        Tree::Made { each, otherwise, level } => {
            let otherwise = otherwise.as_ref().map(|tree| inner(1, tree));
            Box::new(route::Made::new(each, otherwise, *level, name, world))
        }
        Tree::Fallback(trees) => Box::new(fallback::Fallback::new(all(trees), name, world)),
        Tree::Retry { times, inner: tree } => Box::new(retry::Retry::new(inner(0, tree), name, *times)),
        Tree::Dedup { distinct, fields, inner: tree } => {
            Box::new(dedup::Dedup::new(inner(0, tree), name, world, *distinct, *fields))
        }
        Tree::Audit(tree) => Box::new(audit::Audit::new(inner(0, tree), name)),
        Tree::Filtered { sieve, tell_every, inner: tree } => {
            Box::new(filtered::Filtered::new(*sieve, *tell_every, inner(0, tree), name))
        }
        Tree::Rewriting { change, only_shop, inner: tree } => {
            Box::new(rewriting::Rewriting::new(*change, *only_shop, inner(0, tree)))
        }
        Tree::Alert { level, count, per_area, to } => {
            Box::new(alert::Alert::new(*level, *count, *per_area, to.as_ref().map(|to| inner(0, to)), name))
        }
        Tree::Tuple(trees) | Tree::Many(trees) => Box::new(group::Group(all(trees))),
        Tree::Maybe(None) => Box::new(group::Group(Vec::new())),
        // These forward every call unchanged.
        Tree::Maybe(Some(tree)) | Tree::Shared(tree) | Tree::OrStop(tree) => inner(0, tree),
        Tree::Wrapper(tree) => Box::new(Around(vec![inner(0, tree)])),
        Tree::Pair(both) => Box::new(Around(vec![inner(0, &both[0]), inner(1, &both[1])])),
    }
}
