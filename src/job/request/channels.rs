//! Builds InputDataConfig: the spec's channels, and those that carry the code and its driver.

use serde::ser::Error as _;

use super::convert::{input_mode, some_list};
use super::delivery::Delivery;
use super::resolved_inputs::ResolvedInputs;
use crate::contract::driver::{CODE_CHANNEL, DRIVER_CHANNEL};
use crate::job::spec::{ChannelSource, ChannelSpec, FileSystem, FileSystemKind, InputMode, JobSpec, S3DataType};
use crate::model::S3Uri;
use crate::model::request::{
    Channel, DataSource, DatasetSource, FileSystemDataSource, HubAccessConfig, ModelAccessConfig, S3DataSource,
    ShuffleConfig,
};

/// Returns the spec's channels and the code's. Errors if the URI of a channel's local data is missing.
pub(super) fn all(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> serde_json::Result<Vec<Channel>> {
    let mut channels = spec.channels.iter().map(|given| channel(given, inputs)).collect::<Result<Vec<_>, _>>()?;
    if Delivery::of(spec).channels().contains(&CODE_CHANNEL) {
        channels.extend(inputs.code.map(|code| file_channel(spec, CODE_CHANNEL, code)));
    }
    Ok(channels)
}

/// Returns the channel that carries the driver stored at `uri`.
pub(super) fn driver(spec: &JobSpec, uri: &S3Uri) -> Channel {
    file_channel(spec, DRIVER_CHANNEL, uri)
}

fn channel(spec: &ChannelSpec, inputs: &ResolvedInputs<'_>) -> serde_json::Result<Channel> {
    Ok(Channel {
        channel_name: spec.name.clone(),
        data_source: data_source(spec, inputs)?,
        content_type: spec.content_type.clone(),
        compression_type: spec.gzip.map(|on| if on { "Gzip" } else { "None" }.to_owned()),
        record_wrapper_type: spec.record_io.map(|on| if on { "RecordIO" } else { "None" }.to_owned()),
        input_mode: spec.input_mode.map(|mode| input_mode(mode).to_owned()),
        shuffle_config: spec.shuffle_seed.map(|seed| ShuffleConfig { seed }),
    })
}

fn data_source(spec: &ChannelSpec, inputs: &ResolvedInputs<'_>) -> serde_json::Result<DataSource> {
    Ok(match &spec.source {
        ChannelSource::S3(uri) => from_s3(spec, uri),
        ChannelSource::Path(path) => {
            let missing = || serde_json::Error::custom(format_args!("{} was not uploaded", path.display()));
            from_s3(spec, inputs.data.get(&spec.name).ok_or_else(missing)?)
        }
        ChannelSource::FileSystem(system) => from_file_system(system),
        ChannelSource::Dataset(arn) => from_dataset(arn),
    })
}

fn from_s3(spec: &ChannelSpec, uri: &S3Uri) -> DataSource {
    let source = S3DataSource {
        s3_data_type: data_type(spec.s3_data_type.unwrap_or(S3DataType::S3Prefix)).to_owned(),
        s3_uri: uri.to_string(),
        s3_data_distribution_type: Some(distribution(spec.sharded.unwrap_or(false)).to_owned()),
        attribute_names: some_list(spec.attribute_names.clone()),
        instance_group_names: some_list(spec.instance_groups.clone()),
        model_access_config: spec.accept_eula.map(|accept_eula| ModelAccessConfig { accept_eula }),
        hub_access_config: spec.hub_content_arn.clone().map(|hub_content_arn| HubAccessConfig { hub_content_arn }),
    };
    DataSource { s3_data_source: Some(source), ..DataSource::default() }
}

fn from_dataset(arn: &str) -> DataSource {
    DataSource { dataset_source: Some(DatasetSource { dataset_arn: arn.to_owned() }), ..DataSource::default() }
}

fn data_type(kind: S3DataType) -> &'static str {
    match kind {
        S3DataType::S3Prefix => "S3Prefix",
        S3DataType::ManifestFile => "ManifestFile",
        S3DataType::AugmentedManifestFile => "AugmentedManifestFile",
        S3DataType::Converse => "Converse",
    }
}

fn distribution(sharded: bool) -> &'static str {
    if sharded { "ShardedByS3Key" } else { "FullyReplicated" }
}

fn from_file_system(system: &FileSystem) -> DataSource {
    let kind = match system.kind {
        FileSystemKind::Efs => "EFS",
        FileSystemKind::FsxLustre => "FSxLustre",
    };
    let source = FileSystemDataSource {
        file_system_id: system.id.clone(),
        file_system_access_mode: if system.read_write { "rw" } else { "ro" }.to_owned(),
        file_system_type: kind.to_owned(),
        directory_path: system.directory.clone(),
    };
    DataSource { file_system_data_source: Some(source), ..DataSource::default() }
}

/// Returns a channel in File mode, whichever mode the spec sets for its own channels. If the spec's channels name
/// instance groups, this one names all of them: the API accepts groups on every channel or on none.
fn file_channel(spec: &JobSpec, name: &str, uri: &S3Uri) -> Channel {
    let by_groups = spec.channels.iter().any(|channel| !channel.instance_groups.is_empty());
    let groups = spec.resources.instance_groups.iter().filter(|_| by_groups).map(|group| group.name.clone());
    let source = S3DataSource {
        s3_data_type: data_type(S3DataType::S3Prefix).to_owned(),
        s3_uri: uri.to_string(),
        s3_data_distribution_type: Some(distribution(false).to_owned()),
        instance_group_names: some_list(groups.collect()),
        ..S3DataSource::default()
    };
    Channel {
        channel_name: name.to_owned(),
        data_source: DataSource { s3_data_source: Some(source), ..DataSource::default() },
        input_mode: (spec.input_mode != InputMode::File).then(|| input_mode(InputMode::File).to_owned()),
        ..Channel::default()
    }
}
