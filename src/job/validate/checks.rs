//! A decoded spec with its tree, and how checks report on it.

use crate::images::Catalog;
use crate::job::decode::section::is_misspelt;
use crate::job::diagnostics::problem::{Location, Problem};
use crate::job::diagnostics::report::Report;
use crate::job::document::tree::{TreeTable, Value};
use crate::job::schema::{Key, ROOT, find};
use crate::job::spec::JobSpec;

/// A spec that was read, with its tree for the places.
pub(crate) struct Checks<'a> {
    pub(crate) spec: &'a JobSpec,
    pub(crate) tree: &'a TreeTable,
    pub(crate) report: &'a Report,
    /// `--local` was given.
    pub(crate) local: bool,
    /// The images that there are.
    pub(crate) catalog: &'a Catalog,
}

impl Checks<'_> {
    pub(super) fn has(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }

    /// Whether a key of a section, which isn't there, is most likely misspelt or in the wrong place: there is a problem
    /// that says so already.
    pub(super) fn is_meant(&self, [section, key]: [&str; 2]) -> bool {
        let in_section = match self.tree.get(section).map(|node| &node.value) {
            Some(Value::Table(table)) => is_misspelt(table, key, find(ROOT, section).map_or(&[], Key::keys)),
            Some(_) => true,
            None => is_misspelt(self.tree, section, ROOT),
        };
        in_section || self.tree.get(key).is_some()
    }

    /// Reports a problem at a path's value, or at the nearest section above it that is written.
    pub(super) fn refuse(&self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.add(path, Problem::error(message).hint(hint));
    }

    pub(super) fn add(&self, path: &[&str], problem: Problem) {
        self.report.add(match self.nearest(path) {
            Some(place) => problem.at(place),
            None => problem,
        });
    }

    pub(super) fn nearest(&self, path: &[&str]) -> Option<&Location> {
        let paths = (1..=path.len()).rev().filter_map(|length| path.get(..length));
        paths.into_iter().find_map(|path| self.tree.at(path)).map(|node| &node.place)
    }
}
