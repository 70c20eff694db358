//! Names of the files and folders in a staging directory.

/// Journal of the byte ranges that are written.
pub(super) const JOURNAL: &str = "fetched";
/// New journal, until an atomic rename puts it in place of the old one.
pub(super) const NEW_JOURNAL: &str = "fetched.new";
/// List of the objects below a prefix, before it is merged into the journal.
pub(super) const LISTING: &str = "listed";
/// Bytes of a single object.
pub(super) const ARCHIVE: &str = "archive";
/// Tree of files that will become the target.
pub(super) const FILES: &str = "files";
/// Replaced target (`--force`), until it is removed.
pub(super) const REPLACED: &str = "before";
