//! A node that serves many tenants: a file for each, named by a field of the request's span. tracing-subscriber has no such layer, so
//! that the one before is written by hand.

use super::side_by_side::{QUOTES, code, compare, files, under};
use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "switch-tenants", about: "a file for each tenant", make, shows: SHOWS };

mod before {
    use std::collections::HashMap;
    use std::fmt::{self, Write as _};
    use std::fs::{self, File, OpenOptions};
    use std::io::{self, Write as _};
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id};
    use tracing::{Dispatch, Event, Subscriber};
    use tracing_subscriber::layer::{Context, Layer};
    use tracing_subscriber::prelude::*;
    use tracing_subscriber::registry::LookupSpan;

    pub fn set_up(logs: &Path) -> io::Result<Dispatch> {
        fs::create_dir_all(logs)?;
        let layer = PerTenant { logs: logs.to_owned(), files: Mutex::default() };
        Ok(tracing_subscriber::registry().with(layer).into())
    }

    struct PerTenant {
        logs: PathBuf,
        files: Mutex<HashMap<String, File>>,
    }

    impl<S> Layer<S> for PerTenant
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            let mut tenant = FindTenant(None);
            attributes.record(&mut tenant);
            if let (Some(tenant), Some(span)) = (tenant.0, context.span(id)) {
                span.extensions_mut().insert(Tenant(tenant));
            }
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            let mut scope = context.event_scope(event).into_iter().flatten();
            let tenant = scope.find_map(|span| span.extensions().get::<Tenant>().map(|tenant| tenant.0.clone()));
            let mut line = Line::default();
            event.record(&mut line);
            let meta = event.metadata();
            let text = format!("{:>5} {}: {}{}\n", meta.level(), meta.target(), line.message, line.fields);
            if let Err(error) = self.write(&tenant.unwrap_or_else(|| "none".into()), &text) {
                eprintln!("cannot write a log: {error}");
            }
        }
    }

    impl PerTenant {
        fn write(&self, tenant: &str, text: &str) -> io::Result<()> {
            let mut files = self.files.lock().expect("no thread panics with it");
            if !files.contains_key(tenant) {
                let safe = tenant.replace(['/', '.', '\\'], "_");
                let path = self.logs.join(format!("{safe}.log"));
                files.insert(tenant.to_owned(), OpenOptions::new().create(true).append(true).open(path)?);
            }
            files.get_mut(tenant).map_or(Ok(()), |file| file.write_all(text.as_bytes()))
        }
    }

    struct Tenant(String);

    struct FindTenant(Option<String>);

    impl Visit for FindTenant {
        fn record_str(&mut self, field: &Field, value: &str) {
            if field.name() == "tenant" {
                self.0 = Some(value.to_owned());
            }
        }

        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "tenant" {
                self.0 = Some(format!("{value:?}"));
            }
        }
    }

    #[derive(Default)]
    struct Line {
        message: String,
        fields: String,
    }

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            let _ = match field.name() {
                "message" => write!(self.message, "{value:?}"),
                name => write!(self.fields, " {name}={value:?}"),
            };
        }
    }
}

mod after {
    use std::path::Path;

    use tracing::Dispatch;
    use tracing_handlers::format::{Text, Time};
    use tracing_handlers::{Handler, Output, handler::Route, sink::File};
    use tracing_subscriber::prelude::*;

    pub fn set_up(logs: &Path) -> Dispatch {
        let logs = logs.to_owned();
        let route = Route::by_field("tenant", move |tenant| {
            let file = File::open(logs.join(format!("{tenant}.log")))?;
            Ok(Output::new(Text::new().time(Time::none()).spans(false), file))
        });
        tracing_subscriber::registry().with(route.default_name("none").layer()).into()
    }
}

fn program() {
    for tenant in ["acme", "globex", "acme"] {
        let request = tracing::info_span!("request", tenant, path = "/orders").entered();
        tracing::info!(target: "shop", pieces = 3, customer = "mia", "sold");
        let query = tracing::info_span!("query", table = "orders").entered();
        tracing::debug!(target: "shop::sql", rows = 1, "inserted");
        drop((query, request));
    }
    tracing::warn!(target: "shop", reason = "holiday", "closed early");
}

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let [old, new] = ["before", "after"].map(|name| folder.path().join(name));
    under(before::set_up(&old).expect("a folder"), program);
    under(after::set_up(&new), program);
    let (old, new) = (files(&old), files(&new));
    let mut shown = code(include_str!("tenants.rs"));
    for name in ["acme.log", "globex.log", "none.log"] {
        shown += &compare(name, &old[name], &new[name], &[QUOTES]);
    }
    shown + &format!("files: {} before, {} after\n", old.len(), new.len())
}

const SHOWS: &str = "
code: 82 lines before, 13 after
acme.log: 4 lines, equal but for quotation marks around single words
globex.log: 2 lines, equal but for quotation marks around single words
none.log: 1 line, equal but for quotation marks around single words
files: 3 before, 3 after
";
