//! Counts in Prometheus's text format, version 0.0.4, which OpenMetrics scrapers read as well.

use std::fmt::Write as _;

use super::{Report, Stats};

/// Returns the counts of handlers as Prometheus text, from the reports that [`stats`](crate::Handler::stats) returns.
///
/// | metric | type | labels |
/// |---|---|---|
/// | `log_handler_accepted_total` | counter | `handler` |
/// | `log_handler_delivered_total` | counter | `handler` |
/// | `log_handler_dropped_total` | counter | `handler`, `reason` |
/// | `log_handler_failed_total` | counter | `handler` |
/// | `log_handler_pending` | gauge | `handler` |
///
/// The counts of handlers with the same name are added up. A reason appears once a record was dropped for it.
///
/// ```
/// use tracing_handlers::handler::Handler;
/// use tracing_handlers::{Output, RecordBuf, Severity, format::Json, sink::Memory, stats};
///
/// let output = Output::new(Json::new(), Memory::new()).name("audit");
/// output.handle(&RecordBuf::new(Severity::INFO, "shop", "sold").as_record())?;
/// let text = stats::prometheus(&output.stats());
/// assert!(text.contains("# TYPE log_handler_accepted_total counter\nlog_handler_accepted_total{handler=\"audit\"} 1\n"));
/// # Ok::<(), tracing_handlers::Error>(())
/// ```
pub fn prometheus(reports: &[Report]) -> String {
    let merged = merge(reports);
    let mut text = Exposition::default();
    let mut family = |name: &str, kind: &str, help: &str, value: fn(&Stats) -> u64| {
        text.family(name, kind, help);
        for (handler, stats) in &merged {
            text.sample(name, &[("handler", handler)], value(stats));
        }
    };
    family("log_handler_accepted_total", "counter", "Records that a handler accepted.", |stats| stats.accepted);
    family("log_handler_delivered_total", "counter", "Records that were delivered.", |stats| stats.delivered);
    family("log_handler_failed_total", "counter", "Records whose delivery failed.", |stats| stats.failed);
    family("log_handler_pending", "gauge", "Records neither delivered nor lost yet.", |stats| stats.pending);
    text.family("log_handler_dropped_total", "counter", "Records dropped on purpose.");
    for (handler, stats) in &merged {
        for (reason, count) in stats.dropped.iter() {
            text.sample("log_handler_dropped_total", &[("handler", handler), ("reason", &reason.to_string())], count);
        }
    }
    text.0
}

/// A set of labels may occur only once.
fn merge(reports: &[Report]) -> Vec<(&str, Stats)> {
    let mut merged: Vec<(&str, Stats)> = Vec::new();
    for Report { name, stats, .. } in reports {
        match merged.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => add(sum, stats),
            None => merged.push((name, *stats)),
        }
    }
    merged
}

fn add(sum: &mut Stats, stats: &Stats) {
    sum.accepted += stats.accepted;
    sum.delivered += stats.delivered;
    sum.failed += stats.failed;
    sum.pending += stats.pending;
    stats.dropped.iter().for_each(|(reason, count)| sum.dropped.add(reason, count));
}

/// The text under construction.
#[derive(Default)]
pub(crate) struct Exposition(pub(crate) String);

impl Exposition {
    /// Writes a metric's help and type, which precede its samples.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.0.push_str(if index == 0 { "{" } else { "," });
            self.0.push_str(label);
            self.0.push_str("=\"");
            self.escape(text);
            self.0.push('"');
        }
        let _ = writeln!(self.0, "}} {value}");
    }

    /// In a label's value only backslash, quote and line feed are escaped.
    fn escape(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                other => self.0.push(other),
            }
        }
    }
}
