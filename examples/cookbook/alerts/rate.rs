//! "5 errors within a minute": one alarm, not five, and no other one until it has cooled down. What log4j2's users build
//! from a `BurstFilter` in front of an `SMTPAppender`.

use std::time::Duration;

use tracing::Level;
use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Alert;
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "alarm", about: "an alarm when errors come too fast", make, shows: SHOWS };

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
