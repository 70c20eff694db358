//! Differences between a local job and SageMaker: reported, or refused, before the job is created.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cloud::{CloudError, CloudResult};
use crate::contract::Layout;
use crate::local::guard::PROBE;
use crate::local::store::layout::Home;
use crate::local::store::objects;
use crate::model::copies::JobCopies;
use crate::model::request::{Channel, CreateTrainingJobRequest};
use crate::model::{S3Uri, artifacts};

/// Hyperparameters that enable a kind of distributed training which a local job doesn't start, each with the kind's
/// name. All but the last three start processes by mpirun.
const UNSIMULATED_DISTRIBUTIONS: [(&str, &str); 6] = [
    ("sagemaker_distributed_dataparallel_enabled", "smdistributed_dataparallel"),
    ("sagemaker_mpi_enabled", "mpi"),
    ("sagemaker_pytorch_ddp_enabled", "pytorchddp"),
    ("sagemaker_parameter_server_enabled", "parameter_server"),
    ("sagemaker_multi_worker_mirrored_strategy_enabled", "multi_worker_mirrored_strategy"),
    ("sagemaker_pytorch_xla_multi_worker_enabled", "pytorch_xla"),
];

/// Returns a sentence for each feature of the request that is not simulated.
pub(crate) fn unsimulated(request: &CreateTrainingJobRequest, executable: &Path) -> Vec<String> {
    let resources = request.resource_config.as_ref();
    let count = resources.and_then(|resources| resources.instance_count).unwrap_or(1);
    let groups = resources.and_then(|resources| resources.instance_groups.as_ref()).is_some();
    let mut notices = Vec::new();
    let mut add = |applies: bool, text: &str| notices.extend(applies.then(|| text.to_owned()));
    add(count > 1 || groups, "a local job has one host, algo-1: more instances are not simulated");
    add(request.enable_managed_spot_training == Some(true), "spot interruptions are not simulated");
    add(request.vpc_config.is_some(), "subnets and security groups are not simulated");
    add(
        request.enable_network_isolation == Some(true),
        "network isolation is not simulated: the script can reach the network",
    );
    if let Some(kind) = distribution(request) {
        notices.push(format!("a local job runs the script as one process: {kind} is not simulated"));
    }
    if let Some(why) = mount_refusal(executable) {
        notices.push(format!(
            "this computer grants no private /opt/ml ({why}): use the SM_* variables, they point into the job's folder"
        ));
    }
    notices
}

/// Returns the kind of distributed training that the request enables.
fn distribution(request: &CreateTrainingJobRequest) -> Option<&'static str> {
    UNSIMULATED_DISTRIBUTIONS.iter().find(|(switch, _)| is_on(request, switch)).map(|(_, kind)| *kind)
}

/// Returns whether a hyperparameter of the toolkit's is a switch that is on.
pub(super) fn is_on(request: &CreateTrainingJobRequest, switch: &str) -> bool {
    let hyperparameters = request.hyper_parameters.as_ref();
    let value = hyperparameters.and_then(|hyperparameters| hyperparameters.get(switch));
    value.is_some_and(|value| value.trim_matches('"') == "true")
}

/// Returns why the system grants no private `/opt/ml`. Tries it in a child process. Blocks.
fn mount_refusal(executable: &Path) -> Option<String> {
    match Command::new(executable).arg(PROBE).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.trim().trim_start_matches("error: ").to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Fails if this computer can't carry out the request.
pub(crate) fn check(home: &Home, request: &CreateTrainingJobRequest, copies: &JobCopies) -> CloudResult<()> {
    check_place(home, "output.s3_uri", &artifacts::model_uri(request))?;
    check_checkpoints(home, request)?;
    check_limit(request)?;
    let mode = request.algorithm_specification.as_ref().map_or("File", |algorithm| &algorithm.training_input_mode);
    let output = &request.output_data_config.s3_output_path;
    request.input_data_config.iter().flatten().try_for_each(|channel| {
        let uri = check_channel(channel, mode)?;
        if copies.channels.contains_key(&channel.channel_name) {
            Ok(())
        } else {
            check_stored(home, channel, &uri, output)
        }
    })
}

fn check_place(home: &Home, key: &str, uri: &str) -> CloudResult<PathBuf> {
    let uri = S3Uri::parse(uri).map_err(|error| CloudError::Other(format!("{key}: {error}")))?;
    Ok(home.object(&uri)?)
}

fn check_checkpoints(home: &Home, request: &CreateTrainingJobRequest) -> CloudResult<()> {
    let Some(config) = &request.checkpoint_config else { return Ok(()) };
    check_place(home, "checkpoints.s3_uri", &config.s3_uri)?;
    match (Layout::opt_ml().checkpoints(config.local_path.as_deref()), &config.local_path) {
        (None, Some(path)) => refuse(
            format!("a local job can't keep its checkpoints in {path}"),
            "set a folder below /opt/ml that has no use yet: /opt/ml/checkpoints is the default",
        ),
        _ => Ok(()),
    }
}

/// Checks MaxRuntimeInSeconds: `[request]` may set it past the check of `limits.max_run`.
fn check_limit(request: &CreateTrainingJobRequest) -> CloudResult<()> {
    let condition = request.stopping_condition.as_ref();
    match condition.and_then(|condition| condition.max_runtime_in_seconds) {
        Some(seconds) if seconds < 1 => {
            refuse(format!("MaxRuntimeInSeconds is {seconds}: it must be at least 1"), "set limits.max_run")
        }
        _ => Ok(()),
    }
}

/// Returns the prefix of a channel that a local job can read.
fn check_channel(channel: &Channel, mode_of_job: &str) -> CloudResult<S3Uri> {
    let name = &channel.channel_name;
    if channel.input_mode.as_deref().unwrap_or(mode_of_job) == "Pipe" {
        return refuse(
            format!("channel {name} is in Pipe mode, which a local job doesn't simulate"),
            "set input_mode = \"FastFile\": it reads as a stream too",
        );
    }
    let Some(source) = &channel.data_source.s3_data_source else {
        return refuse(format!("channel {name} is on a file system that a local job can't mount"), &use_a_folder(name));
    };
    if source.s3_data_type != "S3Prefix" {
        let kind = &source.s3_data_type;
        return refuse(format!("channel {name} is a {kind}, which a local job doesn't read"), &use_a_folder(name));
    }
    S3Uri::parse(&source.s3_uri).map_err(|error| CloudError::Other(format!("channel {name}: {error}")))
}

/// Fails if local jobs stored nothing that a channel could read.
fn check_stored(home: &Home, channel: &Channel, uri: &S3Uri, output: &str) -> CloudResult<()> {
    if objects::list_for_channel(home, uri, output)?.is_empty() {
        let name = &channel.channel_name;
        return refuse(format!("channel {name}: nothing is stored at {uri} on this computer"), &use_a_folder(name));
    }
    Ok(())
}

/// Returns the hint for a channel that can't be read.
fn use_a_folder(channel: &str) -> String {
    format!("give the channel a local folder: --set channels.{channel}=PATH")
}

fn refuse<T>(what: String, hint: &str) -> CloudResult<T> {
    Err(CloudError::Unusable { what, hint: hint.to_owned() })
}
