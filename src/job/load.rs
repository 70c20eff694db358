//! From a spec's path and the command line's overrides to a checked job spec, or to everything that is wrong with it.

use std::path::{Path, PathBuf};

use super::overrides::Override;
use super::parse;
use super::problem::{InvalidSpec, Problem, SourceText};
use super::report::Report;
use super::sections;
use super::spec::JobSpec;
use super::text;
use super::tree::Table;
use super::validate::Checks;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadOptions<'a> {
    /// Applied in their order, over what the file says.
    pub(crate) overrides: &'a [Override],
    /// `--local` was given: no instance type is needed.
    pub(crate) local: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) spec: JobSpec,
    /// The spec's file first, then the flags in their order: what the warnings' places refer to.
    pub(crate) sources: Vec<SourceText>,
    pub(crate) warnings: Vec<Problem>,
}

/// Reads and checks a spec. Nothing is asked of any service.
pub(crate) fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, InvalidSpec> {
    let name = path.display().to_string();
    match text::read(path) {
        Ok(text) => read(path, SourceText { name, text }, options),
        Err(problem) => {
            let sources = vec![SourceText { name, text: String::new() }];
            Err(InvalidSpec { path: path.to_owned(), sources, problems: vec![problem] })
        }
    }
}

fn read(path: &Path, file: SourceText, options: &LoadOptions<'_>) -> Result<Loaded, InvalidSpec> {
    let report = Report::default();
    let spec = tree(&file.text, options, &report).map(|tree| check(&tree, &folder_of(path), options, &report));
    let flags = options.overrides.iter().map(Override::source_text);
    let sources: Vec<SourceText> = std::iter::once(file).chain(flags).collect();
    match spec {
        Some(spec) if !report.has_errors() => Ok(Loaded { spec, sources, warnings: report.into_problems() }),
        _ => Err(InvalidSpec { path: path.to_owned(), sources, problems: report.into_problems() }),
    }
}

/// The file's tree with the overrides in it; `None` when the file is not TOML, which is reported.
fn tree(text: &str, options: &LoadOptions<'_>, report: &Report) -> Option<Table> {
    let mut tree = parse::document(text, report)?;
    if tree.entries.is_empty() && options.overrides.is_empty() {
        let hint = "`smtrain init` writes a job spec to start from";
        report.add(Problem::error("this file has no job spec in it").hint(hint));
        return None;
    }
    for (index, value) in options.overrides.iter().enumerate() {
        value.apply(&mut tree, index + 1, report);
    }
    Some(tree)
}

fn check(tree: &Table, folder: &Path, options: &LoadOptions<'_>, report: &Report) -> JobSpec {
    let spec = sections::decode(tree, folder, report);
    Checks { spec: &spec, tree, report, local: options.local }.run();
    spec
}

/// The spec's folder, absolute: relative paths start there. A link to a spec is a spec where the link is.
fn folder_of(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map_or_else(|| path.clone(), Path::to_owned)
}
