//! The toolkit's `Environment`: hyperparameters decoded, and everything that the `SM_*` variables say.
//!
//! Source: sagemaker-training 5.1.4, `environment.py`, `params.py` and `mapping.py`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::request::CreateTrainingJobRequest;

use super::command::Container;
use super::layout::text;
use super::{HOST_NAME, config, python_json};
use crate::model::python_text::Object;

const PREFIX: &str = "sagemaker_";
const PROGRAM: &str = "sagemaker_program";
const SUBMIT_DIRECTORY: &str = "sagemaker_submit_directory";
const REGION: &str = "sagemaker_region";
const LOG_LEVEL: &str = "sagemaker_container_log_level";
const JOB_NAME: &str = "sagemaker_job_name";
const DISTRIBUTION_GROUPS: &str = "sagemaker_distribution_instance_groups";
/// Python's `logging.INFO`.
const INFO: i32 = 20;

/// `params.SAGEMAKER_HYPERPARAMETERS`: neither the script's nor the framework's.
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

/// Any of these, when true, makes the host's own group one of the distribution's.
const DISTRIBUTION_SWITCHES: [&str; 7] = [
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
];

/// Names and values in the order of the toolkit's dictionaries: of two names that differ in case alone, the later one wins.
type Entries = Vec<(String, Object)>;

/// The toolkit's snapshot of one job.
pub(super) struct Environment<'a> {
    container: &'a Container<'a>,
    /// The user's `Environment` of the request.
    outside: BTreeMap<String, String>,
    job_name: &'a str,
    group: &'a str,
    /// The script's own.
    hyperparameters: Entries,
    /// `sagemaker_*` ones that a framework's container reads.
    framework: Entries,
    /// `sagemaker_*` ones that the toolkit itself reads.
    toolkit: Entries,
    resource_config: Object,
    input_data_config: Object,
    /// In the request's order.
    channels: Vec<String>,
}

impl<'a> Environment<'a> {
    pub(super) fn new(request: &'a CreateTrainingJobRequest, container: &'a Container<'a>) -> Self {
        let (toolkit, rest): (Entries, Entries) =
            decoded(request).into_iter().partition(|(name, _)| TOOLKIT_PARAMETERS.contains(&name.as_str()));
        let (framework, hyperparameters) = rest.into_iter().partition(|(name, _)| name.starts_with(PREFIX));
        let input_data_config = config::input_data_config(request);
        Self {
            container,
            outside: request.environment.clone().unwrap_or_default(),
            job_name: request.training_job_name.as_str(),
            group: config::instance_group(request),
            hyperparameters,
            framework,
            toolkit,
            resource_config: Object::from(&config::resource_config(request, container.host)),
            channels: channel_names(&input_data_config),
            input_data_config: Object::from(&input_data_config),
        }
    }

    /// What the entry point is called in the request; the variable comes before the hyperparameter.
    pub(super) fn entry_point(&self) -> Option<String> {
        let variable = self.outside.get("SAGEMAKER_PROGRAM").filter(|name| !name.is_empty());
        let parameter = || self.toolkit(PROGRAM).filter(|program| program.is_truthy()).map(Object::to_str);
        variable.cloned().or_else(parameter)
    }

    /// `mapping.to_cmd_args`: `--name value`, sorted by name.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut sorted: Vec<_> = self.hyperparameters.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.into_iter().flat_map(|(name, value)| [argument_name(name), argument_value(value)]).collect()
    }

    /// Every variable of the script, those of the request among them.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.outside.clone();
        variables.extend(self.service_variables());
        variables.extend(self.process_variables());
        for (name, value) in self.toolkit_entries() {
            variables.insert(format!("SM_{}", name.to_uppercase()), variable_value(&value));
        }
        variables
    }

    fn service_variables(&self) -> [(String, String); 2] {
        [
            ("TRAINING_JOB_NAME".to_owned(), self.job_name.to_owned()),
            ("TRAINING_JOB_ARN".to_owned(), self.container.job_arn.to_owned()),
        ]
    }

    /// What the toolkit sets in its own process, so that the script inherits it.
    fn process_variables(&self) -> Vec<(String, String)> {
        let toolkit = |name| self.toolkit(name).map(Object::to_str);
        let region = toolkit(REGION).or_else(|| self.outside.get("AWS_DEFAULT_REGION").cloned());
        let mut variables = vec![
            ("CURRENT_HOST".to_owned(), HOST_NAME.to_owned()),
            ("SAGEMAKER_JOB_NAME".to_owned(), toolkit(JOB_NAME).unwrap_or_default()),
            ("SAGEMAKER_REGION".to_owned(), region.unwrap_or_default()),
            ("PYTHONPATH".to_owned(), self.python_path()),
        ];
        if !self.container.layout.is_opt_ml() {
            let base = text(self.container.layout.base());
            variables.push(("SAGEMAKER_BASE_DIR".to_owned(), base));
        }
        variables
    }

    /// The source folder, then what the user has there. The toolkit adds the rest of its interpreter's `sys.path`, which
    /// Python does by itself and which would mislead any other Python that the script starts.
    fn python_path(&self) -> String {
        let code = text(&self.container.layout.code());
        match self.outside.get("PYTHONPATH").filter(|path| !path.is_empty()) {
            Some(path) => format!("{code}:{path}"),
            None => code,
        }
    }

    /// `Environment.to_env_vars`, before names and values are formatted.
    fn toolkit_entries(&self) -> Entries {
        let mut entries = self.shared_entries();
        entries.extend([
            entry("hps", Object::Dict(self.hyperparameters.clone())),
            entry("framework_params", Object::Dict(self.framework.clone())),
            entry("channels", Object::strs(&self.sorted_channels())),
            entry("training_env", self.training_env()),
            entry("user_args", Object::strs(&self.arguments())),
        ]);
        entries.extend(self.channels.iter().map(|name| entry(&format!("channel_{name}"), self.channel_folder(name))));
        entries.extend(self.hyperparameters.iter().map(|(name, value)| entry(&format!("hp_{name}"), value.clone())));
        entries
    }

    /// `dict(environment)`: all public properties of the toolkit's class.
    fn training_env(&self) -> Object {
        let folders = self.channels.iter().map(|name| (name.clone(), self.channel_folder(name)));
        let mut entries = self.shared_entries();
        entries.extend([
            entry("additional_framework_parameters", Object::Dict(self.framework.clone())),
            entry("channel_input_dirs", Object::Dict(folders.collect())),
            entry("distribution_hosts", self.distribution_hosts()),
            entry("hyperparameters", Object::Dict(self.hyperparameters.clone())),
            entry("is_master", Object::Bool(true)),
            entry("is_modelparallel_enabled", self.is_modelparallel_enabled()),
            entry("is_smddpmprun_installed", Object::Bool(false)),
            entry("is_smddprun_installed", Object::Bool(false)),
            entry("job_name", Object::str(self.job_name)),
            entry("master_hostname", Object::str(HOST_NAME)),
            entry("topology", Object::List(Vec::new())),
        ]);
        Object::Dict(entries)
    }

    /// What is a variable of its own and a part of `SM_TRAINING_ENV` as well.
    fn shared_entries(&self) -> Entries {
        let mut entries = self.folder_entries();
        entries.extend(self.host_entries());
        entries.extend(self.program_entries());
        entries
    }

    fn folder_entries(&self) -> Entries {
        let layout = self.container.layout;
        [
            ("model_dir", layout.model()),
            ("input_dir", layout.input()),
            ("input_config_dir", layout.input_config()),
            ("output_dir", layout.output()),
            ("output_data_dir", layout.output_data()),
            ("output_intermediate_dir", layout.output_intermediate()),
        ]
        .map(|(name, path)| entry(name, Object::str(text(&path))))
        .into()
    }

    fn host_entries(&self) -> Entries {
        let host = self.container.host;
        vec![
            entry("hosts", Object::strs(&[HOST_NAME])),
            entry("current_host", Object::str(HOST_NAME)),
            entry("current_instance_type", Object::str(&host.instance_type)),
            entry("current_instance_group", Object::str(self.group)),
            entry("current_instance_group_hosts", Object::strs(&[HOST_NAME])),
            entry("instance_groups", Object::strs(&[self.group])),
            entry("instance_groups_dict", Object::Dict(vec![entry(self.group, self.group_config())])),
            entry("distribution_instance_groups", self.distribution_groups()),
            entry("is_hetero", Object::Bool(false)),
            entry("network_interface_name", Object::str(&host.network_interface)),
            entry("num_cpus", Object::int(&host.cpus)),
            entry("num_gpus", Object::int(&host.gpus)),
            entry("num_neurons", Object::int(&host.neurons)),
            entry("resource_config", self.resource_config.clone()),
            entry("input_data_config", self.input_data_config.clone()),
        ]
    }

    fn program_entries(&self) -> Entries {
        let code = || Object::str(text(&self.container.layout.code()));
        let framework_module = self.outside.get("SAGEMAKER_TRAINING_MODULE");
        let folder = self.toolkit(SUBMIT_DIRECTORY).map_or_else(code, |folder| Object::Str(folder.to_str()));
        vec![
            entry("user_entry_point", self.entry_point().map_or(Object::None, Object::Str)),
            entry("module_name", self.module_name()),
            entry("module_dir", folder),
            entry("log_level", self.toolkit(LOG_LEVEL).cloned().unwrap_or_else(|| Object::int(&INFO))),
            entry("framework_module", framework_module.map_or(Object::None, Object::str)),
        ]
    }

    /// `train` of `train.py`; other names stay. Here an empty variable counts, as it does in the toolkit.
    fn module_name(&self) -> Object {
        let variable = self.outside.get("SAGEMAKER_PROGRAM").cloned();
        variable
            .or_else(|| self.entry_point())
            .map_or(Object::None, |name| Object::str(name.strip_suffix(".py").unwrap_or(&name)))
    }

    fn sorted_channels(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.channels.iter().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    fn channel_folder(&self, name: &str) -> Object {
        Object::str(text(&self.container.layout.channel(name)))
    }

    fn group_config(&self) -> Object {
        Object::Dict(vec![
            entry("hosts", Object::strs(&[HOST_NAME])),
            entry("instance_group_name", Object::str(self.group)),
            entry("instance_type", Object::str(&self.container.host.instance_type)),
        ])
    }

    fn distribution_groups(&self) -> Object {
        if let Some(groups) = find(&self.framework, DISTRIBUTION_GROUPS) {
            return groups.clone();
        }
        let on = |switch: &&str| find(&self.framework, switch).is_some_and(Object::is_truthy);
        let groups: &[&str] = if DISTRIBUTION_SWITCHES.iter().any(on) { &[self.group] } else { &[] };
        Object::strs(groups)
    }

    fn distribution_hosts(&self) -> Object {
        let own = Object::str(self.group);
        let takes_part = matches!(self.distribution_groups(), Object::List(groups) if groups.contains(&own));
        let hosts: &[&str] = if takes_part { &[HOST_NAME] } else { &[] };
        Object::strs(hosts)
    }

    /// Python's `value and value != "{}"` of a variable that may not be there.
    fn is_modelparallel_enabled(&self) -> Object {
        match self.outside.get("SM_HP_MP_PARAMETERS") {
            None => Object::None,
            Some(parameters) if parameters.is_empty() => Object::str(""),
            Some(parameters) => Object::Bool(parameters != "{}"),
        }
    }

    fn toolkit(&self, name: &str) -> Option<&Object> {
        find(&self.toolkit, name)
    }
}

/// Hyperparameters as the toolkit reads them: JSON, and the text itself where it isn't.
fn decoded(request: &CreateTrainingJobRequest) -> Entries {
    let decode = |text: &String| python_json::loads(text).unwrap_or_else(|| Object::str(text));
    request.hyper_parameters.iter().flatten().map(|(name, text)| (name.clone(), decode(text))).collect()
}

fn channel_names(input_data_config: &Value) -> Vec<String> {
    input_data_config.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
}

fn entry(name: &str, value: Object) -> (String, Object) {
    (name.to_owned(), value)
}

fn find<'a>(entries: &'a Entries, name: &str) -> Option<&'a Object> {
    entries.iter().find(|(present, _)| present == name).map(|(_, value)| value)
}

fn argument_name(name: &str) -> String {
    match name.chars().count() {
        0 => String::new(),
        1 => format!("-{name}"),
        _ => format!("--{name}"),
    }
}

fn argument_value(value: &Object) -> String {
    match value {
        Object::None => String::new(),
        Object::Dict(entries) => table_argument(entries),
        value => value.to_str(),
    }
}

/// `a=1,b=2`.
fn table_argument(entries: &Entries) -> String {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let items: Vec<_> = sorted.into_iter().map(|(key, value)| format!("{key}={}", value.to_str())).collect();
    items.join(",")
}

fn variable_value(value: &Object) -> String {
    match value {
        Object::None => String::new(),
        Object::Str(text) => text.clone(),
        value => value.dumps_compact(),
    }
}
