//! The response of DescribeTrainingJob.
//!
//! Source: botocore 1.44.5, `sagemaker/2017-07-24/service-2.json`. Field names are the API's, in Rust's case; a field
//! that the API requires is not an `Option`, except for the artifacts, which a running job doesn't have.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::request::{
    AlgorithmSpecification, Channel, CheckpointConfig, DebugHookConfig, ExperimentConfig, InfraCheckConfig,
    MlflowConfig, ModelPackageConfig, OutputDataConfig, ProfilerConfig, RemoteDebugConfig, ResourceConfig,
    RetryStrategy, RuleConfiguration, ServerlessJobConfig, StoppingCondition, TensorBoardOutputConfig, VpcConfig,
};
use super::{JobName, JobStatus};

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeTrainingJobResponse {
    pub(crate) training_job_name: JobName,
    pub(crate) training_job_arn: String,
    pub(crate) tuning_job_arn: Option<String>,
    pub(crate) labeling_job_arn: Option<String>,
    #[serde(rename = "AutoMLJobArn")]
    pub(crate) auto_ml_job_arn: Option<String>,
    pub(crate) model_artifacts: Option<ModelArtifacts>,
    pub(crate) training_job_status: JobStatus,
    pub(crate) secondary_status: String,
    pub(crate) failure_reason: Option<String>,
    pub(crate) hyper_parameters: Option<BTreeMap<String, String>>,
    pub(crate) algorithm_specification: Option<AlgorithmSpecification>,
    pub(crate) role_arn: Option<String>,
    pub(crate) input_data_config: Option<Vec<Channel>>,
    pub(crate) output_data_config: Option<OutputDataConfig>,
    pub(crate) resource_config: Option<ResourceConfig>,
    pub(crate) warm_pool_status: Option<WarmPoolStatus>,
    pub(crate) vpc_config: Option<VpcConfig>,
    pub(crate) stopping_condition: StoppingCondition,
    pub(crate) creation_time: Timestamp,
    pub(crate) training_start_time: Option<Timestamp>,
    pub(crate) training_end_time: Option<Timestamp>,
    pub(crate) last_modified_time: Option<Timestamp>,
    pub(crate) secondary_status_transitions: Option<Vec<SecondaryStatusTransition>>,
    pub(crate) final_metric_data_list: Option<Vec<MetricData>>,
    pub(crate) enable_network_isolation: Option<bool>,
    pub(crate) enable_inter_container_traffic_encryption: Option<bool>,
    pub(crate) enable_managed_spot_training: Option<bool>,
    pub(crate) checkpoint_config: Option<CheckpointConfig>,
    pub(crate) training_time_in_seconds: Option<i32>,
    pub(crate) billable_time_in_seconds: Option<i32>,
    pub(crate) billable_token_count: Option<i64>,
    pub(crate) debug_hook_config: Option<DebugHookConfig>,
    pub(crate) experiment_config: Option<ExperimentConfig>,
    pub(crate) debug_rule_configurations: Option<Vec<RuleConfiguration>>,
    pub(crate) tensor_board_output_config: Option<TensorBoardOutputConfig>,
    pub(crate) debug_rule_evaluation_statuses: Option<Vec<DebugRuleEvaluationStatus>>,
    pub(crate) profiler_config: Option<ProfilerConfig>,
    pub(crate) profiler_rule_configurations: Option<Vec<RuleConfiguration>>,
    pub(crate) profiler_rule_evaluation_statuses: Option<Vec<ProfilerRuleEvaluationStatus>>,
    pub(crate) profiling_status: Option<String>,
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) retry_strategy: Option<RetryStrategy>,
    pub(crate) remote_debug_config: Option<RemoteDebugConfig>,
    pub(crate) infra_check_config: Option<InfraCheckConfig>,
    pub(crate) serverless_job_config: Option<ServerlessJobConfig>,
    pub(crate) mlflow_config: Option<MlflowConfig>,
    pub(crate) model_package_config: Option<ModelPackageConfig>,
    pub(crate) mlflow_details: Option<MlflowDetails>,
    pub(crate) progress_info: Option<TrainingProgressInfo>,
    pub(crate) output_model_package_arn: Option<String>,
    /// The answer as it was received, with the fields that this version does not know. `None` for a job that was not
    /// read from DescribeTrainingJob.
    #[serde(skip)]
    pub(crate) document: Option<Value>,
}

impl DescribeTrainingJobResponse {
    /// Returns whether the job has ended. With a status that this version does not know, the time of its end tells.
    pub(crate) fn has_ended(&self) -> bool {
        self.training_job_status.is_final()
            || (!self.training_job_status.is_known() && self.training_end_time.is_some())
    }

    /// Returns the time of the job's end. A job that never trained has no TrainingEndTime (SageMaker API reference,
    /// DescribeTrainingJob): the end of its last phase tells.
    pub(crate) fn ended(&self) -> Option<Timestamp> {
        let last_phase = || self.secondary_status_transitions.iter().flatten().last();
        let end_of_phase = || last_phase().and_then(|phase| phase.end_time).or(self.last_modified_time);
        self.training_end_time.or_else(|| self.has_ended().then(end_of_phase)?)
    }
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModelArtifacts {
    pub(crate) s3_model_artifacts: String,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WarmPoolStatus {
    pub(crate) status: String,
    pub(crate) resource_retained_billable_time_in_seconds: Option<i32>,
    pub(crate) reused_by_job: Option<JobName>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SecondaryStatusTransition {
    pub(crate) status: String,
    pub(crate) start_time: Timestamp,
    pub(crate) end_time: Option<Timestamp>,
    pub(crate) status_message: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MetricData {
    pub(crate) metric_name: Option<String>,
    pub(crate) value: Option<f64>,
    pub(crate) timestamp: Option<Timestamp>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DebugRuleEvaluationStatus {
    pub(crate) rule_configuration_name: Option<String>,
    pub(crate) rule_evaluation_job_arn: Option<String>,
    pub(crate) rule_evaluation_status: Option<String>,
    pub(crate) status_details: Option<String>,
    pub(crate) last_modified_time: Option<Timestamp>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProfilerRuleEvaluationStatus {
    pub(crate) rule_configuration_name: Option<String>,
    pub(crate) rule_evaluation_job_arn: Option<String>,
    pub(crate) rule_evaluation_status: Option<String>,
    pub(crate) status_details: Option<String>,
    pub(crate) last_modified_time: Option<Timestamp>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MlflowDetails {
    pub(crate) mlflow_experiment_id: Option<String>,
    pub(crate) mlflow_run_id: Option<String>,
}

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TrainingProgressInfo {
    pub(crate) total_step_count_per_epoch: Option<i64>,
    pub(crate) current_step: Option<i64>,
    pub(crate) current_epoch: Option<i64>,
    pub(crate) max_epoch: Option<i64>,
}
