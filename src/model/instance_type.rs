//! Instance types, such as `ml.g5.2xlarge`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The SDK's word for "this computer".
const LOCAL: &str = "local";
/// The SDK's word for "this computer, with its GPUs".
const LOCAL_GPU: &str = "local_gpu";
/// Starts of the families that have local storage without a `d` in their names (sagemaker 2.257.7,
/// `volume_size_supported`; for the families that are newer, AWS's user guide of EC2, "Instance store volumes").
const FAMILIES_WITH_LOCAL_STORAGE: [&str; 7] = ["g5", "g6", "g7", "p5", "p6", "trn1", "trn2"];
/// Starts of the families with accelerators (botocore 1.44.8, documentation of `MaxPendingTimeInSeconds`).
const ACCELERATED_FAMILIES: [&str; 3] = ["p", "g", "trn"];

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

    /// Returns whether the instances have local storage, in place of a volume whose size and key can be chosen.
    pub(crate) fn has_local_storage(&self) -> bool {
        self.family()
            .is_some_and(|family| family.contains('d') || starts_with_any(family, &FAMILIES_WITH_LOCAL_STORAGE))
    }

    /// Returns whether the instances have accelerators: GPUs or Neuron devices.
    pub(crate) fn is_accelerated(&self) -> bool {
        self.family().is_some_and(|family| starts_with_any(family, &ACCELERATED_FAMILIES))
    }

    /// Returns the family of `ml.FAMILY.SIZE`.
    fn family(&self) -> Option<&str> {
        self.0.strip_prefix("ml.")?.split_once('.').map(|(family, _)| family)
    }
}

fn starts_with_any(family: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| family.starts_with(start))
}

impl fmt::Display for InstanceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::InstanceType;

    #[test]
    fn families_say_what_instances_have() {
        for (name, has_local_storage, is_accelerated) in [
            ("ml.m5.large", false, false),
            ("ml.c7i-flex.xlarge", false, false),
            ("ml.r5d.large", true, false),
            ("ml.p3.2xlarge", false, true),
            ("ml.p3dn.24xlarge", true, true),
            ("ml.g4dn.xlarge", true, true),
            ("ml.g6e.xlarge", true, true),
            ("ml.p6-b200.48xlarge", true, true),
            ("ml.trn1.2xlarge", true, true),
            ("local_gpu", false, false),
        ] {
            let instance_type = InstanceType::new(name);
            assert_eq!(instance_type.has_local_storage(), has_local_storage, "{name}");
            assert_eq!(instance_type.is_accelerated(), is_accelerated, "{name}");
        }
    }
}
