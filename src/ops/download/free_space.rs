//! How much room there is.

use std::path::Path;

use crate::archive::DirHandle;
use crate::error::{Error, Result, WithContext};
use crate::model::S3Uri;

/// What is left for others, at least: a full disk stops more than a download. In bytes, and as a share of what is free.
const MARGIN: u64 = 64 * 1024 * 1024;
const SHARE: u64 = 50;

/// The space that this user has left below a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Free {
    pub(super) bytes: u64,
    /// Files and folders; none where the file system has no such limit.
    pub(super) entries: Option<u64>,
}

pub(super) fn free(folder: &DirHandle, path: &Path) -> Result<Free> {
    let stat = nix::sys::statvfs::fstatvfs(folder);
    let stat = stat.context(|| format!("look up the free space of {}", path.display()))?;
    // Their types differ from system to system.
    #[expect(clippy::useless_conversion, reason = "u32 on macOS")]
    let (blocks, size) = (u64::from(stat.blocks_available()), u64::from(stat.fragment_size()));
    #[expect(clippy::useless_conversion, reason = "u32 on macOS")]
    let (inodes, all_inodes) = (u64::from(stat.files_available()), u64::from(stat.files()));
    let entries = (all_inodes > 0).then(|| inodes - inodes / SHARE);
    Ok(Free { bytes: blocks.saturating_mul(size), entries })
}

/// Of so much free space, what a download may take.
pub(super) fn usable(free: u64) -> u64 {
    free.saturating_sub(MARGIN.max(free / SHARE))
}

/// Before anything is fetched.
pub(super) fn check(free: u64, needed: u64, of: &S3Uri) -> Result<()> {
    if needed <= usable(free) {
        return Ok(());
    }
    Err(Error::failure(format!("{of} has {needed} bytes to fetch, and the disk has room for {}", usable(free)))
        .hint("make room, or choose another folder with -d DIR"))
}
