//! Keys of the top level of a spec, and of the settings.

use super::data::{CHANNEL, CHECKPOINTS, OUTPUT, SOURCE};
use super::monitoring::{DEBUGGER, EXPERIMENT, MLFLOW, PROFILER, TENSORBOARD};
use super::resources::{DISTRIBUTION, ENCRYPTION, LIMITS, LOCAL, NETWORK, RESOURCES, SWITCH};
use super::runtime::{ALGORITHM, CONTAINER, FRAMEWORK, MODEL_PACKAGE, SERVERLESS};
use super::{INPUT_MODES, Key, KeyKind, Values, find};

/// Limits of botocore's `HyperParameters`, `InputDataConfig`, `TrainingEnvironmentMap`, `MetricDefinitionList`,
/// `TagList`.
pub(crate) const MAX_CHANNELS: usize = 20;
const MAX_VARIABLES: usize = 100;
const MAX_METRICS: usize = 40;
const MAX_TAGS: usize = 50;

const ROLE: Key =
    Key::new("role", KeyKind::Text, "IAM role that the job runs as: an ARN, or a name, which is looked up");
const REGION: Key =
    Key::new("region", KeyKind::Text, "AWS region; default: the flag, the settings, AWS_REGION, the profile");
const NETWORK_KEY: Key = Key::new("network", KeyKind::Section(NETWORK), "Where in the network the job runs");
const ENCRYPTION_KEY: Key =
    Key::new("encryption", KeyKind::Section(ENCRYPTION), "Keys of what is stored on the instances");
const TAGS: Key = Key::new("tags", KeyKind::Map(MAX_TAGS, Values::Scalar), "Tags of the job: key = value");
const ENVIRONMENT: Key = Key::new(
    "environment",
    KeyKind::Map(MAX_VARIABLES, Values::Scalar),
    "Environment variables of the container; values are sent as text",
);

pub(crate) const ROOT: &[Key] = &[
    Key::new("name", KeyKind::Text, "Base of the job's name, to which the time is added; default: the spec's folder"),
    Key::new("input_mode", INPUT_MODES, "How all channels are read, where a channel doesn't say it; default File"),
    ROLE,
    REGION,
    Key::new("framework", KeyKind::Section(FRAMEWORK), "Script mode: AWS's image of this framework runs your script"),
    Key::new("source", KeyKind::Section(SOURCE), "The code that runs"),
    Key::new("algorithm", KeyKind::Section(ALGORITHM), "A SageMaker built-in algorithm, or an algorithm's own ARN"),
    Key::new(
        "container",
        KeyKind::Section(CONTAINER),
        "Your own image; with [source], your code is delivered to it and run",
    ),
    Key::new(
        "serverless",
        KeyKind::Section(SERVERLESS),
        "Serverless customization of a model of SageMaker's public hub",
    ),
    Key::new(
        "hyperparameters",
        // The limit depends on how many the request adds; it is checked in `validate`.
        KeyKind::Map(usize::MAX, Values::Any),
        "Hyperparameters: the script's arguments, or the algorithm's settings",
    ),
    ENVIRONMENT,
    Key::new("resources", KeyKind::Section(RESOURCES), "The instances that the job runs on"),
    Key::new("limits", KeyKind::Section(LIMITS), "How long the job may run and wait"),
    Key::new(
        "spot",
        KeyKind::Section(SWITCH),
        "Managed spot training: spare capacity at a lower price, which can be taken away",
    ),
    Key::new("checkpoints", KeyKind::Section(CHECKPOINTS), "A folder that is kept in S3 while the job runs"),
    Key::new(
        "channels",
        KeyKind::Named(MAX_CHANNELS, CHANNEL),
        "The input data by channel: an S3 URI, a local file or folder, or a table with `source`",
    ),
    Key::new("output", KeyKind::Section(OUTPUT), "Where the model goes"),
    Key::new(
        "metrics",
        KeyKind::Map(MAX_METRICS, Values::Text),
        "Metrics that are picked out of the log: name = regular expression with one group",
    ),
    Key::new("distribution", KeyKind::Section(DISTRIBUTION), "How the script runs on more than one device or host"),
    NETWORK_KEY,
    ENCRYPTION_KEY,
    TAGS,
    Key::new("local", KeyKind::Section(LOCAL), "Only for jobs on this computer"),
    Key::new("tensorboard", KeyKind::Section(TENSORBOARD), "TensorBoard's events, kept in S3 while the job runs"),
    Key::new("experiment", KeyKind::Section(EXPERIMENT), "The SageMaker experiment that the job belongs to"),
    Key::new("debugger", KeyKind::Section(DEBUGGER), "SageMaker Debugger"),
    Key::new("profiler", KeyKind::Section(PROFILER), "SageMaker Profiler; nothing is sent unless asked for"),
    Key::new("remote_debug", KeyKind::Section(SWITCH), "Access to the running container by AWS Systems Manager"),
    Key::new("infra_check", KeyKind::Section(SWITCH), "Checks of the instances' health before the training starts"),
    Key::new("session_chaining", KeyKind::Section(SWITCH), "Attribute-based access control by session tags"),
    Key::new("mlflow", KeyKind::Section(MLFLOW), "The MLflow tracking server that the job reports to"),
    Key::new("model_package", KeyKind::Section(MODEL_PACKAGE), "Where a customized model is registered"),
    Key::new(
        "request",
        KeyKind::Map(usize::MAX, Values::Any),
        "Any field of the CreateTrainingJob API, sent as written: merged over the request last",
    ),
];

/// Keys of settings: those that apply below every spec, and those that only settings have.
pub(crate) const SETTINGS: &[Key] = &[
    ROLE,
    REGION,
    Key::new("profile", KeyKind::Text, "Profile of the AWS configuration"),
    Key::new("default_bucket", KeyKind::Text, "Bucket for code, data and models; default: sagemaker-REGION-ACCOUNT"),
    Key::new("default_bucket_prefix", KeyKind::Text, "What keys in that bucket start with"),
    Key::new("provenance", KeyKind::Boolean, "Whether jobs are tagged with what they were made from; default true"),
    Key::new(
        "images",
        KeyKind::Text,
        "File of container images that are added to the built-in catalog; default: images.toml beside config.toml",
    ),
    Key::new("output", KeyKind::Section(OUTPUT_SETTINGS), "Where models go"),
    Key::new("source", KeyKind::Section(SOURCE_SETTINGS), "Where code goes"),
    NETWORK_KEY,
    ENCRYPTION_KEY,
    TAGS,
    ENVIRONMENT,
];
const OUTPUT_SETTINGS: &[Key] = &[super::data::OUTPUT_S3_URI, super::data::OUTPUT_KMS_KEY_ID];
const SOURCE_SETTINGS: &[Key] = &[super::data::SOURCE_S3_URI];

/// Returns whether a top-level key is one of settings but not of specs.
pub(crate) fn is_for_settings_only(key: &str) -> bool {
    find(SETTINGS, key).is_some() && find(ROOT, key).is_none()
}
