//! Decodes `[channels]`, the input data. A channel is a string, its source, or a table.

use std::path::Path;

use super::constraints;
use super::section::SectionReader;
use super::source::resolve;
use crate::job::diagnostics::problem::{Location, Problem};
use crate::job::diagnostics::report::Report;
use crate::job::document::tree::{KeyValue, Value};
use crate::job::schema;
use crate::job::spec::{ChannelSource, ChannelSpec, FileSystem, FileSystemKind, InputMode, S3DataType};
use crate::model::S3Uri;

/// Limits of botocore's `ContentType`, `AttributeNames`, `S3Uri` and `HubContentArn`.
const MAX_CONTENT_TYPE_CHARS: usize = 256;
const MAX_ATTRIBUTE_CHARS: usize = 256;
const MAX_URI_CHARS: usize = 1024;
const MAX_HUB_CONTENT_CHARS: usize = 255;

/// Keys that become fields of the API's S3DataSource.
const S3_SOURCE_KEYS: [&str; 6] =
    ["distribution", "s3_data_type", "attribute_names", "instance_groups", "accept_eula", "hub_content_arn"];

const DATA_TYPES: &[(&str, S3DataType)] = &[
    ("S3Prefix", S3DataType::S3Prefix),
    ("ManifestFile", S3DataType::ManifestFile),
    ("AugmentedManifestFile", S3DataType::AugmentedManifestFile),
    ("Converse", S3DataType::Converse),
];

pub(crate) fn decode(root: &SectionReader<'_>, folder: &Path) -> Vec<ChannelSpec> {
    let Some(node) = root.get("channels") else { return Vec::new() };
    let Value::Table(table) = &node.value else {
        root.refuse("channels", "`channels` should be a table: train = \"s3://bucket/data\"", None);
        return Vec::new();
    };
    let count = table.entries.len();
    let most = root.max_entries("channels");
    if count > most {
        let message = format!("[channels] has {count} channels, and at most {most} are allowed");
        root.refuse("channels", message, None);
    }
    table.entries.iter().take(most).filter_map(|entry| channel(root, entry, folder)).collect()
}

fn channel(root: &SectionReader<'_>, entry: &KeyValue, folder: &Path) -> Option<ChannelSpec> {
    if let Err(why) = constraints::channel_name(&entry.key) {
        root.report.add(Problem::error(format!("the channel's name {why}")).at(&entry.key_place));
    }
    match &entry.node.value {
        Value::String(source) => {
            let source = WrittenSource { text: source, place: &entry.node.place, read_write: false };
            Some(short(&entry.key, source.decode(folder, root.report)?))
        }
        Value::Table(_) => long(root, entry, folder),
        other => {
            let message = format!("a channel is a string or a table, not {}", other.kind());
            root.report.add(Problem::error(message).at(&entry.node.place).hint("such as \"s3://bucket/data\""));
            None
        }
    }
}

fn short(name: &str, source: ChannelSource) -> ChannelSpec {
    ChannelSpec {
        name: name.to_owned(),
        source,
        content_type: None,
        input_mode: None,
        sharded: None,
        gzip: None,
        record_io: None,
        s3_data_type: None,
        attribute_names: Vec::new(),
        shuffle_seed: None,
        instance_groups: Vec::new(),
        accept_eula: None,
        hub_content_arn: None,
        external_symlinks: false,
        allow_secrets: Vec::new(),
    }
}

fn long(root: &SectionReader<'_>, entry: &KeyValue, folder: &Path) -> Option<ChannelSpec> {
    let reader = root.nested(&format!("channels.{}", entry.key), &entry.node, schema::CHANNEL);
    let content_type = |text: &str| constraints::at_most(text, MAX_CONTENT_TYPE_CHARS);
    let hub_content = |text: &str| constraints::between(text, 1, MAX_HUB_CONTENT_CHARS);
    let attribute = |text: &str| constraints::between(text, 1, MAX_ATTRIBUTE_CHARS);
    let channel = |source| ChannelSpec {
        content_type: reader.checked("content_type", content_type),
        input_mode: reader.word("input_mode", INPUT_MODES),
        sharded: reader.word("distribution", &[("FullyReplicated", false), ("ShardedByS3Key", true)]),
        gzip: reader.word("compression", &[("None", false), ("Gzip", true)]),
        record_io: reader.word("record_wrapper", &[("None", false), ("RecordIO", true)]),
        s3_data_type: reader.word("s3_data_type", DATA_TYPES),
        attribute_names: reader.strings("attribute_names", attribute),
        shuffle_seed: reader.integer("shuffle_seed"),
        instance_groups: reader.strings("instance_groups", constraints::not_empty),
        accept_eula: reader.boolean("accept_eula"),
        hub_content_arn: reader.checked("hub_content_arn", hub_content),
        external_symlinks: reader.boolean("external_symlinks").unwrap_or(false),
        allow_secrets: reader.strings("allow_secrets", constraints::not_empty),
        ..short(&entry.key, source)
    };
    let source = long_source(&reader, folder);
    let is_known = source.is_some();
    // Without a source, the other keys are still decoded, for their problems.
    let channel = channel(source.unwrap_or(ChannelSource::Path(folder.to_owned())));
    check_kind(&reader, &channel);
    is_known.then_some(channel)
}

fn long_source(reader: &SectionReader<'_>, folder: &Path) -> Option<ChannelSource> {
    let access = reader.word("access", &[("ro", false), ("rw", true)]);
    let text = reader.checked("source", constraints::not_empty)?;
    let place = &reader.get("source")?.place;
    WrittenSource { text: &text, place, read_write: access.unwrap_or(false) }.decode(folder, reader.report)
}

/// Reports keys that the kind of the channel's source doesn't have.
fn check_kind(reader: &SectionReader<'_>, channel: &ChannelSpec) {
    let leave_out = |key: &str, what: &str| {
        if reader.has(key) && reader.has("source") {
            reader.refuse(key, format!("`{key}` is only for {what}"), Some("leave it out".to_owned()));
        }
    };
    if matches!(channel.source, ChannelSource::FileSystem(_) | ChannelSource::Dataset(_)) {
        for key in S3_SOURCE_KEYS {
            leave_out(key, "data in S3");
        }
    }
    if !matches!(channel.source, ChannelSource::FileSystem(_)) {
        leave_out("access", "efs:// and fsx:// sources");
    }
    if !matches!(channel.source, ChannelSource::Path(_)) {
        leave_out("external_symlinks", "data on this computer");
        leave_out("allow_secrets", "data on this computer");
    }
    let is_augmented = channel.s3_data_type == Some(S3DataType::AugmentedManifestFile);
    if is_augmented && channel.attribute_names.is_empty() && !reader.has("attribute_names") {
        let hint = "add attribute_names = [\"source-ref\", ...]".to_owned();
        reader.refuse("s3_data_type", "an augmented manifest needs `attribute_names`", Some(hint));
    }
    if reader.has("attribute_names") && !is_augmented {
        let hint = "add s3_data_type = \"AugmentedManifestFile\"".to_owned();
        reader.refuse("attribute_names", "`attribute_names` is only for augmented manifests", Some(hint));
    }
}

/// The text of a channel's source.
struct WrittenSource<'a> {
    text: &'a str,
    place: &'a Location,
    read_write: bool,
}

impl WrittenSource<'_> {
    fn decode(&self, folder: &Path, report: &Report) -> Option<ChannelSource> {
        let decoded = match self.text.split_once("://") {
            Some(("s3", _)) => self.s3(report),
            Some(("efs", rest)) => self.file_system(FileSystemKind::Efs, rest),
            Some(("fsx", rest)) => self.file_system(FileSystemKind::FsxLustre, rest),
            Some(("file", path)) if !path.is_empty() => Ok(ChannelSource::Path(resolve(folder, path))),
            None if self.text.starts_with("arn:") => self.dataset(),
            Some((scheme, _)) => Err(format!("a channel can't be read from {scheme}://")),
            None if self.text.is_empty() => Err("a channel's source can't be empty".to_owned()),
            None => Ok(ChannelSource::Path(resolve(folder, self.text))),
        };
        match decoded {
            Ok(source) => Some(source),
            Err(message) => {
                let hint = "a source is s3://BUCKET/PREFIX, efs://fs-ID/PATH, fsx://fs-ID/PATH, a dataset's ARN, or a file or folder here";
                report.add(Problem::error(message).at(self.place).hint(hint));
                None
            }
        }
    }

    fn dataset(&self) -> Result<ChannelSource, String> {
        constraints::dataset_arn(self.text).map_err(|why| format!("{:?} {why}", self.text))?;
        Ok(ChannelSource::Dataset(self.text.to_owned()))
    }

    fn s3(&self, report: &Report) -> Result<ChannelSource, String> {
        constraints::at_most(self.text, MAX_URI_CHARS).map_err(|why| format!("the S3 URI {why}"))?;
        let uri = S3Uri::parse(self.text).map_err(|error| error.to_string())?;
        if let Some(hint) = constraints::empty_parts(&uri) {
            let message = "the S3 URI has `//` in its key, which SageMaker refuses";
            report.add(Problem::error(message).at(self.place).hint(hint));
        }
        Ok(ChannelSource::S3(uri))
    }

    fn file_system(&self, kind: FileSystemKind, rest: &str) -> Result<ChannelSource, String> {
        let (id, directory) = rest.split_once('/').unwrap_or((rest, ""));
        constraints::file_system_id(id).map_err(|why| format!("{id:?} {why}"))?;
        let directory = format!("/{directory}");
        constraints::container_path(&directory).map_err(|why| format!("the path {why}"))?;
        Ok(ChannelSource::FileSystem(FileSystem { kind, id: id.to_owned(), directory, read_write: self.read_write }))
    }
}

pub(super) const INPUT_MODES: &[(&str, InputMode)] =
    &[("File", InputMode::File), ("Pipe", InputMode::Pipe), ("FastFile", InputMode::FastFile)];
