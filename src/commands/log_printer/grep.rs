//! Selects lines by a regular expression, with context (`--grep`, `--invert`, `-C`).

use std::collections::{HashMap, VecDeque};

use regex::bytes::Regex;

use crate::model::LogEvent;
use crate::view::log_lines::{self, LogLine};

/// Filter of log lines; the default selects all.
#[derive(Debug, Default)]
pub(crate) struct Grep {
    expression: Option<Regex>,
    /// Selects the lines that do not match.
    invert: bool,
    /// Number of lines of the same node shown before and after each match.
    context: usize,
    nodes: HashMap<u32, NodeContext>,
    /// True once a line was shown.
    has_shown: bool,
}

/// Context state of one node.
#[derive(Debug, Default)]
struct NodeContext {
    /// Last lines that were not shown.
    before: VecDeque<LogLine>,
    /// Number of following lines to show.
    after: usize,
    /// True if lines were omitted since the last one shown.
    skipped: bool,
}

impl Grep {
    pub(crate) fn new(expression: Option<Regex>, invert: bool, context: usize) -> Self {
        Self { expression, invert, context, ..Self::default() }
    }

    /// Returns true if all lines are selected.
    pub(crate) fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    /// Returns true if an event is selected.
    pub(crate) fn matches(&self, event: &LogEvent) -> bool {
        let (message, _) = log_lines::visible_part(event);
        self.expression.as_ref().is_none_or(|expression| expression.is_match(&message) != self.invert)
    }

    /// Adds a line. Returns the lines to show now; `None` stands for omitted lines.
    pub(crate) fn push(&mut self, line: LogLine) -> Vec<Option<LogLine>> {
        let is_match = self.matches(&line.event);
        if self.context == 0 {
            return if is_match { vec![Some(line)] } else { Vec::new() };
        }
        let node = self.nodes.entry(line.stream.number()).or_default();
        if !is_match && node.after == 0 {
            node.before.push_back(line);
            if node.before.len() > self.context {
                node.before.pop_front();
                node.skipped = true;
            }
            return Vec::new();
        }
        node.after = if is_match { self.context } else { node.after - 1 };
        let is_apart = std::mem::take(&mut node.skipped) && self.has_shown;
        self.has_shown = true;
        let gap = is_apart.then_some(None);
        gap.into_iter().chain(node.before.drain(..).map(Some)).chain([Some(line)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cloud::LogStream;

    fn shown(grep: &mut Grep, texts: &[&str]) -> String {
        let line = |text: &str| LogLine {
            stream: LogStream { name: "job/algo-1-1".into() },
            event: LogEvent { timestamp: Timestamp::UNIX_EPOCH, ingested: None, message: text.into(), is_gap: false },
            late: false,
            times: 1,
        };
        let shown = texts.iter().flat_map(|text| grep.push(line(text)));
        let text = |line: Option<LogLine>| {
            line.map_or("--".into(), |line| String::from_utf8_lossy(&line.event.message).into())
        };
        shown.map(text).collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn lines_around_a_match() -> Result<(), regex::Error> {
        let texts = ["a", "b", "c", "X", "d", "e", "f", "g", "X", "X", "h"];
        let x = || Regex::new("X").map(Some);
        assert_eq!(shown(&mut Grep::new(x()?, false, 0), &texts), "X X X");
        assert_eq!(shown(&mut Grep::new(x()?, false, 1), &texts), "c X d -- g X X h");
        assert_eq!(shown(&mut Grep::new(x()?, true, 0), &["a", "X", "b"]), "a b");
        Ok(())
    }
}
