//! The trait that receives a download's progress, notes and warnings.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::cloud::ByteProgress;

/// Receives the progress of a download. Called from several threads.
pub(crate) trait Watch: Send + Sync {
    /// An artifact of `size` bytes begins, of which `present` were fetched before. `kept_in` is the staging directory,
    /// if the bytes are kept.
    fn begin(&self, what: &str, size: u64, present: u64, kept_in: Option<&Path>);
    /// Adds fetched bytes.
    fn fetched(&self, bytes: u64);
    /// Adds unpacked bytes.
    fn unpacked(&self, bytes: u64);
    fn note(&self, text: &str);
    /// Shows a problem that does not end the download.
    fn warning(&self, text: &str);
    /// Returns true if [`file_saved`](Self::file_saved) needs each file's SHA-256.
    fn digests(&self) -> bool;
    /// Receives a complete file: its artifact, its path below the target, and its size in bytes.
    fn file_saved(&self, what: &str, path: &Path, size: u64, sha256: Option<[u8; 32]>) -> io::Result<()>;
}

/// Returns a callback that reports fetched bytes.
pub(super) fn on_bytes(watch: &Arc<dyn Watch>) -> ByteProgress {
    let watch = watch.clone();
    Arc::new(move |bytes| watch.fetched(bytes))
}

/// Returns the hint that says where fetched bytes are kept and which command resumes.
pub(crate) fn kept_hint(folder: &Path, again: &str) -> String {
    format!("the fetched bytes are kept in {}: {again} continues from there", folder.display())
}
