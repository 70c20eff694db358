//! Renders the driver: a POSIX shell script that runs the user's code in an image without the toolkit, as the toolkit
//! would.
//!
//! For jobs on AWS only. Python's formats of numbers and texts are out of a shell's reach: everything that the request
//! decides is rendered here, ready to use, and the script finds out at run time what only its host knows. It does not
//! contain the job's name, so that equal jobs have equal drivers. See `docs/decisions/shell-driver.md`.

use super::Layout;
use super::command::{check_arguments, check_entry_point, check_variables};
use super::environment::{self, ToolkitEnvironment, variable};
use super::error::ContractError;
use crate::model::request::CreateTrainingJobRequest;
use crate::model::{S3Uri, shell_quote};
use crate::python::repr::PyValue;

/// Name of the channel with the source archive (the SDK's `code_channel_name`).
pub(crate) const CODE_CHANNEL: &str = "code";
/// Name of the channel with the driver, as version 3 of the SDK names its own.
pub(crate) const DRIVER_CHANNEL: &str = "sm_drivers";
/// File name of the driver in its channel.
pub(crate) const DRIVER_FILE: &str = "driver.sh";

/// The part that is the same in every driver.
const FIXED_PART: &str =
    concat!(include_str!("start.sh"), include_str!("json.sh"), include_str!("host.sh"), include_str!("program.sh"),);

/// The first lines.
const OPENING: &str = "#!/bin/sh
# Unpacks a job's code and runs it as SageMaker's training toolkit would, with the same arguments and variables.
";

/// The program to run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program<'a> {
    /// A file of the source folder, with the hyperparameters as arguments.
    EntryPoint(&'a str),
    /// A command, run in the source folder.
    Command(&'a [String]),
}

/// Code to deliver, as a script-mode job would have it in the toolkit's own hyperparameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered<'a> {
    pub(crate) program: Program<'a>,
    /// URI of the source archive.
    pub(crate) code: &'a S3Uri,
    pub(crate) region: &'a str,
}

/// Returns the container's entrypoint, which starts the driver.
pub(crate) fn entrypoint() -> Vec<String> {
    let driver = Layout::opt_ml().channel(DRIVER_CHANNEL).join(DRIVER_FILE);
    vec!["/bin/sh".to_owned(), driver.display().to_string()]
}

/// Renders the driver of a request, which may contain the driver's own channels. The script appends its own arguments,
/// those of the container, to the program's.
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
        "{OPENING}\nsmtrain_region={region}\nsmtrain_entry_point={}\n{}{}{start}{FIXED_PART}",
        shell_quote(&entry_point),
        variables(&environment)?,
        training_env(&environment),
    ))
}

/// Returns the request by which the program would see the same in script mode.
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

/// Renders the function that starts the program by the function `how`.
fn start(how: &str, arguments: &[String]) -> Result<String, ContractError> {
    check_arguments(arguments)?;
    Ok(format!("smtrain_start() {{\n  {how}{} \"$@\"\n}}\n", words(arguments)))
}

/// Renders two functions: one exports the variables whose names a shell accepts, the other starts a program with the
/// rest.
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

/// Quotes texts as words, each with a space before it.
fn words(texts: &[String]) -> String {
    texts.iter().map(|text| " ".to_owned() + &shell_quote(text)).collect()
}

fn is_shell_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Members of `SM_TRAINING_ENV` that the host decides, and the driver's variables with their JSON.
const HOST_MEMBERS: [(&str, &str); 21] = [
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

/// Renders the function that exports `SM_TRAINING_ENV`, with sorted members.
fn training_env(environment: &ToolkitEnvironment<'_>) -> String {
    let of_the_request = environment.training_entries();
    let of_the_request =
        of_the_request.iter().map(|(name, value)| (name.as_str(), shell_quote(&value.dumps_compact())));
    let of_the_host = HOST_MEMBERS.map(|(name, variable)| (name, format!("\"$smtrain_{variable}\"")));
    let mut members: Vec<(&str, String)> = of_the_request.chain(of_the_host).collect();
    members.sort_unstable();
    let members: Vec<String> = members.iter().map(|(name, value)| format!("'\"{name}\":'{value}")).collect();
    let text = members.join(",");
    format!("smtrain_export_training_env() {{\n  export SM_TRAINING_ENV='{{'{text}'}}'\n}}\n")
}

#[cfg(test)]
mod tests;
