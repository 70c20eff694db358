//! Builds HyperParameters: the spec's own, and those by which the container's toolkit knows what to run and how.
//!
//! Source of the names: the SageMaker Python SDK 2.257.7, `estimator.py` and the frameworks' estimators.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::added_value::AddedValue;
use super::delivery::Delivery;
use super::reinforcement_learning;
use super::resolved_inputs::ResolvedInputs;
use crate::job::spec::{Distribution, DistributionKind, Framework, JobSpec, ModelDir, Workload};
use crate::python::repr::PyValue;

/// Python's `logging.INFO`.
const LOG_LEVEL: u32 = 20;
/// TensorFlow's `model_dir` under MPI, whose processes can't share a folder in S3.
const MPI_MODEL_DIR: &str = "/opt/ml/model";

/// Returns a job's hyperparameters, encoded as its container decodes them.
pub(super) fn all(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> BTreeMap<String, String> {
    let mut values = spec.hyperparameters.clone();
    let added = added(spec).into_iter();
    values.extend(added.filter_map(|(name, value)| Some((name, value.resolve(inputs)?))));
    let encode = encoding(spec);
    values.iter().map(|(name, value)| (name.clone(), encode(value))).collect()
}

/// Returns how many hyperparameters a job sends in addition to the spec's own.
pub(super) fn added_count(spec: &JobSpec) -> usize {
    added(spec).keys().filter(|name| !spec.hyperparameters.contains_key(*name)).count()
}

/// Returns the hyperparameters that a framework's toolkit needs. They replace those of the spec that have the same
/// name.
fn added(spec: &JobSpec) -> BTreeMap<String, AddedValue> {
    let Workload::Framework(framework) = &spec.workload else { return BTreeMap::new() };
    let distribution = spec.distribution.iter().flat_map(|given| distribution(spec, framework, given));
    let fixed = distribution.chain(training_compiler(framework)).map(|(name, value)| (name, AddedValue::Fixed(value)));
    let owned = |(name, value): (&str, AddedValue)| (name.to_owned(), value);
    let mut added: BTreeMap<String, AddedValue> = model_dir(spec, framework).into_iter().map(owned).collect();
    added.extend(fixed);
    added.extend(reinforcement_learning::hyperparameters(framework).into_iter().map(owned));
    added.extend(script_mode(spec).into_iter().map(owned));
    added
}

/// Returns the encoder of values: JSON for containers that run the user's script, plain text for algorithms and custom
/// images.
fn encoding(spec: &JobSpec) -> fn(&Value) -> String {
    match Delivery::of(spec) {
        Delivery::None => plain,
        Delivery::Toolkit | Delivery::ToolkitAndChannel | Delivery::Channel => |value| PyValue::from(value).dumps(),
    }
}

/// Encodes a value as Python's `str` does, arrays and tables as JSON.
fn plain(value: &Value) -> String {
    let object = PyValue::from(value);
    if value.is_array() || value.is_object() { object.dumps() } else { object.to_str() }
}

fn script_mode(spec: &JobSpec) -> Vec<(&'static str, AddedValue)> {
    let entry_point = spec.source.as_ref().and_then(|source| source.entry_point.as_deref());
    let mut added = vec![
        ("sagemaker_submit_directory", AddedValue::CodeArchive(Delivery::of(spec))),
        ("sagemaker_container_log_level", AddedValue::Fixed(LOG_LEVEL.into())),
        ("sagemaker_job_name", AddedValue::JobName),
        ("sagemaker_region", AddedValue::Region),
    ];
    added.extend(entry_point.map(|entry_point| ("sagemaker_program", AddedValue::Fixed(entry_point.into()))));
    added
}

/// Returns TensorFlow's `model_dir`; `None` if the spec switches it off or has it among its hyperparameters.
fn model_dir(spec: &JobSpec, framework: &Framework) -> Option<(&'static str, AddedValue)> {
    if framework.name != "tensorflow" {
        return None;
    }
    let folder = match &framework.model_dir {
        Some(ModelDir::None) => None,
        Some(ModelDir::Uri(uri)) => Some(AddedValue::Fixed(uri.clone().into())),
        None if spec.hyperparameters.contains_key("model_dir") => None,
        None if runs_mpi(spec) => Some(AddedValue::Fixed(MPI_MODEL_DIR.into())),
        None => Some(AddedValue::ModelFolder),
    };
    folder.map(|folder| ("model_dir", folder))
}

fn runs_mpi(spec: &JobSpec) -> bool {
    let kinds = [DistributionKind::Mpi, DistributionKind::SmdistributedModelparallel];
    spec.distribution.as_ref().is_some_and(|given| kinds.contains(&given.kind))
}

fn training_compiler(framework: &Framework) -> Map<String, Value> {
    let on = framework.training_compiler.then_some(true);
    map([
        ("sagemaker_training_compiler_enabled", on.map(Value::from)),
        ("sagemaker_training_compiler_debug_mode", on.map(|_| false.into())),
    ])
}

fn distribution(spec: &JobSpec, framework: &Framework, given: &Distribution) -> Map<String, Value> {
    let on = || Some(Value::from(true));
    let mut values = match given.kind {
        // On instance groups, the SDK sends neither the groups nor an instance type.
        DistributionKind::TorchDistributed => return torch_distributed(spec, given),
        DistributionKind::Mpi if framework.name == "chainer" => return chainer_mpi(given),
        DistributionKind::Mpi => mpi(framework, given),
        DistributionKind::SmdistributedDataparallel => map([
            ("sagemaker_distributed_dataparallel_enabled", on()),
            ("sagemaker_instance_type", Some(instance_type(spec))),
            ("sagemaker_distributed_dataparallel_custom_mpi_options", Some(mpi_options(given))),
        ]),
        DistributionKind::SmdistributedModelparallel => {
            let mut values = mpi(framework, given);
            values.extend(model_parallel(spec, given.parameters.as_ref()));
            values
        }
        DistributionKind::ParameterServer => map([("sagemaker_parameter_server_enabled", on())]),
        DistributionKind::MultiWorkerMirroredStrategy => {
            map([("sagemaker_multi_worker_mirrored_strategy_enabled", on())])
        }
        DistributionKind::PytorchXla => map([("sagemaker_pytorch_xla_multi_worker_enabled", on())]),
    };
    let groups = groups(spec, framework, given);
    let groups = (!groups.is_empty()).then(|| json!(groups));
    values.extend(map([("sagemaker_distribution_instance_groups", groups)]));
    values
}

/// Returns the instance groups that the script is distributed on. The estimators that validate their distribution
/// default to the job's only group.
fn groups<'a>(spec: &'a JobSpec, framework: &Framework, given: &'a Distribution) -> Vec<&'a str> {
    let is_checked = ["pytorch", "tensorflow", "huggingface"].contains(&framework.name.as_str());
    match spec.resources.instance_groups.as_slice() {
        [only] if is_checked && given.instance_groups.is_empty() => vec![&only.name],
        _ => given.instance_groups.iter().map(String::as_str).collect(),
    }
}

fn torch_distributed(spec: &JobSpec, given: &Distribution) -> Map<String, Value> {
    let mut values = Map::new();
    if let Some(parameters) = &given.modelparallel {
        values.extend(model_parallel(spec, Some(parameters)));
    }
    let instance_type = Some(instance_type(spec)).filter(|name| !name.is_null());
    values.extend(map([
        ("sagemaker_torch_distributed_enabled", Some(true.into())),
        ("sagemaker_instance_type", instance_type),
    ]));
    values
}

fn model_parallel(spec: &JobSpec, parameters: Option<&Map<String, Value>>) -> Map<String, Value> {
    let parameters = parameters.filter(|parameters| !parameters.is_empty());
    map([
        ("mp_parameters", parameters.cloned().map(Value::Object)),
        ("sagemaker_distributed_dataparallel_enabled", Some(false.into())),
        ("sagemaker_instance_type", Some(instance_type(spec))),
    ])
}

fn mpi(framework: &Framework, given: &Distribution) -> Map<String, Value> {
    let processes = given.processes_per_host.map(Value::from);
    // The MXNet estimator sends the options only along with the number of processes.
    let has_options = framework.name != "mxnet" || processes.is_some();
    map([
        ("sagemaker_mpi_enabled", Some(true.into())),
        ("sagemaker_mpi_num_of_processes_per_host", processes),
        ("sagemaker_mpi_custom_mpi_options", has_options.then(|| mpi_options(given))),
    ])
}

/// Returns the hyperparameters for MPI under Chainer, whose container has names of its own for them.
fn chainer_mpi(given: &Distribution) -> Map<String, Value> {
    let options = given.custom_mpi_options.as_deref().filter(|options| !options.is_empty());
    map([
        ("sagemaker_use_mpi", Some(true.into())),
        ("sagemaker_process_slots_per_host", given.processes_per_host.map(Value::from)),
        ("sagemaker_additional_mpi_options", options.map(Value::from)),
    ])
}

fn mpi_options(given: &Distribution) -> Value {
    given.custom_mpi_options.as_deref().unwrap_or_default().into()
}

/// Returns the instance type; null, as in the SDK, if the job has instance groups or preferences.
fn instance_type(spec: &JobSpec) -> Value {
    let resources = &spec.resources;
    let is_plain = resources.instance_groups.is_empty() && resources.instance_preferences.is_empty();
    resources.instance_type.as_ref().filter(|_| is_plain).map_or(Value::Null, |name| name.as_str().into())
}

/// Collects the entries that have a value.
fn map<const N: usize>(entries: [(&str, Option<Value>); N]) -> Map<String, Value> {
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
