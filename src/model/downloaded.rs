//! What a download left on this computer.

use std::path::PathBuf;

use super::S3Uri;

/// What was fetched.
#[derive(Debug)]
pub(crate) struct Downloaded {
    /// Of a job, `{DIR}/{job}`.
    pub(crate) folder: PathBuf,
    pub(crate) parts: Vec<DownloadedArtifact>,
}

/// One artifact.
#[derive(Debug)]
pub(crate) struct DownloadedArtifact {
    /// As it is called: `model`, `output data`.
    pub(crate) what: String,
    /// The folder that it was unpacked to, or the file.
    pub(crate) path: PathBuf,
    pub(crate) files: usize,
    /// Unpacked.
    pub(crate) bytes: u64,
    /// Symbolic links that lead out of the artifact, as `NAME -> TARGET`: they were not made. With very many, the first.
    pub(crate) left_out: Vec<String>,
    pub(crate) uri: S3Uri,
    /// The object's ETag, where it is one object.
    pub(crate) version: Option<String>,
}

/// What stands in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedEntry {
    /// As the archive has it, without `./` before it.
    pub(crate) path: PathBuf,
    pub(crate) kind: ListedKind,
    /// Of a file, in bytes.
    pub(crate) size: u64,
    /// The permissions, and setuid and the like, as the archive has them.
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) modified: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListedKind {
    File,
    Folder,
    Symlink(PathBuf),
    HardLink(PathBuf),
    /// What is never unpacked.
    Other,
}
