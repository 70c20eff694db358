//! Stands in for `src/commands/log_printer/mod.rs`: which lines of a log are shown.

#[path = "../../src/commands/log_printer/fold.rs"]
mod fold;
#[path = "../../src/commands/log_printer/grep.rs"]
#[expect(dead_code, reason = "a part of the module is under test")]
mod grep;

use regex::bytes::Regex;

use crate::view::log_lines::LogLine;

/// The lines that match, and `context` around each; `None` stands for lines that are left out.
pub(crate) fn grepped(lines: &[LogLine], expression: Regex, invert: bool, context: usize) -> Vec<Option<LogLine>> {
    let mut grep = grep::Grep::new(Some(expression), invert, context);
    lines.iter().flat_map(|line| grep.push(line.clone())).collect()
}

/// The lines, with the same of several nodes as one.
pub(crate) fn folded(lines: &[LogLine]) -> Vec<LogLine> {
    let mut fold = fold::Fold::default();
    let mut folded: Vec<LogLine> = lines.iter().flat_map(|line| fold.push(line.clone())).collect();
    folded.extend(fold.take());
    folded
}
