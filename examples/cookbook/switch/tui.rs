//! A terminal application, as yazi and television: the screen is its own, so it logs to a file, and only if a variable asks for it.

use super::side_by_side::{QUOTES, code, compare, read, under};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-tui", about: "a terminal application that logs to a file only", make, shows: SHOWS };

mod before {
    use std::error::Error;
    use std::fs;
    use std::path::Path;
    use std::sync::Mutex;

    use tracing::Dispatch;
    use tracing::level_filters::LevelFilter;

    pub fn set_up(level: Option<&str>, path: &Path) -> Result<Option<Dispatch>, Box<dyn Error>> {
        let Some(level) = level else { return Ok(None) };
        let level = level.parse::<LevelFilter>()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_target(false)
            .with_file(true)
            .with_line_number(true)
            .with_ansi(false)
            .with_writer(Mutex::new(file));
        Ok(Some(subscriber.finish().into()))
    }
}

mod after {
    use std::path::Path;

    use tracing::Dispatch;
    use tracing_handlers::filter::Threshold;
    use tracing_handlers::format::Text;
    use tracing_handlers::{Error, Handler, Output, sink::File};
    use tracing_subscriber::prelude::*;

    pub fn set_up(level: Option<&str>, path: &Path) -> Result<Option<Dispatch>, Error> {
        let Some(level) = level else { return Ok(None) };
        let text = Text::new().target(false).file(true);
        let output = Output::new(text, File::open(path)?).level(level.parse::<Threshold>()?);
        Ok(Some(tracing_subscriber::registry().with(output.layer()).into()))
    }
}

fn program() {
    let preview = tracing::debug_span!("preview", file = "photo of a cat.png").entered();
    tracing::debug!(width = 640, height = 480, "scaled");
    drop(preview);
    tracing::error!(plugin = "git", "no repository");
    tracing::trace!("a key was pressed");
}

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let [stock, ours] = ["before", "after"].map(|name| folder.path().join(name).join("tui.log"));
    let mut shown = code(include_str!("tui.rs"));
    let is_off = before::set_up(None, &stock).is_ok_and(|none| none.is_none())
        && after::set_up(None, &ours).is_ok_and(|none| none.is_none());
    shown += &format!("without the variable: no log {}\n", is_off && !stock.exists() && !ours.exists());
    under(before::set_up(Some("debug"), &stock).expect("a file").expect("a log"), program);
    under(after::set_up(Some("debug"), &ours).expect("a file").expect("a log"), program);
    shown + &compare("file", &read(&stock), &read(&ours), &[QUOTES])
}

const SHOWS: &str = "
code: 22 lines before, 12 after
without the variable: no log true
file: 2 lines, equal but for quotation marks around single words
";
