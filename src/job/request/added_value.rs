//! Values of the hyperparameters that smtrain adds to a spec's own.
//!
//! A value that depends on the resolved inputs is named by a variant, so that the hyperparameters of a spec can be
//! counted while it is validated, before anything is resolved.

use serde_json::Value;

use super::delivery::Delivery;
use super::resolved_inputs::ResolvedInputs;

/// Path in the container of an archive that is mounted as the channel `code`.
const CHANNEL_ARCHIVE: &str = "/opt/ml/input/data/code/sourcedir.tar.gz";

/// The value of an added hyperparameter.
#[derive(Clone, Debug)]
pub(super) enum AddedValue {
    Fixed(Value),
    /// The code archive: its S3 URI, or its path in the container, by the delivery.
    CodeArchive(Delivery),
    JobName,
    Region,
    /// The S3 URI of the output.
    Output,
    /// The default of TensorFlow's `model_dir`, in the job's folder below the output's S3 URI.
    ModelFolder,
}

impl AddedValue {
    /// Returns the value; `None` for the archive of a job without code.
    pub(super) fn resolve(self, inputs: &ResolvedInputs<'_>) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value),
            Self::CodeArchive(Delivery::ToolkitAndChannel) => inputs.code.map(|_| CHANNEL_ARCHIVE.into()),
            Self::CodeArchive(_) => inputs.code.map(|code| code.to_string().into()),
            Self::JobName => Some(inputs.name.as_str().into()),
            Self::Region => Some(inputs.region.into()),
            Self::Output => Some(inputs.output.to_string().into()),
            Self::ModelFolder => Some(inputs.output.join(inputs.name.as_str()).join("model").to_string().into()),
        }
    }
}
