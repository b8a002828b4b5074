//! From tracing-subscriber and tracing-appender: set-ups of well-known kinds of programs, each with the stock crates (`before`) and with
//! this one (`after`). Both log the same program, and what they write is compared. Where a program would call `init()`, these return
//! the subscriber.

mod build_tool;
mod cli;
mod compiler;
mod daemon;
mod node;
mod proxy;
mod side_by_side;
mod suite;
mod tenants;
mod tui;
mod web;

use crate::Recipe;

pub const RECIPES: &[Recipe] = &[
    cli::RECIPE,
    web::RECIPE,
    daemon::RECIPE,
    tui::RECIPE,
    compiler::RECIPE,
    node::RECIPE,
    proxy::RECIPE,
    suite::RECIPE,
    build_tool::RECIPE,
    tenants::RECIPE,
];
