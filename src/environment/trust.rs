//! Whose files are believed, and where a project ends.
//!
//! A file that is found, not named, counts only where no other user can have put it.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::unistd::geteuid;

const WRITABLE_BY_ALL: u32 = 0o002;
/// The bit of a folder in which only the owner of an entry may remove or rename it (inode(7)).
const STICKY: u32 = 0o1000;
/// The folders in that of all state: local jobs, and their objects.
const STATE_FOLDERS: [&str; 2] = ["jobs", "s3"];
/// Entries of a repository's root: of git, Jujutsu and Mercurial.
const REPOSITORIES: [&str; 3] = [".git", ".jj", ".hg"];

/// Returns whether a file belongs to this user, or to root, who could change anything else as well.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    [geteuid().as_raw(), 0].contains(&metadata.uid())
}

/// Returns whether every user may write to a file or folder.
pub(super) fn is_writable_by_all(about: &Metadata) -> bool {
    about.permissions().mode() & WRITABLE_BY_ALL != 0
}

/// Returns why the folders of local jobs can't be trusted: another user may have put there what a job runs. None where they
/// can, or are still to be made.
///
/// Where everybody may write but nobody may remove what is another's, as in /tmp, the folder of all state may stand: what
/// counts are its own folders.
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
    let below = STATE_FOLDERS.iter().map(|name| state.join(name)).chain([cache.to_owned()]);
    doubt(state, true).or_else(|| below.into_iter().find_map(|folder| doubt(&folder, false)))
}

/// Returns whether a folder is the root of a repository.
pub(super) fn is_repository(folder: &Path) -> bool {
    REPOSITORIES.iter().any(|name| is_there(&folder.join(name)))
}

/// Returns the root of the repository around a folder, or the folder itself outside of one.
pub(crate) fn project_root(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| is_repository(folder)).unwrap_or(folder)
}

/// Returns whether there is anything at a path. A file that can't be looked at is there: reading it says why. So is a link
/// that leads nowhere.
pub(super) fn is_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}
