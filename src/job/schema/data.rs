//! Keys of `[source]`, `[channels]`, `[output]` and `[checkpoints]`.

use super::resources::MAX_INSTANCE_GROUPS;
use super::{INPUT_MODES, Key, KeyKind};

const MAX_PATHS: usize = 100;
/// Limit of botocore's `AttributeNames`.
const MAX_ATTRIBUTES: usize = 16;

pub(super) const SOURCE_S3_URI: Key =
    Key::new("s3_uri", KeyKind::Text, "S3 URI below which code and local data go; default: `output.s3_uri`");

pub(crate) const SOURCE: &[Key] = &[
    Key::new("dir", KeyKind::Text, "Folder of the code, from the spec's folder; default: that folder itself"),
    Key::new("entry_point", KeyKind::Text, "The script that runs, inside `dir`: a .py or a .sh file"),
    Key::new("dependencies", KeyKind::Texts(MAX_PATHS), "More files and folders, laid at the root of the code archive"),
    SOURCE_S3_URI,
    Key::new(
        "exclude",
        KeyKind::Texts(usize::MAX),
        "What of `dir` isn't packed, as gitignore patterns, beside .gitignore and .smtrainignore",
    ),
    Key::new(
        "allow_secrets",
        KeyKind::Texts(MAX_PATHS),
        "Files that are sent although they are or hold secrets, as gitignore patterns",
    ),
    Key::new(
        "external_symlinks",
        KeyKind::Boolean,
        "Whether links that lead out of `dir` are followed too, instead of refused; default false",
    ),
];

pub(crate) const CHANNEL: &[Key] = &[
    Key::new(
        "source",
        KeyKind::Text,
        "Where the data is: s3://BUCKET/PREFIX, a local file or folder, efs://fs-ID/PATH, fsx://fs-ID/PATH, or a dataset's ARN",
    )
    .required("where its data is: s3://bucket/prefix, or a file or folder here"),
    Key::new("content_type", KeyKind::Text, "MIME type of the data, such as text/csv"),
    Key::new("input_mode", INPUT_MODES, "How the channel is read: copied first, as a pipe, or as files read on demand"),
    Key::new(
        "distribution",
        KeyKind::Word(&["FullyReplicated", "ShardedByS3Key"]),
        "Whether each instance gets all of the data or its share; default FullyReplicated",
    ),
    Key::new("compression", KeyKind::Word(&["None", "Gzip"]), "Whether the data is to be unpacked; only with Pipe; default None"),
    Key::new("record_wrapper", KeyKind::Word(&["None", "RecordIO"]), "Whether each object is wrapped as a record; default None"),
    Key::new(
        "s3_data_type",
        KeyKind::Word(&["S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"]),
        "What `source` names: all objects below a prefix, a manifest, or data in Converse format; default S3Prefix",
    ),
    Key::new("attribute_names", KeyKind::Texts(MAX_ATTRIBUTES), "Attributes that are read of an augmented manifest"),
    Key::new("shuffle_seed", KeyKind::Integer(i64::MIN, i64::MAX), "Shuffle the data, with this seed"),
    Key::new("instance_groups", KeyKind::Texts(MAX_INSTANCE_GROUPS), "Instance groups that get the data; default: all"),
    Key::new("access", KeyKind::Word(&["ro", "rw"]), "How a file system is mounted; default ro"),
    Key::new("accept_eula", KeyKind::Boolean, "Whether you accept the end-user licence agreement of the model in this channel"),
    Key::new("hub_content_arn", KeyKind::Text, "ARN of a private hub's reference to the model in this channel"),
    Key::new(
        "allow_secrets",
        KeyKind::Texts(MAX_PATHS),
        "Files of a local folder that are sent although they are or hold secrets, as gitignore patterns",
    ),
    Key::new(
        "external_symlinks",
        KeyKind::Boolean,
        "Whether links that lead out of a local folder are followed too, instead of refused; default false",
    ),
];

pub(super) const OUTPUT_S3_URI: Key = Key::new(
    "s3_uri",
    KeyKind::Text,
    "S3 URI below which models go, in a folder by job; default: the account's bucket sagemaker-REGION-ACCOUNT",
);
pub(super) const OUTPUT_KMS_KEY_ID: Key =
    Key::new("kms_key_id", KeyKind::Text, "AWS KMS key of models, code and data: an ID, an ARN or an alias");

pub(super) const OUTPUT: &[Key] = &[
    OUTPUT_S3_URI,
    OUTPUT_KMS_KEY_ID,
    Key::new("compression", KeyKind::Word(&["gzip", "none"]), "Model.tar.gz, or the model's files; default gzip"),
];

pub(super) const CHECKPOINTS: &[Key] = &[
    Key::new(
        "s3_uri",
        KeyKind::Text,
        "S3 URI of the checkpoints; default, of spot jobs only: {output.s3_uri}/{job}/checkpoints",
    ),
    Key::new("local_path", KeyKind::Text, "Their folder in the container; default /opt/ml/checkpoints"),
];
