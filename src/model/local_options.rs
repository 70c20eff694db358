//! Options of a local job for which CreateTrainingJob has no field.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Time between SIGTERM and SIGKILL on SageMaker (developer guide, "How Amazon SageMaker runs your
/// training image").
pub(crate) const STOP_GRACE: Duration = Duration::from_mins(2);

/// The spec's `[local]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalOptions {
    /// A command or an absolute path of the interpreter. Default: `python3` of the active environment.
    pub(crate) python: Option<String>,
    pub(crate) stop_grace: Duration,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { python: None, stop_grace: STOP_GRACE }
    }
}
