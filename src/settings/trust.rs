//! Whose files are believed, and where a project ends.
//!
//! A file that is found, not named, counts only where no other user can have put it.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;

/// Entries of a repository's root: of git, Jujutsu and Mercurial.
const REPOSITORIES: [&str; 3] = [".git", ".jj", ".hg"];

/// Returns whether a file belongs to this user, or to root, who could change anything else as well.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    [geteuid().as_raw(), 0].contains(&metadata.uid())
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
