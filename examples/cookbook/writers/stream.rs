//! Lines from asynchronous code: a stream is copied to a `tokio::io::AsyncWrite`, which logs each line.

use tokio::io::AsyncWriteExt;
use tracing_handlers::receive::Lines;
use tracing_handlers::testing::Captured;

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "stream", about: "an AsyncWrite that makes records", make, shows: SHOWS };

fn make() -> String {
    let captured = Captured::new();
    let mut lines = Lines::new(captured.clone()).target("device");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let mut stream: &[u8] = b"temperature 21\ntemperature 22\nunplug";
        tokio::io::copy(&mut stream, &mut lines).await.expect("lines take everything");
        lines.write_all(b"ged").await.expect("so they do");
        lines.shutdown().await.expect("and end well");
    });
    captured.text()
}

const SHOWS: &str = "
 INFO device: temperature 21
 INFO device: temperature 22
 INFO device: unplugged
";
