//! What a local job needs to know beside its request: CreateTrainingJob has no field for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a script has between SIGTERM and SIGKILL on SageMaker (developer guide, "How Amazon SageMaker runs your
/// training image").
pub(crate) const STOP_GRACE: Duration = Duration::from_mins(2);

/// The spec's `[local]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalOptions {
    /// A command or an absolute path; `python3` of the active environment unless given.
    pub(crate) python: Option<String>,
    pub(crate) stop_grace: Duration,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { python: None, stop_grace: STOP_GRACE }
    }
}
