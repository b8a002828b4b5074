//! The scenarios: the kind of call, the format, the spans, the threads, and the destination.

use crate::event::Call;

#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    pub task: Task,
    pub text: bool,
    pub spans: Spans,
    pub threads: u64,
    pub sink: Sink,
    /// The contender that ratios are taken to.
    pub base: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Events,
    /// One call every 20 µs.
    Paced,
    /// A number of calls per second, timed from when each was due.
    Load(u64),
    /// Three outputs: everything as JSON, INFO as text, WARN as JSON.
    ThreeOutputs,
    /// 1 MiB a file, five old ones.
    Rotation,
    /// No layer wants the event.
    Off,
    /// Another layer wants the event.
    OffHere,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Spans {
    None,
    Three,
    /// One for each event.
    Each,
}

/// The destination: a file on disk in every case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// A buffer of 64 KiB.
    Buffered,
    /// One write(2) per line.
    Unbuffered,
    /// A queue that loses nothing.
    Lossless,
    /// The contender's default queue.
    Default,
}

impl Scenario {
    pub fn call(&self) -> Call {
        match (self.task, self.spans) {
            (Task::Off | Task::OffHere, _) => Call::Off,
            (Task::ThreeOutputs, _) => Call::Mixed,
            (_, Spans::Each) => Call::Span,
            _ => Call::Event,
        }
    }

    pub fn writes(&self) -> bool {
        !matches!(self.task, Task::Off | Task::OffHere)
    }

    pub fn is_queued(&self) -> bool {
        matches!(self.sink, Sink::Lossless | Sink::Default)
    }

    /// Nothing but events, from one or more threads, into one file.
    pub fn is_plain(&self) -> bool {
        matches!(self.task, Task::Events | Task::Paced | Task::Load(_))
    }
}

/// The scenarios that `name` means: one, or a group.
pub fn named(name: &str) -> Vec<Scenario> {
    let group = |scenario: &Scenario| match scenario.task {
        Task::Load(_) => "latency",
        _ => "",
    };
    all().into_iter().filter(|scenario| scenario.name == name || group(scenario) == name || name == "all").collect()
}

pub fn all() -> Vec<Scenario> {
    use Sink::*;
    use Spans::*;
    use Task::*;
    let json = Scenario {
        name: "s1",
        title: "JSON, no span",
        task: Events,
        text: false,
        spans: None,
        threads: 1,
        sink: Buffered,
        base: "floor-format",
    };
    let text = Scenario { name: "s3", title: "text, no span", text: true, ..json };
    let queue = Scenario { sink: Lossless, base: "floor-swap", ..json };
    let spans = Scenario { spans: Three, ..queue };
    let load = Scenario { ..spans };
    vec![
        json,
        Scenario { name: "s2", title: "JSON, 3 spans", spans: Three, ..json },
        text,
        Scenario { name: "s4", title: "text, 3 spans", spans: Three, ..text },
        Scenario { name: "s5", title: "lossless queue, JSON, 3 spans", ..spans },
        Scenario { name: "s5-4t", title: "lossless queue, JSON, 3 spans, 4 threads", threads: 4, ..spans },
        Scenario { name: "s5f", title: "lossless queue, JSON, no span", ..queue },
        Scenario { name: "s5f-4t", title: "lossless queue, JSON, no span, 4 threads", threads: 4, ..queue },
        Scenario {
            name: "s5-paced", title: "lossless queue, JSON, 3 spans, a call every 20 µs", task: Paced, ..spans
        },
        Scenario { name: "s5d", title: "default queue, JSON, 3 spans", sink: Default, ..spans },
        Scenario { name: "s5fd", title: "default queue, JSON, no span", sink: Default, ..queue },
        Scenario {
            name: "s5fd-4t",
            title: "default queue, JSON, no span, 4 threads",
            threads: 4,
            sink: Default,
            ..queue
        },
        Scenario { name: "s6a", title: "an event that nobody wants", task: Off, base: "floor-none", ..json },
        Scenario {
            name: "s6b",
            title: "an event that only another layer wants",
            task: OffHere,
            base: "floor-registry",
            ..json
        },
        Scenario { name: "s7", title: "three outputs with levels, 2.25 lines an event", task: ThreeOutputs, ..json },
        Scenario { name: "s8", title: "JSON, rotation at 1 MiB, 5 kept", task: Rotation, ..json },
        Scenario { name: "s9", title: "a span made, entered, one event, closed, JSON", spans: Each, ..json },
        Scenario { name: "s10", title: "JSON, 4 threads, one file, no queue", threads: 4, ..json },
        Scenario { name: "s1u", title: "JSON, no span, unbuffered", sink: Unbuffered, base: "floor-write1", ..json },
        Scenario {
            name: "s2u",
            title: "JSON, 3 spans, unbuffered",
            spans: Three,
            sink: Unbuffered,
            base: "floor-write1",
            ..json
        },
        Scenario { name: "s3u", title: "text, no span, unbuffered", sink: Unbuffered, base: "floor-write1", ..text },
        Scenario { name: "lat-10k", title: "10,000 calls a second, JSON, 3 spans", task: Load(10_000), ..load },
        Scenario { name: "lat-100k", title: "100,000 calls a second, JSON, 3 spans", task: Load(100_000), ..load },
        Scenario { name: "lat-300k", title: "300,000 calls a second, JSON, 3 spans", task: Load(300_000), ..load },
    ]
}

impl Sink {
    pub fn name(self) -> &'static str {
        match self {
            Self::Buffered => "buffered",
            Self::Unbuffered => "unbuffered",
            Self::Lossless => "queue",
            Self::Default => "default-queue",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Buffered, Self::Unbuffered, Self::Lossless, Self::Default].into_iter().find(|sink| sink.name() == name)
    }
}
