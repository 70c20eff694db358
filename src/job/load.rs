//! From a spec's path, the settings below it and the command line's overrides to a checked job spec, or to everything that is wrong with it.

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
    /// Applied in their order, over what the file says.
    pub(crate) overrides: &'a [Override],
    /// `--local` was given: no instance type is needed.
    pub(crate) local: bool,
    /// What holds where neither the file nor a flag says anything.
    pub(crate) layers: &'a Layers,
}

#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: JobSpec,
    /// The spec's file first, then the settings from the lowest to the highest, then the flags in their order: what the
    /// warnings' places refer to.
    pub(crate) sources: Vec<SourceText>,
    pub(crate) warnings: Vec<Problem>,
    /// Where the job's code, data and output go, and its role, each with the place that says so.
    pub(crate) destination: Vec<Origin>,
    /// Of every key that the settings say something about: where its value comes from.
    pub(crate) origins: Vec<Origin>,
}

/// Reads and checks a spec. Nothing is asked of any service.
pub(crate) fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, InvalidSpec> {
    let name = path.display().to_string();
    match read::read(path, Wanted::JobSpec) {
        Ok(text) => read(path, SourceText { name, text }, options).map_err(|invalid| shown(path, invalid)),
        Err(problem) => {
            let sources = vec![SourceText { name, text: String::new() }];
            Err(InvalidSpec { path: path.to_owned(), sources, problems: vec![problem] })
        }
    }
}

/// Shows lines of specs alone: a link may lead to any file.
fn shown(path: &Path, invalid: InvalidSpec) -> InvalidSpec {
    let is_quotable = read::is_quotable(path, read::folder_of(path), Wanted::JobSpec);
    if is_quotable { invalid } else { invalid.withhold(Wanted::JobSpec.name()) }
}

fn read(path: &Path, file: SourceText, options: &LoadOptions<'_>) -> Result<Loaded, InvalidSpec> {
    let report = Report::default();
    let tree = tree(&file.text, options, &report);
    let spec = tree.as_ref().map(|tree| check(tree, &folder_of(path), options, &report));
    let flags = options.overrides.iter().map(Override::source_text);
    let sources: Vec<SourceText> = std::iter::once(file).chain(options.layers.sources()).chain(flags).collect();
    match (spec, tree) {
        (Some(spec), Some(tree)) if !report.has_errors() => {
            let origins = options.layers.origins(&tree, &sources);
            let destination = options.layers.destination(&tree, &sources);
            Ok(Loaded { spec, sources, warnings: report.into_problems(), destination, origins })
        }
        _ => Err(InvalidSpec { path: path.to_owned(), sources, problems: report.into_problems() }),
    }
}

/// The file's tree with the overrides in it and the settings below; `None` when the file is not TOML, which is reported.
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
    Some(tree)
}

/// Whether the spec runs on this computer by its instance type.
fn names_local(tree: &TreeTable) -> bool {
    let instance_type = tree.at(&["resources", "instance_type"]).map(|node| &node.value);
    matches!(instance_type, Some(Value::String(name)) if InstanceType::new(name).is_local())
}

fn check(tree: &TreeTable, folder: &Path, options: &LoadOptions<'_>, report: &Report) -> JobSpec {
    let spec = decode::decode(tree, folder, report);
    validate(&Checks { spec: &spec, tree, report, local: options.local, catalog: &options.layers.catalog });
    spec
}

/// The spec's folder, absolute: relative paths start there. A link to a spec is a spec where the link is.
fn folder_of(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map_or_else(|| path.clone(), Path::to_owned)
}
