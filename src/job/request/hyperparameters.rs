//! HyperParameters: the user's, and those that tell the container what to run and how.
//!
//! The names are the SageMaker Python SDK's (`estimator.py` and the frameworks' estimators of 2.257.7).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::facts::{Delivery, ResolvedInputs};
use super::reinforcement_learning;
use crate::job::spec::{Distribution, DistributionKind, Framework, JobSpec, ModelDir, Workload};
use crate::python::repr::PyValue;

/// Where an archive in the channel `code` lies in the container.
const CHANNEL_ARCHIVE: &str = "/opt/ml/input/data/code/sourcedir.tar.gz";
/// Python's `logging.INFO`.
const LOG_LEVEL: u32 = 20;
/// Where TensorFlow's model goes under MPI, whose processes share no S3 folder.
const MPI_MODEL_DIR: &str = "/opt/ml/model";

/// All hyperparameters of a job, encoded as its container expects them.
pub(super) fn all(spec: &JobSpec, facts: &ResolvedInputs<'_>) -> BTreeMap<String, String> {
    let mut values = spec.hyperparameters.clone();
    if let Workload::Framework(framework) = &spec.workload {
        values.extend(model_dir(spec, framework, facts));
        values.extend(spec.distribution.iter().flat_map(|given| distribution(spec, framework, given)));
        values.extend(training_compiler(framework));
        values.extend(reinforcement_learning::hyperparameters(framework, facts));
        values.extend(script_mode(spec, facts));
    }
    let encode = encoding(spec);
    values.iter().map(|(name, value)| (name.clone(), encode(value))).collect()
}

/// Containers that run the user's script decode JSON; algorithms and the user's own images take plain text.
fn encoding(spec: &JobSpec) -> fn(&Value) -> String {
    match Delivery::of(spec) {
        Delivery::None => plain,
        Delivery::Toolkit | Delivery::ToolkitAndChannel | Delivery::Channel => |value| PyValue::from(value).dumps(),
    }
}

/// Strings as they are, `True` and `False`, arrays and tables as JSON.
fn plain(value: &Value) -> String {
    let object = PyValue::from(value);
    if value.is_array() || value.is_object() { object.dumps() } else { object.to_str() }
}

fn script_mode(spec: &JobSpec, facts: &ResolvedInputs<'_>) -> Map<String, Value> {
    let archive = match Delivery::of(spec) {
        Delivery::ToolkitAndChannel => facts.code.map(|_| CHANNEL_ARCHIVE.to_owned()),
        _ => facts.code.map(ToString::to_string),
    };
    let entry_point = spec.source.as_ref().and_then(|source| source.entry_point.as_deref());
    map([
        ("sagemaker_submit_directory", archive.map(Value::from)),
        ("sagemaker_program", entry_point.map(Value::from)),
        ("sagemaker_container_log_level", Some(LOG_LEVEL.into())),
        ("sagemaker_job_name", Some(facts.name.as_str().into())),
        ("sagemaker_region", Some(facts.region.into())),
    ])
}

/// TensorFlow's `model_dir`, unless the user has one among the hyperparameters.
fn model_dir(spec: &JobSpec, framework: &Framework, facts: &ResolvedInputs<'_>) -> Map<String, Value> {
    if framework.name != "tensorflow" {
        return Map::new();
    }
    let folder = match &framework.model_dir {
        Some(ModelDir::None) => None,
        Some(ModelDir::Uri(uri)) => Some(uri.clone()),
        None if spec.hyperparameters.contains_key("model_dir") => None,
        None if runs_mpi(spec) => Some(MPI_MODEL_DIR.to_owned()),
        None => Some(facts.output.join(facts.name.as_str()).join("model").to_string()),
    };
    map([("model_dir", folder.map(Value::from))])
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
        // On instance groups it sends neither the groups nor an instance type.
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

/// The instance groups that the script is distributed on. Estimators that check their distribution fill in the only one that
/// there is.
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
    // The MXNet estimator has the options depend on the number of processes.
    let has_options = framework.name != "mxnet" || processes.is_some();
    map([
        ("sagemaker_mpi_enabled", Some(true.into())),
        ("sagemaker_mpi_num_of_processes_per_host", processes),
        ("sagemaker_mpi_custom_mpi_options", has_options.then(|| mpi_options(given))),
    ])
}

/// Chainer's container starts MPI by names of its own, and doesn't know the others'.
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

/// Null where groups or preferences take its place, as in the SDK.
fn instance_type(spec: &JobSpec) -> Value {
    let resources = &spec.resources;
    let is_plain = resources.instance_groups.is_empty() && resources.instance_preferences.is_empty();
    resources.instance_type.as_ref().filter(|_| is_plain).map_or(Value::Null, |name| name.as_str().into())
}

/// The entries that have a value.
fn map<const N: usize>(entries: [(&str, Option<Value>); N]) -> Map<String, Value> {
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
