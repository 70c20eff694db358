//! The project of a spec: what its code and data are sent from.

use std::path::Path;

use crate::archive::Project;
use crate::environment::project_root;

/// Returns the repository around a spec's folder, or the folder itself outside of one; by the folder's path as it is written,
/// and by the one without links.
pub(crate) fn of_folder(folder: &Path) -> Project {
    let written = std::path::absolute(folder).ok();
    let real = folder.canonicalize().ok();
    Project::new([written, real].into_iter().flatten().map(|folder| project_root(&folder).to_owned()))
}
