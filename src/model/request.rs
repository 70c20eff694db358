//! The request of CreateTrainingJob, all of it as types.
//!
//! Source: botocore 1.44.5, `sagemaker/2017-07-24/service-2.json`. Field names are the API's, in Rust's case; a field
//! that the API requires is not an `Option`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{InstanceType, JobName};

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateTrainingJobRequest {
    pub(crate) training_job_name: JobName,
    pub(crate) hyper_parameters: Option<BTreeMap<String, String>>,
    pub(crate) algorithm_specification: Option<AlgorithmSpecification>,
    pub(crate) role_arn: String,
    pub(crate) input_data_config: Option<Vec<Channel>>,
    pub(crate) output_data_config: OutputDataConfig,
    pub(crate) resource_config: Option<ResourceConfig>,
    pub(crate) vpc_config: Option<VpcConfig>,
    pub(crate) stopping_condition: Option<StoppingCondition>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) enable_network_isolation: Option<bool>,
    pub(crate) enable_inter_container_traffic_encryption: Option<bool>,
    pub(crate) enable_managed_spot_training: Option<bool>,
    pub(crate) checkpoint_config: Option<CheckpointConfig>,
    pub(crate) debug_hook_config: Option<DebugHookConfig>,
    pub(crate) debug_rule_configurations: Option<Vec<RuleConfiguration>>,
    pub(crate) tensor_board_output_config: Option<TensorBoardOutputConfig>,
    pub(crate) experiment_config: Option<ExperimentConfig>,
    pub(crate) profiler_config: Option<ProfilerConfig>,
    pub(crate) profiler_rule_configurations: Option<Vec<RuleConfiguration>>,
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) retry_strategy: Option<RetryStrategy>,
    pub(crate) remote_debug_config: Option<RemoteDebugConfig>,
    pub(crate) infra_check_config: Option<InfraCheckConfig>,
    pub(crate) session_chaining_config: Option<SessionChainingConfig>,
    pub(crate) serverless_job_config: Option<ServerlessJobConfig>,
    pub(crate) mlflow_config: Option<MlflowConfig>,
    pub(crate) model_package_config: Option<ModelPackageConfig>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AlgorithmSpecification {
    pub(crate) training_image: Option<String>,
    pub(crate) algorithm_name: Option<String>,
    pub(crate) training_input_mode: String,
    pub(crate) metric_definitions: Option<Vec<MetricDefinition>>,
    #[serde(rename = "EnableSageMakerMetricsTimeSeries")]
    pub(crate) enable_sagemaker_metrics_time_series: Option<bool>,
    pub(crate) container_entrypoint: Option<Vec<String>>,
    pub(crate) container_arguments: Option<Vec<String>>,
    pub(crate) training_image_config: Option<TrainingImageConfig>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetricDefinition {
    pub(crate) name: String,
    pub(crate) regex: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TrainingImageConfig {
    pub(crate) training_repository_access_mode: String,
    pub(crate) training_repository_auth_config: Option<TrainingRepositoryAuthConfig>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TrainingRepositoryAuthConfig {
    pub(crate) training_repository_credentials_provider_arn: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Channel {
    pub(crate) channel_name: String,
    pub(crate) data_source: DataSource,
    pub(crate) content_type: Option<String>,
    pub(crate) compression_type: Option<String>,
    pub(crate) record_wrapper_type: Option<String>,
    pub(crate) input_mode: Option<String>,
    pub(crate) shuffle_config: Option<ShuffleConfig>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataSource {
    pub(crate) s3_data_source: Option<S3DataSource>,
    pub(crate) file_system_data_source: Option<FileSystemDataSource>,
    pub(crate) dataset_source: Option<DatasetSource>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct S3DataSource {
    pub(crate) s3_data_type: String,
    pub(crate) s3_uri: String,
    pub(crate) s3_data_distribution_type: Option<String>,
    pub(crate) attribute_names: Option<Vec<String>>,
    pub(crate) instance_group_names: Option<Vec<String>>,
    pub(crate) model_access_config: Option<ModelAccessConfig>,
    pub(crate) hub_access_config: Option<HubAccessConfig>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModelAccessConfig {
    pub(crate) accept_eula: bool,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HubAccessConfig {
    pub(crate) hub_content_arn: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FileSystemDataSource {
    pub(crate) file_system_id: String,
    pub(crate) file_system_access_mode: String,
    pub(crate) file_system_type: String,
    pub(crate) directory_path: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatasetSource {
    pub(crate) dataset_arn: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShuffleConfig {
    pub(crate) seed: i64,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OutputDataConfig {
    pub(crate) kms_key_id: Option<String>,
    pub(crate) s3_output_path: String,
    pub(crate) compression_type: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceConfig {
    pub(crate) instance_type: Option<InstanceType>,
    pub(crate) instance_count: Option<i32>,
    #[serde(rename = "VolumeSizeInGB")]
    pub(crate) volume_size_in_gb: Option<i32>,
    pub(crate) volume_kms_key_id: Option<String>,
    pub(crate) keep_alive_period_in_seconds: Option<i32>,
    pub(crate) instance_groups: Option<Vec<InstanceGroup>>,
    pub(crate) training_plan_arn: Option<String>,
    pub(crate) instance_placement_config: Option<InstancePlacementConfig>,
    pub(crate) instance_preferences: Option<Vec<InstancePreference>>,
    pub(crate) selected_instance_type: Option<InstanceType>,
    pub(crate) selected_instance_count: Option<i32>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InstanceGroup {
    pub(crate) instance_type: InstanceType,
    pub(crate) instance_count: i32,
    pub(crate) instance_group_name: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InstancePlacementConfig {
    pub(crate) enable_multiple_jobs: Option<bool>,
    pub(crate) placement_specifications: Option<Vec<PlacementSpecification>>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PlacementSpecification {
    pub(crate) ultra_server_id: Option<String>,
    pub(crate) instance_count: i32,
}

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InstancePreference {
    pub(crate) instance_type: InstanceType,
    pub(crate) instance_count: Option<i32>,
    pub(crate) training_plan_arns: Option<Vec<String>>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VpcConfig {
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) subnets: Vec<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StoppingCondition {
    pub(crate) max_runtime_in_seconds: Option<i32>,
    pub(crate) max_wait_time_in_seconds: Option<i32>,
    pub(crate) max_pending_time_in_seconds: Option<i32>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CheckpointConfig {
    pub(crate) s3_uri: String,
    pub(crate) local_path: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DebugHookConfig {
    pub(crate) local_path: Option<String>,
    pub(crate) s3_output_path: String,
    pub(crate) hook_parameters: Option<BTreeMap<String, String>>,
    pub(crate) collection_configurations: Option<Vec<CollectionConfiguration>>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CollectionConfiguration {
    pub(crate) collection_name: Option<String>,
    pub(crate) collection_parameters: Option<BTreeMap<String, String>>,
}

/// `DebugRuleConfiguration` and `ProfilerRuleConfiguration`: the API has the same fields for both.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RuleConfiguration {
    pub(crate) rule_configuration_name: String,
    pub(crate) local_path: Option<String>,
    pub(crate) s3_output_path: Option<String>,
    pub(crate) rule_evaluator_image: String,
    pub(crate) instance_type: Option<String>,
    #[serde(rename = "VolumeSizeInGB")]
    pub(crate) volume_size_in_gb: Option<i32>,
    pub(crate) rule_parameters: Option<BTreeMap<String, String>>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TensorBoardOutputConfig {
    pub(crate) local_path: Option<String>,
    pub(crate) s3_output_path: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExperimentConfig {
    pub(crate) experiment_name: Option<String>,
    pub(crate) trial_name: Option<String>,
    pub(crate) trial_component_display_name: Option<String>,
    pub(crate) run_name: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProfilerConfig {
    pub(crate) s3_output_path: Option<String>,
    pub(crate) profiling_interval_in_milliseconds: Option<i64>,
    pub(crate) profiling_parameters: Option<BTreeMap<String, String>>,
    pub(crate) disable_profiler: Option<bool>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RetryStrategy {
    pub(crate) maximum_retry_attempts: i32,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RemoteDebugConfig {
    pub(crate) enable_remote_debug: Option<bool>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InfraCheckConfig {
    pub(crate) enable_infra_check: Option<bool>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SessionChainingConfig {
    pub(crate) enable_session_tag_chaining: Option<bool>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServerlessJobConfig {
    pub(crate) base_model_arn: String,
    pub(crate) accept_eula: Option<bool>,
    pub(crate) job_type: String,
    pub(crate) customization_technique: Option<String>,
    pub(crate) peft: Option<String>,
    pub(crate) evaluation_type: Option<String>,
    pub(crate) evaluator_arn: Option<String>,
    pub(crate) sequence_length: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MlflowConfig {
    pub(crate) mlflow_resource_arn: String,
    pub(crate) mlflow_experiment_name: Option<String>,
    pub(crate) mlflow_run_name: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModelPackageConfig {
    pub(crate) model_package_group_arn: String,
    pub(crate) source_model_package_arn: Option<String>,
}
