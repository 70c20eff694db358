//! The status of a training job: the API's `TrainingJobStatus` and `SecondaryStatus`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `TrainingJobStatus`, as botocore lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum JobStatus {
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
    Deleting,
}

impl JobStatus {
    /// Returns whether the job has ended.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Deleting => "Deleting",
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The phases that smtrain itself sets on local jobs, of the API's `SecondaryStatus`.
pub(crate) mod phase {
    pub(crate) const STARTING: &str = "Starting";
    pub(crate) const DOWNLOADING: &str = "Downloading";
    pub(crate) const TRAINING: &str = "Training";
    pub(crate) const UPLOADING: &str = "Uploading";
    pub(crate) const STOPPING: &str = "Stopping";
    pub(crate) const COMPLETED: &str = "Completed";
    pub(crate) const FAILED: &str = "Failed";
    pub(crate) const STOPPED: &str = "Stopped";
    pub(crate) const MAX_RUNTIME_EXCEEDED: &str = "MaxRuntimeExceeded";
}
