//! Problems of a spec as data. The UI prints them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

/// A text that has values: the spec's file, a settings file, a variable, or a flag's argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceText {
    /// Name in messages, before `:LINE:COLUMN`: the file as the user named it, `SMTRAIN_ROLE`, or `--set`.
    pub(crate) name: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// A place: a byte range of one of the source texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Index of the source text.
    pub(crate) source: usize,
    pub(crate) bytes: Range<usize>,
}

/// One problem. The UI computes lines and columns from its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    /// The fact, lower case, no full stop: ``unknown key `epoch` ``.
    pub(crate) message: String,
    /// Text beside the caret; may be empty.
    pub(crate) label: String,
    /// A fix: `did you mean ...?`
    pub(crate) hint: Option<String>,
    /// `None` for a problem of the whole file: missing, too large, not text.
    pub(crate) place: Option<Location>,
}

/// A spec or a layer of settings that can't be used, with all of its problems.
#[derive(Clone, Debug)]
pub(crate) struct InvalidSpec {
    /// The path as the user named it.
    pub(crate) path: PathBuf,
    /// The spec's file, then the layers of settings from the lowest to the highest, then the flags in their order; for
    /// an invalid layer, only its own text.
    pub(crate) sources: Vec<SourceText>,
    pub(crate) problems: Vec<Problem>,
}

impl InvalidSpec {
    /// Replaces the problems of the first text by one that has only the numbers of their lines, so that no line of the
    /// file is quoted. `kind` is the kind of file that was expected.
    pub(crate) fn withhold(mut self, kind: &str) -> Self {
        let is_of_file = |problem: &Problem| problem.place.as_ref().is_some_and(|place| place.source == 0);
        let (of_file, mut problems): (Vec<_>, Vec<_>) = self.problems.into_iter().partition(is_of_file);
        if let (Some(source), false) = (self.sources.first_mut(), of_file.is_empty()) {
            let starts = of_file.iter().filter_map(|problem| problem.place.as_ref()).map(|place| place.bytes.start);
            let lines: BTreeSet<usize> = starts.map(|start| line_and_column(&source.text, start).0).collect();
            problems.insert(0, withheld(kind, &lines));
            source.text.clear();
        }
        self.problems = problems;
        self
    }
}

/// Number of line numbers that are named of a file that is not quoted.
const MAX_NAMED_LINES: usize = 5;

fn withheld(kind: &str, lines: &BTreeSet<usize>) -> Problem {
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    let named: Vec<String> = lines.iter().take(MAX_NAMED_LINES).map(usize::to_string).collect();
    let more = match lines.len().saturating_sub(MAX_NAMED_LINES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("this file is not a valid {kind}: see {noun} {}{more}", named.join(", "));
    Problem::error(message).hint(
        "its lines are not shown, since it may be another program's file: it has another extension, or it lies outside \
         the folder of the file that names it",
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

    /// Sets the hint if there is one.
    #[must_use]
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// Returns the line and the column of a byte, both counted from 1, the column in characters. A byte past the end means
/// the end.
pub(crate) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..char_boundary(text, byte)).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
    (line, column)
}

/// Returns the start of the last character that starts at or before `byte`, or the end of the text.
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
