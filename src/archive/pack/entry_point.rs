//! Checks that the entry point, and what decides about how it runs, will be in the archive.

use std::fs;
use std::path::{Path, PathBuf};

use super::builtin_excludes::is_environment;
use super::exclude_reason::{ExcludeReason, ExcludedName};
use super::ignore_rules::{IgnoreRules, PathVerdict};
use super::source_tree::SourceTree;
use crate::archive::PackError;

/// Fails if the entry point doesn't exist or its name will be left out. Runs before any content is read.
pub(crate) fn check_entry_point(tree: &SourceTree, entry_point: &str) -> Result<(), PackError> {
    let missing = || PackError::EntryPointMissing { entry_point: entry_point.to_owned(), dir: tree.dir.clone() };
    let path = Path::new(entry_point);
    let is_inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !is_inside || !tree.dir.join(path).is_file() {
        return Err(missing());
    }
    let (dir, mut rules) = root_rules(tree)?;
    let mut folders: Vec<&Path> = path.ancestors().filter(|part| *part != Path::new("")).collect();
    folders.reverse();
    for part in folders {
        let is_dir = part != path;
        // Before secrets, as in the walk.
        if is_dir && is_environment(&dir.join(part)) {
            let reason = ExcludeReason::BuiltIn(ExcludedName::environment(part));
            return Err(PackError::EntryPointLeftOut { entry_point: entry_point.to_owned(), reason });
        }
        if let PathVerdict::LeaveOut(reason) = rules.verdict(part, is_dir) {
            return Err(PackError::EntryPointLeftOut { entry_point: entry_point.to_owned(), reason });
        }
        if is_dir {
            rules.enter(&dir.join(part), part)?;
        }
    }
    Ok(())
}

/// Returns the path of a file that will be at the root of the archive: one of the source folder that isn't left out, or a
/// dependency.
pub(crate) fn root_file(tree: &SourceTree, name: &str) -> Result<Option<PathBuf>, PackError> {
    let is_named = |path: &&PathBuf| path.file_name().is_some_and(|found| found == name) && path.is_file();
    if let Some(dependency) = tree.dependencies.iter().find(is_named) {
        return Ok(Some(dependency.clone()));
    }
    let path = tree.dir.join(name);
    if !path.is_file() {
        return Ok(None);
    }
    let (_, rules) = root_rules(tree)?;
    let is_left_out = matches!(rules.verdict(Path::new(name), false), PathVerdict::LeaveOut(_));
    Ok((!is_left_out).then_some(path))
}

/// Returns the source folder without links, and the rules that apply in it.
fn root_rules(tree: &SourceTree) -> Result<(PathBuf, IgnoreRules), PackError> {
    let dir = fs::canonicalize(&tree.dir).map_err(PackError::unreadable(&tree.dir))?;
    let mut rules = IgnoreRules::new(&tree.exclude, &tree.allow_secrets)?;
    rules.enter_root(&dir, Path::new(""))?;
    Ok((dir, rules))
}
