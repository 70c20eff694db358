//! The unit of a tar archive.

/// Size of a block, in bytes: headers take one, and data is padded to a multiple of it (POSIX, "ustar").
pub(super) const BLOCK_BYTES: usize = 512;
