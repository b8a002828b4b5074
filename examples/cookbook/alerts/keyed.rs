//! An alarm per user, host or device: whose field it is, on the event or on a span around it, is counted for itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_handlers::filter::{self, FilterExt, Level};
use tracing_handlers::handler::Alert;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "alarm-per-user", about: "an alarm for each user by himself", make, shows: SHOWS };

fn make() -> String {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let pager = calls.clone();
    let refused = Level::WARN.and(filter::targets(["login"]));
    let alert = Alert::new(refused, 3, Duration::from_secs(600)).per("user").keys(10_000).call(move |alarm| {
        let call = format!("{} refusals of {}", alarm.count, alarm.key.unwrap_or("nobody"));
        pager.lock().expect("nobody panics").push(call);
    });
    logged(alert, || {
        for user in ["ada", "eve", "bob", "eve", "ada", "eve", "eve"] {
            let _request = tracing::info_span!("request", user).entered();
            tracing::warn!(target: "login", "refused");
        }
    });
    let calls = calls.lock().expect("nobody panics");
    calls.join("\n")
}

const SHOWS: &str = "
3 refusals of eve
";
