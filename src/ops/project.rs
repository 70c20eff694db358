//! Finds the project of a spec: the folder that its code and data may come from.

use std::path::Path;

use crate::archive::Project;
use crate::environment::project_root;

/// Returns the repository around a spec's folder, or the folder itself outside of a repository; both for the path as
/// written and for the path with links resolved.
pub(crate) fn of_folder(folder: &Path) -> Project {
    let written = std::path::absolute(folder).ok();
    let real = folder.canonicalize().ok();
    Project::new([written, real].into_iter().flatten().map(|folder| project_root(&folder).to_owned()))
}
