//! How much room there is.

use std::path::Path;

use crate::error::{Doing, Error, Result};
use crate::model::S3Uri;

/// What is left for others, at least: a full disk stops more than a download. In bytes, and as a share of what is free.
const MARGIN: u64 = 64 * 1024 * 1024;
const SHARE: u64 = 50;

/// Bytes that this user may still write below a folder.
pub(super) fn free(folder: &Path) -> Result<u64> {
    let stat =
        nix::sys::statvfs::statvfs(folder).doing(|| format!("look up the free space of {}", folder.display()))?;
    // Their types differ from system to system.
    #[expect(clippy::useless_conversion, reason = "u32 on macOS")]
    let (blocks, size) = (u64::from(stat.blocks_available()), u64::from(stat.fragment_size()));
    Ok(blocks.saturating_mul(size))
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
