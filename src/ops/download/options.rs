//! Options of a download: its source, which artifacts, and how they are saved.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::patterns::Patterns;
use super::watch::Watch;
use crate::model::{JobName, S3Uri};

/// Source of a download.
#[derive(Clone, Debug)]
pub(crate) enum DownloadSource {
    /// The artifacts of a job.
    Job(JobName),
    /// An object, or all objects below a prefix.
    Uri(S3Uri),
}

impl fmt::Display for DownloadSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => job.fmt(f),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

/// Selected artifacts of a job. The default, with neither flag, is the model and the output data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) code: bool,
    pub(crate) checkpoints: bool,
}

/// Options of saving.
#[derive(Clone)]
pub(crate) struct SaveOptions {
    /// Folder in which the job's or the URI's folder is created.
    pub(crate) into: PathBuf,
    /// Keeps an archive instead of unpacking it.
    pub(crate) as_archive: bool,
    /// Files to save; `None` means all.
    pub(crate) only: Option<Patterns>,
    /// Replaces an existing target.
    pub(crate) force: bool,
    /// Maximum size after unpacking, in bytes; by default the free disk space.
    pub(crate) max_size: Option<u64>,
    /// Folder of this user's state, which holds the receipts.
    pub(crate) state: PathBuf,
    /// Text that names the command which resumes the download, such as `the same command`.
    pub(crate) again: String,
    pub(crate) watch: Arc<dyn Watch>,
}

impl SaveOptions {
    /// Returns true if the file at a path below the target is to be saved.
    pub(super) fn wants(&self, path: &Path) -> bool {
        self.only.as_ref().is_none_or(|only| only.matches(path))
    }
}
