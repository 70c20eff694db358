//! Checks that the entry point will be in the archive.

use std::fs;
use std::path::Path;

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
    let dir = fs::canonicalize(&tree.dir).map_err(PackError::unreadable(&tree.dir))?;
    let mut rules = IgnoreRules::new(&tree.exclude, &tree.allow_secrets)?;
    rules.enter_root(&dir, Path::new(""))?;
    let mut folders: Vec<&Path> = path.ancestors().filter(|part| *part != Path::new("")).collect();
    folders.reverse();
    for part in folders {
        let is_dir = part != path;
        if let PathVerdict::LeaveOut(reason) = rules.verdict(part, is_dir) {
            return Err(PackError::EntryPointLeftOut { entry_point: entry_point.to_owned(), reason });
        }
        if is_dir {
            rules.enter(&dir.join(part), part)?;
        }
    }
    Ok(())
}
