//! Checks the folders and files that `[source]` names, by the paths that they lead to.

use std::path::Path;

use super::exclude_reason::ExcludeReason;
use super::ignore_rules::{IgnoreRules, PathVerdict};
use super::project::{EscapingLink, Project};
use crate::archive::PackError;
use crate::archive::secrets::secret_files::{SecretFile, SecretFiles};

/// Fails for a path that a link leads out of the project. `real` is the path without links.
pub(crate) fn check_inside_project(
    project: &Project,
    external_symlinks: bool,
    path: &Path,
    real: &Path,
) -> Result<(), PackError> {
    match project.escaping_link(path, real) {
        Some(EscapingLink { link, target }) if !external_symlinks => Err(PackError::OutsideProject { link, target }),
        _ => Ok(()),
    }
}

/// Fails for a source folder that is, or is in, a folder such as `.aws`, unless `allow_secrets` names it.
pub(crate) fn check_source_dir(rules: &IgnoreRules, project: &Project, dir: &Path) -> Result<(), PackError> {
    let seen = project.path_for_rules(dir);
    match rules.builtin().find_secret_anywhere(&seen, true) {
        Some(about) if !rules.allows_secret(&seen, true) => {
            Err(PackError::Secrets(SecretFiles(vec![SecretFile::by_name(dir, true, about)])))
        }
        _ => Ok(()),
    }
}

/// Returns the verdict on a dependency by its path without links, parents included. `name` is its path in the archive.
pub(crate) fn judge_dependency(
    rules: &IgnoreRules,
    project: &Project,
    name: &Path,
    real: &Path,
    is_dir: bool,
) -> PathVerdict {
    let seen = project.path_for_rules(real);
    match rules.builtin().find_any_secret(&seen, is_dir) {
        Some(_) if rules.allows_name(name, is_dir) || rules.allows_name(&seen, is_dir) => PathVerdict::KeepSecret,
        Some(found) => PathVerdict::LeaveOut(ExcludeReason::BuiltIn(found)),
        None => PathVerdict::Keep,
    }
}
