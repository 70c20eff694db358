//! Registry of the multipart uploads that are open.

use std::collections::HashSet;
use std::sync::Mutex;

use tokio_util::task::TaskTracker;

use super::encryption::AppliedEncryption;
use crate::model::{IgnorePoison, S3Uri};

/// An open multipart upload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Upload {
    pub(super) uri: S3Uri,
    pub(super) id: String,
    /// Expected owner account of the bucket.
    pub(super) owner: Option<String>,
    /// Encryption that S3 will store the object with.
    pub(super) encryption: AppliedEncryption,
}

/// The open uploads of this process.
#[derive(Debug, Default)]
pub(super) struct OpenUploads {
    /// Calls in flight that open an upload.
    pub(super) beginning: TaskTracker,
    begun: Mutex<HashSet<Upload>>,
}

impl OpenUploads {
    pub(super) fn add(&self, upload: Upload) {
        self.begun.lock().ignore_poison().insert(upload);
    }

    pub(super) fn all(&self) -> Vec<Upload> {
        self.begun.lock().ignore_poison().iter().cloned().collect()
    }

    pub(super) fn remove(&self, upload: &Upload) {
        self.begun.lock().ignore_poison().remove(upload);
    }
}
