//! The environment of a local job's script: the toolkit's `Environment` on a single host.
//!
//! Source: sagemaker-training 5.1.4, `environment.py`.

use std::collections::BTreeMap;

use super::config;
use super::container::Container;
use super::environment::{NamedValues, ToolkitEnvironment, entry, find, variable};
use super::host::HOST_NAME;
use super::layout::text;
use crate::model::request::CreateTrainingJobRequest;
use crate::python::repr::PyValue;

/// Variable with the region of the job.
const AWS_REGION: &str = "AWS_REGION";
/// Hyperparameter with the instance groups of the distribution.
const DISTRIBUTION_GROUPS: &str = "sagemaker_distribution_instance_groups";

/// Hyperparameters any of which, when true, makes the host's own group part of the distribution.
const DISTRIBUTION_SWITCHES: [&str; 7] = [
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
];

/// The toolkit's `Environment` of one job on its only host.
pub(super) struct LocalEnvironment<'a> {
    environment: &'a ToolkitEnvironment<'a>,
    container: &'a Container<'a>,
    job_name: &'a str,
    group: &'a str,
    resource_config: PyValue,
}

impl<'a> LocalEnvironment<'a> {
    pub(super) fn new(
        request: &'a CreateTrainingJobRequest,
        environment: &'a ToolkitEnvironment<'a>,
        container: &'a Container<'a>,
    ) -> Self {
        Self {
            environment,
            container,
            job_name: request.training_job_name.as_str(),
            group: config::instance_group(request),
            resource_config: PyValue::from(&config::resource_config(request, container.host)),
        }
    }

    /// Returns all variables of the script, those of the request included.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.environment.outside.clone();
        variables.extend(self.service_variables());
        variables.extend(self.process_variables());
        let mut entries = self.host_entries();
        entries.push(entry("training_env", self.training_env()));
        entries.extend(self.environment.entries());
        variables.extend(entries.iter().map(variable));
        variables
    }

    /// Returns the variables that the service sets. It sets `AWS_REGION`, which the toolkit's own S3 client reads
    /// (`trainer.py`), and no `AWS_DEFAULT_REGION`.
    fn service_variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![
            ("TRAINING_JOB_NAME".to_owned(), self.job_name.to_owned()),
            ("TRAINING_JOB_ARN".to_owned(), self.container.job_arn.to_owned()),
        ];
        let region = self.container.region.filter(|_| self.variable(AWS_REGION).is_none());
        variables.extend(region.map(|region| (AWS_REGION.to_owned(), region.to_owned())));
        variables
    }

    /// Returns a variable of the request.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.outside.get(name).map(String::as_str)
    }

    /// Returns the hyperparameters that a framework's container reads.
    pub(super) fn framework_parameters(&self) -> &NamedValues {
        &self.environment.framework
    }

    /// Returns the numbers of the host's GPUs and of its Neuron cores.
    pub(super) fn devices(&self) -> [usize; 2] {
        [self.container.host.gpus, self.container.host.neurons]
    }

    pub(super) fn network_interface(&self) -> &str {
        &self.container.host.network_interface
    }

    /// Returns the variables that the toolkit sets in its own process, which the script inherits.
    fn process_variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![
            ("CURRENT_HOST".to_owned(), HOST_NAME.to_owned()),
            ("SAGEMAKER_JOB_NAME".to_owned(), self.environment.job_name()),
            ("SAGEMAKER_REGION".to_owned(), self.environment.region()),
            ("PYTHONPATH".to_owned(), self.python_path()),
        ];
        if !self.container.layout.is_opt_ml() {
            let base = text(self.container.layout.base());
            variables.push(("SAGEMAKER_BASE_DIR".to_owned(), base));
        }
        variables
    }

    /// Returns the source folder, then the user's own path. The toolkit appends its interpreter's `sys.path`, which
    /// Python does by itself and which would mislead any other Python that the script starts.
    fn python_path(&self) -> String {
        let code = text(&self.container.layout.code());
        match self.environment.outside.get("PYTHONPATH").filter(|path| !path.is_empty()) {
            Some(path) => format!("{code}:{path}"),
            None => code,
        }
    }

    fn training_env(&self) -> PyValue {
        let mut entries = self.environment.training_entries();
        entries.extend(self.host_entries());
        entries.extend([
            entry("distribution_hosts", self.distribution_hosts()),
            entry("is_master", PyValue::Bool(true)),
            entry("is_smddpmprun_installed", PyValue::Bool(false)),
            entry("is_smddprun_installed", PyValue::Bool(false)),
            entry("job_name", PyValue::str(self.job_name)),
            entry("master_hostname", PyValue::str(HOST_NAME)),
            entry("topology", PyValue::List(Vec::new())),
        ]);
        PyValue::Dict(entries)
    }

    fn host_entries(&self) -> NamedValues {
        let host = self.container.host;
        vec![
            entry("hosts", PyValue::strs(&[HOST_NAME])),
            entry("current_host", PyValue::str(HOST_NAME)),
            entry("current_instance_type", PyValue::str(&host.instance_type)),
            entry("current_instance_group", PyValue::str(self.group)),
            entry("current_instance_group_hosts", PyValue::strs(&[HOST_NAME])),
            entry("instance_groups", PyValue::strs(&[self.group])),
            entry("instance_groups_dict", PyValue::Dict(vec![entry(self.group, self.group_config())])),
            entry("distribution_instance_groups", self.distribution_groups()),
            entry("is_hetero", PyValue::Bool(false)),
            entry("network_interface_name", PyValue::str(&host.network_interface)),
            entry("num_cpus", PyValue::int(&host.cpus)),
            entry("num_gpus", PyValue::int(&host.gpus)),
            entry("num_neurons", PyValue::int(&host.neurons)),
            entry("resource_config", self.resource_config.clone()),
        ]
    }

    fn group_config(&self) -> PyValue {
        PyValue::Dict(vec![
            entry("hosts", PyValue::strs(&[HOST_NAME])),
            entry("instance_group_name", PyValue::str(self.group)),
            entry("instance_type", PyValue::str(&self.container.host.instance_type)),
        ])
    }

    fn distribution_groups(&self) -> PyValue {
        if let Some(groups) = find(&self.environment.framework, DISTRIBUTION_GROUPS) {
            return groups.clone();
        }
        let on = |switch: &&str| find(&self.environment.framework, switch).is_some_and(PyValue::is_truthy);
        let groups: &[&str] = if DISTRIBUTION_SWITCHES.iter().any(on) { &[self.group] } else { &[] };
        PyValue::strs(groups)
    }

    /// Returns whether the host's group is part of the distribution.
    pub(super) fn takes_part(&self) -> bool {
        let own = PyValue::str(self.group);
        matches!(self.distribution_groups(), PyValue::List(groups) if groups.contains(&own))
    }

    fn distribution_hosts(&self) -> PyValue {
        let hosts: &[&str] = if self.takes_part() { &[HOST_NAME] } else { &[] };
        PyValue::strs(hosts)
    }
}
