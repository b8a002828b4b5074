//! A proxy, as linkerd's: JSON on standard output, and an administrator who reads and changes the directives while it runs.

use tracing_handlers::sink::Memory;

use super::side_by_side::{code, compare, sorted_json, stream, under};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-proxy", about: "a proxy whose directives change at run time", make, shows: SHOWS };

mod before {
    use tracing::Dispatch;
    use tracing_subscriber::fmt::{self, writer::BoxMakeWriter};
    use tracing_subscriber::prelude::*;
    use tracing_subscriber::{EnvFilter, Registry, reload};

    pub struct Admin(reload::Handle<EnvFilter, Registry>);

    pub fn set_up(directives: &str, stdout: BoxMakeWriter) -> Result<(Dispatch, Admin), String> {
        let filter = EnvFilter::try_new(directives).map_err(|error| error.to_string())?;
        let (filter, handle) = reload::Layer::new(filter);
        let layer = fmt::layer().json().flatten_event(true).with_writer(stdout);
        Ok((tracing_subscriber::registry().with(filter).with(layer).into(), Admin(handle)))
    }

    impl Admin {
        pub fn directives(&self) -> Result<String, String> {
            self.0.with_current(EnvFilter::to_string).map_err(|error| error.to_string())
        }

        pub fn change(&self, directives: &str) -> Result<(), String> {
            let filter = EnvFilter::try_new(directives).map_err(|error| error.to_string())?;
            self.0.reload(filter).map_err(|error| error.to_string())
        }
    }
}

mod after {
    use tracing::Dispatch;
    use tracing_handlers::filter::DirectiveSwitch;
    use tracing_handlers::format::{Preset, json::FieldLayout};
    use tracing_handlers::{Error, Handler, Output, Sink};
    use tracing_subscriber::prelude::*;

    pub struct Admin(DirectiveSwitch);

    pub fn set_up(directives: &str, stdout: impl Sink) -> Result<(Dispatch, Admin), Error> {
        let switch = DirectiveSwitch::new(directives)?;
        let output = Output::new(Preset::tracing().fields(FieldLayout::Flat), stdout).filter(switch.clone());
        Ok((tracing_subscriber::registry().with(output.layer()).into(), Admin(switch)))
    }

    impl Admin {
        pub fn directives(&self) -> String {
            self.0.to_string()
        }

        pub fn change(&self, directives: &str) -> Result<(), Error> {
            self.0.set(directives)
        }
    }
}

/// Returns what the administrator sees.
fn program(change: impl Fn(&str) -> bool, read: impl Fn() -> String) -> String {
    let mut seen = String::new();
    for directives in ["info,proxy::http=debug", "proxy=loud", "proxy=debug,warn"] {
        connection();
        let answer = if change(directives) { "taken" } else { "refused" };
        seen += &format!("{directives}: {answer}, now {}\n", read());
    }
    connection();
    seen
}

fn connection() {
    let connection = tracing::info_span!(target: "proxy", "connection", peer = "10.0.0.7:443", tls = true).entered();
    tracing::debug!(target: "proxy::http", status = 200, "answered");
    tracing::info!(target: "proxy::tcp", bytes = 17, "closed");
    tracing::warn!(target: "proxy::tcp", "slow");
    drop(connection);
}

fn make() -> String {
    let (stock, ours) = (Memory::new(), Memory::new());
    let (mut old, mut new) = (String::new(), String::new());
    let (subscriber, admin) = before::set_up("info", stream(&stock)).expect("directives");
    let read = || admin.directives().unwrap_or_else(|error| error);
    under(subscriber, || old = program(|directives| admin.change(directives).is_ok(), read));
    let (subscriber, admin) = after::set_up("info", ours.clone()).expect("directives");
    let read = || admin.directives();
    under(subscriber, || new = program(|directives| admin.change(directives).is_ok(), read));
    code(include_str!("proxy.rs"))
        + &compare("admin", &old, &new, &[])
        + &new
        + &compare("stdout", &sorted_json(&stock.text()), &sorted_json(&ours.text()), &[])
}

const SHOWS: &str = "
code: 20 lines before, 19 after
admin: 3 lines, equal
info,proxy::http=debug: taken, now proxy::http=debug,info
proxy=loud: refused, now proxy::http=debug,info
proxy=debug,warn: taken, now proxy=debug,warn
stdout: 11 lines, equal
";
