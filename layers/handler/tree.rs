//! A drawing of handlers and the handlers behind them.

use std::fmt::Write as _;

use super::{Handler, derived};

/// Draws `handler` and the handlers behind it, a line each, below a line that says `root`.
pub(crate) fn tree(root: &str, handler: &dyn Handler) -> String {
    let mut text = format!("{root}\n");
    draw(&nodes(handler), "", &mut text);
    text
}

struct Node {
    line: String,
    inner: Vec<Node>,
}

/// The handler itself, or the handlers behind it if it has no name.
fn nodes(handler: &dyn Handler) -> Vec<Node> {
    let mut inner = Vec::new();
    derived::each(handler, |behind| inner.extend(nodes(behind)));
    match handler.own_report() {
        Some(report) => vec![Node { line: report.line_in_tree(), inner }],
        None => inner,
    }
}

fn draw(nodes: &[Node], indent: &str, text: &mut String) {
    for (index, node) in nodes.iter().enumerate() {
        let (branch, below) = if index + 1 == nodes.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        // Writing to a String does not fail.
        let _ = writeln!(text, "{indent}{branch}{}", node.line);
        draw(&node.inner, &format!("{indent}{below}"), text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::script::Script;
    use crate::handler::{OrStop, Retry, from_fn};

    #[test]
    fn handlers_without_a_name_are_not_shown_but_those_behind_them_are() {
        let handlers = (OrStop::new(Retry::new(Script::default())), Some(vec![from_fn(|_| Ok(()))]), Script::default());
        let expected = "handlers
├─ retry: accepted 0, delivered 0, dropped 0, failed 0, pending 0
│  └─ script: accepted 0, delivered 0, dropped 0, failed 0, pending 0
└─ script: accepted 0, delivered 0, dropped 0, failed 0, pending 0
";
        assert_eq!(tree("handlers", &handlers), expected);
    }
}
