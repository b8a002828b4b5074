//! Run with `RUSTFLAGS="--cfg tracing_unstable"`; without it tracing has no such values, and there is nothing to test.
#![cfg(tracing_unstable)]

use tracing_handlers::format::{Json, Time};
use tracing_handlers::{Output, sink::Memory};
use tracing_subscriber::prelude::*;
use valuable::Valuable;

#[derive(Valuable)]
struct User {
    name: &'static str,
    roles: Vec<&'static str>,
    address: Option<Address>,
}

#[derive(Valuable)]
struct Address {
    number: u16,
}

#[test]
fn a_valuable_value_is_nested_json() {
    let memory = Memory::new();
    let output = Output::new(Json::new().time(Time::none()), memory.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(tracing_handlers::layer(output)), || {
        let user = User { name: "ada \u{1b}[31m", roles: vec!["admin"], address: Some(Address { number: 7 }) };
        tracing::info!(target: "shop", user = user.as_value(), "in");
    });
    assert_eq!(
        memory.lines(),
        [concat!(
            r#"{"level":"INFO","target":"shop","message":"in","user":"#,
            r#"{"name":"ada \u001b[31m","roles":["admin"],"address":{"number":7}}}"#
        )]
    );
}
