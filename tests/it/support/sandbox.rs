//! A place where smtrain has a home of its own, and where no process outlives the test.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::process::Command;
use super::python::{emulator_python, tests_folder};
use super::{CommandOutput, Project, TestAccount, TestResult, poll};

/// What decides about Python and the way to package indexes: kept. All other variables are cleared.
const KEPT: [&str; 5] = ["PIP_", "UV_", "SSL_", "REQUESTS_CA_BUNDLE", "PYENV_"];

/// Runs a command in a pseudo-terminal, and exits as it does.
const IN_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// A temporary folder with its own HOME and SMTRAIN_HOME. When it is dropped, every process in it is killed.
#[derive(Debug)]
pub(crate) struct Sandbox {
    root: TempDir,
    variables: Vec<(OsString, OsString)>,
}

impl Sandbox {
    pub(crate) fn new() -> TestResult<Self> {
        let root = tempfile::Builder::new().prefix("smtrain-it-").tempdir()?;
        let below = |name: &str| OsString::from(root.path().join(name));
        let mut variables: Vec<(OsString, OsString)> = env::vars_os().filter(|(name, _)| is_kept(name)).collect();
        for (name, value) in [
            ("HOME", below("home")),
            ("SMTRAIN_HOME", below("smtrain")),
            ("XDG_CONFIG_HOME", below("home/.config")),
            ("XDG_CONFIG_DIRS", below("home/xdg")),
            ("XDG_CACHE_HOME", below("home/.cache")),
            ("XDG_DATA_HOME", below("home/.local/share")),
            ("XDG_STATE_HOME", below("home/.local/state")),
            ("TMPDIR", below("tmp")),
            ("PATH", path_with_smtrain()?),
            ("COLUMNS", "100".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
        ] {
            variables.push((name.into(), value));
        }
        for folder in ["home", "tmp"] {
            fs::create_dir(root.path().join(folder))?;
        }
        Ok(Self { root, variables })
    }

    /// A sandbox whose commands speak to the emulator, as a tenant of its own.
    pub(crate) fn on_aws() -> TestResult<(Self, TestAccount)> {
        let tenant = TestAccount::new()?;
        let sandbox =
            tenant.environment().into_iter().fold(Self::new()?, |all, (name, value)| all.with_env(name, value));
        Ok((sandbox, tenant))
    }

    /// The sandbox with one more variable, for all that runs in it.
    pub(crate) fn with_env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// The folder that commands run in.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// A path in the sandbox.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    /// SMTRAIN_HOME: `jobs/`, `s3/`, `cache/`.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("smtrain")
    }

    /// The folder of a local job.
    pub(crate) fn job_folder(&self, job: &str) -> PathBuf {
        self.state().join("jobs").join(job)
    }

    /// Creates a project: a folder of this name with a spec that runs `script`.
    pub(crate) fn project(&self, name: &str, script: &str) -> TestResult<Project> {
        Project::create(self.path(name), script)
    }

    /// The command `smtrain ARGS`.
    pub(crate) fn smtrain(&self, args: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_smtrain")).args(args)
    }

    /// Writes a file below its folder, its folders too.
    pub(crate) fn file(&self, below: &str, content: impl AsRef<[u8]>) -> TestResult {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap_or(self.root()))?;
        Ok(fs::write(path, content)?)
    }

    /// A shell script, in which `smtrain` is this build.
    pub(crate) fn sh(&self, script: &str) -> Command {
        self.command("sh").args(["-eu", "-c", script])
    }

    /// The command `smtrain ARGS` in a terminal: its stdout and stderr are the terminal, and come as stdout with `\r\n`.
    pub(crate) fn terminal(&self, args: &[&str]) -> Command {
        let command = self.command("python3").args(["-c", IN_TERMINAL, env!("CARGO_BIN_EXE_smtrain")]).args(args);
        command.env("TERM", "xterm-256color")
    }

    /// A Python that has boto3, in which the modules of `tests` can be imported.
    pub(crate) fn emulator_python(&self, args: &[&str]) -> TestResult<Command> {
        let python = emulator_python()?.display().to_string();
        let command = self.command(&python).args(args).env("PYTHONPATH", tests_folder());
        Ok(command.env("PYTHONDONTWRITEBYTECODE", "1"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = std::process::Command::new(program);
        command.env_clear().envs(self.variables.iter().cloned()).current_dir(self.root());
        Command::new(command)
    }

    /// Submits a local job and returns its name; the job runs on.
    pub(crate) fn submit(&self, project: &Project, args: &[&str]) -> TestResult<String> {
        let said = self.smtrain(&["submit", "--local", "-q", &project.spec()]).args(args).run()?.ok()?;
        Ok(said.line().to_owned())
    }

    /// Submits a local job, waits until it has completed, and returns its name.
    pub(crate) fn complete(&self, project: &Project, args: &[&str]) -> TestResult<String> {
        self.submit(project, &[&["--wait"], args].concat())
    }

    /// Submits a local job, waits until it has ended with exit code `code`, and returns its name and what was said.
    pub(crate) fn end(&self, project: &Project, args: &[&str], code: i32) -> TestResult<(String, CommandOutput)> {
        let command = self.smtrain(&["submit", "--local", "--wait", &project.spec()]).args(args);
        let said = command.run()?.expect(code)?;
        Ok((said.line().to_owned(), said))
    }

    /// The job's log, as `logs` prints it.
    pub(crate) fn log(&self, job: &str) -> TestResult<String> {
        Ok(self.smtrain(&["logs", job]).run()?.ok()?.stdout)
    }

    /// DescribeTrainingJob's answer.
    pub(crate) fn describe(&self, job: &str) -> TestResult<Value> {
        Ok(self.smtrain(&["describe", job, "-o", "json"]).run()?.ok()?.json()?["job"].take())
    }

    /// TrainingJobStatus.
    pub(crate) fn status(&self, job: &str) -> TestResult<String> {
        Ok(self.describe(job)?["TrainingJobStatus"].as_str().unwrap_or_default().to_owned())
    }

    /// FailureReason; empty for a job without one.
    pub(crate) fn failure_reason(&self, job: &str) -> TestResult<String> {
        Ok(self.describe(job)?["FailureReason"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the job's log holds `text`.
    pub(crate) fn wait_for_log(&self, job: &str, text: &str) -> TestResult {
        poll(&format!("{text:?} in the log of {job}"), || Ok(self.log(job)?.contains(text).then_some(())))
    }

    /// Waits until the file is there; a relative path starts in the sandbox.
    pub(crate) fn wait_for_file(&self, path: &Path) -> TestResult {
        let path = self.root().join(path);
        poll(&format!("the file {}", path.display()), || Ok(path.exists().then_some(())))
    }

    /// Waits until no process of this sandbox is left.
    pub(crate) fn wait_for_no_processes(&self) -> TestResult {
        poll("the end of every process", || Ok(self.processes().is_empty().then_some(())))
    }

    /// Every living process that was started with this SMTRAIN_HOME.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let mark = [b"SMTRAIN_HOME=", self.state().as_os_str().as_bytes()].concat();
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let ours = |pid: &i32| {
            // One that has ended, or is another user's, has no environment to read.
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark)
        };
        pids.filter(ours).map(Pid::from_raw).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A process that is just being started is met on the next round.
        for _ in 0..100 {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            for pid in left {
                let _gone = kill(pid, Signal::SIGKILL);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

fn is_kept(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.to_ascii_lowercase().ends_with("_proxy") || KEPT.iter().any(|kept| name.starts_with(kept))
}

/// This build of smtrain first, then what the test was started with: Python, git.
fn path_with_smtrain() -> TestResult<OsString> {
    let binary = Path::new(env!("CARGO_BIN_EXE_smtrain"));
    let own = binary.parent().map(Path::to_path_buf);
    let rest = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(own.into_iter().chain(env::split_paths(&rest)))?)
}

#[test]
fn nothing_outlives_a_sandbox() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(600)";
    let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let processes = sandbox.processes();
    assert!(processes.len() >= 3, "supervisor, guard and script: {processes:?}");
    drop(sandbox);
    // A zombie that its parent has not collected yet is over, too.
    let lives = |pid: &Pid| fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| !environment.is_empty());
    assert!(!processes.iter().any(lives));
    Ok(())
}
