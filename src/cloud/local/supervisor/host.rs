//! What this computer is, in the contract's terms.

use std::path::Path;

use crate::cloud::local::contract::Host;
use crate::model::request::CreateTrainingJobRequest;

/// This computer as the only host of a job. The instance type stays the request's, as the script would see it.
pub(super) fn describe(request: &CreateTrainingJobRequest) -> Host {
    let resources = request.resource_config.as_ref();
    let instance_type = resources.and_then(|resources| resources.instance_type.as_ref());
    Host {
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        gpus: devices("/dev", "nvidia"),
        neurons: devices("/dev", "neuron"),
        network_interface: network_interface(),
        instance_type: instance_type.map_or_else(|| "local".to_owned(), ToString::to_string),
    }
}

/// Devices named `{prefix}{number}`.
fn devices(folder: &str, prefix: &str) -> usize {
    let Ok(entries) = Path::new(folder).read_dir() else { return 0 };
    let is_device = |name: &str| name.strip_prefix(prefix).is_some_and(|number| number.parse::<u32>().is_ok());
    entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_device)).count()
}

/// `eth0` as on SageMaker where there is one, else the first that is not the loopback.
fn network_interface() -> String {
    let Ok(entries) = Path::new("/sys/class/net").read_dir() else { return "lo".to_owned() };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let first = names.iter().find(|name| *name == "eth0").or_else(|| names.iter().find(|name| *name != "lo"));
    first.cloned().unwrap_or_else(|| "lo".to_owned())
}
