//! The inputs of a local job that are in S3: channels and checkpoints, from the spec or from its `[request]`.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::job::spec::{ChannelSource, JobSpec, S3DataType};
use crate::model::S3Uri;
use crate::model::request::Channel;

/// A prefix in S3 that a job reads.
#[derive(Debug)]
pub(super) struct S3Input {
    /// Name of the channel; `None` for the checkpoints.
    pub(super) channel: Option<String>,
    pub(super) uri: S3Uri,
}

impl fmt::Display for S3Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.channel {
            Some(channel) => write!(f, "channel {channel}"),
            None => f.write_str("checkpoints"),
        }
    }
}

impl S3Input {
    /// Adds to an error what can be done without S3.
    pub(super) fn hint(&self, error: Error) -> Error {
        match &self.channel {
            Some(channel) => {
                error.hint(format!("or give channel {channel} a local folder: --set channels.{channel}=PATH"))
            }
            None => error.hint("or keep the checkpoints elsewhere: --set checkpoints.s3_uri=URI"),
        }
    }
}

/// Returns the prefixes that the job reads. A channel of another type than S3Prefix is refused later, and not fetched.
pub(super) fn of(spec: &JobSpec) -> Result<Vec<S3Input>> {
    let mut inputs = match spec.request.get("InputDataConfig") {
        Some(Value::Array(channels)) => channels.iter().filter_map(of_request).collect::<Result<Vec<_>>>()?,
        _ => of_spec(spec),
    };
    inputs.extend(checkpoints(spec)?);
    Ok(inputs)
}

/// Returns the prefix of the job's output; `None` if the spec doesn't say it.
pub(super) fn output(spec: &JobSpec) -> Option<String> {
    let requested = spec.request.get("OutputDataConfig").and_then(|output| output.get("S3OutputPath")?.as_str());
    requested.map(str::to_owned).or_else(|| spec.output.s3_uri.as_ref().map(S3Uri::to_string))
}

fn of_spec(spec: &JobSpec) -> Vec<S3Input> {
    let channels = spec.channels.iter().filter(|channel| is_prefix(channel.s3_data_type));
    let inputs = channels.filter_map(|channel| match &channel.source {
        ChannelSource::S3(uri) => Some(S3Input { channel: Some(channel.name.clone()), uri: uri.clone() }),
        _ => None,
    });
    inputs.collect()
}

fn is_prefix(kind: Option<S3DataType>) -> bool {
    kind.is_none_or(|kind| kind == S3DataType::S3Prefix)
}

/// Returns a channel of `[request]`. One that doesn't fit the API is reported with the whole request.
fn of_request(channel: &Value) -> Option<Result<S3Input>> {
    let channel = Channel::deserialize(channel).ok()?;
    let source = channel.data_source.s3_data_source.filter(|source| source.s3_data_type == "S3Prefix")?;
    let named = |error| Error::usage(format!("channel {}: {error}", channel.channel_name));
    let uri = S3Uri::parse(&source.s3_uri).map_err(named);
    Some(uri.map(|uri| S3Input { channel: Some(channel.channel_name.clone()), uri }))
}

/// Returns the checkpoints' prefix, which ends in a slash, so that it is no other folder's beginning. Where it isn't
/// written, it has the new job's name, and nothing is there yet.
fn checkpoints(spec: &JobSpec) -> Result<Option<S3Input>> {
    let requested = spec.request.get("CheckpointConfig").and_then(|config| config.get("S3Uri")?.as_str());
    let uri = match requested {
        Some(uri) => Some(S3Uri::parse(uri).map_err(|error| Error::usage(format!("checkpoints: {error}")))?),
        None => spec.checkpoints.as_ref().and_then(|checkpoints| checkpoints.s3_uri.clone()),
    };
    Ok(uri.map(|uri| S3Input { channel: None, uri: uri.join("") }))
}
