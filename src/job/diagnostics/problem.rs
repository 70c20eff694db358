//! What is wrong with a spec, and where: data for whoever prints it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

/// One text that a value can come from: the spec's file, a settings file, a variable, or a flag of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceText {
    /// What stands before `:LINE:COLUMN`: the file as the user named it, `SMTRAIN_ROLE`, or `--set`.
    pub(crate) name: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// A place: bytes of the `source`-th text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) source: usize,
    pub(crate) bytes: Range<usize>,
}

/// One problem. Lines and columns are counted by the one who prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    /// The fact, lower case, no full stop: ``unknown key `epoch` ``.
    pub(crate) message: String,
    /// What stands beside the caret; may be empty.
    pub(crate) label: String,
    /// What to do: `did you mean ...?`
    pub(crate) hint: Option<String>,
    /// `None` when the problem is of the whole file (missing, too large, not text).
    pub(crate) place: Option<Location>,
}

/// A spec or a layer of settings that can't be used, with every problem that was found.
#[derive(Clone, Debug)]
pub(crate) struct InvalidSpec {
    /// As it is shown.
    pub(crate) path: PathBuf,
    /// The spec's file first, then the settings from the lowest to the highest, then the flags in their order; of a
    /// layer, its own text alone.
    pub(crate) sources: Vec<SourceText>,
    pub(crate) problems: Vec<Problem>,
}

impl InvalidSpec {
    /// Replaces what is wrong in the first text by the numbers of its lines, so that nothing of the file is shown. `what`
    /// is what the file should be.
    pub(crate) fn withhold(mut self, what: &str) -> Self {
        let is_of_file = |problem: &Problem| problem.place.as_ref().is_some_and(|place| place.source == 0);
        let (of_file, mut problems): (Vec<_>, Vec<_>) = self.problems.into_iter().partition(is_of_file);
        if let (Some(source), false) = (self.sources.first_mut(), of_file.is_empty()) {
            let starts = of_file.iter().filter_map(|problem| problem.place.as_ref()).map(|place| place.bytes.start);
            let lines: BTreeSet<usize> = starts.map(|start| line_and_column(&source.text, start).0).collect();
            problems.insert(0, withheld(what, &lines));
            source.text.clear();
        }
        self.problems = problems;
        self
    }
}

/// Names at most this many lines of a file that is not shown.
const MAX_NAMED_LINES: usize = 5;

fn withheld(what: &str, lines: &BTreeSet<usize>) -> Problem {
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    let named: Vec<String> = lines.iter().take(MAX_NAMED_LINES).map(usize::to_string).collect();
    let more = match lines.len().saturating_sub(MAX_NAMED_LINES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("this file is not a valid {what}: see {noun} {}{more}", named.join(", "));
    Problem::error(message).hint(
        "its lines are not shown, since it may be a file of something else: its name ends otherwise, or it lies outside the \
         folder of the file that names it",
    )
}

impl Problem {
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), label: String::new(), hint: None, place: None }
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    #[must_use]
    pub(crate) fn at(mut self, place: &Location) -> Self {
        self.place = Some(place.clone());
        self
    }

    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A hint that may not be known.
    #[must_use]
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// Line and column of a byte, both from 1, the column in characters. A byte past the end means the end.
pub(crate) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..char_boundary(text, byte)).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
    (line, column)
}

/// The last start of a character at or before `byte`, or the end.
pub(crate) fn char_boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters() {
        let text = "a\r\nü=1\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find('=').unwrap_or(0)), (2, 2));
        assert_eq!(line_and_column(text, 999), (3, 1));
        assert_eq!(line_and_column("ü", 1), (1, 1), "inside a character");
    }
}
