//! The part of the toolkit's `Environment` that the request alone decides: decoded hyperparameters, and the `SM_*`
//! variables that don't depend on the host.
//!
//! Source: sagemaker-training 5.1.4, `environment.py`, `params.py` and `mapping.py`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::request::CreateTrainingJobRequest;

use super::layout::text;
use super::{Layout, config};
use crate::python::json;
use crate::python::repr::PyValue;

/// Prefix of hyperparameters that aren't the script's own.
const PREFIX: &str = "sagemaker_";
pub(super) const PROGRAM: &str = "sagemaker_program";
pub(super) const SUBMIT_DIRECTORY: &str = "sagemaker_submit_directory";
pub(super) const REGION: &str = "sagemaker_region";
pub(super) const LOG_LEVEL: &str = "sagemaker_container_log_level";
const JOB_NAME: &str = "sagemaker_job_name";
/// Python's `logging.INFO`.
const INFO: i32 = 20;

/// Hyperparameters of the toolkit itself (`params.SAGEMAKER_HYPERPARAMETERS`).
const TOOLKIT_PARAMETERS: [&str; 9] = [
    PROGRAM,
    SUBMIT_DIRECTORY,
    "sagemaker_enable_cloudwatch_metrics",
    REGION,
    LOG_LEVEL,
    JOB_NAME,
    "default_user_module_name",
    "_tuning_objective_metric",
    "sagemaker_s3_output",
];

/// Names and values in the order of the toolkit's dictionaries: of two variables whose names differ only in case, the
/// later one wins.
pub(super) type NamedValues = Vec<(String, PyValue)>;

/// The toolkit's `Environment` of one job, without the host's part.
pub(super) struct ToolkitEnvironment<'a> {
    layout: &'a Layout,
    /// The request's `Environment`, set by the user.
    pub(super) outside: BTreeMap<String, String>,
    /// Hyperparameters of the script.
    hyperparameters: NamedValues,
    /// `sagemaker_*` hyperparameters that a framework's container reads.
    pub(super) framework: NamedValues,
    /// `sagemaker_*` hyperparameters that the toolkit itself reads.
    toolkit: NamedValues,
    input_data_config: PyValue,
    /// Names of channels, in the request's order.
    channels: Vec<String>,
}

impl<'a> ToolkitEnvironment<'a> {
    pub(super) fn new(request: &CreateTrainingJobRequest, layout: &'a Layout) -> Self {
        let (toolkit, rest): (NamedValues, NamedValues) =
            decoded(request).into_iter().partition(|(name, _)| TOOLKIT_PARAMETERS.contains(&name.as_str()));
        let (framework, hyperparameters) = rest.into_iter().partition(|(name, _)| name.starts_with(PREFIX));
        let input_data_config = config::input_data_config(request);
        Self {
            layout,
            outside: request.environment.clone().unwrap_or_default(),
            hyperparameters,
            framework,
            toolkit,
            channels: channel_names(&input_data_config),
            input_data_config: PyValue::from(&input_data_config),
        }
    }

    /// Returns the entry point of the request; the variable wins over the hyperparameter.
    pub(super) fn entry_point(&self) -> Option<String> {
        let variable = self.outside.get("SAGEMAKER_PROGRAM").filter(|name| !name.is_empty());
        let parameter = || self.toolkit(PROGRAM).filter(|program| program.is_truthy()).map(PyValue::to_str);
        variable.cloned().or_else(parameter)
    }

    /// Returns the script's arguments, `--name value`, sorted by name (`mapping.to_cmd_args`).
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut sorted: Vec<_> = self.hyperparameters.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.into_iter().flat_map(|(name, value)| [argument_name(name), argument_value(value)]).collect()
    }

    /// Returns the `SM_*` variables that don't depend on the host, before names and values are formatted
    /// (`Environment.to_env_vars`).
    pub(super) fn entries(&self) -> NamedValues {
        let mut entries = self.shared_entries();
        entries.extend([
            entry("hps", PyValue::Dict(self.hyperparameters.clone())),
            entry("framework_params", PyValue::Dict(self.framework.clone())),
            entry("channels", PyValue::strs(&self.sorted_channels())),
            entry("user_args", PyValue::strs(&self.arguments())),
        ]);
        entries.extend(self.channels.iter().map(|name| entry(&format!("channel_{name}"), self.channel_folder(name))));
        entries.extend(self.hyperparameters.iter().map(|(name, value)| entry(&format!("hp_{name}"), value.clone())));
        entries
    }

    /// Returns the members of `SM_TRAINING_ENV` that don't depend on the host: the public properties of the toolkit's
    /// class (`dict(environment)`).
    pub(super) fn training_entries(&self) -> NamedValues {
        let folders = self.channels.iter().map(|name| (name.clone(), self.channel_folder(name)));
        let mut entries = self.shared_entries();
        entries.extend([
            entry("additional_framework_parameters", PyValue::Dict(self.framework.clone())),
            entry("channel_input_dirs", PyValue::Dict(folders.collect())),
            entry("hyperparameters", PyValue::Dict(self.hyperparameters.clone())),
            entry("is_modelparallel_enabled", self.is_modelparallel_enabled()),
        ]);
        entries
    }

    /// Returns the values that are both a variable of their own and a member of `SM_TRAINING_ENV`.
    fn shared_entries(&self) -> NamedValues {
        let mut entries = self.folder_entries();
        entries.extend(self.program_entries());
        entries.push(entry("input_data_config", self.input_data_config.clone()));
        entries
    }

    fn folder_entries(&self) -> NamedValues {
        let layout = self.layout;
        [
            ("model_dir", layout.model()),
            ("input_dir", layout.input()),
            ("input_config_dir", layout.input_config()),
            ("output_dir", layout.output()),
            ("output_data_dir", layout.output_data()),
            ("output_intermediate_dir", layout.output_intermediate()),
        ]
        .map(|(name, path)| entry(name, PyValue::str(text(&path))))
        .into()
    }

    fn program_entries(&self) -> NamedValues {
        let code = || PyValue::str(text(&self.layout.code()));
        let framework_module = self.outside.get("SAGEMAKER_TRAINING_MODULE");
        let folder = self.toolkit(SUBMIT_DIRECTORY).map_or_else(code, |folder| PyValue::Str(folder.to_str()));
        vec![
            entry("user_entry_point", self.entry_point().map_or(PyValue::None, PyValue::Str)),
            entry("module_name", self.module_name()),
            entry("module_dir", folder),
            entry("log_level", self.toolkit(LOG_LEVEL).cloned().unwrap_or_else(|| PyValue::int(&INFO))),
            entry("framework_module", framework_module.map_or(PyValue::None, PyValue::str)),
        ]
    }

    /// Returns `train` for `train.py`, and other names unchanged. As in the toolkit, an empty variable counts here.
    fn module_name(&self) -> PyValue {
        let variable = self.outside.get("SAGEMAKER_PROGRAM").cloned();
        variable
            .or_else(|| self.entry_point())
            .map_or(PyValue::None, |name| PyValue::str(name.strip_suffix(".py").unwrap_or(&name)))
    }

    fn sorted_channels(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.channels.iter().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    fn channel_folder(&self, name: &str) -> PyValue {
        PyValue::str(text(&self.layout.channel(name)))
    }

    /// Returns Python's `value and value != "{}"` of a variable that may be absent.
    fn is_modelparallel_enabled(&self) -> PyValue {
        match self.outside.get("SM_HP_MP_PARAMETERS") {
            None => PyValue::None,
            Some(parameters) if parameters.is_empty() => PyValue::str(""),
            Some(parameters) => PyValue::Bool(parameters != "{}"),
        }
    }

    pub(super) fn region(&self) -> String {
        let region = self.toolkit(REGION).map(PyValue::to_str);
        region.or_else(|| self.outside.get("AWS_DEFAULT_REGION").cloned()).unwrap_or_default()
    }

    pub(super) fn job_name(&self) -> String {
        self.toolkit(JOB_NAME).map(PyValue::to_str).unwrap_or_default()
    }

    fn toolkit(&self, name: &str) -> Option<&PyValue> {
        find(&self.toolkit, name)
    }
}

/// Decodes hyperparameters as the toolkit does: as JSON, or as the text itself if it isn't JSON.
fn decoded(request: &CreateTrainingJobRequest) -> NamedValues {
    let decode = |text: &String| json::loads(text).unwrap_or_else(|| PyValue::str(text));
    request.hyper_parameters.iter().flatten().map(|(name, text)| (name.clone(), decode(text))).collect()
}

fn channel_names(input_data_config: &Value) -> Vec<String> {
    input_data_config.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
}

pub(super) fn entry(name: &str, value: PyValue) -> (String, PyValue) {
    (name.to_owned(), value)
}

pub(super) fn find<'a>(entries: &'a NamedValues, name: &str) -> Option<&'a PyValue> {
    entries.iter().find(|(present, _)| present == name).map(|(_, value)| value)
}

fn argument_name(name: &str) -> String {
    match name.chars().count() {
        0 => String::new(),
        1 => format!("-{name}"),
        _ => format!("--{name}"),
    }
}

fn argument_value(value: &PyValue) -> String {
    match value {
        PyValue::None => String::new(),
        PyValue::Dict(entries) => table_argument(entries),
        value => value.to_str(),
    }
}

/// Formats a table as one argument: `a=1,b=2`.
fn table_argument(entries: &NamedValues) -> String {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let items: Vec<_> = sorted.into_iter().map(|(key, value)| format!("{key}={}", value.to_str())).collect();
    items.join(",")
}

/// Returns name and value of a variable as the toolkit formats them.
pub(super) fn variable((name, value): &(String, PyValue)) -> (String, String) {
    (format!("SM_{}", name.to_uppercase()), variable_value(value))
}

fn variable_value(value: &PyValue) -> String {
    match value {
        PyValue::None => String::new(),
        PyValue::Str(text) => text.clone(),
        value => value.dumps_compact(),
    }
}
