//! Collects the problems of one spec, so that one run shows all of them.

use std::cell::RefCell;

use super::problem::{Problem, Severity};

/// Number of problems that are kept; more are only counted. It bounds time and memory for a file of nothing but
/// mistakes.
const MAX_PROBLEMS: usize = 100;

/// Length limit of a message or a hint, in characters: they quote keys and values, which may be long.
const MAX_MESSAGE_CHARS: usize = 300;

/// The problems that were found so far. Decoders and checks share it by reference.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: RefCell<Vec<Problem>>,
    /// Number of problems past the limit.
    omitted: RefCell<usize>,
    /// Names of the source texts, by the index that places have; none if they are not known.
    sources: Vec<String>,
}

impl Report {
    /// Returns an empty report for values of several source texts.
    pub(crate) fn of(sources: Vec<String>) -> Self {
        Self { sources, ..Self::default() }
    }

    /// Returns the name of a source text.
    pub(crate) fn source_name(&self, source: usize) -> Option<&str> {
        self.sources.get(source).map(String::as_str)
    }

    /// Adds a problem; past the limit, only counts it.
    pub(crate) fn add(&self, problem: Problem) {
        if self.is_full() {
            *self.omitted.borrow_mut() += 1;
        } else {
            self.problems.borrow_mut().push(shortened(problem));
        }
    }

    /// Returns whether another problem would only be counted: costly suggestions are then not worth computing.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MAX_PROBLEMS
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Returns the problems in the order of the source texts, each from top to bottom; problems without a place come
    /// first.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.source, place.bytes.start)));
        let omitted = self.omitted.into_inner();
        if omitted > 0 {
            problems.push(Problem::error(format!("{omitted} more problems are not shown")));
        }
        problems
    }
}

fn shortened(mut problem: Problem) -> Problem {
    shorten(&mut problem.message);
    problem.hint.iter_mut().for_each(shorten);
    problem
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_MESSAGE_CHARS) {
        text.truncate(end);
        text.push_str("...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_hints_are_cut() {
        let report = Report::default();
        let long = "\u{fc}".repeat(1_000_000);
        report.add(Problem::error(&long).hint(format!("write [{long:?}]")));
        for problem in report.into_problems() {
            assert!(problem.message.ends_with("\u{fc}..."), "{}", problem.message);
            let texts = [Some(problem.message), problem.hint];
            assert!(texts.iter().flatten().all(|text| text.chars().count() == MAX_MESSAGE_CHARS + 3), "{texts:?}");
        }
    }
}
