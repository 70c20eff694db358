//! Describes this computer in the terms of the container contract.

use std::path::Path;

use crate::contract::Host;
use crate::model::InstanceType;
use crate::model::request::CreateTrainingJobRequest;

/// Returns this computer as the only host of a job. The instance type is the request's.
pub(super) fn describe(request: &CreateTrainingJobRequest) -> Host {
    Host {
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        gpus: count_devices("/dev", "nvidia"),
        neurons: count_devices("/dev", "neuron"),
        network_interface: network_interface(),
        instance_type: instance_type(request).map_or_else(|| "local".to_owned(), ToString::to_string),
    }
}

/// Returns the request's instance type; of instance groups or preferences, that of the first.
fn instance_type(request: &CreateTrainingJobRequest) -> Option<&InstanceType> {
    let resources = request.resource_config.as_ref()?;
    let group = || resources.instance_groups.as_ref()?.first().map(|group| &group.instance_type);
    let preference = || resources.instance_preferences.as_ref()?.first().map(|preference| &preference.instance_type);
    resources.instance_type.as_ref().or_else(group).or_else(preference)
}

/// Counts count_devices named `{prefix}{number}`.
fn count_devices(folder: &str, prefix: &str) -> usize {
    let Ok(entries) = Path::new(folder).read_dir() else { return 0 };
    let is_device = |name: &str| name.strip_prefix(prefix).is_some_and(|number| number.parse::<u32>().is_ok());
    entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_device)).count()
}

/// Returns `eth0` as on SageMaker if it exists, else the first interface that is not the loopback.
fn network_interface() -> String {
    let Ok(entries) = Path::new("/sys/class/net").read_dir() else { return "lo".to_owned() };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let first = names.iter().find(|name| *name == "eth0").or_else(|| names.iter().find(|name| *name != "lo"));
    first.cloned().unwrap_or_else(|| "lo".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_type_is_the_host_s() -> Result<(), Box<dyn std::error::Error>> {
        for (resources, expected) in [
            (json!({"InstanceType": "ml.m5.large", "InstanceCount": 1}), Some("ml.m5.large")),
            (
                json!({"InstancePreferences": [{"InstanceType": "ml.p5.48xlarge"}, {"InstanceType": "ml.m5.large"}]}),
                Some("ml.p5.48xlarge"),
            ),
            (json!({}), None),
        ] {
            let request = serde_json::from_value(json!({
                "TrainingJobName": "job",
                "RoleArn": "arn:aws:iam::123456789012:role/role",
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/"},
                "ResourceConfig": resources,
            }))?;
            assert_eq!(instance_type(&request).map(ToString::to_string).as_deref(), expected);
        }
        Ok(())
    }
}
