//! Draws the summary: a line per scenario, with each contender's distance from the floor on a logarithmic scale.

use std::fmt::Write;

use crate::run::Outcome;
use crate::scenario::Task;
use crate::table::{base, find, metric, ratio_to, rivals};

pub fn svg(outcomes: &[Outcome]) -> String {
    let shown: Vec<_> = outcomes.iter().filter(|outcome| !matches!(outcome.scenario.task, Task::Load(_))).collect();
    let height = TOP + ROW * shown.len() as f64 + BOTTOM;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    text(
        &mut out,
        LEFT,
        20.0,
        "start",
        "#222222",
        "time per event, as a multiple of the scenario's floor (left is better)",
    );
    legend(&mut out);
    for ratio in [1, 2, 4, 8, 16, 32] {
        let x = x(f64::from(ratio));
        let bottom = height - BOTTOM;
        let _ = writeln!(out, "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>");
        text(&mut out, x, bottom + 18.0, "middle", "#555555", &format!("{ratio}×"));
    }
    for (index, outcome) in shown.iter().enumerate() {
        row(&mut out, outcome, TOP + ROW * (index as f64 + 0.5));
    }
    out + "</svg>\n"
}

fn row(out: &mut String, outcome: &Outcome, y: f64) {
    let title = format!("{} {}", outcome.scenario.name, outcome.scenario.title.replace('&', "&amp;"));
    text(out, LEFT - 10.0, y + 4.0, "end", "#222222", &title);
    for (name, ratio) in rivals(outcome) {
        dot(out, x(ratio), y, RIVAL, &format!("{name} {ratio:.1}×"));
    }
    for (name, color) in [("floor-layer", LAYER), ("ours", OURS)] {
        let ratio = find(outcome, name).map(|row| ratio_to(row, base(outcome), metric(&outcome.scenario)).median());
        if let Some(ratio) = ratio.filter(|ratio| ratio.is_finite()) {
            dot(out, x(ratio), y, color, &format!("{name} {ratio:.2}×"));
        }
    }
}

fn legend(out: &mut String) {
    for (at, color, name) in
        [(0.0, OURS, "tracing-handlers"), (150.0, LAYER, "a hand-made layer"), (300.0, RIVAL, "others")]
    {
        dot(out, LEFT + at, 38.0, color, name);
        text(out, LEFT + at + 10.0, 42.0, "start", "#222222", name);
    }
}

fn dot(out: &mut String, x: f64, y: f64, color: &str, title: &str) {
    let _ = writeln!(
        out,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{color}\" fill-opacity=\"0.85\"><title>{title}</title></circle>"
    );
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, color: &str, text: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>");
}

fn x(ratio: f64) -> f64 {
    LEFT + (ratio.clamp(FROM, TO) / FROM).log2() / (TO / FROM).log2() * (WIDTH - LEFT - 30.0)
}

const OURS: &str = "#1f6feb";
const LAYER: &str = "#2da44e";
const RIVAL: &str = "#999999";
const FROM: f64 = 0.8;
const TO: f64 = 40.0;
const WIDTH: f64 = 960.0;
const LEFT: f64 = 400.0;
const TOP: f64 = 60.0;
const ROW: f64 = 26.0;
const BOTTOM: f64 = 40.0;
