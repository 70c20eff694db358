//! The supervisor: the process that looks after one local job from its start to its end, whatever becomes of the terminal
//! that started it.

mod artifacts;
mod host;
mod install;
mod output;
mod script;
mod stage;

use std::fs::{File, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::process::table::{self, ProcessIdentity};
use super::python::interpreter::{self, Interpreter};
use super::store::job_state::{self, Ending, to_json};
use super::store::layout::{self, Home, JobFolder};
use super::store::stop_request::{self, Absence, STOP_POLL_INTERVAL};
use crate::contract::failure::CONTAINER_EXIT_CODE;
use crate::contract::{ToolkitError, Layout, failure_reason, failure_text};
use crate::local::{LocalError, LocalResult};
use crate::model::artifacts::KEPT_IN;
use crate::model::job_status::phase;
use crate::model::request::CreateTrainingJobRequest;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobStatus, LocalOptions};
use output::JobOutput;

/// The longest `max_run` that a timer is set for; beyond it there is none.
const FAR_AWAY: Duration = Duration::from_hours(10 * 365 * 24);

/// The longest FailureReason, in characters.
const MAX_REASON: usize = 1024;

/// How much of `output/failure` is read, in bytes: a FailureReason has 1024 characters.
const MAX_FAILURE: u64 = 64 * 1024;

/// Everything that the phases of a job share.
struct RunningJob<'a> {
    home: &'a Home,
    cache: &'a Path,
    executable: &'a Path,
    folder: JobFolder,
    request: CreateTrainingJobRequest,
    options: LocalOptions,
    state: DescribeTrainingJobResponse,
    /// Somebody asked the job to stop.
    stop: CancellationToken,
    /// When `max_run` is over.
    deadline: Instant,
    /// The file that the last state is written to: opened while files can be.
    reserve: Option<File>,
}

/// Looks after the job in `folder` until it has ended and its end is written down. The job's lock is standard input.
pub(crate) async fn run(home: &Home, cache: &Path, executable: &Path, folder: &Path) -> LocalResult<()> {
    let Err(error) = look_after(home, cache, executable, folder).await else { return Ok(()) };
    // Where that can't be written either, what this process says of it, in its own log, is what is left.
    let _unwritten = JobFolder::at(folder.to_owned()).settle(&internal_error(&error));
    Err(LocalError::Other(with_causes(&error)))
}

/// An error is one of the beginning or of the end; all others are how the job ended.
async fn look_after(home: &Home, cache: &Path, executable: &Path, folder: &Path) -> LocalResult<()> {
    // A session of its own has no terminal: whoever asks there for a password would be stopped, and this process with it.
    nix::unistd::setsid().map_err(|error| LocalError::io("leave the terminal")(error.into()))?;
    // The folder that the job was submitted in may be removed, or on a disk that is to be unmounted.
    nix::unistd::chdir(folder).map_err(|error| LocalError::io("enter the job's folder")(error.into()))?;
    let folder = JobFolder::at(folder.to_owned());
    let stop = listen_for_stop(&folder)?;
    table::adopt_orphans();
    let request = folder.read_request()?.typed().map_err(|error| LocalError::Other(error.to_string()))?;
    let (options, state) = (folder.read_options()?, folder.read_state()?);
    let deadline = Instant::now() + FAR_AWAY;
    let reserve = folder.open_reserve().ok();
    let mut job = RunningJob { home, cache, executable, folder, request, options, state, stop, deadline, reserve };
    let ending = match job.phases().await {
        Ok(ending) => ending,
        Err(error) => Ending::failed(internal_error(&error)),
    };
    job.finish(ending).await
}

/// A file asks to stop, and so do SIGTERM and a folder that is gone, where no file can be put.
fn listen_for_stop(folder: &JobFolder) -> LocalResult<CancellationToken> {
    let listening = LocalError::io("listen for signals");
    let mut signals = signal(SignalKind::terminate())
        .and_then(|terminate| Ok((terminate, signal(SignalKind::hangup())?)))
        .map_err(listening)?;
    let stop = CancellationToken::new();
    let (asked, watched) = (stop.clone(), folder.clone());
    let mut absence = Absence::default();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = signals.0.recv() => asked.cancel(),
                // The end of a login may be told to all of the user's processes: the job goes on.
                _ = signals.1.recv() => {}
                () = sleep(STOP_POLL_INTERVAL) => {
                    if stop_request::hear(&watched) || absence.is_final(&watched) {
                        asked.cancel();
                    }
                }
            }
        }
    });
    layout::replace(&folder.pid(), &to_json(&ProcessIdentity::own())?)?;
    Ok(stop)
}

impl RunningJob<'_> {
    async fn phases(&mut self) -> LocalResult<Ending> {
        self.enter(phase::DOWNLOADING, "Preparing the code and the input data");
        let stop = self.stop.clone();
        // What is under way when the job is stopped goes no further than the process that it has started.
        let (interpreter, layout) = tokio::select! {
            staged = self.stage() => staged?,
            () = stop.cancelled() => return Ok(self.stopped_early(Ending::stopped())),
        };
        // On SageMaker the container installs what the code needs: it is part of the run.
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
        Ok((interpreter::find(self.options.python.as_deref()).await?, stage::input(self).await?))
    }

    /// How the job ends, in place of what the script needs, when that can't be installed.
    async fn install(&mut self, interpreter: &Interpreter, layout: Layout) -> LocalResult<Result<Ready, Ending>> {
        let output = JobOutput::create(&self.folder, self.metric_definitions())?;
        install::requirements(self, interpreter, layout, output).await
    }

    fn stopped_early(&mut self, ending: Ending) -> Ending {
        self.enter_stopping();
        ending
    }

    fn enter_stopping(&mut self) {
        self.state.training_job_status = JobStatus::Stopping;
        self.enter(phase::STOPPING, "Stopping the training job");
    }

    async fn train(&mut self, Ready { layout, output, python }: Ready) -> LocalResult<Ending> {
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

    /// The artifacts of a job that completed or was stopped are kept; of one that failed, its output data.
    async fn upload(&mut self, ended: script::Ended, output: &JobOutput) -> LocalResult<Ending> {
        let ending = match ended {
            script::Ended::Success => Ending::completed(),
            script::Ended::Stopped => Ending::stopped(),
            script::Ended::MaxRunExceeded => Ending::max_run_exceeded(),
            script::Ended::Failed { exit_code, command } => {
                self.failed(ToolkitError::ExecuteUserScript, exit_code, &output.error_message(), &command)
            }
            script::Ended::Trouble(why) => Ending::failed(format!("InternalServerError: {why}")),
        };
        self.enter(phase::UPLOADING, "Storing the model and the output data");
        match artifacts::store(self, &ending).await {
            // Why the script failed counts for more.
            Err(error) if ending.status != JobStatus::Failed => Ok(Ending::failed(self.unstored(&error))),
            _ => Ok(ending),
        }
    }

    fn unstored(&self, error: &LocalError) -> String {
        let kept = format!("{KEPT_IN}{}", self.folder.ml().display());
        shortened(&internal_error(error), MAX_REASON.saturating_sub(kept.chars().count())) + &kept
    }

    /// The reason that SageMaker would give: of `output/failure`, which the script may have written itself.
    fn failed(&self, failure: ToolkitError, exit_code: i32, message: &str, command: &str) -> Ending {
        let file = Layout::at(self.folder.ml()).failure();
        let text = words_of_script(&file).filter(|text| !text.trim().is_empty()).unwrap_or_else(|| {
            let text = failure_text(failure, exit_code, message, command);
            // Only for those who look into the folder: the reason is in the job's state.
            let _kept = File::create_new(&file).and_then(|mut file| file.write_all(text.as_bytes()));
            text
        });
        Ending::failed(failure_reason(Some(&text), CONTAINER_EXIT_CODE))
    }

    /// Writes down how the job ended. One that was asked to stop, however late, ends Stopped: what it has left is stored.
    async fn finish(&mut self, ending: Ending) -> LocalResult<()> {
        table::end_descendants().await;
        let is_asked = stop_request::hear(&self.folder) || self.stop.is_cancelled();
        let ending = if is_asked { ending.stopped_if_completed() } else { ending };
        job_state::end(&mut self.state, &ending, Timestamp::now());
        self.folder.close(&self.state, self.reserve.take())
    }

    fn enter(&mut self, phase: &str, message: &str) {
        job_state::enter(&mut self.state, phase, message, Timestamp::now());
        // A phase that can't be written is no reason to end the job; for its end, space was kept back.
        let _unwritten = self.folder.write_state(&self.state);
    }

    /// Where the code lies, as this process sees it.
    fn code(&self) -> PathBuf {
        Layout::at(self.folder.ml()).code()
    }

    fn metric_definitions(&self) -> &[crate::model::request::MetricDefinition] {
        let algorithm = self.request.algorithm_specification.as_ref();
        algorithm.and_then(|algorithm| algorithm.metric_definitions.as_deref()).unwrap_or_default()
    }

    fn max_run(&self) -> Duration {
        let condition = self.request.stopping_condition.as_ref();
        let seconds = condition.and_then(|condition| condition.max_runtime_in_seconds);
        seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(FAR_AWAY, Duration::from_secs)
    }
}

/// What the script needs to be run.
struct Ready {
    layout: Layout,
    output: JobOutput,
    python: String,
}

/// The script's own `output/failure`. Whatever it made there, this neither waits for it nor reads all of it.
fn words_of_script(file: &Path) -> Option<String> {
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(file).ok()?;
    let mut text = Vec::new();
    file.metadata().ok().filter(Metadata::is_file)?;
    file.take(MAX_FAILURE).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// SageMaker's word for what is not the script's fault.
fn internal_error(error: &LocalError) -> String {
    shortened(&format!("InternalServerError: {}", with_causes(error)), MAX_REASON)
}

/// A text of at most so many characters: a longer one loses its middle, such as that of a path.
fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(3);
    let start: String = text.chars().take(kept.div_ceil(2)).collect();
    let end: String = text.chars().skip(count - kept / 2).collect();
    format!("{start}...{end}")
}

/// An error and all that caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
