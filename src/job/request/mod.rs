//! Builds the CreateTrainingJob request from a job spec and the inputs that were resolved for it.
//!
//! Each part of the request has a file. Source: the SageMaker Python SDK 2.257.7, whose requests these equal field by
//! field, except for the debugger and profiler settings that the SDK adds to every job by default. A job whose code
//! runs in a custom image gets a driver script: [`RequestDraft`] holds its request until the script, which depends on
//! it, is stored.

mod added_value;
mod channels;
mod convert;
mod debugging;
mod delivery;
mod hyperparameters;
pub(crate) mod image_query;
mod reinforcement_learning;
mod resolved_inputs;
mod resources;
mod serverless;

use serde::ser::Error as _;

use super::spec::{
    AlgorithmSpec, ContainerSpec, Experiment, Framework, JobSpec, LimitsSpec, Mlflow, Network, RepositoryAccess,
    Workload,
};
use crate::contract::driver::{self, Delivered, Program};
use crate::model::request::{
    AlgorithmSpecification, CheckpointConfig, CreateTrainingJobRequest, ExperimentConfig, InfraCheckConfig,
    MetricDefinition, MlflowConfig, OutputDataConfig, RemoteDebugConfig, RetryStrategy, SessionChainingConfig,
    StoppingCondition, Tag, TensorBoardOutputConfig, TrainingImageConfig, TrainingRepositoryAuthConfig, VpcConfig,
};
use crate::model::{RequestDocument, S3Uri};
use convert::{input_mode, some_list, some_map};
use delivery::Delivery;

pub(crate) use resolved_inputs::ResolvedInputs;

/// Returns the channels that carry the spec's code and its driver. No channel of the spec may have these names.
pub(crate) fn code_channels(spec: &JobSpec) -> &'static [&'static str] {
    Delivery::of(spec).channels()
}

/// Returns how many hyperparameters a job sends in addition to the spec's own.
pub(crate) fn added_hyperparameters(spec: &JobSpec) -> usize {
    hyperparameters::added_count(spec)
}

/// A request without what is only known once it is built: the driver of a custom image, which is rendered from the
/// request and stored under its own digest.
#[derive(Debug)]
pub(crate) struct RequestDraft<'a> {
    spec: &'a JobSpec,
    inputs: &'a ResolvedInputs<'a>,
    typed: CreateTrainingJobRequest,
}

impl<'a> RequestDraft<'a> {
    /// Builds the request of a valid spec. Errors if `inputs` lacks a channel's data or a rule's image.
    pub(crate) fn build(spec: &'a JobSpec, inputs: &'a ResolvedInputs<'a>) -> serde_json::Result<Self> {
        Ok(Self { spec, inputs, typed: typed(spec, inputs)? })
    }

    /// Renders the driver script, to be stored under the name [`driver::DRIVER_FILE`]; `None` if the image needs no driver
    /// or the job has no code. Errors as [`Self::finish`] does, and if the code can't be run under the container
    /// contract.
    pub(crate) fn driver(&self) -> serde_json::Result<Option<String>> {
        let Self { spec, inputs, typed } = self;
        let (Workload::Container(container), Some(source), Some(code)) = (&spec.workload, &spec.source, inputs.code)
        else {
            return Ok(None);
        };
        let program = match &source.entry_point {
            Some(entry_point) => Program::EntryPoint(entry_point),
            None => Program::Command(&container.entrypoint),
        };
        // The fields of `[request]` count too: the script sees what is sent.
        let request = RequestDocument::new(typed, spec.request.clone())?.typed()?;
        let text = driver::script(&request, &Delivered { program, code, region: inputs.region });
        text.map(Some).map_err(serde_json::Error::custom)
    }

    /// Adds the stored driver, if the job has one, and merges `[request]` over the request. Errors if the result can't
    /// be written as JSON.
    pub(crate) fn finish(mut self, driver: Option<&S3Uri>) -> serde_json::Result<RequestDocument> {
        if let Some(uri) = driver {
            self.typed.input_data_config.get_or_insert_default().push(channels::driver(self.spec, uri));
            let algorithm = self.typed.algorithm_specification.get_or_insert_default();
            algorithm.container_entrypoint = Some(driver::entrypoint());
        }
        RequestDocument::new(&self.typed, self.spec.request.clone())
    }
}

fn typed(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> serde_json::Result<CreateTrainingJobRequest> {
    let is_serverless = matches!(spec.workload, Workload::Serverless(_));
    Ok(CreateTrainingJobRequest {
        training_job_name: inputs.name.clone(),
        hyper_parameters: some_map(hyperparameters::all(spec, inputs)),
        algorithm_specification: (!is_serverless).then(|| algorithm(spec, inputs)),
        role_arn: inputs.role_arn.to_owned(),
        input_data_config: some_list(channels::all(spec, inputs)?),
        output_data_config: output(spec, inputs),
        resource_config: (!is_serverless).then(|| resources::config(spec)),
        vpc_config: vpc(&spec.network),
        // A serverless job has limits of its own.
        stopping_condition: (!is_serverless || spec.limits != LimitsSpec::default()).then(|| stopping(spec)),
        tags: some_list(tags(spec, inputs)),
        enable_network_isolation: spec.network.isolation.then_some(true),
        enable_inter_container_traffic_encryption: spec.network.encrypt_inter_container_traffic.then_some(true),
        enable_managed_spot_training: spec.spot.then_some(true),
        checkpoint_config: checkpoints(spec, inputs),
        debug_hook_config: debugging::hook(spec, inputs),
        debug_rule_configurations: some_list(debugging::debug_rules(spec, inputs)?),
        tensor_board_output_config: tensorboard(spec),
        experiment_config: spec.experiment.as_ref().map(experiment),
        profiler_config: debugging::profiler(spec, inputs),
        profiler_rule_configurations: some_list(debugging::profiler_rules(spec, inputs)?),
        environment: some_map(spec.environment.clone()),
        retry_strategy: retries(spec),
        remote_debug_config: spec.remote_debug.map(|on| RemoteDebugConfig { enable_remote_debug: Some(on) }),
        infra_check_config: spec.infra_check.map(|on| InfraCheckConfig { enable_infra_check: Some(on) }),
        session_chaining_config: spec
            .session_chaining
            .map(|on| SessionChainingConfig { enable_session_tag_chaining: Some(on) }),
        serverless_job_config: serverless::config(spec),
        mlflow_config: spec.mlflow.as_ref().map(mlflow),
        model_package_config: spec.model_package.as_ref().map(serverless::model_package),
    })
}

fn algorithm(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> AlgorithmSpecification {
    let common = AlgorithmSpecification {
        training_image: inputs.image.map(str::to_owned),
        training_input_mode: input_mode(spec.input_mode).to_owned(),
        metric_definitions: some_list(metrics(spec)),
        ..AlgorithmSpecification::default()
    };
    match &spec.workload {
        Workload::Framework(framework) => AlgorithmSpecification {
            enable_sagemaker_metrics_time_series: has_metrics_time_series(framework).then_some(true),
            ..common
        },
        Workload::Algorithm(AlgorithmSpec::BuiltIn { .. }) | Workload::Serverless(_) => common,
        Workload::Algorithm(AlgorithmSpec::Arn(arn)) => {
            AlgorithmSpecification { training_image: None, algorithm_name: Some(arn.clone()), ..common }
        }
        Workload::Container(container) => AlgorithmSpecification {
            container_entrypoint: some_list(container.entrypoint.clone()),
            container_arguments: some_list(container.arguments.clone()),
            training_image_config: image_config(container),
            ..common
        },
    }
}

/// Returns the spec's metrics; if it has none, those that the framework's estimator defines.
fn metrics(spec: &JobSpec) -> Vec<MetricDefinition> {
    match &spec.workload {
        Workload::Framework(framework) if spec.metrics.is_empty() => reinforcement_learning::default_metrics(framework),
        _ => {
            let metric =
                |(name, regex): &(String, String)| MetricDefinition { name: name.clone(), regex: regex.clone() };
            spec.metrics.iter().map(metric).collect()
        }
    }
}

fn image_config(container: &ContainerSpec) -> Option<TrainingImageConfig> {
    let access = match container.repository_access? {
        RepositoryAccess::Platform => "Platform",
        RepositoryAccess::Vpc => "Vpc",
    };
    let auth = container
        .repository_credentials_provider_arn
        .clone()
        .map(|arn| TrainingRepositoryAuthConfig { training_repository_credentials_provider_arn: arn });
    Some(TrainingImageConfig {
        training_repository_access_mode: access.to_owned(),
        training_repository_auth_config: auth,
    })
}

/// Returns whether the framework's image reports metrics itself, which it does from a version on (the SDK's
/// estimators).
fn has_metrics_time_series(framework: &Framework) -> bool {
    let since = match framework.name.as_str() {
        "huggingface" => return true,
        "pytorch" => (1, 3),
        "tensorflow" => (1, 15),
        "mxnet" => (1, 6),
        _ => return false,
    };
    framework.version.as_deref().and_then(major_and_minor).is_some_and(|version| version >= since)
}

fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next().map_or(Some(0), |minor| minor.parse().ok())?))
}

fn output(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> OutputDataConfig {
    OutputDataConfig {
        kms_key_id: spec.output.kms_key_id.clone(),
        s3_output_path: inputs.output.to_string(),
        compression_type: spec.output.uncompressed.then(|| "NONE".to_owned()),
    }
}

fn vpc(network: &Network) -> Option<VpcConfig> {
    let has_vpc = !network.subnets.is_empty() || !network.security_group_ids.is_empty();
    has_vpc
        .then(|| VpcConfig { security_group_ids: network.security_group_ids.clone(), subnets: network.subnets.clone() })
}

fn stopping(spec: &JobSpec) -> StoppingCondition {
    let limits = &spec.limits;
    let max_wait = spec.spot.then(|| limits.max_wait.unwrap_or(limits.max_run));
    StoppingCondition {
        max_runtime_in_seconds: Some(resources::seconds(limits.max_run)),
        max_wait_time_in_seconds: max_wait.map(resources::seconds),
        max_pending_time_in_seconds: limits.max_pending.map(resources::seconds),
    }
}

fn retries(spec: &JobSpec) -> Option<RetryStrategy> {
    let attempts = spec.limits.max_retry_attempts?;
    Some(RetryStrategy { maximum_retry_attempts: convert::int(attempts) })
}

fn tags(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> Vec<Tag> {
    let is_own = |key: &str| spec.tags.iter().any(|(own, _)| own == key);
    let provenance = inputs.tags.iter().filter(|(key, _)| !is_own(key));
    spec.tags.iter().chain(provenance).map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// Returns the checkpoints' configuration. A spot job needs checkpoints to resume after an interruption, and has a default
/// for their URI; another job without a URI has none, as in the SDK.
fn checkpoints(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> Option<CheckpointConfig> {
    let given = spec.checkpoints.as_ref();
    let default = || inputs.output.join(inputs.name.as_str()).join("checkpoints");
    let s3_uri = given.and_then(|checkpoints| checkpoints.s3_uri.clone());
    Some(CheckpointConfig {
        s3_uri: s3_uri.or_else(|| spec.spot.then(default))?.to_string(),
        local_path: given.and_then(|checkpoints| checkpoints.local_path.clone()),
    })
}

fn tensorboard(spec: &JobSpec) -> Option<TensorBoardOutputConfig> {
    let tensorboard = spec.tensorboard.as_ref()?;
    Some(TensorBoardOutputConfig {
        local_path: tensorboard.local_path.clone(),
        s3_output_path: tensorboard.s3_uri.to_string(),
    })
}

fn experiment(experiment: &Experiment) -> ExperimentConfig {
    ExperimentConfig {
        experiment_name: experiment.name.clone(),
        trial_name: experiment.trial.clone(),
        trial_component_display_name: experiment.display_name.clone(),
        run_name: experiment.run_name.clone(),
    }
}

fn mlflow(mlflow: &Mlflow) -> MlflowConfig {
    MlflowConfig {
        mlflow_resource_arn: mlflow.resource_arn.clone(),
        mlflow_experiment_name: mlflow.experiment_name.clone(),
        mlflow_run_name: mlflow.run_name.clone(),
    }
}

#[cfg(test)]
mod tests;
