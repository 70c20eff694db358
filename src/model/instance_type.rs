//! Instance types, such as `ml.g5.2xlarge`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The SDK's word for "this computer".
const LOCAL: &str = "local";
/// The SDK's word for "this computer, with its GPUs".
const LOCAL_GPU: &str = "local_gpu";

/// An instance type by its API name, or `local`/`local_gpu`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct InstanceType(String);

impl InstanceType {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_local(&self) -> bool {
        self.0 == LOCAL || self.0 == LOCAL_GPU
    }
}

impl fmt::Display for InstanceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
