//! Lines above a progress bar instead of across it: the bar is hidden while a line is written, and drawn again below.

use std::io;
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use tracing_handlers::Output;
use tracing_handlers::format::{Text, Time};
use tracing_handlers::sink::{self, Write};

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "progress-bar", about: "lines above a progress bar", make, shows: SHOWS };

fn make() -> String {
    let screen = Screen::default();
    // A program writes `let bar = ProgressBar::new(4);` and `Console::stderr()`; both are the same screen here.
    let bar = ProgressBar::with_draw_target(Some(4), ProgressDrawTarget::term_like(Box::new(screen.clone())));
    bar.set_style(ProgressStyle::with_template("{bar:8} {pos} of {len}").unwrap().progress_chars("#-"));

    let log = bar.clone();
    let terminal = sink::around(Write::new(screen.clone()), move |write| log.suspend(write));
    logged(Output::new(Text::new().time(Time::none()), terminal), || {
        for order in 1..4 {
            bar.inc(1);
            tracing::info!(target: "shop", order, "sold");
        }
    });
    // Otherwise a bar that is dropped removes itself.
    bar.abandon();
    screen.rows()
}

const SHOWS: &str = "
 INFO shop: sold order=1
 INFO shop: sold order=2
 INFO shop: sold order=3
######-- 3 of 4
";

/// A terminal with a cursor, in memory.
#[derive(Clone, Debug, Default)]
struct Screen(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    rows: Vec<String>,
    cursor: usize,
}

impl Screen {
    fn rows(&self) -> String {
        let rows = self.0.lock().unwrap();
        rows.rows.iter().map(|row| row.trim_end()).filter(|row| !row.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn move_to(&self, row: impl FnOnce(usize) -> usize) -> io::Result<()> {
        let mut rows = self.0.lock().unwrap();
        rows.cursor = row(rows.cursor);
        Ok(())
    }

    /// Returns the text of the row that the cursor is in, after `change` has changed it.
    fn change(&self, change: impl FnOnce(&mut String)) -> io::Result<()> {
        let mut rows = self.0.lock().unwrap();
        let cursor = rows.cursor;
        if rows.rows.len() <= cursor {
            rows.rows.resize(cursor + 1, String::new());
        }
        change(&mut rows.rows[cursor]);
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_to(|row| row.saturating_sub(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_to(|row| row + n)
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        for (index, line) in text.split('\n').enumerate() {
            self.move_to(|row| row + usize::from(index > 0))?;
            self.change(|row| row.push_str(line))?;
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.change(String::clear)
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_str(&String::from_utf8_lossy(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
