//! What only shows when sections are seen together, or when the disk is looked at.

mod combinations;
mod files;
mod hyperparameters;

use super::problem::{Place, Problem};
use super::report::Report;
use super::spec::JobSpec;
use super::tree::Table;

/// A spec that was read, with its tree for the places.
pub(crate) struct Checks<'a> {
    pub(crate) spec: &'a JobSpec,
    pub(crate) tree: &'a Table,
    pub(crate) report: &'a Report,
    /// `--local` was given, or the instance type is one of this computer.
    pub(crate) local: bool,
}

impl Checks<'_> {
    pub(crate) fn run(&self) {
        combinations::check(self);
        hyperparameters::check(self);
        files::check(self);
    }

    fn has(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }

    /// Reports a problem at a path's value, or at the nearest section above it that is written.
    fn refuse(&self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.report.add(self.located(path, Problem::error(message).hint(hint)));
    }

    fn warn(&self, path: &[&str], message: impl Into<String>, hint: &str) {
        self.report.add(self.located(path, Problem::warning(message).hint(hint)));
    }

    fn located(&self, path: &[&str], problem: Problem) -> Problem {
        match self.nearest(path) {
            Some(place) => problem.at(place),
            None => problem,
        }
    }

    fn nearest(&self, path: &[&str]) -> Option<&Place> {
        let paths = (1..=path.len()).rev().filter_map(|length| path.get(..length));
        paths.into_iter().find_map(|path| self.tree.at(path)).map(|node| &node.place)
    }
}
