//! What a local job doesn't do as SageMaker would: said once, before the job is created.

use std::path::Path;
use std::process::Command;

use super::guard::PROBE;
use super::home::Home;
use super::objects;
use crate::cloud::{CloudError, CloudResult};
use crate::model::S3Uri;
use crate::model::request::{Channel, CreateTrainingJobRequest};

/// Everything of the request that is not simulated.
pub(crate) fn about(request: &CreateTrainingJobRequest, executable: &Path) -> Vec<String> {
    let resources = request.resource_config.as_ref();
    let count = resources.and_then(|resources| resources.instance_count).unwrap_or(1);
    let groups = resources.and_then(|resources| resources.instance_groups.as_ref()).is_some();
    let mut notices = Vec::new();
    let mut say = |applies: bool, text: &str| notices.extend(applies.then(|| text.to_owned()));
    say(count > 1 || groups, "a local job has one host, algo-1: more instances are not simulated");
    say(request.enable_managed_spot_training == Some(true), "spot interruptions are not simulated");
    say(request.vpc_config.is_some(), "subnets and security groups are not simulated");
    say(
        request.enable_network_isolation == Some(true),
        "network isolation is not simulated: the script can reach the network",
    );
    if let Some(why) = mount_refused(executable) {
        notices.push(format!(
            "this computer grants no private /opt/ml ({why}): use the SM_* variables, they point into the job's folder"
        ));
    }
    notices
}

/// Why there can be no private `/opt/ml`, found out by trying in a process of its own.
fn mount_refused(executable: &Path) -> Option<String> {
    match Command::new(executable).arg(PROBE).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.trim().trim_start_matches("error: ").to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Refuses channels that can't be had on this computer.
pub(crate) fn check_channels(home: &Home, channels: &[Channel]) -> CloudResult<()> {
    channels.iter().try_for_each(|channel| check_channel(home, channel))
}

fn check_channel(home: &Home, channel: &Channel) -> CloudResult<()> {
    let name = &channel.channel_name;
    let refuse = |what: String, hint: &str| Err(CloudError::Unusable { what, hint: hint.to_owned() });
    if channel.input_mode.as_deref() == Some("Pipe") {
        return refuse(
            format!("channel {name} is in Pipe mode, which a local job doesn't simulate"),
            "set input_mode = \"FastFile\": it reads as a stream too",
        );
    }
    let Some(source) = &channel.data_source.s3_data_source else {
        return refuse(
            format!("channel {name} is on a file system that a local job can't mount"),
            "give the channel a local folder: --set channels.NAME=PATH",
        );
    };
    if source.s3_data_type != "S3Prefix" {
        return refuse(
            format!("channel {name} is a {}, which a local job doesn't read", source.s3_data_type),
            "give the channel a local folder: --set channels.NAME=PATH",
        );
    }
    let uri = S3Uri::parse(&source.s3_uri).map_err(|error| CloudError::Other(format!("channel {name}: {error}")))?;
    if objects::list(home, &uri)?.is_empty() {
        return refuse(
            format!("channel {name}: nothing is stored at {uri} on this computer"),
            "give the channel a local folder: --set channels.NAME=PATH",
        );
    }
    Ok(())
}
