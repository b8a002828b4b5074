//! A web shop that logs colored lines to the terminal above a progress bar, JSON to a rotating file, and errors to
//! a separate file. The terminal and the files are behind a queue each.
//!
//! ```text
//! cargo run --example service [-- --requests 2000 --dir logs]
//! cargo run --package service --example service    compiles fewer crates, without the cookbook's features
//! ```
//!
//! The shop is an ordinary axum service with ordinary `tracing`; only the function [`log_to`] sets up this crate. At the
//! end the program reads its files back, shows its handlers, and exits with 1 if the files do not match what the client saw.

mod check;
mod client;
mod progress;
mod shop;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_handlers::format::{Json, Text};
use tracing_handlers::rotation::{MIB, Rotation};
use tracing_handlers::sink::{Console, File, Sink};
use tracing_handlers::{Handle, Output, Queue};
use tracing_subscriber::prelude::*;

/// The entire logging setup.
fn log_to(dir: &Path, terminal: impl Sink) -> Result<Handle, tracing_handlers::Error> {
    let rotation = Rotation::size(MIB).keep(KEPT);
    let files = (
        Output::new(Json::new(), File::open(dir.join(JSON))?.rotation(rotation))
            .level(Level::DEBUG)
            .spans(Level::DEBUG),
        Output::new(Text::new(), File::open(dir.join(ERRORS))?).level(Level::ERROR),
    );
    // A queue of its own for the terminal: while that is not read, the files must not wait.
    let layer = tracing_handlers::layer((
        Queue::new(Output::new(Text::compact().target(false), terminal).level(Level::INFO)).name("terminal"),
        Queue::new(files).name("files"),
    ));
    let handle = layer.handle();
    tracing_subscriber::registry().with(layer).init();
    Ok(handle)
}

#[tokio::main]
async fn main() -> Result<ExitCode, client::Failure> {
    let Args { requests, dir } = Args::parse(std::env::args().skip(1))?;
    remove_old(&dir)?;
    let bar = progress::bar(requests);
    let log = log_to(&dir, progress::above(bar.clone(), Console::stderr()))?;

    let start = Instant::now();
    let address = shop::open().await?;
    tracing::info!(%address, requests, "the shop is open");
    let answers = client::order(address, requests, &bar).await?;
    tracing::info!(requests, elapsed = ?start.elapsed(), "the shop is closed");
    bar.finish_and_clear();

    log.flush(Duration::from_secs(10))?;
    let seconds = start.elapsed().as_secs_f32();
    let found = check::read(&dir)?;
    let reports = log.stats();
    println!("\n{requests} requests in {seconds:.2} s: {answers}\n\n{found}\n{}", log.tree());
    let faults = found.compare(&answers, &reports);
    faults.iter().take(10).for_each(|fault| println!("WRONG: {fault}"));
    println!("{}", if faults.is_empty() { "all files are as expected" } else { "the files are not as expected" });
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Removes the files of an earlier run, which would be counted too.
fn remove_old(dir: &Path) -> std::io::Result<()> {
    for path in check::files(dir)? {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

struct Args {
    requests: usize,
    dir: PathBuf,
}

impl Args {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, client::Failure> {
        let mut parsed = Self { requests: 2_000, dir: "logs".into() };
        while let Some(name) = args.next() {
            let value = args.next();
            match (name.as_str(), value) {
                ("--requests", Some(value)) => parsed.requests = value.parse()?,
                ("--dir", Some(value)) => parsed.dir = value.into(),
                _ => return Err("usage: service [--requests N] [--dir DIR]".into()),
            }
        }
        Ok(parsed)
    }
}

const JSON: &str = "service.jsonl";
const ERRORS: &str = "errors.log";
/// More old files than a run is expected to fill: 1,000 requests take about 2 MiB.
const KEPT: usize = 500;
