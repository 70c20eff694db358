//! Tells whose a file is.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use nix::unistd::geteuid;

/// Returns whether a file belongs to this user, or to root, who can change any file anyway.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    [geteuid().as_raw(), 0].contains(&metadata.uid())
}
