//! A drawing of handlers and the handlers behind them.

use std::fmt::Write as _;

use super::{Handler, derived};

/// Draws `handler` and the handlers behind it, a line each, below a line that says `root`.
pub(crate) fn tree(root: &str, handler: &dyn Handler) -> String {
    let mut text = format!("{root}\n");
    draw(&nodes(handler), "", &mut text);
    text
}

/// The name of a type without its path and its parameters; empty if it has no name.
pub(super) fn short_name(full: &'static str) -> &'static str {
    let path = full.split(['<', '(', '&', '[']).next().unwrap_or("");
    path.rsplit("::").next().unwrap_or("")
}

struct Node {
    line: String,
    inner: Vec<Node>,
}

/// The handler itself, or the handlers behind it if it only groups them.
fn nodes(handler: &dyn Handler) -> Vec<Node> {
    let mut inner = Vec::new();
    derived::each(handler, |behind| inner.extend(nodes(behind)));
    let line = match (handler.own_report(), handler.__type_name()) {
        (Some(report), _) => report.line_in_tree(),
        (None, "") => return inner,
        (None, name) => name.to_owned(),
    };
    vec![Node { line, inner }]
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
    fn groups_are_not_shown_and_what_has_no_report_is_shown_by_its_type() {
        let handlers = (OrStop::new(Retry::new(Script::default())), Some(vec![from_fn(|_| Ok(()))]));
        let drawn = tree("handlers", &handlers);
        let expected = "handlers
├─ OrStop
│  └─ retry: accepted 0, delivered 0, dropped 0, failed 0, pending 0
│     └─ script: accepted 0, delivered 0, dropped 0, failed 0, pending 0
└─ FromFn
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn names_of_types_are_short() {
        assert_eq!(short_name(std::any::type_name::<OrStop<Retry<Script>>>()), "OrStop");
        assert_eq!(short_name(std::any::type_name::<(Script, Script)>()), "");
        assert_eq!(short_name(std::any::type_name::<Script>()), "Script");
    }
}
