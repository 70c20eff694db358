//! The guard: the process between a supervisor and a script.
//!
//! It mounts a private `/opt/ml`, starts the script in a process group of its own, forwards SIGTERM, and kills all
//! processes that the script leaves behind. Then it writes the exit code, closes its end of the output pipe and waits
//! for the supervisor to kill it. If the supervisor is killed first, the guard kills the script, saves its last output
//! and settles the job.

mod namespace;
mod orphan;

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, dup2_stderr, dup2_stdout, getppid, setsid};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::process::table;
use super::store::layout::JobFolder;
use super::store::stop_request::Absence;
use super::store::{job_state, private_file};
use crate::local::{LocalError, LocalResult};

/// Subcommand that probes whether the system grants a private `/opt/ml`.
pub(crate) const PROBE: &str = "__probe-mount";

/// Interval at which the guard polls whether its supervisor is alive.
const PARENT_POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Time that the supervisor has to read the remaining output. A process that can't be killed may hold the pipe open
/// forever.
const FINAL_READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Exit code of shells for a command that can't be started.
const CANNOT_START_EXIT_CODE: i32 = 127;

/// Variables that AWS's framework images set, so that Python's output isn't delayed. The user's own values take
/// precedence.
/// Source: the Dockerfiles of github.com/aws/deep-learning-containers.
const IMAGE_VARIABLES: [(&str, &str); 2] = [("PYTHONUNBUFFERED", "1"), ("PYTHONIOENCODING", "UTF-8")];

/// Variables with the region: the first is the service's, the other one may come from the user's shell.
const AWS_REGION: &str = "AWS_REGION";
const DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";

/// Instructions for starting a script, in a file from the supervisor to the guard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) argv: Vec<String>,
    pub(crate) variables: std::collections::BTreeMap<String, String>,
    pub(crate) directory: PathBuf,
    /// Mount the job's folder at `/opt/ml`.
    pub(crate) mount: bool,
    /// Send SIGTERM to the whole process group, and wait for all its members: a shell doesn't forward signals.
    pub(crate) stop_group: bool,
    pub(crate) stop_grace: Duration,
    /// File of the log stream, for the last output after the supervisor's death.
    pub(crate) log: PathBuf,
    /// The supervisor's process id.
    pub(crate) supervisor: u32,
}

impl Plan {
    /// Waits until the supervisor has ended: the kernel then gives this process another parent.
    async fn orphaned(&self) {
        while u32::try_from(getppid().as_raw()).is_ok_and(|parent| parent == self.supervisor) {
            sleep(PARENT_POLL_INTERVAL).await;
        }
    }

    /// Continues a supervisor that a signal has stopped.
    fn resume_supervisor(&self) {
        let parent = getppid();
        if u32::try_from(parent.as_raw()).is_ok_and(|parent| parent == self.supervisor) {
            // It may have ended already.
            let _gone = kill(parent, Signal::SIGCONT);
        }
    }
}

/// Runs the script and writes its exit code. `inherited` names this process's environment variables. Must be called
/// while the process has one thread, which a user namespace requires.
pub(crate) fn run(folder: &Path, inherited: &[OsString]) -> LocalResult<()> {
    let folder = JobFolder::at(folder.to_owned());
    let plan: Plan = read_plan(&folder)?;
    setsid().map_err(|error| LocalError::io("start a session")(error.into()))?;
    table::adopt_orphans();
    if plan.mount {
        namespace::enter(&folder.ml()).map_err(LocalError::io("mount /opt/ml"))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LocalError::io("start the guard's event loop"))?;
    runtime.block_on(guard(&folder, &plan, inherited))
}

/// Tries to mount a private `/opt/ml`. Must be called while the process has one thread.
pub(crate) fn probe() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    namespace::enter(folder.path())
}

fn read_plan(folder: &JobFolder) -> LocalResult<Plan> {
    let path = folder.plan();
    let text = private_file::read(&path).map_err(LocalError::io(format!("read {}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| LocalError::Other(format!("{} is damaged: {error}", path.display())))
}

/// Runs the script to its end. Normally the supervisor kills this process once it has read all output; if that takes
/// too long, it returns, and if the supervisor was killed, it settles the job in its place.
async fn guard(folder: &JobFolder, plan: &Plan, inherited: &[OsString]) -> LocalResult<()> {
    let last_output = orphan::LastOutput::open(&plan.log);
    // Before the script starts, so that a stop can't kill its guard.
    let terminate = listen().map_err(LocalError::io("listen for signals"))?;
    let exit_code = match start(plan, inherited) {
        Ok(mut script) => {
            let group = group_of(&script);
            let ended =
                watch(&mut script, folder, plan, terminate).await.map_err(LocalError::io("wait for the script"))?;
            if cfg!(not(target_os = "linux")) {
                // Without `/proc`, only the script's process group can be found.
                forward(group, Signal::SIGKILL, true);
            }
            ended
        }
        Err(error) => Some(cannot_start(plan, &error)?),
    };
    table::end_descendants().await;
    if let Some(exit_code) = exit_code {
        folder.write_exit_code(exit_code)?;
    }
    close_output().map_err(LocalError::io("close the job's log"))?;
    if timeout(FINAL_READ_TIMEOUT, plan.orphaned()).await.is_err() {
        return Ok(());
    }
    let reason = match last_output.save(folder) {
        Ok(()) => job_state::SUPERVISOR_KILLED.to_owned(),
        // On a full disk the output is lost, but the job's end can still be written.
        Err(error) => format!("{}; what it printed last could not be saved: {error}", job_state::SUPERVISOR_KILLED),
    };
    folder.settle(&reason).map(drop)
}

/// Handles SIGTERM, which is forwarded, and ignores SIGHUP, which the end of a login may send to all of the user's
/// processes.
fn listen() -> std::io::Result<unix::Signal> {
    // A handler that is dropped stays installed, so that the signal has no effect.
    signal(SignalKind::hangup()).map(drop)?;
    signal(SignalKind::terminate())
}

/// Closes this process's end of the output pipe, so that the supervisor reaches its end.
fn close_output() -> std::io::Result<()> {
    let nowhere = File::options().write(true).open("/dev/null")?;
    dup2_stdout(&nowhere)?;
    Ok(dup2_stderr(&nowhere)?)
}

/// Writes the error to the job's log, as a shell would: this process's stderr is the log. Returns the exit code.
fn cannot_start(plan: &Plan, error: &std::io::Error) -> LocalResult<i32> {
    let program = plan.argv.first().map_or("the script", String::as_str);
    let said =
        std::io::Write::write_all(&mut std::io::stderr(), format!("could not start {program}: {error}\n").as_bytes());
    said.map_err(LocalError::io("write to the job's log"))?;
    Ok(CANNOT_START_EXIT_CODE)
}

fn start(plan: &Plan, inherited: &[OsString]) -> std::io::Result<Child> {
    let (program, arguments) = plan.argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut script = Command::new(program);
    for name in inherited.iter().filter(|name| is_contract_variable(name)) {
        script.env_remove(name);
    }
    for (name, value) in IMAGE_VARIABLES.iter().filter(|(name, _)| !inherited.iter().any(|inherited| inherited == name))
    {
        script.env(name, value);
    }
    if let (Some(region), true) = (plan.variables.get(AWS_REGION), inherited.iter().any(|name| name == DEFAULT_REGION))
    {
        // boto3 prefers it, and it may name another region.
        script.env(DEFAULT_REGION, region);
    }
    script
        .args(arguments)
        .envs(&plan.variables)
        .current_dir(&plan.directory)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
}

/// Returns whether a variable belongs to the container contract. An inherited one comes from another job, whose script
/// submitted this one.
fn is_contract_variable(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    [&b"SM_"[..], b"SAGEMAKER_", b"TRAINING_JOB_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Waits for the end of the script, and returns its exit code, or of the supervisor, and returns `None`. SIGTERM is
/// forwarded to the script, followed by SIGKILL after the stop grace. The removal of the job's folder counts as SIGTERM,
/// since the supervisor may have been stopped by a signal.
async fn watch(
    script: &mut Child,
    folder: &JobFolder,
    plan: &Plan,
    mut terminate: unix::Signal,
) -> std::io::Result<Option<i32>> {
    let group = group_of(script);
    let mut deadline: Option<Instant> = None;
    let mut is_gone = false;
    let mut absence = Absence::default();
    loop {
        tokio::select! {
            status = script.wait() => {
                if let (Some(group), Some(deadline), true) = (group, deadline, plan.stop_group) {
                    // Remaining processes are killed with all others.
                    let _in_time = timeout_at(deadline, table::end_of_group(group)).await;
                }
                return status.map(|status| Some(exit_code(status)));
            }
            _ = terminate.recv() => {
                deadline.get_or_insert_with(|| Instant::now() + plan.stop_grace);
                forward(group, Signal::SIGTERM, plan.stop_group);
            }
            () = elapsed(deadline) => {
                deadline = None;
                forward(group, Signal::SIGKILL, plan.stop_group);
            }
            () = plan.orphaned() => return Ok(None),
            () = absence.until_final(folder), if deadline.is_none() && !is_gone => {
                is_gone = true;
                plan.resume_supervisor();
                deadline = Some(Instant::now() + plan.stop_grace);
                forward(group, Signal::SIGTERM, plan.stop_group);
            }
        }
    }
}

/// Waits until the deadline; without one, forever.
async fn elapsed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Returns the script's process group, of which it is the leader.
fn group_of(script: &Child) -> Option<Pid> {
    script.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
}

fn forward(script: Option<Pid>, signal: Signal, to_group: bool) {
    let Some(script) = script else { return };
    // A stopped process handles no signals.
    for signal in [signal, Signal::SIGCONT] {
        // It may have ended already.
        let _gone = if to_group { killpg(script, signal) } else { kill(script, signal) };
    }
}

/// Returns the exit code as Python's `subprocess` has it: negative for a signal.
fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(1)
}
