//! The program that installs a job's requirements: uv, or venv and pip.

use std::path::Path;
use std::process::{Command, Stdio};

use super::interpreter::{self, Interpreter};
use super::pip_configuration::{self, PipConfiguration};
use crate::local::{FindProgram, LocalError, LocalResult};
use crate::model::InstallerChoice;

/// A step of creating an environment: a command whose output goes to the job's log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) argv: Vec<String>,
    /// Set over the inherited environment. May hold secrets.
    pub(crate) variables: Vec<(String, String)>,
}

/// An installer, with its configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Installer {
    program: InstallerProgram,
    variables: Vec<(String, String)>,
    /// More arguments of the installation.
    flags: Vec<String>,
    /// Why pip installs, where uv is there.
    pub(crate) note: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum InstallerProgram {
    /// Path of uv.
    Uv(String),
    /// The environment's own pip.
    Pip,
}

impl Installer {
    /// Returns the installer that the spec chooses. By itself that is uv where it is installed, unless pip's
    /// configuration or a requirement has something that uv has no word for.
    pub(crate) async fn choose(
        choice: InstallerChoice,
        find_program: FindProgram,
        base: &Interpreter,
        has_editable_repository: bool,
    ) -> LocalResult<Self> {
        let found = if choice == InstallerChoice::Pip { FoundUv::Absent } else { find_uv(find_program) };
        let uv = match found {
            FoundUv::Working(path) => path,
            missing if choice == InstallerChoice::Uv => return Err(missing.into_error()),
            FoundUv::Broken(how) => return Ok(Self::pip(Some(how))),
            FoundUv::Absent => return Ok(Self::pip(None)),
        };
        let is_sure = choice == InstallerChoice::Uv;
        let configuration = configuration(base).await;
        let handed_on = configuration.as_ref().map(PipConfiguration::for_uv).unwrap_or_default();
        let why = match (configuration, handed_on.without_word.as_slice()) {
            (None, _) => Some("pip's configuration can't be read".to_owned()),
            (_, []) if has_editable_repository => Some("uv installs no editable repository".to_owned()),
            (_, []) => None,
            (_, options) => Some(format!("uv has no word for pip's {}", options.join(", "))),
        };
        if let Some(why) = why.filter(|_| !is_sure) {
            return Ok(Self::pip(Some(why)));
        }
        let program = InstallerProgram::Uv(uv);
        Ok(Self { program, variables: handed_on.variables, flags: handed_on.flags, note: None })
    }

    fn pip(note: Option<String>) -> Self {
        // Where pip is configured to install for the user, it refuses to install into an environment.
        let variables = vec![("PIP_USER".to_owned(), "0".to_owned())];
        Self { program: InstallerProgram::Pip, variables, flags: Vec::new(), note }
    }

    /// Returns the command that creates an empty environment in `folder`, which exists.
    pub(super) fn creation(&self, base: &Path, folder: &Path) -> Step {
        let (base, folder) = (text(base), text(folder));
        let argv = match &self.program {
            InstallerProgram::Uv(uv) => words(&[uv, "venv", "--quiet", "--python", &base, &folder]),
            InstallerProgram::Pip => words(&[&base, "-m", "venv", &folder]),
        };
        Step { argv, variables: self.variables.clone() }
    }

    /// Returns the command that installs into the environment of the interpreter `python`.
    pub(super) fn installation(&self, python: &Path, installed: &[&str]) -> Step {
        let python = text(python);
        let mut argv = match &self.program {
            InstallerProgram::Uv(uv) => words(&[uv, "pip", "install", "--python", &python]),
            InstallerProgram::Pip => {
                words(&[&python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"])
            }
        };
        argv.extend(self.flags.iter().cloned());
        argv.extend(words(installed));
        Step { argv, variables: self.variables.clone() }
    }
}

/// Fails if the spec chooses uv, and there is none that works.
pub(crate) fn check(choice: InstallerChoice, find_program: FindProgram) -> LocalResult<()> {
    if choice != InstallerChoice::Uv {
        return Ok(());
    }
    match find_uv(find_program) {
        FoundUv::Working(_) => Ok(()),
        missing => Err(missing.into_error()),
    }
}

/// The uv of `PATH`.
enum FoundUv {
    /// Its path.
    Working(String),
    /// The failure of `uv --version`: a shim may have no program behind it.
    Broken(String),
    Absent,
}

impl FoundUv {
    /// Returns the error of a spec that chooses uv.
    fn into_error(self) -> LocalError {
        let (what, hint) = match self {
            Self::Working(_) | Self::Absent => ("uv is not in PATH".to_owned(), "install uv"),
            Self::Broken(how) => (how, "see why: uv --version"),
        };
        LocalError::Unusable {
            what: format!("[local] installer is uv, and {what}"),
            hint: format!("{hint}, or let pip install: --set local.installer=pip"),
        }
    }
}

fn find_uv(find_program: FindProgram) -> FoundUv {
    let Some(path) = find_program("uv") else { return FoundUv::Absent };
    let mut uv = Command::new(&path);
    uv.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match uv.status() {
        Ok(status) if status.success() => FoundUv::Working(text(&path)),
        Ok(status) => FoundUv::Broken(format!("`{} --version` failed with {status}", path.display())),
        Err(error) => FoundUv::Broken(format!("{} could not be started: {error}", path.display())),
    }
}

/// Returns pip's configuration; `None` if it can't be read.
async fn configuration(base: &Interpreter) -> Option<PipConfiguration> {
    let output = interpreter::ask(&base.executable, pip_configuration::PROGRAM).await.ok()?;
    serde_json::from_slice(&output).ok()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
