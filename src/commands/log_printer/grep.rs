//! Which lines are shown: those that match, and those around them.

use std::collections::{HashMap, VecDeque};

use regex::bytes::Regex;

use crate::model::LogEvent;
use crate::view::log_lines::{self, LogLine};

#[derive(Debug, Default)]
pub(crate) struct Grep {
    expression: Option<Regex>,
    /// Lines that don't match are meant.
    invert: bool,
    /// Lines of the same node before and after each that matches.
    context: usize,
    nodes: HashMap<u32, Around>,
    /// Something has been shown.
    has_shown: bool,
}

/// Where a node's lines stand.
#[derive(Debug, Default)]
struct Around {
    before: VecDeque<LogLine>,
    after: usize,
    /// Lines were left out since the last that was shown.
    skipped: bool,
}

impl Grep {
    pub(crate) fn new(expression: Option<Regex>, invert: bool, context: usize) -> Self {
        Self { expression, invert, context, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    pub(crate) fn matches(&self, event: &LogEvent) -> bool {
        let (message, _) = log_lines::parts(&event.message);
        self.expression.as_ref().is_none_or(|expression| expression.is_match(message) != self.invert)
    }

    /// What is to be shown now that a line has come; `None` stands for lines that are left out.
    pub(crate) fn push(&mut self, line: LogLine) -> Vec<Option<LogLine>> {
        let is_match = self.matches(&line.event);
        if self.context == 0 {
            return if is_match { vec![Some(line)] } else { Vec::new() };
        }
        let around = self.nodes.entry(line.stream.number()).or_default();
        if !is_match && around.after == 0 {
            around.before.push_back(line);
            if around.before.len() > self.context {
                around.before.pop_front();
                around.skipped = true;
            }
            return Vec::new();
        }
        around.after = if is_match { self.context } else { around.after - 1 };
        let is_apart = std::mem::take(&mut around.skipped) && self.has_shown;
        self.has_shown = true;
        let gap = is_apart.then_some(None);
        gap.into_iter().chain(around.before.drain(..).map(Some)).chain([Some(line)]).collect()
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
