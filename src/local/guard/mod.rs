//! The guard: the process between a supervisor and a script. It gives the script its `/opt/ml`, passes signals on, ends
//! every process that the script leaves behind, and, should the supervisor be killed, ends the script and saves its last
//! output.

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
use super::store::{job_state, private_file};
use crate::local::{LocalError, LocalResult};

/// The subcommand that tells whether this computer grants a private `/opt/ml`.
pub(crate) const PROBE: &str = "__probe-mount";

/// How often the guard looks whether its supervisor still lives.
const PARENT_CHECK: Duration = Duration::from_millis(250);
/// How long the guard waits for its supervisor to read what is left. A process that could not be ended may hold the pipe open
/// for ever.
const LAST_READING: Duration = Duration::from_secs(5);
/// What a shell answers for a command that can't be started.
const CANNOT_START: i32 = 127;

/// What AWS's framework images set for Python, so that a line is seen when it is printed. Stays as the user has it.
/// Source: the Dockerfiles of github.com/aws/deep-learning-containers.
const OF_THE_IMAGES: [(&str, &str); 2] = [("PYTHONUNBUFFERED", "1"), ("PYTHONIOENCODING", "UTF-8")];

/// How to start a script.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) argv: Vec<String>,
    pub(crate) variables: std::collections::BTreeMap<String, String>,
    pub(crate) directory: PathBuf,
    /// Whether the job's folder is to be seen as `/opt/ml`.
    pub(crate) mount: bool,
    /// Whether SIGTERM is for the script's children too, and they are waited for: a shell tells them nothing.
    pub(crate) stop_group: bool,
    pub(crate) stop_grace: Duration,
    /// The log stream's file, for the last output after the supervisor's death.
    pub(crate) log: PathBuf,
    /// The supervisor's process id.
    pub(crate) supervisor: u32,
}

impl Plan {
    /// Waits until the supervisor has gone: who loses its parent gets another one.
    async fn orphaned(&self) {
        while u32::try_from(getppid().as_raw()).is_ok_and(|parent| parent == self.supervisor) {
            sleep(PARENT_CHECK).await;
        }
    }
}

/// Runs the script and writes its exit code down. `inherited` names the variables that this process has. Called while the
/// process has one thread: a user namespace needs that.
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

/// Whether a private `/opt/ml` can be had, by trying. Called while the process has one thread.
pub(crate) fn probe() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    namespace::enter(folder.path())
}

fn read_plan(folder: &JobFolder) -> LocalResult<Plan> {
    let path = folder.plan();
    let text = private_file::read(&path).map_err(LocalError::io(format!("read {}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| LocalError::Other(format!("{} is damaged: {error}", path.display())))
}

/// Ends by the supervisor's hand, once that has read all there is to read, or by itself when that takes too long; or in its place, when it was killed.
async fn guard(folder: &JobFolder, plan: &Plan, inherited: &[OsString]) -> LocalResult<()> {
    let last_output = orphan::LastOutput::open(&plan.log);
    // Before the script is there: a stop must not end its guard.
    let terminate = listen().map_err(LocalError::io("listen for signals"))?;
    let exit_code = match start(plan, inherited) {
        Ok(mut script) => {
            let group = group_of(&script);
            let ended = watch(&mut script, plan, terminate).await.map_err(LocalError::io("wait for the script"))?;
            if cfg!(not(target_os = "linux")) {
                // All that can be found there of what the script has left running.
                pass_on(group, Signal::SIGKILL, true);
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
    if timeout(LAST_READING, plan.orphaned()).await.is_err() {
        return Ok(());
    }
    let reason = match last_output.save(folder) {
        Ok(()) => job_state::SUPERVISOR_KILLED.to_owned(),
        // On a full disk it is lost; how the job ended can still be written.
        Err(error) => format!("{}; what it printed last could not be saved: {error}", job_state::SUPERVISOR_KILLED),
    };
    folder.settle(&reason).map(drop)
}

/// SIGTERM is passed on. The end of a login, which may be told to all of the user's processes, is none of the job.
fn listen() -> std::io::Result<unix::Signal> {
    // Once it is listened for, a signal has no other effect, for as long as the process lives.
    signal(SignalKind::hangup()).map(drop)?;
    signal(SignalKind::terminate())
}

/// With this, nobody can write to the supervisor's pipe any more, and its reading comes to an end.
fn close_output() -> std::io::Result<()> {
    let nowhere = File::options().write(true).open("/dev/null")?;
    dup2_stdout(&nowhere)?;
    Ok(dup2_stderr(&nowhere)?)
}

/// Says so in the job's log, as a shell would, which is where this process's own output goes.
fn cannot_start(plan: &Plan, error: &std::io::Error) -> LocalResult<i32> {
    let program = plan.argv.first().map_or("the script", String::as_str);
    let said =
        std::io::Write::write_all(&mut std::io::stderr(), format!("could not start {program}: {error}\n").as_bytes());
    said.map_err(LocalError::io("write to the job's log"))?;
    Ok(CANNOT_START)
}

fn start(plan: &Plan, inherited: &[OsString]) -> std::io::Result<Child> {
    let (program, arguments) = plan.argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut script = Command::new(program);
    for name in inherited.iter().filter(|name| is_of_a_contract(name)) {
        script.env_remove(name);
    }
    for (name, value) in OF_THE_IMAGES.iter().filter(|(name, _)| !inherited.iter().any(|inherited| inherited == name)) {
        script.env(name, value);
    }
    script
        .args(arguments)
        .envs(&plan.variables)
        .current_dir(&plan.directory)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
}

/// Whether a variable is one that a job gives its script. One that is inherited is of another job, in which this one was
/// submitted.
fn is_of_a_contract(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    [&b"SM_"[..], b"SAGEMAKER_", b"TRAINING_JOB_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Waits for the script's end, or the supervisor's: then there is no exit code. SIGTERM is passed on to the script, and
/// followed by SIGKILL when its time is over.
async fn watch(script: &mut Child, plan: &Plan, mut terminate: unix::Signal) -> std::io::Result<Option<i32>> {
    let group = group_of(script);
    let mut deadline: Option<Instant> = None;
    loop {
        let out_of_time = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = script.wait() => {
                if let (Some(group), Some(deadline), true) = (group, deadline, plan.stop_group) {
                    // Those that are left when the time is over are killed with all the others.
                    let _in_time = timeout_at(deadline, table::end_of_group(group)).await;
                }
                return status.map(|status| Some(exit_code(status)));
            }
            _ = terminate.recv() => {
                deadline.get_or_insert_with(|| Instant::now() + plan.stop_grace);
                pass_on(group, Signal::SIGTERM, plan.stop_group);
            }
            () = out_of_time => {
                deadline = None;
                pass_on(group, Signal::SIGKILL, plan.stop_group);
            }
            () = plan.orphaned() => return Ok(None),
        }
    }
}

/// The script leads a process group of its own.
fn group_of(script: &Child) -> Option<Pid> {
    script.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
}

fn pass_on(script: Option<Pid>, signal: Signal, to_group: bool) {
    let Some(script) = script else { return };
    // One that is stopped handles nothing.
    for signal in [signal, Signal::SIGCONT] {
        // One that ended just now needs no signal.
        let _gone = if to_group { killpg(script, signal) } else { kill(script, signal) };
    }
}

/// Python's return code: minus the number of the signal that ended the script.
fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(1)
}
