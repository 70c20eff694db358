//! The job spec as checked values, a struct for each section of `job.toml`.
//!
//! A [`JobSpec`] that [`load`](super::load()) returns is valid. It has no spans. Local paths are absolute, resolved
//! from the spec's folder. A struct that shares its name with an API type has the suffix `Spec`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::{InstallerChoice, InstanceType, S3Uri};

/// A whole job spec. A key that isn't written has its default, unless the default depends on the account or the
/// catalog.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobSpec {
    /// The spec's folder, in which relative paths start.
    pub(crate) folder: PathBuf,
    /// Base of the job's name, valid for a job: as written, else derived from the folder's name.
    pub(crate) name: String,
    pub(crate) input_mode: InputMode,
    /// ARN or name of the role.
    pub(crate) role: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) workload: Workload,
    pub(crate) source: Option<SourceSpec>,
    /// Values as JSON; their encoding in the request depends on the workload.
    pub(crate) hyperparameters: Map<String, Value>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) resources: Resources,
    pub(crate) limits: LimitsSpec,
    pub(crate) spot: bool,
    pub(crate) checkpoints: Option<Checkpoints>,
    /// Channels in the order written.
    pub(crate) channels: Vec<ChannelSpec>,
    pub(crate) output: OutputSpec,
    /// Names and regular expressions, in the order written.
    pub(crate) metrics: Vec<(String, String)>,
    pub(crate) distribution: Option<Distribution>,
    pub(crate) network: Network,
    pub(crate) volume_kms_key_id: Option<String>,
    /// Keys and values, in the order written.
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) local: Local,
    pub(crate) tensorboard: Option<S3AndLocalPath>,
    pub(crate) experiment: Option<Experiment>,
    pub(crate) debugger: Option<Debugger>,
    pub(crate) profiler: Option<Profiler>,
    pub(crate) remote_debug: Option<bool>,
    pub(crate) infra_check: Option<bool>,
    pub(crate) session_chaining: Option<bool>,
    pub(crate) mlflow: Option<Mlflow>,
    pub(crate) model_package: Option<ModelPackage>,
    /// `[request]`, which is merged over the request last.
    pub(crate) request: Map<String, Value>,
}

/// The API's TrainingInputMode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum InputMode {
    #[default]
    File,
    Pipe,
    FastFile,
}

/// The program that the job runs. A spec has exactly one of these sections.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Workload {
    Framework(Framework),
    Algorithm(AlgorithmSpec),
    Container(ContainerSpec),
    Serverless(Serverless),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Framework {
    pub(crate) name: String,
    /// The name of its images, where the spec names a variant's: `pytorch-smp`.
    pub(crate) variant: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) py_version: Option<String>,
    pub(crate) pytorch_version: Option<String>,
    pub(crate) tensorflow_version: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) model_dir: Option<ModelDir>,
    pub(crate) training_compiler: bool,
    pub(crate) allow_unknown_version: bool,
}

/// TensorFlow's `model_dir` hyperparameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ModelDir {
    /// `model_dir = false`: the hyperparameter is not sent.
    None,
    Uri(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AlgorithmSpec {
    BuiltIn { name: String, version: Option<String> },
    Arn(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ContainerSpec {
    pub(crate) image: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) repository_access: Option<RepositoryAccess>,
    pub(crate) repository_credentials_provider_arn: Option<String>,
}

/// Serverless customization of a model. The texts are the API's values of ServerlessJobConfig.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Serverless {
    pub(crate) base_model_arn: String,
    pub(crate) job_type: String,
    pub(crate) accept_eula: Option<bool>,
    pub(crate) customization_technique: Option<String>,
    pub(crate) peft: Option<String>,
    pub(crate) evaluation_type: Option<String>,
    pub(crate) evaluator_arn: Option<String>,
    pub(crate) sequence_length: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RepositoryAccess {
    Platform,
    Vpc,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SourceSpec {
    pub(crate) dir: PathBuf,
    /// Path relative to `dir`, separated by `/`.
    pub(crate) entry_point: Option<String>,
    pub(crate) dependencies: Vec<PathBuf>,
    pub(crate) s3_uri: Option<S3Uri>,
    /// gitignore patterns of files that are not packed.
    pub(crate) exclude: Vec<String>,
    /// gitignore patterns of files that are packed although they are or contain secrets.
    pub(crate) allow_secrets: Vec<String>,
    /// True if links that lead out of `dir` are followed instead of refused.
    pub(crate) external_symlinks: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resources {
    pub(crate) instance_type: Option<InstanceType>,
    pub(crate) instance_count: u32,
    /// Storage of each instance, in GiB.
    pub(crate) volume_size_gb: u32,
    pub(crate) keep_alive_period: Option<Duration>,
    pub(crate) training_plan_arn: Option<String>,
    pub(crate) instance_groups: Vec<InstanceGroupSpec>,
    pub(crate) instance_preferences: Vec<InstancePreferenceSpec>,
    pub(crate) instance_placement: Option<InstancePlacement>,
}

impl Resources {
    /// Returns the types of all instances that the job may run on, in the order written.
    pub(crate) fn instance_types(&self) -> Vec<&InstanceType> {
        let groups = self.instance_groups.iter().map(|group| &group.instance_type);
        let preferences = self.instance_preferences.iter().map(|preference| &preference.instance_type);
        self.instance_type.iter().chain(groups).chain(preferences).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InstanceGroupSpec {
    pub(crate) name: String,
    pub(crate) instance_type: InstanceType,
    pub(crate) count: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InstancePreferenceSpec {
    pub(crate) instance_type: InstanceType,
    pub(crate) count: Option<u32>,
    pub(crate) training_plan_arn: Option<String>,
}

/// Placement of instances within UltraServers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct InstancePlacement {
    pub(crate) enable_multiple_jobs: Option<bool>,
    /// IDs of UltraServers, each with the number of instances that are placed together there.
    pub(crate) specifications: Vec<(Option<String>, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the names of the spec's keys")]
pub(crate) struct LimitsSpec {
    pub(crate) max_run: Duration,
    /// Limit of the run time and the wait for capacity together; only with spot.
    pub(crate) max_wait: Option<Duration>,
    pub(crate) max_pending: Option<Duration>,
    pub(crate) max_retry_attempts: Option<u32>,
}

impl Default for LimitsSpec {
    /// Returns the SageMaker SDK's default: a run time of a day.
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { max_run: day, max_wait: None, max_pending: None, max_retry_attempts: None }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checkpoints {
    pub(crate) s3_uri: Option<S3Uri>,
    pub(crate) local_path: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChannelSpec {
    pub(crate) name: String,
    pub(crate) source: ChannelSource,
    pub(crate) content_type: Option<String>,
    pub(crate) input_mode: Option<InputMode>,
    pub(crate) sharded: Option<bool>,
    pub(crate) gzip: Option<bool>,
    pub(crate) record_io: Option<bool>,
    pub(crate) s3_data_type: Option<S3DataType>,
    pub(crate) attribute_names: Vec<String>,
    pub(crate) shuffle_seed: Option<i64>,
    pub(crate) instance_groups: Vec<String>,
    /// Acceptance of the licence of the model in the channel.
    pub(crate) accept_eula: Option<bool>,
    pub(crate) hub_content_arn: Option<String>,
    /// As in [`SourceSpec`]; only for local data.
    pub(crate) external_symlinks: bool,
    pub(crate) allow_secrets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ChannelSource {
    S3(S3Uri),
    /// A file or folder on this computer.
    Path(PathBuf),
    FileSystem(FileSystem),
    /// The ARN of a dataset.
    Dataset(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileSystem {
    pub(crate) kind: FileSystemKind,
    pub(crate) id: String,
    /// Absolute path inside the file system.
    pub(crate) directory: String,
    pub(crate) read_write: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileSystemKind {
    Efs,
    FsxLustre,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum S3DataType {
    S3Prefix,
    ManifestFile,
    AugmentedManifestFile,
    Converse,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OutputSpec {
    pub(crate) s3_uri: Option<S3Uri>,
    pub(crate) kms_key_id: Option<String>,
    /// True if the model is stored as files (`compression = "none"`), not as a tar.gz.
    pub(crate) uncompressed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) kind: DistributionKind,
    pub(crate) processes_per_host: Option<u32>,
    pub(crate) custom_mpi_options: Option<String>,
    pub(crate) parameters: Option<Map<String, Value>>,
    /// Parameters of the model-parallel library v2, with torch_distributed.
    pub(crate) modelparallel: Option<Map<String, Value>>,
    pub(crate) instance_groups: Vec<String>,
}

/// The SDK's kinds of distribution; their names are in snake case in the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DistributionKind {
    TorchDistributed,
    Mpi,
    SmdistributedDataparallel,
    SmdistributedModelparallel,
    ParameterServer,
    MultiWorkerMirroredStrategy,
    PytorchXla,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Network {
    pub(crate) subnets: Vec<String>,
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) isolation: bool,
    pub(crate) encrypt_inter_container_traffic: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Local {
    /// Command or path; `None` means `python3` of the active environment.
    pub(crate) python: Option<String>,
    pub(crate) installer: InstallerChoice,
    /// Time between SIGTERM and SIGKILL when the job is stopped. The default is SageMaker's: 120 s.
    pub(crate) stop_grace: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct S3AndLocalPath {
    pub(crate) s3_uri: S3Uri,
    pub(crate) local_path: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Experiment {
    pub(crate) name: Option<String>,
    pub(crate) trial: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) run_name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Debugger {
    pub(crate) hook: Option<DebuggerHook>,
    pub(crate) rules: Vec<RuleSpec>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DebuggerHook {
    pub(crate) s3_uri: S3Uri,
    pub(crate) local_path: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Names and parameters.
    pub(crate) collections: Vec<(String, BTreeMap<String, String>)>,
}

/// A rule of the debugger or the profiler.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RuleSpec {
    pub(crate) name: String,
    /// `None` for a built-in rule.
    pub(crate) image: Option<String>,
    pub(crate) instance_type: Option<String>,
    pub(crate) volume_size_gb: Option<u32>,
    pub(crate) s3_uri: Option<S3Uri>,
    pub(crate) local_path: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Profiler {
    pub(crate) enabled: Option<bool>,
    pub(crate) s3_uri: Option<S3Uri>,
    pub(crate) system_monitor_interval_millis: Option<i64>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) rules: Vec<RuleSpec>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mlflow {
    pub(crate) resource_arn: String,
    pub(crate) experiment_name: Option<String>,
    pub(crate) run_name: Option<String>,
}

/// The model package group in which a customized model is registered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ModelPackage {
    pub(crate) group_arn: String,
    pub(crate) source_arn: Option<String>,
}
