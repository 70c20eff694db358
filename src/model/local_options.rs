//! Options of a local job for which CreateTrainingJob has no field.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::copies::JobCopies;

/// Time between SIGTERM and SIGKILL on SageMaker (developer guide, "How Amazon SageMaker runs your
/// training image").
pub(crate) const STOP_GRACE: Duration = Duration::from_mins(2);

/// The spec's `[local]`, and what was fetched for the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalOptions {
    /// A command or an absolute path of the interpreter. Default: `python3` of the active environment.
    pub(crate) python: Option<String>,
    pub(crate) stop_grace: Duration,
    /// Copies of what the job reads from S3.
    #[serde(default)]
    pub(crate) copies: JobCopies,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { python: None, stop_grace: STOP_GRACE, copies: JobCopies::default() }
    }
}
