//! An alarm per user, host or device: records are counted separately for each value of a field of the event or its spans.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_handlers::filter::{self, FilterExt, Level};
use tracing_handlers::handler::Alert;

use crate::{Recipe, logged};

pub const RECIPE: Recipe =
    Recipe { name: "alarm-per-user", about: "a separate alarm for each user", make, shows: SHOWS };

fn make() -> String {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let pager = calls.clone();
    let refused = Level::WARN.and(filter::targets(["login"]));
    let alert = Alert::new(refused, 3, Duration::from_secs(600)).per("user").keys(10_000).call(move |alarm| {
        let call = format!("{} refusals of {}", alarm.count, alarm.key.unwrap_or("nobody"));
        pager.lock().expect("no thread panics").push(call);
    });
    logged(alert, || {
        for user in ["ada", "eve", "bob", "eve", "ada", "eve", "eve"] {
            let _request = tracing::info_span!("request", user).entered();
            tracing::warn!(target: "login", "refused");
        }
    });
    let calls = calls.lock().expect("no thread panics");
    calls.join("\n")
}

const SHOWS: &str = "
3 refusals of eve
";
