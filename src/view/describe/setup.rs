//! The parameters that a job was created with: image, instances, limits, role, network, output and checkpoints.

use jiff::SignedDuration;

use super::page::DescribePage;
use crate::model::request::{OutputDataConfig, ResourceConfig, StoppingCondition, VpcConfig};
use crate::model::time;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::view::history;

/// Adds a field for each part that the job has.
pub(super) fn fields(page: &mut DescribePage, job: &DescribeTrainingJobResponse) {
    let algorithm = job.algorithm_specification.as_ref();
    let image = algorithm.and_then(|algorithm| algorithm.training_image.as_ref().or(algorithm.algorithm_name.as_ref()));
    let serverless = job.serverless_job_config.as_ref().map(|serverless| &serverless.base_model_arn);
    let checkpoints = job.checkpoint_config.as_ref();
    let fields = [
        ("image", image.or(serverless).cloned()),
        ("instances", history::instances(job)),
        ("volume", job.resource_config.as_ref().and_then(volume)),
        ("warm pool", job.resource_config.as_ref().and_then(warm_pool)),
        ("spot", (job.enable_managed_spot_training == Some(true)).then(|| spot(&job.stopping_condition))),
        ("max run", seconds(job.stopping_condition.max_runtime_in_seconds)),
        ("max pending", seconds(job.stopping_condition.max_pending_time_in_seconds)),
        ("role", job.role_arn.clone()),
        ("network", network(job)),
        ("output", job.output_data_config.as_ref().map(output)),
        ("checkpoints", checkpoints.map(|to| in_folder(&to.s3_uri, to.local_path.as_deref()))),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            page.field(name, &value);
        }
    }
}

fn seconds(seconds: Option<i32>) -> Option<String> {
    seconds.map(|seconds| time::duration(SignedDuration::from_secs(seconds.into())))
}

fn key(key: Option<&String>) -> Option<String> {
    key.filter(|key| !key.is_empty()).map(|key| format!("KMS key {key}"))
}

/// Joins the parts that there are; `None` without any.
fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn volume(resources: &ResourceConfig) -> Option<String> {
    let size = resources.volume_size_in_gb.filter(|size| *size > 0).map(|size| format!("{size} GB"));
    joined([size, key(resources.volume_kms_key_id.as_ref())])
}

fn warm_pool(resources: &ResourceConfig) -> Option<String> {
    let kept = resources.keep_alive_period_in_seconds.filter(|seconds| *seconds > 0);
    seconds(kept).map(|time| format!("kept for {time}"))
}

fn spot(limits: &StoppingCondition) -> String {
    match seconds(limits.max_wait_time_in_seconds) {
        Some(time) => format!("yes, at most {time} with waiting"),
        None => "yes".to_owned(),
    }
}

fn network(job: &DescribeTrainingJobResponse) -> Option<String> {
    let vpc = job.vpc_config.as_ref().map(|VpcConfig { subnets, security_group_ids }| {
        format!("subnets {}, security groups {}", subnets.join(" "), security_group_ids.join(" "))
    });
    let is_isolated = job.enable_network_isolation == Some(true);
    let is_encrypted = job.enable_inter_container_traffic_encryption == Some(true);
    joined([
        vpc,
        is_isolated.then(|| "isolated".to_owned()),
        is_encrypted.then(|| "encrypted between instances".to_owned()),
    ])
}

fn output(output: &OutputDataConfig) -> String {
    match key(output.kms_key_id.as_ref()) {
        Some(key) => format!("{}, {key}", output.s3_output_path),
        None => output.s3_output_path.clone(),
    }
}

fn in_folder(uri: &str, folder: Option<&str>) -> String {
    folder.map_or_else(|| uri.to_owned(), |folder| format!("{uri} in {folder}"))
}
