//! The driver: a shell script that delivers the user's code to an image which knows nothing of SageMaker, and runs it as the
//! toolkit would.
//!
//! Python's forms of numbers and texts are exact here and out of a shell's reach. So all that the request decides is written
//! into the script ready to use, and the script itself finds out what only its host knows. No job's name stands in it: equal
//! jobs have equal drivers.

use super::Layout;
use super::command::{check_arguments, check_entry_point, check_variables};
use super::environment::{self, ToolkitEnvironment, variable};
use super::error::ContractError;
use crate::model::request::CreateTrainingJobRequest;
use crate::model::{S3Uri, shell_quote};
use crate::python::repr::PyValue;

/// The channel that carries the source archive (the SDK's `code_channel_name`).
pub(crate) const CODE_CHANNEL: &str = "code";
/// The channel that carries the driver, by the name that version 3 of the SDK has for its own.
pub(crate) const DRIVER_CHANNEL: &str = "sm_drivers";
/// The driver's name in its channel.
pub(crate) const DRIVER: &str = "driver.sh";

/// What is the same in every driver.
const FIXED: &str =
    concat!(include_str!("start.sh"), include_str!("json.sh"), include_str!("host.sh"), include_str!("program.sh"),);

const OPENING: &str = "#!/bin/sh
# Unpacks a job's code and runs it as SageMaker's training toolkit would, with the same arguments and variables.
";

/// What of the code is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program<'a> {
    /// A file of the source folder, with the hyperparameters as its arguments.
    EntryPoint(&'a str),
    /// A command, in the source folder.
    Command(&'a [String]),
}

/// What a script-mode job would be told in hyperparameters of the toolkit's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered<'a> {
    pub(crate) program: Program<'a>,
    /// The uploaded archive.
    pub(crate) code: &'a S3Uri,
    pub(crate) region: &'a str,
}

/// The command that starts the driver in its container.
pub(crate) fn entrypoint() -> Vec<String> {
    let driver = Layout::opt_ml().channel(DRIVER_CHANNEL).join(DRIVER);
    vec!["/bin/sh".to_owned(), driver.display().to_string()]
}

/// The driver of a request, which may have the driver's own channels already. Its arguments are the container's, and come
/// behind those that it gives the program itself.
pub(crate) fn script(request: &CreateTrainingJobRequest, delivered: &Delivered<'_>) -> Result<String, ContractError> {
    let request = as_in_script_mode(request, delivered);
    let layout = Layout::opt_ml();
    let environment = ToolkitEnvironment::new(&request, &layout);
    let entry_point = environment.entry_point().unwrap_or_default();
    let start = match delivered.program {
        Program::EntryPoint(_) => {
            check_entry_point(&entry_point)?;
            start("smtrain_run_entry_point", &environment.arguments())?
        }
        Program::Command(command) => start("smtrain_run", command)?,
    };
    let entry_point = if matches!(delivered.program, Program::EntryPoint(_)) { entry_point } else { String::new() };
    let region = shell_quote(&environment.region());
    Ok(format!(
        "{OPENING}\nsmtrain_region={region}\nsmtrain_entry_point={}\n{}{}{start}{FIXED}",
        shell_quote(&entry_point),
        variables(&environment)?,
        training_env(&environment),
    ))
}

/// The request that would have its program see the same in script mode.
fn as_in_script_mode(request: &CreateTrainingJobRequest, delivered: &Delivered<'_>) -> CreateTrainingJobRequest {
    let mut request = request.clone();
    if let Some(channels) = &mut request.input_data_config {
        channels.retain(|channel| ![CODE_CHANNEL, DRIVER_CHANNEL].contains(&channel.channel_name.as_str()));
    }
    let hyperparameters = request.hyper_parameters.get_or_insert_default();
    let mut add = |name: &str, value: &str| hyperparameters.insert(name.to_owned(), PyValue::str(value).dumps());
    add(environment::SUBMIT_DIRECTORY, &delivered.code.to_string());
    add(environment::REGION, delivered.region);
    if let Program::EntryPoint(entry_point) = delivered.program {
        add(environment::PROGRAM, entry_point);
    }
    request
}

fn start(how: &str, arguments: &[String]) -> Result<String, ContractError> {
    check_arguments(arguments)?;
    Ok(format!("smtrain_start() {{\n  {how}{} \"$@\"\n}}\n", words(arguments)))
}

/// Two functions: one exports what a shell has a name for, the other one starts a program with the rest.
fn variables(environment: &ToolkitEnvironment<'_>) -> Result<String, ContractError> {
    let variables = environment.entries().iter().map(variable).collect();
    check_variables(&variables)?;
    let (named, others): (Vec<_>, Vec<_>) = variables.into_iter().partition(|(name, _)| is_shell_name(name));
    let exports = |(name, value): &(String, String)| format!("  export {name}={}\n", shell_quote(value));
    let exports = named.iter().map(exports).collect::<Vec<_>>().concat();
    let others: Vec<String> = others.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let with_others = if others.is_empty() {
        String::new()
    } else {
        format!("  ! smtrain_has env || exec env{} \"$@\"\n", words(&others))
    };
    Ok(format!("smtrain_export_request() {{\n{exports}}}\nsmtrain_exec() {{\n{with_others}  exec \"$@\"\n}}\n"))
}

/// Each with a space before it.
fn words(texts: &[String]) -> String {
    texts.iter().map(|text| " ".to_owned() + &shell_quote(text)).collect()
}

fn is_shell_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What of `SM_TRAINING_ENV` the host decides, and the driver's variable that has it as JSON.
const OF_THE_HOST: [(&str, &str); 21] = [
    ("current_host", "current_host"),
    ("current_instance_group", "group"),
    ("current_instance_group_hosts", "group_hosts"),
    ("current_instance_type", "instance_type"),
    ("distribution_hosts", "distribution_hosts"),
    ("distribution_instance_groups", "distribution_groups"),
    ("hosts", "hosts"),
    ("instance_groups", "group_names"),
    ("instance_groups_dict", "group_table"),
    ("is_hetero", "is_hetero"),
    ("is_master", "is_master"),
    ("is_smddpmprun_installed", "has_smddpmprun"),
    ("is_smddprun_installed", "has_smddprun"),
    ("job_name", "job_name"),
    ("master_hostname", "master"),
    ("network_interface_name", "interface"),
    ("num_cpus", "cpus"),
    ("num_gpus", "gpus"),
    ("num_neurons", "neurons"),
    ("resource_config", "resource_config"),
    ("topology", "topology"),
];

/// `SM_TRAINING_ENV`, in the order of its names.
fn training_env(environment: &ToolkitEnvironment<'_>) -> String {
    let of_the_request = environment.training_entries();
    let of_the_request =
        of_the_request.iter().map(|(name, value)| (name.as_str(), shell_quote(&value.dumps_compact())));
    let of_the_host = OF_THE_HOST.map(|(name, variable)| (name, format!("\"$smtrain_{variable}\"")));
    let mut members: Vec<(&str, String)> = of_the_request.chain(of_the_host).collect();
    members.sort_unstable();
    let members: Vec<String> = members.iter().map(|(name, value)| format!("'\"{name}\":'{value}")).collect();
    let text = members.join(",");
    format!("smtrain_export_training_env() {{\n  export SM_TRAINING_ENV='{{'{text}'}}'\n}}\n")
}

#[cfg(test)]
mod tests;
