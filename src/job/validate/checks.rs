//! Holds what the checks read, and reports their problems at places of the spec.

use crate::images::Catalog;
use crate::job::decode::section::has_likely_typo_of;
use crate::job::diagnostics::problem::Problem;
use crate::job::diagnostics::report::Report;
use crate::job::document::tree::{TreeTable, Value};
use crate::job::schema::{Key, ROOT, find};
use crate::job::spec::JobSpec;

/// A decoded spec, the tree that has the places of its values, and the report.
pub(crate) struct Checks<'a> {
    pub(crate) spec: &'a JobSpec,
    pub(crate) tree: &'a TreeTable,
    pub(crate) report: &'a Report,
    /// True if the job runs locally by `--local`, whatever the spec's instance type.
    pub(crate) local: bool,
    /// The built-in images and the user's.
    pub(crate) catalog: &'a Catalog,
}

impl Checks<'_> {
    /// Returns whether the spec has a value at a path.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }

    /// Returns whether a missing key of a section seems to be misspelt or in the wrong place, which is reported
    /// already.
    pub(super) fn is_misplaced(&self, [section, key]: [&str; 2]) -> bool {
        let in_section = match self.tree.get(section).map(|node| &node.value) {
            Some(Value::Table(table)) => has_likely_typo_of(table, key, find(ROOT, section).map_or(&[], Key::keys)),
            Some(_) => true,
            None => has_likely_typo_of(self.tree, section, ROOT),
        };
        in_section || self.tree.get(key).is_some()
    }

    /// Reports an error at the value of a path, or at the nearest section above it that is written.
    pub(super) fn refuse(&self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.add(path, Problem::error(message).hint(hint));
    }

    /// Reports a problem at the place that [`refuse`](Self::refuse) would use.
    pub(super) fn add(&self, path: &[&str], problem: Problem) {
        self.report.add(match self.tree.nearest(path) {
            Some(place) => problem.at(place),
            None => problem,
        });
    }
}
