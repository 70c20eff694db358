//! Judges the folders and files that `[source]` names, by where they lead to.

use std::path::Path;

use super::exclude_reason::ExcludeReason;
use super::ignore_rules::{IgnoreRules, PathVerdict};
use super::project::{EscapingLink, Project};
use crate::archive::PackError;
use crate::archive::secrets::secret_files::{SecretFile, SecretFiles};

/// Refuses a path that a link leads out of the project. `real` is the path without links.
pub(crate) fn check_way(project: &Project, external_symlinks: bool, path: &Path, real: &Path) -> Result<(), PackError> {
    match project.way_out(path, real) {
        Some(EscapingLink { link, target }) if !external_symlinks => Err(PackError::OutsideProject { link, target }),
        _ => Ok(()),
    }
}

/// Refuses a source folder that is, or lies in, a folder such as `.aws`, unless `allow_secrets` names it.
pub(crate) fn check_dir(rules: &IgnoreRules, project: &Project, dir: &Path) -> Result<(), PackError> {
    let seen = project.seen(dir);
    match rules.builtin().find_secret_anywhere(&seen, true) {
        Some(about) if !rules.allows_secret(&seen, true) => {
            Err(PackError::Secrets(SecretFiles(vec![SecretFile::by_name(dir, true, about)])))
        }
        _ => Ok(()),
    }
}

/// Judges a dependency by its path without links and the folders around it. `name` is its path in the archive.
pub(crate) fn judge_dependency(
    rules: &IgnoreRules,
    project: &Project,
    name: &Path,
    real: &Path,
    is_dir: bool,
) -> PathVerdict {
    let seen = project.seen(real);
    match rules.builtin().find_any_secret(&seen, is_dir) {
        Some(_) if rules.allows_name(name, is_dir) || rules.allows_name(&seen, is_dir) => PathVerdict::KeepSecret,
        Some(found) => PathVerdict::LeaveOut(ExcludeReason::BuiltIn(found)),
        None => PathVerdict::Keep,
    }
}
