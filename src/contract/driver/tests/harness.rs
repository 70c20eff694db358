//! A container for a driver: a folder in place of `/opt/ml`, one shell, and the programs that the image has.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::super::*;
use crate::model::JobName;
use crate::tests::{TestResult, finish};

pub(super) const ALONE: &str = r#"{"current_host": "algo-1", "hosts": ["algo-1"]}"#;

/// The shells of this computer that may be an image's `/bin/sh`, each once.
pub(super) fn shells() -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut shells = vec![vec!["sh"], vec!["dash"], vec!["bash", "--posix"], vec!["busybox", "sh"], vec!["mksh"]];
    shells.retain(|shell| {
        let program = find(shell[0]).and_then(|path| fs::canonicalize(path).ok());
        let is_new = program.is_some() && !found.contains(&program);
        found.push(program);
        is_new
    });
    shells
}

pub(super) fn find(program: &str) -> Option<PathBuf> {
    let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"];
    folders.map(|folder| Path::new(folder).join(program)).into_iter().find(|path| path.exists())
}

pub(super) struct Container {
    folder: TempDir,
    pub(super) shell: Vec<&'static str>,
    /// None for this computer's own programs.
    programs: Option<PathBuf>,
    variables: Vec<(String, String)>,
}

impl Container {
    pub(super) fn new() -> TestResult<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["ml/input/config", "ml/input/data/code", "ml/output", "source", "bin"] {
            fs::create_dir_all(folder.path().join(name))?;
        }
        let variables = [("TRAINING_JOB_NAME", "job-1"), ("TRAINING_JOB_ARN", "arn"), ("SM_STUDIO_LOCAL_MODE", "true")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { folder, shell: vec!["sh"], programs: None, variables }.resource_config(ALONE)
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(super) fn ml(&self) -> String {
        self.path("ml").display().to_string()
    }

    pub(super) fn resource_config(self, text: &str) -> TestResult<Self> {
        fs::write(self.path("ml/input/config/resourceconfig.json"), text)?;
        Ok(self)
    }

    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(present, _)| present != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn in_shell(mut self, shell: &[&'static str]) -> Self {
        self.shell = shell.to_vec();
        self
    }

    /// An image that has these programs and no other.
    pub(super) fn only(mut self, programs: &[&str]) -> TestResult<Self> {
        for program in programs {
            let found = find(program).ok_or_else(|| format!("this test needs {program}"))?;
            symlink(fs::canonicalize(found)?, self.path("bin").join(program))?;
        }
        self.programs = Some(self.path("bin"));
        Ok(self)
    }

    /// One more program, which comes first.
    pub(super) fn program(self, name: &str, text: &str) -> TestResult<Self> {
        let path = self.path("bin").join(name);
        fs::write(&path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        Ok(self)
    }

    pub(super) fn source(self, name: &str, text: &str) -> TestResult<Self> {
        let path = self.path("source").join(name);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, text)?;
        Ok(self)
    }

    /// The driver, started on the source as it is delivered.
    pub(super) fn start(&self, script: &str, arguments: &[&str]) -> TestResult<Child> {
        let archive = self.path("ml/input/data/code/sourcedir.tar.gz");
        let packed =
            Command::new("tar").arg("-czf").arg(archive).arg("-C").arg(self.path("source")).arg(".").status()?;
        assert!(packed.success());
        let driver = self.path("driver.sh");
        fs::write(&driver, script.replace("/opt/ml", &self.ml()))?;
        let bin = self.path("bin").display().to_string();
        let path = if self.programs.is_some() { bin } else { format!("{bin}:/usr/local/bin:/usr/bin:/bin") };
        let shell = find(self.shell[0]).ok_or("no shell")?;
        Ok(Command::new(shell)
            .args(&self.shell[1..])
            .arg(driver)
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?)
    }

    pub(super) fn run(&self, script: &str, arguments: &[&str]) -> TestResult<Output> {
        finish(self.start(script, arguments)?)
    }

    pub(super) fn read(&self, below: &str) -> TestResult<String> {
        Ok(fs::read_to_string(self.path(below))?)
    }

    /// The text that becomes the FailureReason.
    pub(super) fn failure(&self) -> TestResult<String> {
        Ok(self.read("ml/output/failure")?.replace(&self.ml(), "/opt/ml"))
    }
}

pub(super) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub(super) fn request(hyperparameters: &[(&str, &str)]) -> TestResult<CreateTrainingJobRequest> {
    let document = serde_json::json!({
        "TrainingJobName": JobName::new("job-1")?, "RoleArn": "role", "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "HyperParameters": hyperparameters.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
    });
    Ok(serde_json::from_value(document)?)
}

/// The driver of a request for a program.
pub(super) fn driver(request: &CreateTrainingJobRequest, program: Program<'_>) -> TestResult<String> {
    let code = S3Uri::parse("s3://bucket/smtrain/code/abc/sourcedir.tar.gz")?;
    Ok(script(request, &Delivered { program, code: &code, region: "eu-west-1" })?)
}

pub(super) fn plain_driver(entry_point: &str) -> TestResult<String> {
    driver(&request(&[])?, Program::EntryPoint(entry_point))
}

/// Runs one check in each shell.
pub(super) fn in_each_shell(check: impl Fn(Container) -> TestResult) -> TestResult {
    for shell in shells() {
        check(Container::new()?.in_shell(&shell)).map_err(|error| format!("in {shell:?}: {error}"))?;
    }
    Ok(())
}
