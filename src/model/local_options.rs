//! Options of a local job for which CreateTrainingJob has no field.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::copies::JobCopies;

/// Time between SIGTERM and SIGKILL on SageMaker (developer guide, "How Amazon SageMaker runs your
/// training image").
pub(crate) const STOP_GRACE: Duration = Duration::from_mins(2);

/// Program that installs a job's requirements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InstallerChoice {
    /// uv where it is installed and can install as pip would, else pip.
    #[default]
    Auto,
    Uv,
    Pip,
}

/// Versions of a framework's image, as the spec names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameworkVersion {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    /// Version of the PyTorch in an image of Hugging Face's.
    pub(crate) pytorch_version: Option<String>,
    /// Version of the TensorFlow in an image of Hugging Face's.
    pub(crate) tensorflow_version: Option<String>,
}

/// The spec's `[local]`, and what was fetched for the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LocalOptions {
    /// A command or an absolute path of the interpreter. Default: `python3` of the active environment.
    pub(crate) python: Option<String>,
    pub(crate) stop_grace: Duration,
    #[serde(default)]
    pub(crate) installer: InstallerChoice,
    /// AWS region that the spec, a flag or the settings name.
    #[serde(default)]
    pub(crate) region: Option<String>,
    /// Framework of the image that AWS would run the script in.
    #[serde(default)]
    pub(crate) framework: Option<FrameworkVersion>,
    /// Copies of what the job reads from S3.
    #[serde(default)]
    pub(crate) copies: JobCopies,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            python: None,
            stop_grace: STOP_GRACE,
            installer: InstallerChoice::default(),
            region: None,
            framework: None,
            copies: JobCopies::default(),
        }
    }
}
