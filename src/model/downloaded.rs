//! Results of a download, and of listing an archive.

use std::path::PathBuf;

use super::S3Uri;

/// The result of a download.
#[derive(Debug)]
pub(crate) struct Downloaded {
    /// The target folder: `{DIR}/{job}` for a job.
    pub(crate) folder: PathBuf,
    pub(crate) parts: Vec<DownloadedArtifact>,
}

/// One downloaded artifact.
#[derive(Debug)]
pub(crate) struct DownloadedArtifact {
    /// Name for messages: `model`, `output data`.
    pub(crate) what: String,
    /// The folder that it was unpacked to, or the file.
    pub(crate) path: PathBuf,
    pub(crate) files: usize,
    /// Size when unpacked.
    pub(crate) bytes: u64,
    /// Symbolic links that lead out of the artifact and were not created, as `NAME -> TARGET`. If there are very many,
    /// the first ones.
    pub(crate) left_out: Vec<String>,
    pub(crate) uri: S3Uri,
    /// The object's ETag, if the artifact is one object.
    pub(crate) version: Option<String>,
}

/// An entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedEntry {
    /// Name in the archive, without a leading `./`.
    pub(crate) path: PathBuf,
    pub(crate) kind: ListedKind,
    /// Size of a file in bytes; 0 for other kinds.
    pub(crate) size: u64,
    /// Permissions with setuid, setgid and sticky bits, as in the archive.
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) modified: u64,
}

/// Kinds of entries, links with their targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListedKind {
    File,
    Folder,
    Symlink(PathBuf),
    HardLink(PathBuf),
    /// A kind that is never unpacked.
    Other,
}
