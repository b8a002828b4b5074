//! The picture of a terminal in the README and on the crate's front page, made from real lines.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::dispatcher::with_default;
use tracing::{Dispatch, debug, error, info, info_span, warn};
use tracing_handlers::clock::{Manual, Timestamp};
use tracing_handlers::format::{Caps, Format, Out, Text};
use tracing_subscriber::prelude::*;

use crate::collect::{Seen, pin};

/// After a change of the format: remove the file, run the test, and look at the file that it has written.
#[test]
fn the_picture_of_a_terminal_shows_what_the_program_prints() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("layers/guide/terminal.svg");
    let picture = svg(&lines());
    write_if_missing(&path, &picture);
    assert_eq!(fs::read_to_string(&path).unwrap(), picture, "{} is not what is printed now", path.display());
}

#[test]
fn colors_of_a_line_become_those_of_the_picture() {
    let spans = spans("a \x1b[1;31mbold & red\x1b[0m \x1b[2mdim\x1b[0m");
    let bold = r##"<tspan font-weight="bold" fill="#ff7b72">bold &amp; red</tspan>"##;
    assert_eq!(spans, format!("<tspan>a </tspan>{bold}<tspan> </tspan><tspan fill-opacity=\"0.6\">dim</tspan>"));
}

fn write_if_missing(path: &Path, picture: &str) {
    if !path.exists() {
        fs::write(path, picture).unwrap();
        panic!("{} was missing and has been written", path.display());
    }
}

/// What a shop logs, as a terminal with colors gets it.
fn lines() -> Vec<String> {
    pin();
    let clock = Arc::new(Manual::new(Timestamp::new(1_795_223_943, 123_456_000)));
    let seen = Seen::default();
    let layer = tracing_handlers::layer(seen.clone()).clock(clock.clone());
    with_default(&Dispatch::new(tracing_subscriber::registry().with(layer)), || shop(&clock));
    let mut lines = Vec::new();
    for record in seen.all() {
        let mut line = Vec::new();
        let mut out = Out::new(&mut line, Caps::default().with_color(true));
        Text::compact().format(&record.as_record(), &mut out).unwrap();
        lines.push(String::from_utf8(line).unwrap());
    }
    lines
}

fn shop(clock: &Manual) {
    let pass = |millis| clock.advance(Duration::from_millis(millis));
    info!(target: "shop", address = "127.0.0.1:8080", "open");
    info_span!("request", id = 7, user = "mia").in_scope(|| {
        pass(812);
        debug!(target: "shop::stock", shelf = 12, "looking");
        pass(3);
        info!(target: "shop", pieces = 3, price = 9.5, "sold");
    });
    info_span!("request", id = 8, user = "eve").in_scope(|| {
        pass(97);
        warn!(target: "shop", note = "hi\n21:19:04 ERROR forged \x1b[31m", "refused: the card is empty");
    });
    info_span!("request", id = 9, user = "李雷").in_scope(|| {
        pass(430);
        let error = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        error!(target: "shop::stock", error = &error as &dyn std::error::Error, "order lost");
    });
}

fn svg(lines: &[String]) -> String {
    let height = TOP + LINE * lines.len() + TOP / 2;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-size=\"13\" fill=\"#e6edf3\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#0d1117\"/>\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = TOP + LINE * number;
        writeln!(
            svg,
            "<text x=\"14\" y=\"{y}\" xml:space=\"preserve\" style=\"white-space:pre\">{}</text>",
            spans(line)
        )
        .unwrap();
    }
    svg + "</svg>\n"
}

/// A line with terminal sequences, as spans of text.
fn spans(line: &str) -> String {
    let mut spans = String::new();
    let mut attributes = String::new();
    // Before the first sequence, the text has no attributes.
    for (number, part) in line.split("\x1b[").enumerate() {
        let text = match part.split_once('m') {
            Some((codes, text)) if number > 0 => {
                attributes = codes.split(';').map(attribute).collect();
                text
            }
            _ => part,
        };
        if !text.is_empty() {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            write!(spans, "<tspan{attributes}>{text}</tspan>").unwrap();
        }
    }
    spans
}

fn attribute(code: &str) -> &'static str {
    match code {
        "0" => "",
        "1" => " font-weight=\"bold\"",
        "2" => " fill-opacity=\"0.6\"",
        "3" => " font-style=\"italic\"",
        "31" => " fill=\"#ff7b72\"",
        "32" => " fill=\"#7ee787\"",
        "33" => " fill=\"#e3b341\"",
        "34" => " fill=\"#79c0ff\"",
        "35" => " fill=\"#d2a8ff\"",
        other => panic!("the picture has no color for the sequence {other}"),
    }
}

const WIDTH: usize = 800;
const LINE: usize = 20;
const TOP: usize = 28;
