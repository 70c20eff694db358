//! Keys of `[tensorboard]`, `[experiment]`, `[debugger]`, `[profiler]` and `[mlflow]`.

use super::resources::VOLUME_SIZE;
use super::{Key, KeyKind, Values};

/// Limits of botocore's `HookParameters`, `CollectionConfigurations`, `RuleParameters`, `DebugRuleConfigurations`.
const MAX_PARAMETERS: usize = 20;
const MAX_COLLECTIONS: usize = 20;
const MAX_RULE_PARAMETERS: usize = 100;
const MAX_RULES: usize = 20;

pub(super) const TENSORBOARD: &[Key] = &[
    Key::new("s3_uri", KeyKind::Text, "S3 URI that the events go to").required("where its events go"),
    Key::new("local_path", KeyKind::Text, "Their folder in the container; default /opt/ml/output/tensorboard"),
];

pub(super) const EXPERIMENT: &[Key] = &[
    Key::new("name", KeyKind::Text, "Name of the experiment"),
    Key::new("trial", KeyKind::Text, "Name of the trial"),
    Key::new("display_name", KeyKind::Text, "How the trial component is shown"),
    Key::new("run_name", KeyKind::Text, "Name of the run"),
];

pub(super) const DEBUGGER: &[Key] = &[
    Key::new("hook", KeyKind::Section(HOOK), "Which tensors are saved, and where"),
    Key::new("rules", KeyKind::Sections(MAX_RULES, RULE), "Rules that watch the tensors while the job runs"),
];

const HOOK: &[Key] = &[
    Key::new("s3_uri", KeyKind::Text, "S3 URI that the tensors go to").required("where its tensors go"),
    Key::new("local_path", KeyKind::Text, "Their folder in the container; default /opt/ml/output/tensors"),
    Key::new("parameters", KeyKind::Map(MAX_PARAMETERS, Values::Scalar), "Parameters of the hook"),
    Key::new("collections", KeyKind::Sections(MAX_COLLECTIONS, COLLECTION), "Collections of tensors that are saved"),
];

const COLLECTION: &[Key] = &[
    Key::new("name", KeyKind::Text, "Name of the collection").required("such as name = \"losses\""),
    Key::new("parameters", KeyKind::Map(MAX_PARAMETERS, Values::Scalar), "Parameters of the collection"),
];

const RULE: &[Key] = &[
    Key::new("name", KeyKind::Text, "Name of the rule").required("the rule's name"),
    Key::new("image", KeyKind::Text, "Image that evaluates the rule; default: that of SageMaker's built-in rules"),
    Key::new("instance_type", KeyKind::Text, "Instance type that evaluates the rule, such as ml.t3.medium"),
    Key::new("volume_size_gb", VOLUME_SIZE, "Storage of that instance in GB"),
    Key::new("s3_uri", KeyKind::Text, "S3 URI that the rule's output goes to"),
    Key::new("local_path", KeyKind::Text, "Folder of the rule's output in its container"),
    Key::new("parameters", KeyKind::Map(MAX_RULE_PARAMETERS, Values::Scalar), "Parameters of the rule"),
];

pub(super) const PROFILER: &[Key] = &[
    Key::new("enabled", KeyKind::Boolean, "Whether the job is profiled; false says so to the service"),
    Key::new("s3_uri", KeyKind::Text, "S3 URI that the measurements go to; default: that of the output"),
    Key::new(
        "system_monitor_interval_millis",
        KeyKind::Integer(1, i64::MAX),
        "Time between two measurements in milliseconds: 100, 200, 500, 1000, 5000 or 60000",
    ),
    Key::new("parameters", KeyKind::Map(MAX_PARAMETERS, Values::Scalar), "Parameters of the framework's profiling"),
    Key::new("rules", KeyKind::Sections(MAX_RULES, RULE), "Rules that watch the measurements while the job runs"),
];

pub(super) const MLFLOW: &[Key] = &[
    Key::new("resource_arn", KeyKind::Text, "ARN of the MLflow tracking server or app")
        .required("the ARN of the tracking server or app"),
    Key::new("experiment_name", KeyKind::Text, "Name of the MLflow experiment"),
    Key::new("run_name", KeyKind::Text, "Name of the MLflow run"),
];
