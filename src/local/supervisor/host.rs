//! Describes this computer in the terms of the container contract.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::contract::Host;
use crate::local::FindProgram;
use crate::local::process::answer::answer;
use crate::model::InstanceType;
use crate::model::request::CreateTrainingJobRequest;

/// Devices of this computer, whichever of them `CUDA_VISIBLE_DEVICES` and the like show to a program.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Devices {
    gpus: usize,
    /// Number of AWS Neuron cores.
    neurons: usize,
}

impl Devices {
    /// Asks the drivers' programs, as the toolkit does (sagemaker-training 5.1.4, `environment.py`: `num_gpus`,
    /// `num_neurons`). A program that fails or gives no answer has none. Where there is no such program, as in another
    /// container, the device files count.
    pub(super) async fn count(find_program: FindProgram) -> Self {
        let ask = async |program: &str, argument: &str| {
            let program = find_program(program)?;
            let output = answer(Command::new(program).arg(argument)).await.ok();
            let stdout = output.filter(|output| output.status.success()).map(|output| output.stdout);
            Some(String::from_utf8_lossy(&stdout.unwrap_or_default()).into_owned())
        };
        let (gpus, neurons) = tokio::join!(ask("nvidia-smi", "--list-gpus"), ask("neuron-ls", "-j"));
        Self {
            gpus: gpus.map_or_else(|| count_device_files("/dev", "nvidia"), |text| count_gpus(&text)),
            neurons: neurons.map_or_else(|| count_device_files("/dev", "neuron"), |text| count_neuron_cores(&text)),
        }
    }
}

/// Counts the GPUs of `nvidia-smi --list-gpus`: a line each, and one for each part of a GPU that is divided.
fn count_gpus(list: &str) -> usize {
    list.lines().filter(|line| line.starts_with("GPU ")).count()
}

/// Sums up the cores of the devices of `neuron-ls -j`.
fn count_neuron_cores(list: &str) -> usize {
    let devices: Vec<Value> = serde_json::from_str(list).unwrap_or_default();
    let cores = |device: &Value| device.get("nc_count").and_then(Value::as_u64).unwrap_or(0);
    usize::try_from(devices.iter().map(cores).sum::<u64>()).unwrap_or(0)
}

/// Returns this computer as the only host of a job. The instance type is the request's.
pub(super) fn describe(request: &CreateTrainingJobRequest, devices: Devices) -> Host {
    Host {
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        gpus: devices.gpus,
        neurons: devices.neurons,
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

/// Counts files named `{prefix}{number}`.
fn count_device_files(folder: &str, prefix: &str) -> usize {
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
    fn devices_that_the_drivers_list() {
        let gpus = "GPU 0: NVIDIA A100 (UUID: GPU-1)\n  MIG 1g.5gb Device 0: (UUID: MIG-1)\nGPU 1: NVIDIA A100\n";
        assert_eq!(count_gpus(gpus), 2);
        assert_eq!(count_gpus("No devices were found\n"), 0);
        assert_eq!(count_neuron_cores(r#"[{"nc_count": 2, "bdf": "x"}, {"nc_count": 2}, {}]"#), 4);
        assert_eq!(count_neuron_cores("no neuron device found"), 0);
    }

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
