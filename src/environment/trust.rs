//! Decides which files and folders are trusted, and finds a project's root.
//!
//! A file that is found, not named by the user, is trusted only if no other user can have created or changed it.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::model::is_own;

const WRITABLE_BY_ALL: u32 = 0o002;
/// Mode bit of a folder in which only an entry's owner may remove or rename it (inode(7)).
const STICKY: u32 = 0o1000;
/// Folders in the state folder: local jobs, their objects, and the staging directory of objects.
const STATE_FOLDERS: [&str; 3] = ["jobs", "s3", "s3/.staging"];
/// Folder in the cache folder: environments of local jobs.
const ENVIRONMENTS: &str = "environments";
/// Entries that mark a repository's root: those of git, Jujutsu and Mercurial.
const REPOSITORIES: [&str; 3] = [".git", ".jj", ".hg"];

/// Returns whether every user may write to a file or folder.
pub(super) fn is_writable_by_all(about: &Metadata) -> bool {
    about.permissions().mode() & WRITABLE_BY_ALL != 0
}

/// Returns why the folders of local jobs can't be trusted: another user may have placed there what a job runs. `None`
/// if they can be trusted or don't exist yet.
///
/// The state folder itself may be writable by all if it has the sticky bit, as /tmp does: the folders inside it count.
pub(super) fn doubt_of_state(state: &Path, cache: &Path) -> Option<String> {
    let doubt = |folder: &Path, may_be_sticky: bool| {
        let about = [folder.symlink_metadata(), folder.metadata()];
        let is_open = |about: &Metadata| {
            let is_sticky = about.permissions().mode() & STICKY != 0;
            !about.is_symlink() && is_writable_by_all(about) && !(may_be_sticky && is_sticky)
        };
        if about.iter().flatten().any(|about| !is_own(about)) {
            Some(format!("{} belongs to another user", folder.display()))
        } else if about.iter().flatten().any(is_open) {
            Some(format!("everybody may write to {}", folder.display()))
        } else {
            None
        }
    };
    let below = STATE_FOLDERS.iter().map(|name| state.join(name)).chain([cache.to_owned(), cache.join(ENVIRONMENTS)]);
    doubt(state, true).or_else(|| below.into_iter().find_map(|folder| doubt(&folder, false)))
}

/// Returns whether a folder is the root of a repository.
pub(super) fn is_repository(folder: &Path) -> bool {
    REPOSITORIES.iter().any(|name| exists(&folder.join(name)))
}

/// Returns the root of the repository around a folder, or the folder itself outside of one.
pub(crate) fn project_root(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| is_repository(folder)).unwrap_or(folder)
}

/// Returns whether a path exists. A file whose metadata can't be read counts as existing, so that reading it reports
/// why; so does a broken link.
pub(super) fn exists(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}
