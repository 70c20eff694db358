//! The supervisor: the process that runs one local job from its start to its end, independently of the terminal that
//! submitted it.
//!
//! It enters the phases of a SageMaker job in order: it stages code and input ([`stage`]), installs requirements
//! ([`install`]), runs the script under a guard ([`script`]) while it copies the output into the log ([`output`]), and
//! stores the artifacts ([`artifacts`]). A stop request, SIGTERM or the removal of the job's folder cancels
//! [`RunningJob::stop`], and each phase ends early then. The supervisor holds the job's lock as its standard input;
//! once the lock is free, readers settle the job as failed.

mod artifacts;
mod checkpoints;
mod host;
mod install;
mod output;
mod reason;
mod running_job;
mod script;
mod stage;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::host::Devices;
use self::install::ReadyScript;
use self::output::JobOutput;
use self::reason::{MAX_REASON, internal_error, shortened, with_causes};
use self::running_job::RunningJob;
use super::process::table::{self, ProcessIdentity};
use super::python::interpreter::{self, Interpreter};
use super::store::job_state::{self, Ending, to_json};
use super::store::layout::{self, Home, JobFolder};
use super::store::stop_request::{self, Absence, STOP_POLL_INTERVAL};
use crate::contract::failure::CONTAINER_EXIT_CODE;
use crate::contract::{Layout, ToolkitError, failure_reason};
use crate::local::{FindProgram, LocalError, LocalResult};
use crate::model::JobStatus;
use crate::model::artifacts::KEPT_IN;
use crate::model::job_status::phase;
use crate::model::training_job::ModelArtifacts;

/// Maximum `max_run` for which a timer is set. Longer ones count as unlimited.
const MAX_TIMER: Duration = Duration::from_hours(10 * 365 * 24);

/// Runs the job in `folder` until its final state is written. Standard input must be the job's lock.
pub(crate) async fn run(
    home: &Home,
    cache: &Path,
    executable: &Path,
    folder: &Path,
    find_program: FindProgram,
) -> LocalResult<()> {
    let Err(error) = Box::pin(supervise(home, cache, executable, folder, find_program)).await else { return Ok(()) };
    // If this can't be written either, the supervisor's own log has the error.
    let _unwritten = JobFolder::at(folder.to_owned()).settle(&internal_error(&error));
    Err(LocalError::Other(with_causes(&error)))
}

/// Runs the job. Errors only before the first phase or while the final state is written: all other errors are the job's
/// ending.
async fn supervise(
    home: &Home,
    cache: &Path,
    executable: &Path,
    folder: &Path,
    find_program: FindProgram,
) -> LocalResult<()> {
    // A session of its own has no controlling terminal: a program that prompts there fails instead of stopping the job.
    nix::unistd::setsid().map_err(|error| LocalError::io("leave the terminal")(error.into()))?;
    // The current directory may be removed or unmounted while the job runs.
    nix::unistd::chdir(folder).map_err(|error| LocalError::io("enter the job's folder")(error.into()))?;
    let folder = JobFolder::at(folder.to_owned());
    let stop = listen_for_stop(&folder)?;
    table::adopt_orphans();
    let request = folder.read_request()?.typed().map_err(|error| LocalError::Other(error.to_string()))?;
    let options = folder.read_options()?;
    let state = folder.read_state()?;
    let deadline = Instant::now() + MAX_TIMER;
    let reserve = folder.open_reserve().ok();
    let mut job = RunningJob {
        home,
        cache,
        executable,
        folder,
        request,
        options,
        state,
        stop,
        deadline,
        find_program,
        devices: Devices::default(),
        reserve,
    };
    let ending = match job.run_phases().await {
        Ok(ending) => ending,
        Err(error) => Ending::failed(internal_error(&error)),
    };
    job.finish(ending).await
}

/// Returns a token that is cancelled by a stop request, by SIGTERM, or when the job's folder is gone, which could hold
/// no request. Writes the supervisor's process id, which signals that it is ready.
fn listen_for_stop(folder: &JobFolder) -> LocalResult<CancellationToken> {
    let listening = LocalError::io("listen for signals");
    let mut signals = signal(SignalKind::terminate())
        .and_then(|terminate| Ok((terminate, signal(SignalKind::hangup())?)))
        .map_err(listening)?;
    let stop = CancellationToken::new();
    let stop_in_task = stop.clone();
    let folder_in_task = folder.clone();
    let mut absence = Absence::default();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = signals.0.recv() => stop_in_task.cancel(),
                // The end of a login may send SIGHUP to all of the user's processes: the job goes on.
                _ = signals.1.recv() => {}
                () = sleep(STOP_POLL_INTERVAL) => {
                    if stop_request::acknowledge(&folder_in_task) || absence.is_final(&folder_in_task) {
                        stop_in_task.cancel();
                    }
                }
            }
        }
    });
    layout::replace(&folder.pid(), &to_json(&ProcessIdentity::own())?)?;
    Ok(stop)
}

impl RunningJob<'_> {
    async fn run_phases(&mut self) -> LocalResult<Ending> {
        self.enter(phase::DOWNLOADING, "Preparing the code and the input data");
        let stop = self.stop.clone();
        // A phase that is cut short is dropped at its next await, and kills the child process that it started.
        let (interpreter, layout) = tokio::select! {
            staged = self.stage() => staged?,
            () = stop.cancelled() => return Ok(self.stopped_early(Ending::stopped())),
        };
        // On SageMaker the container installs the requirements, so that `max_run` includes it.
        self.deadline = Instant::now() + self.max_run();
        let deadline = self.deadline;
        let installed = tokio::select! {
            installed = self.install(&interpreter, layout) => installed?,
            () = stop.cancelled() => return Ok(self.stopped_early(Ending::stopped())),
            () = sleep_until(deadline) => return Ok(self.stopped_early(Ending::max_run_exceeded())),
        };
        match installed {
            Ok(ready) => self.train(ready).await,
            Err(ending) => Ok(ending),
        }
    }

    async fn stage(&mut self) -> LocalResult<(Interpreter, Layout)> {
        self.devices = Devices::count(self.find_program).await;
        let interpreter = interpreter::find(self.options.python.as_deref(), self.find_program, &[]).await?;
        Ok((interpreter, stage::input(self).await?))
    }

    /// Installs the requirements. The inner error is the job's ending if they can't be installed.
    async fn install(&mut self, interpreter: &Interpreter, layout: Layout) -> LocalResult<Result<ReadyScript, Ending>> {
        let output = JobOutput::create(&self.folder, self.metric_definitions())?;
        install::requirements(self, interpreter, layout, output).await
    }

    fn stopped_early(&mut self, ending: Ending) -> Ending {
        self.enter_stopping();
        ending
    }

    async fn train(&mut self, ReadyScript { layout, output, python }: ReadyScript) -> LocalResult<Ending> {
        self.state.training_start_time = Some(Timestamp::now());
        self.enter(phase::TRAINING, "Training in progress");
        let (ended, output) = script::run(self, &layout, &python, output).await?;
        self.state.final_metric_data_list = Some(output.final_metrics()).filter(|metrics| !metrics.is_empty());
        let mut ending = self.upload(ended, &output).await?;
        if let Some(damage) = output.check_log() {
            ending.message = format!("{}; {damage}", ending.message);
        }
        Ok(ending)
    }

    /// Stores the artifacts: model and output data of a job that completed or was stopped, output data of one that
    /// failed.
    async fn upload(&mut self, ended: script::Ended, output: &JobOutput) -> LocalResult<Ending> {
        let ending = match ended {
            script::Ended::Success => Ending::completed(),
            script::Ended::Stopped => Ending::stopped(),
            script::Ended::MaxRunExceeded => Ending::max_run_exceeded(),
            script::Ended::Failed { exit_code, command } => {
                self.failed(ToolkitError::ExecuteUserScript, exit_code, &output.error_message(), &command)
            }
            script::Ended::Refused(why) => Ending::failed(failure_reason(Some(&why), CONTAINER_EXIT_CODE)),
            script::Ended::Trouble(why) => Ending::failed(format!("InternalServerError: {why}")),
        };
        self.enter(phase::UPLOADING, "Storing the model and the output data");
        match artifacts::store(self, &ending).await {
            // The failure of a script takes precedence over that of storing its output.
            Err(error) if ending.status != JobStatus::Failed => Ok(Ending::failed(self.not_stored(&error))),
            Err(_) => Ok(ending),
            Ok(model) => {
                self.state.model_artifacts = model.map(|uri| ModelArtifacts { s3_model_artifacts: uri });
                Ok(ending)
            }
        }
    }

    fn not_stored(&self, error: &LocalError) -> String {
        let kept = format!("{KEPT_IN}{}", self.folder.ml().display());
        shortened(&internal_error(error), MAX_REASON.saturating_sub(kept.chars().count())) + &kept
    }

    /// Writes the final state. A completed job that was asked to stop, however late, ends as Stopped, with its
    /// artifacts.
    async fn finish(&mut self, ending: Ending) -> LocalResult<()> {
        table::end_descendants().await;
        let is_stop_requested = stop_request::acknowledge(&self.folder) || self.stop.is_cancelled();
        let ending = if is_stop_requested { ending.stopped_if_completed() } else { ending };
        job_state::end(&mut self.state, &ending, Timestamp::now());
        self.folder.close(&self.state, self.reserve.take())
    }

    fn max_run(&self) -> Duration {
        let condition = self.request.stopping_condition.as_ref();
        let seconds = condition.and_then(|condition| condition.max_runtime_in_seconds);
        seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(MAX_TIMER, Duration::from_secs)
    }
}
