//! What a download left on this computer.

use std::path::PathBuf;

/// What was fetched.
#[derive(Debug)]
pub(crate) struct Downloaded {
    /// `{DIR}/{job}`.
    pub(crate) folder: PathBuf,
    pub(crate) model: Option<Part>,
    pub(crate) output: Option<Part>,
}

/// One artifact, unpacked.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) folder: PathBuf,
    pub(crate) files: usize,
    /// Unpacked.
    pub(crate) bytes: u64,
}
