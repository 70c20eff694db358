//! Whose files are believed: a file that is found, not named, counts only where no other user can have put it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use nix::unistd::geteuid;

/// Returns whether a file belongs to this user, or to root, who could change anything else as well.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    [geteuid().as_raw(), 0].contains(&metadata.uid())
}
