//! A file for each tenant, created for its first record: log4j2's `Routing` with `$${ctx:tenant}`, logback's `SiftingAppender`. The
//! name passed to the closure is a safe file name, whatever the tenant's name.

use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::handler::Route;
use tracing_handlers::sink::File;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "route", about: "a file for each value of a field", make, shows: SHOWS };

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let logs = folder.path().join("logs");
    let route = Route::by_field("tenant", move |tenant| {
        let file = File::open(logs.join(format!("{tenant}.log")))?;
        Ok(Output::new(Text::new().time(Time::none()).target(false), file))
    });
    logged(route.limit(16).default_name("none"), || {
        let request = tracing::info_span!("request", tenant = "acme").entered();
        tracing::info!(pieces = 3, "sold");
        tracing::info!(tenant = "../../etc/passwd", "hello");
        drop(request);
        tracing::info!("swept the floor");
    });
    let mut files: Vec<_> = std::fs::read_dir(folder.path().join("logs"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a log");
            format!("{}: {}", path.file_name().unwrap_or_default().display(), text.trim())
        })
        .collect();
    files.sort();
    files.join("\n")
}

const SHOWS: &str = "
%2e.%2f..%2fetc%2fpasswd.log: INFO request{tenant=acme}: hello tenant=../../etc/passwd
acme.log: INFO request{tenant=acme}: sold pieces=3
none.log: INFO swept the floor
";
