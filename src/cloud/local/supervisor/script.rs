//! The training phase: the script runs under its guard until it ends, is stopped, or has run too long.

use std::io::{self, PipeReader};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::output::{Output, stream_file};
use super::{Job, host};
use crate::cloud::local::contract::{self, Container, Layout};
use crate::cloud::local::guard::{GUARD, Plan};
use crate::cloud::local::state::to_json;
use crate::cloud::local::{home, processes};
use crate::cloud::{CloudError, CloudResult};
use crate::model::JobStatus;
use crate::model::job_status::phase;

/// How often is looked whether the log can still be written.
const LOG_CHECK: Duration = Duration::from_millis(200);

/// How the script ended.
pub(super) enum Ended {
    Success,
    Stopped,
    MaxRunExceeded,
    /// `exit_code` is Python's: minus the number for a signal.
    Failed {
        exit_code: i32,
        command: String,
    },
    /// Not the script's fault.
    Trouble(String),
}

/// The reading of a script's output, on a thread of its own.
type Reading = JoinHandle<(Output, io::Result<()>)>;

pub(super) async fn run(
    job: &mut Job<'_>,
    layout: &Layout,
    python: &str,
    output: Output,
) -> CloudResult<(Ended, Output)> {
    let command = command(job, layout, python)?;
    let plan = plan(job, layout, &command);
    home::replace(&job.folder.plan(), &to_json(&plan)?)?;
    let (mut guard, pipe) = start_guard(job).map_err(CloudError::io("start the script's guard"))?;
    let reading = read(output, pipe);
    let cut_short = watch(job, &mut guard, &reading).await?;
    // Were the guard killed, what it guarded is still there, and may hold the pipe open.
    processes::end_descendants().await;
    let (output, outcome) = finished(reading.await)?;
    let ended = match (cut_short, outcome) {
        (_, Err(error)) => Ended::Trouble(format!("could not write the job's log: {error}")),
        (Some(ended), Ok(())) => ended,
        (None, Ok(())) => by_exit_code(job, &command),
    };
    Ok((ended, output))
}

fn command(job: &Job<'_>, layout: &Layout, python: &str) -> CloudResult<contract::Command> {
    let container = Container {
        job_arn: &job.state.training_job_arn,
        layout,
        host: &host::describe(&job.request),
        python,
        has_setup_py: job.code().join("setup.py").exists(),
    };
    contract::command(&job.request, &container).map_err(|error| CloudError::Other(error.to_string()))
}

fn plan(job: &Job<'_>, layout: &Layout, command: &contract::Command) -> Plan {
    Plan {
        argv: command.argv.clone(),
        variables: command.variables.clone(),
        directory: layout.code(),
        mount: *layout == Layout::opt_ml(),
        stop_grace: job.options.stop_grace,
        log: stream_file(&job.folder),
    }
}

/// The guard inherits the job's lock, so that the job counts as looked after until the guard, too, has ended.
fn start_guard(job: &Job<'_>) -> io::Result<(Child, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    let guard = Command::new(job.executable)
        .arg(GUARD)
        .arg(job.folder.path())
        .stdin(Stdio::inherit())
        .stdout(Stdio::from(writer.try_clone()?))
        .stderr(Stdio::from(writer))
        .spawn()?;
    Ok((guard, reader))
}

fn read(mut output: Output, pipe: PipeReader) -> Reading {
    tokio::task::spawn_blocking(move || {
        let outcome = output.pump(pipe);
        (output, outcome)
    })
}

/// Waits for the guard's end. The result says what cut the script short, if anything did.
async fn watch(job: &mut Job<'_>, guard: &mut Child, reading: &Reading) -> CloudResult<Option<Ended>> {
    let (stop, deadline) = (job.stop.clone(), Instant::now() + job.max_run());
    let (mut cut_short, mut given_up) = (None, false);
    loop {
        tokio::select! {
            status = guard.wait() => {
                status.map_err(CloudError::io("wait for the script's guard"))?;
                return Ok(cut_short);
            }
            () = stop.cancelled(), if cut_short.is_none() => {
                cut_short = Some(Ended::Stopped);
                stopping(job, guard)?;
            }
            () = sleep_until(deadline), if cut_short.is_none() => {
                cut_short = Some(Ended::MaxRunExceeded);
                stopping(job, guard)?;
            }
            () = ended_early(reading), if !given_up => {
                given_up = true;
                send(guard, Signal::SIGKILL);
            }
        }
    }
}

/// The reading ends before the guard only when the log can't be written.
async fn ended_early(reading: &Reading) {
    while !reading.is_finished() {
        sleep(LOG_CHECK).await;
    }
}

fn stopping(job: &mut Job<'_>, guard: &Child) -> CloudResult<()> {
    send(guard, Signal::SIGTERM);
    job.state.training_job_status = JobStatus::Stopping;
    job.enter(phase::STOPPING, "Stopping the training job")
}

fn send(guard: &Child, signal: Signal) {
    if let Some(pid) = guard.id().and_then(|id| i32::try_from(id).ok()) {
        // A guard that ended just now is met by the wait.
        let _gone = kill(Pid::from_raw(pid), signal);
    }
}

fn finished<T>(joined: Result<T, tokio::task::JoinError>) -> CloudResult<T> {
    joined.map_err(|error| CloudError::Other(format!("the log's reader ended: {error}")))
}

/// What the guard wrote down. One that was killed wrote nothing.
fn by_exit_code(job: &Job<'_>, command: &contract::Command) -> Ended {
    let written = std::fs::read_to_string(job.folder.exit_code()).ok();
    match written.and_then(|text| text.trim().parse().ok()) {
        Some(0) => Ended::Success,
        Some(exit_code) => Ended::Failed { exit_code, command: command.text() },
        None => Ended::Trouble("the process that guards the script was killed".to_owned()),
    }
}
