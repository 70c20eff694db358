//! Keys of `[resources]`, `[limits]`, `[distribution]`, `[network]`, `[encryption]`, `[local]`, and of the sections
//! that are a single switch.

use super::{Key, KeyKind};

/// Limits of botocore's `InstanceGroups`, `InstancePreferenceList` and `PlacementSpecifications`.
pub(super) const MAX_INSTANCE_GROUPS: usize = 5;
const MAX_PLACEMENTS: usize = 10;
/// Limits of botocore's `KeepAlivePeriodInSeconds`, `MaxPendingTimeInSeconds` and `MaximumRetryAttempts`; that of the
/// run time is the service's quota, 28 days.
const MAX_KEEP_ALIVE_SECONDS: u64 = 21_600;
const PENDING_SECONDS: (u64, u64) = (1_800, 2_419_200);
const MAX_RUN_SECONDS: u64 = 28 * 86_400;
const MAX_WAIT_SECONDS: u64 = i32::MAX as u64;
const MAX_RETRIES: i64 = 30;
const MAX_STOP_GRACE_SECONDS: u64 = 3600;
/// Limits of botocore's `Subnets` and `VpcSecurityGroupIds`.
const MAX_SUBNETS: usize = 16;
const MAX_SECURITY_GROUPS: usize = 5;
/// Limit of botocore's `VolumeSizeInGB`, in GiB.
const MAX_VOLUME_GB: i64 = 16_384;

const COUNT: KeyKind = KeyKind::Integer(1, i32::MAX as i64);
const INSTANCE_TYPE: KeyKind = KeyKind::InstanceType;
pub(super) const VOLUME_SIZE: KeyKind = KeyKind::Integer(1, MAX_VOLUME_GB);

pub(crate) const RESOURCES: &[Key] = &[
    Key::new("instance_type", INSTANCE_TYPE, "Instance type, such as ml.g5.2xlarge; \"local\" means this computer"),
    Key::new("instance_count", COUNT, "Number of instances; default 1"),
    Key::new("volume_size_gb", VOLUME_SIZE, "Storage of each instance in GB; default 30"),
    Key::new(
        "keep_alive_period",
        KeyKind::Duration(0, MAX_KEEP_ALIVE_SECONDS),
        "How long the instances stay warm afterwards: at most 6 h",
    ),
    Key::new("training_plan_arn", KeyKind::Text, "ARN of the training plan whose reserved capacity is used"),
    Key::new(
        "instance_groups",
        KeyKind::Sections(MAX_INSTANCE_GROUPS, INSTANCE_GROUP),
        "Groups of instances of several types: a heterogeneous cluster",
    ),
    Key::new(
        "instance_preferences",
        KeyKind::Sections(MAX_INSTANCE_GROUPS, INSTANCE_PREFERENCE),
        "Instance types of which the first that is to be had is taken",
    ),
    Key::new(
        "instance_placement",
        KeyKind::Section(INSTANCE_PLACEMENT),
        "How instances are placed within UltraServers",
    ),
];

const INSTANCE_GROUP: &[Key] = &[
    Key::new("name", KeyKind::Text, "Name of the group").required("distribution and channels name groups by it"),
    Key::new("type", INSTANCE_TYPE, "Instance type").required("such as type = \"ml.c5.xlarge\""),
    Key::new("count", COUNT, "Number of instances").required("such as count = 1"),
];

const INSTANCE_PREFERENCE: &[Key] = &[
    Key::new("type", INSTANCE_TYPE, "Instance type").required("such as type = \"ml.p5.48xlarge\""),
    Key::new("count", COUNT, "Number of instances: of every preference, or of none"),
    Key::new("training_plan_arn", KeyKind::Text, "ARN of the training plan for this type"),
];

const INSTANCE_PLACEMENT: &[Key] = &[
    Key::new("enable_multiple_jobs", KeyKind::Boolean, "Whether other jobs may share the UltraServer; default false"),
    Key::new(
        "specifications",
        KeyKind::Sections(MAX_PLACEMENTS, PLACEMENT),
        "How many instances are placed together, on which UltraServer",
    ),
];

const PLACEMENT: &[Key] = &[
    Key::new("ultra_server_id", KeyKind::Text, "ID of the UltraServer"),
    Key::new("count", COUNT, "Number of instances").required("such as count = 4"),
];

pub(super) const LIMITS: &[Key] = &[
    Key::new(
        "max_run",
        KeyKind::Duration(1, MAX_RUN_SECONDS),
        "Longest running time, such as \"24h\"; default 24 h, at most 28 days",
    ),
    Key::new(
        "max_wait",
        KeyKind::Duration(1, MAX_WAIT_SECONDS),
        "Longest time with the wait for spot instances in it, at least `max_run`, which is its default; only with spot",
    ),
    Key::new(
        "max_pending",
        KeyKind::Duration(PENDING_SECONDS.0, PENDING_SECONDS.1),
        "Longest wait for capacity: 30 minutes to 28 days",
    ),
    Key::new(
        "max_retry_attempts",
        KeyKind::Integer(1, MAX_RETRIES),
        "How often the job is tried again after a fault of the service",
    ),
];

/// Keys of a section that is a single switch, such as `[spot]`.
pub(super) const SWITCH: &[Key] = &[Key::new("enabled", KeyKind::Boolean, "Whether it is on")
    .required("write enabled = true, or leave the section out")];

pub(super) const DISTRIBUTION: &[Key] = &[
    Key::new(
        "type",
        KeyKind::Word(&[
            "torch_distributed",
            "mpi",
            "smdistributed_dataparallel",
            "smdistributed_modelparallel",
            "parameter_server",
            "multi_worker_mirrored_strategy",
            "pytorch_xla",
        ]),
        "What starts the script's processes",
    )
    .required("such as type = \"torch_distributed\" or \"mpi\""),
    Key::new("processes_per_host", COUNT, "Processes on each host, of mpi and smdistributed_modelparallel"),
    Key::new("custom_mpi_options", KeyKind::Text, "Options of mpirun, of mpi and the smdistributed types"),
    Key::new("parameters", KeyKind::Map(usize::MAX, super::Values::Any), "Parameters of smdistributed_modelparallel"),
    Key::new(
        "modelparallel",
        KeyKind::Map(usize::MAX, super::Values::Any),
        "With torch_distributed: the model parallel library v2, and its parameters",
    ),
    Key::new(
        "instance_groups",
        KeyKind::Texts(MAX_INSTANCE_GROUPS),
        "Instance groups of a heterogeneous cluster that it runs on",
    ),
];

pub(super) const NETWORK: &[Key] = &[
    Key::new("subnets", KeyKind::Texts(MAX_SUBNETS), "Subnets of your VPC, with `security_group_ids`"),
    Key::new("security_group_ids", KeyKind::Texts(MAX_SECURITY_GROUPS), "Security groups of your VPC, with `subnets`"),
    Key::new("isolation", KeyKind::Boolean, "Whether the container is cut off from the network; default false"),
    Key::new(
        "encrypt_inter_container_traffic",
        KeyKind::Boolean,
        "Whether what the instances of one job tell each other is encrypted; default false",
    ),
];

pub(super) const ENCRYPTION: &[Key] =
    &[Key::new("volume_kms_key_id", KeyKind::Text, "AWS KMS key of the instances' storage: an ID, an ARN or an alias")];

pub(super) const LOCAL: &[Key] = &[
    Key::new(
        "python",
        KeyKind::Text,
        "Python that runs the script, a command or a path; default: the active environment's",
    ),
    Key::new(
        "installer",
        KeyKind::Word(&["auto", "uv", "pip"]),
        "Program that installs the requirements; default auto: uv where it is installed, with pip's configuration",
    ),
    Key::new(
        "stop_grace",
        KeyKind::Duration(0, MAX_STOP_GRACE_SECONDS),
        "Time between SIGTERM and SIGKILL when the job is stopped; default 120 s, as on SageMaker",
    ),
];
