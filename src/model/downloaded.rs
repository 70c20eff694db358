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
    /// Symbolic links that lead out of the artifact, as `NAME -> TARGET`: they were not made. With very many, the first.
    pub(crate) left_out: Vec<String>,
}
