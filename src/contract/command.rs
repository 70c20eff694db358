//! The command line and the environment of the entry point.
//!
//! Source: sagemaker-training 5.1.4, `process.py`, `_entry_point_type.py` and `modules.py`.

use std::collections::BTreeMap;

use super::container::Container;
use super::entry_point::EntryPointKind;
use super::environment::ToolkitEnvironment;
use super::error::ContractError;
use super::local_environment::LocalEnvironment;
use super::torch_distributed;
use crate::model::request::CreateTrainingJobRequest;
use crate::model::shell_quote;

/// A process to start in the source folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScriptCommand {
    pub(crate) kind: EntryPointKind,
    /// Relative to the source folder.
    pub(crate) entry_point: String,
    pub(crate) argv: Vec<String>,
    /// Variables to set over the inherited environment.
    pub(crate) variables: BTreeMap<String, String>,
    /// torchrun starts the entry point, on each device.
    pub(crate) is_distributed: bool,
}

impl ScriptCommand {
    /// Returns the command as the toolkit writes it into `output/failure`.
    pub(crate) fn text(&self) -> String {
        self.argv.join(" ")
    }
}

/// Returns the process that the toolkit starts for a request, on one host: the entry point or, for
/// `torch_distributed`, torchrun. MPI is not simulated.
pub(crate) fn command(
    request: &CreateTrainingJobRequest,
    container: &Container<'_>,
) -> Result<ScriptCommand, ContractError> {
    let environment = ToolkitEnvironment::new(request, container.layout);
    let entry_point = environment.entry_point().ok_or(ContractError::NoEntryPoint)?;
    check_entry_point(&entry_point)?;
    let kind = kind(&entry_point, container.has_setup_py);
    let host = LocalEnvironment::new(request, &environment, container);
    let mut variables = host.variables();
    let is_distributed = torch_distributed::is_on(&host);
    let argv = if is_distributed {
        variables.extend(torch_distributed::variables(&host));
        let launcher = torch_distributed::launcher(&host, kind, container.python)?;
        launcher.into_iter().chain([entry_point.clone()]).chain(environment.arguments()).collect()
    } else {
        argv(kind, container.python, &entry_point, environment.arguments())
    };
    check_arguments(&argv)?;
    check_variables(&variables)?;
    Ok(ScriptCommand { kind, entry_point, argv, variables, is_distributed })
}

/// Returns the arguments of `pip install` that is run in the source folder before the entry point. Empty if nothing is
/// installed.
pub(crate) fn pip_install_arguments(kind: EntryPointKind, has_requirements: bool) -> &'static [&'static str] {
    match (kind, has_requirements) {
        (EntryPointKind::Package, false) => &["."],
        (EntryPointKind::Package, true) => &[".", "-r", "requirements.txt"],
        (EntryPointKind::Program, true) => &["-r", "requirements.txt"],
        (EntryPointKind::Program, false) | (EntryPointKind::Shell, _) => &[],
    }
}

fn kind(entry_point: &str, has_setup_py: bool) -> EntryPointKind {
    // The toolkit compares case-sensitively as well.
    match entry_point.rsplit_once('.') {
        Some((_, "sh")) => EntryPointKind::Shell,
        _ if has_setup_py => EntryPointKind::Package,
        Some((_, "py")) => EntryPointKind::Program,
        _ => EntryPointKind::Shell,
    }
}

fn argv(kind: EntryPointKind, python: &str, entry_point: &str, arguments: Vec<String>) -> Vec<String> {
    let mut argv = match kind {
        EntryPointKind::Package => {
            vec![python.to_owned(), "-m".to_owned(), entry_point.strip_suffix(".py").unwrap_or(entry_point).to_owned()]
        }
        EntryPointKind::Program => vec![python.to_owned(), "--".to_owned(), entry_point.to_owned()],
        EntryPointKind::Shell => return shell_argv(entry_point, &arguments),
    };
    argv.extend(arguments);
    argv
}

fn shell_argv(entry_point: &str, arguments: &[String]) -> Vec<String> {
    let arguments: Vec<_> = arguments.iter().map(|argument| shell_quote(argument)).collect();
    let script = format!("./{} {}", shell_quote(entry_point), arguments.join(" "));
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script]
}

/// Fails for a name that the toolkit refuses, because it could be read as an option, as shell syntax or as a path out
/// of the source folder.
pub(super) fn check_entry_point(name: &str) -> Result<(), ContractError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let is_segment = |s: &str| !matches!(s, "" | "." | "..") && s.chars().all(is_allowed);
    let starts_well = !name.starts_with(['-', '+']);
    if starts_well && name.split('/').all(is_segment) {
        Ok(())
    } else {
        Err(ContractError::EntryPoint(name.to_owned()))
    }
}

/// Fails for an argument that no process can have.
pub(super) fn check_arguments(argv: &[String]) -> Result<(), ContractError> {
    match argv.iter().find(|argument| argument.contains('\0')) {
        Some(argument) => Err(ContractError::Argument(argument.clone())),
        None => Ok(()),
    }
}

/// Fails for a variable that no process can have.
pub(super) fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), ContractError> {
    for (name, value) in variables {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(ContractError::VariableName(name.clone()));
        }
        if value.contains('\0') {
            return Err(ContractError::VariableValue(name.clone()));
        }
    }
    Ok(())
}
