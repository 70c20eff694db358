//! Free disk space, and how much of it a download may use.

use std::path::Path;

use crate::archive::DirHandle;
use crate::error::{Error, Result, WithContext};
use crate::model::S3Uri;

/// Space that a download leaves free, in bytes: a full disk stops other programs too.
const RESERVED_BYTES: u64 = 64 * 1024 * 1024;
/// One part in this many of the free space (and of the free inodes) is left free.
const RESERVED_FRACTION: u64 = 50;

/// Free space of a file system for this user.
#[derive(Clone, Copy, Debug)]
pub(super) struct FreeSpace {
    pub(super) bytes: u64,
    /// Number of files and folders that can be created; `None` if the file system has no such limit.
    pub(super) entries: Option<u64>,
}

/// Looks up the free space of the file system that holds a folder.
pub(super) fn free(folder: &DirHandle, path: &Path) -> Result<FreeSpace> {
    let stat = nix::sys::statvfs::fstatvfs(folder);
    let stat = stat.context(|| format!("look up the free space of {}", path.display()))?;
    // The integer types differ between systems.
    #[expect(clippy::useless_conversion, reason = "u32 on macOS")]
    let blocks = u64::from(stat.blocks_available());
    #[expect(clippy::useless_conversion, reason = "u32 on some systems")]
    let size = u64::from(stat.fragment_size());
    #[expect(clippy::useless_conversion, reason = "u32 on macOS")]
    let inodes = u64::from(stat.files_available());
    #[expect(clippy::useless_conversion, reason = "u32 on macOS")]
    let all_inodes = u64::from(stat.files());
    let entries = (all_inodes > 0).then(|| inodes - inodes / RESERVED_FRACTION);
    Ok(FreeSpace { bytes: blocks.saturating_mul(size), entries })
}

/// Returns how many of `free` bytes a download may use.
pub(super) fn usable(free: u64) -> u64 {
    free.saturating_sub(RESERVED_BYTES.max(free / RESERVED_FRACTION))
}

/// Fails if the bytes to fetch do not fit. Called before anything is fetched.
pub(super) fn check(free: u64, needed: u64, of: &S3Uri) -> Result<()> {
    if needed <= usable(free) {
        return Ok(());
    }
    Err(Error::failure(format!("{of} has {needed} bytes to fetch, and the disk has room for {}", usable(free)))
        .hint("make room, or choose another folder with -d DIR"))
}
