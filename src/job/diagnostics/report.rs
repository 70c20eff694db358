//! Collects the problems of one spec, so that all of them are shown in one run.

use std::cell::RefCell;

use super::problem::{Problem, Severity};

/// More than anyone reads; a file of nothing but mistakes must not take minutes and gigabytes.
const MAX_PROBLEMS: usize = 100;

/// The longest message or hint, in characters: a key or a value of a megabyte helps nobody.
const MAX_MESSAGE_CHARS: usize = 300;

/// Handed down by shared reference to everything that reads or checks a part of the spec.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: RefCell<Vec<Problem>>,
    left_out: RefCell<usize>,
}

impl Report {
    pub(crate) fn add(&self, problem: Problem) {
        if self.is_full() {
            *self.left_out.borrow_mut() += 1;
        } else {
            self.problems.borrow_mut().push(shortened(problem));
        }
    }

    /// Whether another problem would only be counted: costly suggestions need not be looked for.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MAX_PROBLEMS
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|problem| problem.severity == Severity::Error)
    }

    /// In the order of the texts, each from top to bottom; problems of the whole file come first.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.source, place.bytes.start)));
        let left_out = self.left_out.into_inner();
        if left_out > 0 {
            problems.push(Problem::error(format!("{left_out} more problems are not shown")));
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
