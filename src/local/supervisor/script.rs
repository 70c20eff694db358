//! The training phase: runs the script under its guard until it ends, is stopped, or exceeds its time.

use std::fs;
use std::io::{self, PipeReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::host;
use super::output::JobOutput;
use super::running_job::RunningJob;
use crate::contract::{self, Container, ContractError, EntryPointKind, Layout};
use crate::local::guard::Plan;
use crate::local::process::{survivors, table};
use crate::local::python::interpreter;
use crate::local::store::job_state::to_json;
use crate::local::store::{layout, private_file};
use crate::local::{LocalError, LocalResult};

/// Time for the guard to kill the script's processes, after the stop grace.
const GUARD_TIMEOUT: Duration = Duration::from_secs(10);

const NO_TORCHRUN: &str = "distribution.type = \"torch_distributed\" starts the script by torchrun, and";
const INSTALL_TORCH: &str = "name it in requirements.txt, or set [local] python to a Python that has it";
/// Program that exits with 0 if its Python has torchrun, without importing torch.
const FIND_TORCHRUN: &str = "import importlib.util, os, site, sys
if sys.prefix == sys.base_prefix:
    sys.path.append(site.getusersitepackages())
torch = importlib.util.find_spec('torch')
folders = (torch and torch.submodule_search_locations) or []
sys.exit(not any(os.path.exists(os.path.join(folder, 'distributed', 'run.py')) for folder in folders))";
/// Variable with the port at which torchrun's processes meet. By itself torchrun takes always the same, which in a
/// container no other job has.
/// Source: PyTorch 2.9, `torch/distributed/run.py` and `argparse_util.py`.
const TORCHRUN_PORT: &str = "PET_MASTER_PORT";

/// Ending of the script.
pub(super) enum Ended {
    Success,
    Stopped,
    MaxRunExceeded,
    /// `exit_code` is Python's: negative for a signal.
    Failed {
        exit_code: i32,
        command: String,
    },
    /// The script can't be started, for a reason that its user can mend.
    Refused(String),
    /// An error of smtrain or the system.
    Trouble(String),
}

/// Thread that reads a script's output.
struct OutputReader {
    done: JoinHandle<(JobOutput, io::Result<()>)>,
    /// Cancelled at the end of the output.
    ended: CancellationToken,
    /// Cancelled when the log can't be written.
    failing: CancellationToken,
}

/// Runs the script under its guard. Returns its ending, and the output with all that it printed.
pub(super) async fn run(
    job: &mut RunningJob<'_>,
    layout: &Layout,
    python: &str,
    output: JobOutput,
) -> LocalResult<(Ended, JobOutput)> {
    let command = command(job, layout, python)?;
    if command.is_distributed && !has_torchrun(python).await {
        return Ok((Ended::Refused(format!("{NO_TORCHRUN} {python} has no torch: {INSTALL_TORCH}")), output));
    }
    make_runnable(job, &command)?;
    job.folder.reserve_exit_code()?;
    let plan = plan(job, layout, &command)?;
    layout::replace(&job.folder.plan(), &to_json(&plan)?)?;
    let (mut guard, pipe) = start_guard(job).map_err(LocalError::io("start the script's guard"))?;
    let reading = read(output, pipe);
    let cut_short = watch(job, &mut guard, &reading).await?;
    // If the guard was killed, the script's processes are still alive, and may hold the pipe open.
    table::end_descendants().await;
    let (output, outcome) = JobOutput::join_reader(reading.done, job).await?;
    let ended = match (cut_short, outcome) {
        (_, Err(error)) => Ended::Trouble(format!("could not write the job's log: {error}")),
        (Some(ended), Ok(())) => ended,
        (None, Ok(())) => by_exit_code(job, &command)?,
    };
    Ok((ended, output))
}

/// Makes a shell entry point executable, as the toolkit does. Fails if it leads out of the source folder.
fn make_runnable(job: &RunningJob<'_>, command: &contract::ScriptCommand) -> LocalResult<()> {
    if command.kind != EntryPointKind::Shell {
        return Ok(());
    }
    let entry_point = job.code().join(&command.entry_point);
    let find = || Ok((job.code().canonicalize()?, entry_point.canonicalize()?));
    let (code, target) = find().map_err(LocalError::io(format!("find the entry point {}", command.entry_point)))?;
    if !target.starts_with(code) {
        return Err(LocalError::Other(ContractError::EntryPoint(command.entry_point.clone()).to_string()));
    }
    fs::set_permissions(&target, fs::Permissions::from_mode(0o777))
        .map_err(LocalError::io(format!("make {} executable", command.entry_point)))
}

/// Returns the command that the container contract prescribes for the job.
pub(super) fn command(job: &RunningJob<'_>, layout: &Layout, python: &str) -> LocalResult<contract::ScriptCommand> {
    let setup = job.code().join("setup.py");
    let container = Container {
        job_arn: &job.state.training_job_arn,
        layout,
        region: job.options.region.as_deref(),
        host: &host::describe(&job.request, job.devices),
        python,
        has_setup_py: private_file::exists(&setup).map_err(LocalError::io(format!("look for {}", setup.display())))?,
    };
    contract::command(&job.request, &container).map_err(|error| LocalError::Other(error.to_string()))
}

async fn has_torchrun(python: &str) -> bool {
    interpreter::ask(Path::new(python), FIND_TORCHRUN).await.is_ok()
}

/// Returns a port of this computer that is free now.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn plan(job: &RunningJob<'_>, layout: &Layout, command: &contract::ScriptCommand) -> LocalResult<Plan> {
    let mut variables = command.variables.clone();
    if command.is_distributed && !variables.contains_key(TORCHRUN_PORT) {
        let port = free_port().map_err(LocalError::io("find a free port for torchrun"))?;
        variables.insert(TORCHRUN_PORT.to_owned(), port.to_string());
    }
    Ok(Plan {
        argv: command.argv.clone(),
        variables,
        directory: layout.code(),
        mount: *layout == Layout::opt_ml(),
        stop_group: command.kind == EntryPointKind::Shell,
        stop_grace: job.options.stop_grace,
        log: job.folder.stream().map_err(LocalError::io("find the job's log"))?,
        supervisor: std::process::id(),
    })
}

/// Starts the guard, which inherits the job's lock, so that the job isn't abandoned while the guard lives.
fn start_guard(job: &RunningJob<'_>) -> io::Result<(Child, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    let guard = Command::new(job.executable)
        .arg(survivors::GUARD)
        .arg(job.folder.path())
        .stdin(Stdio::inherit())
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer))
        .spawn()?;
    Ok((guard, reader))
}

fn read(mut output: JobOutput, pipe: PipeReader) -> OutputReader {
    let ended = CancellationToken::new();
    let failing = CancellationToken::new();
    let ended_in_task = ended.clone();
    let failing_in_task = failing.clone();
    let done = tokio::task::spawn_blocking(move || {
        let outcome = output.read_script(pipe, &failing_in_task);
        ended_in_task.cancel();
        (output, outcome)
    });
    OutputReader { done, ended, failing }
}

/// Waits for the guard's end. Returns what cut the script short, if anything did.
async fn watch(job: &mut RunningJob<'_>, guard: &mut Child, reading: &OutputReader) -> LocalResult<Option<Ended>> {
    let stop = job.stop.clone();
    let deadline = job.deadline;
    let mut cut_short = None;
    let mut is_released = false;
    let mut kill_at: Option<Instant> = None;
    loop {
        tokio::select! {
            status = guard.wait() => {
                status.map_err(LocalError::io("wait for the script's guard"))?;
                return Ok(cut_short);
            }
            () = stop.cancelled(), if cut_short.is_none() => {
                cut_short = Some(Ended::Stopped);
                kill_at = Some(stopping(job, guard));
            }
            () = sleep_until(deadline), if cut_short.is_none() => {
                cut_short = Some(Ended::MaxRunExceeded);
                kill_at = Some(stopping(job, guard));
            }
            () = reading.failing.cancelled(), if cut_short.is_none() => {
                cut_short = Some(Ended::Trouble("the log can't be written".to_owned()));
                kill_at = Some(terminate(job, guard));
            }
            () = sleep_until(kill_at.unwrap_or(deadline)), if kill_at.is_some() => {
                kill_at = None;
                send(guard, Signal::SIGKILL);
            }
            () = reading.ended.cancelled(), if !is_released => {
                // At the end of its output, the guard has written the exit code and waits to be killed.
                is_released = true;
                send(guard, Signal::SIGKILL);
            }
        }
    }
}

/// Makes the guard stop the script, and returns the deadline for it.
fn stopping(job: &mut RunningJob<'_>, guard: &Child) -> Instant {
    let kill_at = terminate(job, guard);
    job.enter_stopping();
    kill_at
}

/// Sends SIGTERM to the guard, and returns the deadline for its end.
fn terminate(job: &RunningJob<'_>, guard: &Child) -> Instant {
    send(guard, Signal::SIGTERM);
    // A stopped process handles no signals.
    send(guard, Signal::SIGCONT);
    Instant::now() + job.options.stop_grace + GUARD_TIMEOUT
}

fn send(guard: &Child, signal: Signal) {
    if let Some(pid) = guard.id().and_then(|id| i32::try_from(id).ok()) {
        // A guard that has just ended is noticed by `wait`.
        let _gone = kill(Pid::from_raw(pid), signal);
    }
}

/// Returns the ending by the exit code that the guard wrote. A guard that was killed wrote none.
fn by_exit_code(job: &RunningJob<'_>, command: &contract::ScriptCommand) -> LocalResult<Ended> {
    Ok(match job.folder.read_exit_code()? {
        Some(0) => Ended::Success,
        Some(exit_code) => Ended::Failed { exit_code, command: command.text() },
        None => Ended::Trouble(
            "the process that guards the script was killed, or could not do its work: see the end of the log"
                .to_owned(),
        ),
    })
}
