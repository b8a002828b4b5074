//! A message from outside contains a line break, a terminal's escape sequence and a character that changes the direction of text.
//! It stays one line, moves no cursor and reads as it was written. log4j2 has `%encode{%m}{CRLF}` for this, which must be
//! requested; Python has no equivalent.

use tracing_handlers::Output;
use tracing_handlers::format::{Json, Logfmt, Text, Time};
use tracing_handlers::sink::Memory;

use crate::{Recipe, logged};

pub const RECIPE: Recipe = Recipe { name: "forged", about: "an attacker's message stays one line", make, shows: SHOWS };

fn make() -> String {
    let name = "eve\n INFO shop: paid user=ada\x1b[2K\u{202e}";
    let memory = Memory::new();
    let handlers = (
        Output::new(Text::new().time(Time::none()), memory.clone()),
        Output::new(Json::new().time(Time::none()), memory.clone()),
        Output::new(Logfmt::new().time(Time::none()), memory.clone()),
    );
    logged(handlers, || tracing::error!(target: "shop", name, "no such user: {name}"));
    memory.text()
}

const SHOWS: &str = r#"
ERROR shop: no such user: eve\n INFO shop: paid user=ada\x1b[2K\u{202e} name="eve\n INFO shop: paid user=ada\x1b[2K\u{202e}"
{"level":"ERROR","target":"shop","message":"no such user: eve\n INFO shop: paid user=ada\u001b[2K\u202e","name":"eve\n INFO shop: paid user=ada\u001b[2K\u202e"}
level=error target=shop message="no such user: eve\n INFO shop: paid user=ada\u001b[2K\u202e" name="eve\n INFO shop: paid user=ada\u001b[2K\u202e"
"#;
