//! "5 errors within a minute": one alarm instead of five, and no further one during the cool-down. log4j2's users combine a
//! `BurstFilter` with an `SMTPAppender` for this.

use std::time::Duration;

use tracing::Level;
use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Alert;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "alarm", about: "an alarm if errors are too frequent", make, shows: SHOWS };

fn make() -> String {
    let (log, mail) = (Memory::new(), Memory::new());
    let output = |memory: &Memory| Output::new(Text::new().time(Time::none()), memory.clone());
    let alert = Alert::new(Level::ERROR, 5, Duration::from_secs(60)).name("shop").to(output(&mail));
    logged((output(&log), alert), || {
        (1..=8).for_each(|till| tracing::error!(target: "shop", till, "jammed"));
    });
    format!("{} lines in the log, in the mail:\n{}", log.lines().len(), mail.text())
}

const SHOWS: &str = "
8 lines in the log, in the mail:
ALERT shop: shop: 5 records within 60 s, the last: jammed till=5 alert=shop count=5 within=60.0
";
