//! A peer-to-peer node, as reth: colored lines on standard output, a plain file with everything, and a file for the network alone, each
//! with levels by target.

use tracing_handlers::sink::{Color, Memory, Write};

use super::side_by_side::{Difference, QUOTES, SPANS, code, compare, plain, read, stream, under};
use crate::Recipe;

pub const RECIPE: Recipe =
    Recipe { name: "switch-node", about: "a node with levels by target and several files", make, shows: SHOWS };

mod before {
    use std::path::Path;

    use tracing::Dispatch;
    use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
    use tracing_appender::rolling;
    use tracing_subscriber::Registry;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::fmt::{self, writer::BoxMakeWriter};
    use tracing_subscriber::prelude::*;

    type BoxedLayer = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

    pub fn set_up(
        stdout: BoxMakeWriter,
        logs: &Path,
    ) -> Result<(Dispatch, Vec<WorkerGuard>), Box<dyn std::error::Error>> {
        let mut guards = Vec::new();
        let mut layers: Vec<BoxedLayer> = Vec::new();
        let terminal = fmt::layer().with_ansi(true).with_writer(stdout);
        layers.push(terminal.with_filter("info,net=warn".parse::<Targets>()?).boxed());
        for (name, levels) in [("node.log", "debug,net=info"), ("net.log", "off,net=trace")] {
            let (writer, guard) = NonBlocking::new(rolling::never(logs, name));
            let file = fmt::layer().with_ansi(false).with_writer(writer);
            layers.push(file.with_filter(levels.parse::<Targets>()?).boxed());
            guards.push(guard);
        }
        Ok((tracing_subscriber::registry().with(layers).into(), guards))
    }
}

mod after {
    use std::path::Path;

    use tracing::Dispatch;
    use tracing_handlers::filter::Targets;
    use tracing_handlers::{Error, Handler, Output, Queue, Sink, format::Text, sink::File};
    use tracing_subscriber::prelude::*;

    pub fn set_up(stdout: impl Sink, logs: &Path) -> Result<Dispatch, Error> {
        let terminal = Output::new(Text::new(), stdout).filter("info,net=warn".parse::<Targets>()?);
        let file = |name: &str, levels: &str| {
            Ok::<_, Error>(Output::new(Text::new(), File::open(logs.join(name))?).filter(levels.parse::<Targets>()?))
        };
        let files = Queue::new((file("node.log", "debug,net=info")?, file("net.log", "off,net=trace")?));
        Ok(tracing_subscriber::registry().with((terminal, files).layer()).into())
    }
}

fn program() {
    let sync = tracing::info_span!(target: "sync", "sync", stage = "bodies").entered();
    tracing::info!(target: "sync", block = 21_000_000, "imported");
    tracing::debug!(target: "sync::cache", hits = 17, "warm");
    let peer = tracing::info_span!(target: "net", "peer", address = "10.0.0.7:30303").entered();
    tracing::trace!(target: "net::wire", bytes = 512, kind = "ping", "received");
    tracing::info!(target: "net", direction = "in", "connected");
    tracing::warn!(target: "net", reason = "useless peer", "disconnected");
    drop((peer, sync));
    tracing::error!(target: "db", table = "blocks", "no space");
}

/// Two layers of `fmt` share the text of a span's fields, and the first one colored it: <https://github.com/tokio-rs/tracing/issues/1817>.
const SPILLED: Difference = Difference { about: "colors in the file before", without: plain };

fn make() -> String {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let [old, new] = ["before", "after"].map(|name| folder.path().join(name));
    let (stock, ours) = (Memory::new(), Memory::new());
    let (subscriber, guards) = before::set_up(stream(&stock), &old).expect("files");
    under(subscriber, program);
    drop(guards);
    let terminal = Write::new(ours.clone()).color(Color::Always);
    under(after::set_up(terminal, &new).expect("files"), program);
    let mut shown = code(include_str!("node.rs"));
    shown += &format!(
        "colors on stdout: {}\n",
        [&stock, &ours].iter().all(|memory| memory.text().contains("\x1b[32m INFO"))
    );
    shown += &compare("stdout", &plain(&stock.text()), &plain(&ours.text()), &[QUOTES, SPANS]);
    let file =
        |name: &str, listed: &[Difference]| compare(name, &read(&old.join(name)), &read(&new.join(name)), listed);
    shown += &file("node.log", &[QUOTES, SPILLED]);
    shown += &file("net.log", &[QUOTES, SPANS]);
    shown
}

const SHOWS: &str = "
code: 25 lines before, 13 after
colors on stdout: true
stdout: 3 lines, equal but for quotation marks around single words, spans that the filter before hides
node.log: 5 lines, equal but for quotation marks around single words, colors in the file before
net.log: 3 lines, equal but for quotation marks around single words, spans that the filter before hides
";
