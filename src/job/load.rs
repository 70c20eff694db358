//! Loads a job spec: reads its file, merges the command line's overrides over it and the settings below it, decodes and
//! checks it.
//!
//! The result is a valid [`JobSpec`] with warnings and the origins of its values, or all problems that were found.

use std::path::{Path, PathBuf};

use super::decode;
use super::diagnostics::problem::{InvalidSpec, Problem, SourceText};
use super::diagnostics::report::Report;
use super::document::overrides::Override;
use super::document::read::{self, Wanted};
use super::document::toml;
use super::document::tree::{TreeTable, Value};
use super::settings::{Layers, Origin};
use super::spec::JobSpec;
use super::validate::{Checks, validate};
use crate::model::InstanceType;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadOptions<'a> {
    /// Values of the command line, merged over the file's in this order.
    pub(crate) overrides: &'a [Override],
    /// True if the job runs locally by `--local`: it needs no instance type.
    pub(crate) local: bool,
    /// Settings, which apply where neither the file nor a flag has a value.
    pub(crate) layers: &'a Layers,
}

#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: JobSpec,
    /// The texts that the warnings' places refer to: the spec's file, then the layers of settings from the lowest to
    /// the highest, then the flags in their order.
    pub(crate) sources: Vec<SourceText>,
    pub(crate) warnings: Vec<Problem>,
    /// Destinations of the job's code, data and output, and its role, each with its origin.
    pub(crate) destination: Vec<Origin>,
    /// Origin of the value of every key that the settings have.
    pub(crate) origins: Vec<Origin>,
    /// The tree that has the places of the values.
    tree: TreeTable,
}

impl Loaded {
    /// Returns a problem at the value of a path, or at the nearest section above it that is written.
    pub(crate) fn placed(&self, path: &[&str], problem: Problem) -> Problem {
        match self.tree.nearest(path) {
            Some(place) => problem.at(place),
            None => problem,
        }
    }
}

/// Loads and checks a spec. Performs no network I/O.
pub(crate) fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, InvalidSpec> {
    let name = path.display().to_string();
    match read::read(path, Wanted::JobSpec) {
        Ok(text) => read(path, SourceText { name, text }, options).map_err(|invalid| quotable_only(path, invalid)),
        Err(problem) => {
            let sources = vec![SourceText { name, text: String::new() }];
            Err(InvalidSpec { path: path.to_owned(), sources, problems: vec![problem] })
        }
    }
}

/// Withholds the lines of a file that may not be quoted, as a link can lead to any file.
fn quotable_only(path: &Path, invalid: InvalidSpec) -> InvalidSpec {
    let is_quotable = read::is_quotable(path, read::folder_of(path), Wanted::JobSpec);
    if is_quotable { invalid } else { invalid.withhold(Wanted::JobSpec.name()) }
}

fn read(path: &Path, file: SourceText, options: &LoadOptions<'_>) -> Result<Loaded, InvalidSpec> {
    let flags = options.overrides.iter().map(Override::source_text);
    let others: Vec<SourceText> = options.layers.sources().chain(flags).collect();
    let names = std::iter::once(&file).chain(&others).map(|source| source.name.clone());
    let report = Report::of(names.collect());
    let tree = tree(&file.text, options, &report);
    let spec = tree.as_ref().map(|tree| check(tree, &folder_of(path), options, &report));
    let sources: Vec<SourceText> = std::iter::once(file).chain(others).collect();
    match (spec, tree) {
        (Some(spec), Some(tree)) if !report.has_errors() => {
            let origins = options.layers.origins(&tree, &sources);
            let destination = options.layers.destination(&tree, &sources);
            Ok(Loaded { spec, sources, warnings: report.into_problems(), destination, origins, tree })
        }
        _ => Err(InvalidSpec { path: path.to_owned(), sources, problems: report.into_problems() }),
    }
}

/// Returns the file's tree with the overrides and the settings merged; `None` if the file is not TOML or has no spec,
/// which is reported.
fn tree(text: &str, options: &LoadOptions<'_>, report: &Report) -> Option<TreeTable> {
    let mut tree = toml::document(text, Wanted::JobSpec, report)?;
    if tree.entries.is_empty() && options.overrides.is_empty() {
        let hint = "`smtrain init` writes a job spec to start from";
        report.add(Problem::error("this file has no job spec in it").hint(hint));
        return None;
    }
    let first_flag = options.layers.sources().count() + 1;
    for (index, value) in options.overrides.iter().enumerate() {
        value.apply(&mut tree, first_flag + index, report);
    }
    let is_local = options.local || names_local(&tree);
    options.layers.underlay(&mut tree, is_local);
    options.layers.leave_out_volume_key(&mut tree, report);
    Some(tree)
}

/// Returns whether the spec's instance type is `local`.
fn names_local(tree: &TreeTable) -> bool {
    let instance_type = tree.at(&["resources", "instance_type"]).map(|node| &node.value);
    matches!(instance_type, Some(Value::String(name)) if InstanceType::new(name).is_local())
}

fn check(tree: &TreeTable, folder: &Path, options: &LoadOptions<'_>, report: &Report) -> JobSpec {
    let spec = decode::decode(tree, folder, report);
    validate(&Checks { spec: &spec, tree, report, local: options.local, catalog: &options.layers.catalog });
    spec
}

/// Returns the absolute path of the spec's folder, in which relative paths start. A link to a spec is not resolved: its
/// own folder counts.
fn folder_of(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map_or_else(|| path.clone(), Path::to_owned)
}
