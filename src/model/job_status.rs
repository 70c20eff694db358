//! The status of a training job: the API's `TrainingJobStatus` and `SecondaryStatus`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `TrainingJobStatus`: the statuses that botocore 1.44.5 lists, and any that the service has gained since.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum JobStatus {
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
    Deleting,
    /// A status that this version does not know.
    Unknown(String),
}

impl JobStatus {
    /// Returns whether the status says that the job has ended. One that is not known does not say it; see
    /// `DescribeTrainingJobResponse::has_ended`.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }

    pub(crate) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Deleting => "Deleting",
            Self::Unknown(status) => status,
        }
    }
}

impl From<String> for JobStatus {
    fn from(status: String) -> Self {
        match status.as_str() {
            "InProgress" => Self::InProgress,
            "Completed" => Self::Completed,
            "Failed" => Self::Failed,
            "Stopping" => Self::Stopping,
            "Stopped" => Self::Stopped,
            "Deleting" => Self::Deleting,
            _ => Self::Unknown(status),
        }
    }
}

impl From<JobStatus> for String {
    fn from(status: JobStatus) -> Self {
        match status {
            JobStatus::Unknown(status) => status,
            known => known.as_str().to_owned(),
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
