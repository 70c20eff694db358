//! The files of `/opt/ml/input/config`, as the service writes them.
//!
//! Source: the developer guide, "How Amazon SageMaker AI Provides Training Information", and the resource configuration
//! that real jobs print (`current_group_name`, which the guide calls `current_instance_group`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::host::{HOST_NAME, Host};
use crate::model::request::{Channel, CreateTrainingJobRequest};

/// Name of the group of a job without instance groups.
const HOMOGENEOUS_GROUP: &str = "homogeneousCluster";

/// Returns the names and texts of the files.
pub(crate) fn config_files(
    request: &CreateTrainingJobRequest,
    host: &Host,
) -> serde_json::Result<Vec<(&'static str, String)>> {
    let empty = BTreeMap::new();
    let hyperparameters = request.hyper_parameters.as_ref().unwrap_or(&empty);
    Ok(vec![
        ("hyperparameters.json", serde_json::to_string(hyperparameters)?),
        ("resourceconfig.json", serde_json::to_string(&resource_config(request, host))?),
        ("inputdataconfig.json", serde_json::to_string(&input_data_config(request))?),
    ])
}

/// Returns the resource configuration of one host, whatever the request's count: a local job doesn't simulate the
/// others.
pub(super) fn resource_config(request: &CreateTrainingJobRequest, host: &Host) -> Value {
    let group = instance_group(request);
    json!({
        "current_host": HOST_NAME,
        "current_instance_type": host.instance_type,
        "current_group_name": group,
        "hosts": [HOST_NAME],
        "instance_groups": [{
            "instance_group_name": group,
            "instance_type": host.instance_type,
            "hosts": [HOST_NAME],
        }],
        "network_interface_name": host.network_interface,
    })
}

/// Returns the name of the first instance group.
pub(super) fn instance_group(request: &CreateTrainingJobRequest) -> &str {
    let groups = request.resource_config.as_ref().and_then(|resources| resources.instance_groups.as_deref());
    groups.and_then(<[_]>::first).map_or(HOMOGENEOUS_GROUP, |group| &group.instance_group_name)
}

/// Returns the configuration of the channels, by name.
pub(super) fn input_data_config(request: &CreateTrainingJobRequest) -> Value {
    let mode = request.algorithm_specification.as_ref().map_or("File", |spec| &spec.training_input_mode);
    let channels = request.input_data_config.iter().flatten();
    channels.map(|channel| (channel.channel_name.clone(), channel_config(channel, mode))).collect::<Map<_, _>>().into()
}

fn channel_config(channel: &Channel, job_mode: &str) -> Value {
    let mut config = Map::new();
    let mut set = |key: &str, value: &str| config.insert(key.to_owned(), value.into());
    if let Some(content_type) = &channel.content_type {
        set("ContentType", content_type);
    }
    set("TrainingInputMode", channel.input_mode.as_deref().unwrap_or(job_mode));
    if let Some(s3) = &channel.data_source.s3_data_source {
        set("S3DistributionType", s3.s3_data_distribution_type.as_deref().unwrap_or("FullyReplicated"));
    }
    set("RecordWrapperType", channel.record_wrapper_type.as_deref().unwrap_or("None"));
    config.into()
}
