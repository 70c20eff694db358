//! A local job's state: one JSON file, replaced atomically, and a lock that is held while a process runs the job.
//!
//! A job without a holder of its lock has lost its supervisor and guard: the next reader settles it as failed. A file
//! of reserved size lets the final state be written on a full disk. On an unwritable disk, readers still report the
//! true state.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::layout::{self, JobFolder};
use super::{private_file, stop_request};
use crate::local::log::recovery;
use crate::local::process::survivors;
use crate::local::{LocalError, LocalResult};
use crate::model::job_status::phase;
use crate::model::training_job::{DescribeTrainingJobResponse, SecondaryStatusTransition};
use crate::model::{JobStatus, LocalOptions, RequestDocument, shell_quote};

/// FailureReason of a job whose supervisor and guard are gone.
const ABANDONED: &str = "InternalServerError: the process that looked after this job ended without \
     recording why: it was killed, the computer was restarted, or its state could not be written";
/// FailureReason, written by the guard, of a job whose supervisor was killed.
pub(crate) const SUPERVISOR_KILLED: &str = "InternalServerError: the supervisor of this job was killed";
/// Status message of a completed job.
const COMPLETED: &str = "Training job completed";
/// Maximum length of the quote from the supervisor's log in a reason, in characters.
const MAX_LOG_QUOTE_CHARS: usize = 400;
/// Bytes that a state may grow by until its end: phases, a reason of 1024 characters, 40 metrics.
const MAX_GROWTH_BYTES: usize = 32 * 1024;

/// Returns the state of a new job: DescribeTrainingJob repeats the request's fields under their names.
pub(crate) fn initial(
    request: &RequestDocument,
    arn: &str,
    now: Timestamp,
) -> LocalResult<DescribeTrainingJobResponse> {
    let answer = || {
        let typed = request.typed()?;
        let mut answer = request.document().clone();
        answer["TrainingJobArn"] = arn.into();
        answer["TrainingJobStatus"] = JobStatus::InProgress.as_str().into();
        answer["SecondaryStatus"] = phase::STARTING.into();
        answer["CreationTime"] = now.to_string().into();
        if typed.stopping_condition.is_none() {
            answer["StoppingCondition"] = json!({});
        }
        DescribeTrainingJobResponse::deserialize(answer)
    };
    let mut state = answer().map_err(|error: serde_json::Error| LocalError::Other(error.to_string()))?;
    enter(&mut state, phase::STARTING, "Preparing the job on this computer", now);
    Ok(state)
}

/// Ends the current phase and starts the next.
pub(crate) fn enter(state: &mut DescribeTrainingJobResponse, phase: &str, message: &str, now: Timestamp) {
    let transitions = state.secondary_status_transitions.get_or_insert_default();
    if let Some(last) = transitions.last_mut() {
        last.end_time.get_or_insert(now);
    }
    transitions.push(SecondaryStatusTransition {
        status: phase.to_owned(),
        start_time: now,
        end_time: None,
        status_message: Some(message.to_owned()),
    });
    phase.clone_into(&mut state.secondary_status);
    state.last_modified_time = Some(now);
}

/// Sets the final status. The last phase starts and ends at `now`.
pub(crate) fn end(state: &mut DescribeTrainingJobResponse, ending: &Ending, now: Timestamp) {
    enter(state, ending.phase, &ending.message, now);
    if let Some(last) = state.secondary_status_transitions.iter_mut().flatten().last() {
        last.end_time = Some(now);
    }
    state.training_job_status = ending.status.clone();
    state.failure_reason.clone_from(&ending.reason);
    if let Some(start) = state.training_start_time {
        state.training_end_time = Some(now);
        let seconds = now.duration_since(start).as_secs().max(1);
        state.training_time_in_seconds = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
    }
}

/// Ending of a job.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) status: JobStatus,
    pub(crate) phase: &'static str,
    pub(crate) message: String,
    pub(crate) reason: Option<String>,
}

impl Ending {
    pub(crate) fn completed() -> Self {
        Self { status: JobStatus::Completed, phase: phase::COMPLETED, message: COMPLETED.into(), reason: None }
    }

    /// Returns the ending of a job that was asked to stop after its script had ended. StopTrainingJob makes a job
    /// Stopping, and it ends Stopped (SageMaker API reference); a failed one stays Failed.
    pub(crate) fn stopped_if_completed(self) -> Self {
        if self.status != JobStatus::Completed {
            return self;
        }
        let added = self.message.strip_prefix(COMPLETED).unwrap_or_default();
        let stopped = Self::stopped();
        Self { message: format!("{}{added}", stopped.message), ..stopped }
    }

    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        let message = "Training job failed".to_owned();
        Self { status: JobStatus::Failed, phase: phase::FAILED, message, reason: Some(reason.into()) }
    }

    pub(crate) fn stopped() -> Self {
        Self { status: JobStatus::Stopped, phase: phase::STOPPED, message: "Training job stopped".into(), reason: None }
    }

    pub(crate) fn max_run_exceeded() -> Self {
        let message = "Training job runtime exceeded MaxRuntimeInSeconds".to_owned();
        Self { status: JobStatus::Stopped, phase: phase::MAX_RUNTIME_EXCEEDED, message, reason: None }
    }
}

impl JobFolder {
    pub(crate) fn read_request(&self) -> LocalResult<RequestDocument> {
        self.read_json(&self.request())
    }

    pub(crate) fn read_options(&self) -> LocalResult<LocalOptions> {
        self.read_json(&self.options())
    }

    /// Reads the state as it was last written, which may be outdated. Fails with [`LocalError::Damaged`] if the job's
    /// folder exists, but the state can't be read.
    pub(crate) fn read_state(&self) -> LocalResult<DescribeTrainingJobResponse> {
        self.read_json(&self.state()).map_err(|error| self.damaged(error))
    }

    pub(crate) fn write_state(&self, state: &DescribeTrainingJobResponse) -> LocalResult<()> {
        layout::replace(&self.state(), &to_json(state)?)
    }

    /// Writes the first state, and reserves the disk space that [`Self::close`] will need.
    pub(crate) fn write_first_state(&self, state: &DescribeTrainingJobResponse) -> LocalResult<()> {
        let text = to_json(state)?;
        let reserve = self.reserve();
        layout::replace(&self.state(), &text)?;
        let blank = vec![b' '; text.len() + MAX_GROWTH_BYTES];
        private_file::create(&reserve)
            .and_then(|mut file| file.write_all(&blank))
            .map_err(LocalError::io(format!("write {}", reserve.display())))
    }

    /// Opens the file with the reserved space.
    pub(crate) fn open_reserve(&self) -> io::Result<File> {
        private_file::open(&self.reserve(), File::options().write(true))
    }

    /// Writes the final state, even on a full disk, into the reserved space, and removes the files of a running job.
    /// With the reserve already open, it succeeds without a free file descriptor.
    pub(crate) fn close(&self, state: &DescribeTrainingJobResponse, reserve: Option<File>) -> LocalResult<()> {
        let text = to_json(state)?;
        let reserve = reserve.map_or_else(|| self.open_reserve(), Ok);
        let filled = reserve.and_then(|file| fill_reserve(file, &text));
        let is_filled = filled.is_ok();
        if filled.and_then(|file| self.rename_reserve(&file)).is_err() {
            if !is_filled {
                // Frees the reserved space.
                let _left = remove_if_exists(&self.reserve());
            }
            // If this fails, a filled reserve stays: readers find the final state there.
            layout::replace(&self.state(), &text)?;
            let _left = remove_if_exists(&self.reserve());
        }
        let of_a_running_job =
            [self.plan(), self.pid(), self.stop_request(), self.seen_stop_request(), self.exit_code(), self.spool()];
        for path in of_a_running_job {
            // A file that stays is never read again.
            let _left = remove_if_exists(&path);
        }
        self.remove_blank_log_note();
        Ok(())
    }

    fn rename_reserve(&self, file: &File) -> io::Result<()> {
        let written = file.metadata()?;
        let named = fs::symlink_metadata(self.reserve())?;
        if (written.dev(), written.ino()) != (named.dev(), named.ino()) {
            return Err(io::Error::other("another file stands in its place"));
        }
        fs::rename(self.reserve(), self.state())
    }

    /// Returns the final state that [`Self::close`] wrote to the reserve, but could not rename.
    fn final_state_in_reserve(&self) -> Option<DescribeTrainingJobResponse> {
        // Before the end the reserve is blank; a partial text doesn't parse.
        let text = private_file::read(&self.reserve()).ok()?;
        let state: DescribeTrainingJobResponse = serde_json::from_slice(&text).ok()?;
        let is_own = self.path().file_name() == Some(state.training_job_name.as_str().as_ref());
        (is_own && state.has_ended()).then_some(state)
    }

    /// Allocates the disk space of the exit code before the script runs, so that a full disk can't hide it.
    pub(crate) fn reserve_exit_code(&self) -> LocalResult<()> {
        self.write_exit_code_text(true, "")
    }

    pub(crate) fn write_exit_code(&self, exit_code: i32) -> LocalResult<()> {
        self.write_exit_code_text(false, &exit_code.to_string())
    }

    fn write_exit_code_text(&self, create: bool, text: &str) -> LocalResult<()> {
        let path = self.exit_code();
        let open = || private_file::open(&path, File::options().create(create).write(true));
        let write = || open()?.write_all(format!("{text:11}\n").as_bytes());
        write().map_err(LocalError::io(format!("write {}", path.display())))
    }

    /// Reads the script's exit code; `None` if the guard hasn't written it.
    pub(crate) fn read_exit_code(&self) -> LocalResult<Option<i32>> {
        let path = self.exit_code();
        let text = private_file::read(&path).map_err(LocalError::io(format!("read {}", path.display())))?;
        Ok(String::from_utf8_lossy(&text).trim().parse().ok())
    }

    /// Takes the job's lock; `None` if another process holds it.
    pub(crate) fn try_lock(&self) -> LocalResult<Option<File>> {
        let path = self.lock();
        let doing = || format!("lock {}", path.display());
        let file =
            private_file::open(&path, File::options().create(true).append(true)).map_err(LocalError::io(doing()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(LocalError::io(doing())(error)),
        }
    }

    /// Returns the current state. A job without supervisor and guard is settled as failed first.
    pub(crate) fn current_state(&self) -> LocalResult<DescribeTrainingJobResponse> {
        let written = self.read_state();
        if written.as_ref().is_ok_and(DescribeTrainingJobResponse::has_ended) {
            return written;
        }
        if let Some(ended) = self.final_state_in_reserve() {
            return Ok(ended);
        }
        // The reserve may have been put in the state's place meanwhile.
        let state = self.read_state()?;
        match self.try_lock() {
            Ok(Some(_lock)) if self.is_abandoned() => self.settle_abandoned(),
            // If nothing can be written, not even a lock, the last written state is returned.
            Ok(_) | Err(_) => Ok(self.with_stop_request(state)),
        }
    }

    /// Returns whether a job whose lock is free has neither supervisor nor guard. Checked in addition to the lock,
    /// since its file may have been removed and created anew.
    fn is_abandoned(&self) -> bool {
        survivors::keepers(self).is_ok_and(|keepers| keepers.is_empty())
    }

    /// Settles an abandoned job. The caller holds the lock. The job may have ended since its state was read.
    fn settle_abandoned(&self) -> LocalResult<DescribeTrainingJobResponse> {
        let state = self.read_state()?;
        if state.has_ended() {
            return Ok(state);
        }
        survivors::end(self);
        let said =
            self.supervisor_log_end().map_or_else(String::new, |words| format!("; its supervisor.log says: {words}"));
        match recovery::save_without_guard(self) {
            Ok(()) => self.settle(&format!("{ABANDONED}{said}")),
            Err(error) => self.settle(&format!("{ABANDONED}{said}; the end of its log could not be written: {error}")),
        }
    }

    /// Returns the end of the supervisor's log on one line; `None` if it is empty or can't be read.
    fn supervisor_log_end(&self) -> Option<String> {
        let text = private_file::read(&self.supervisor_log()).ok()?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let words = lines.join("; ");
        let start = words.char_indices().rev().nth(MAX_LOG_QUOTE_CHARS - 1).map_or(0, |(start, _)| start);
        words.get(start..).filter(|words| !words.is_empty()).map(str::to_owned)
    }

    /// Returns whether the job has neither supervisor nor guard. False if that can't be determined. Where no lock file
    /// can be, as in a folder that was replaced by a file, the processes alone are the evidence.
    pub(crate) fn has_no_keeper(&self) -> bool {
        let is_free = match self.try_lock() {
            Ok(lock) => lock.is_some(),
            Err(_) => !fs::symlink_metadata(self.lock()).is_ok_and(|about| about.is_file()),
        };
        is_free && self.is_abandoned()
    }

    /// Reports a job that was asked to stop as Stopping at once, as SageMaker does, even before its supervisor has
    /// written so.
    fn with_stop_request(&self, mut state: DescribeTrainingJobResponse) -> DescribeTrainingJobResponse {
        if state.training_job_status == JobStatus::InProgress && stop_request::is_requested(self) {
            state.training_job_status = JobStatus::Stopping;
            if state.secondary_status != phase::UPLOADING {
                phase::STOPPING.clone_into(&mut state.secondary_status);
            }
        }
        state
    }

    /// Kills the job's processes and writes its end as Failed. The caller holds the lock. Returns the final state,
    /// which the supervisor may have written before.
    pub(crate) fn settle(&self, reason: &str) -> LocalResult<DescribeTrainingJobResponse> {
        let mut state = self.read_state()?;
        if state.has_ended() {
            return Ok(state);
        }
        if let Some(ended) = self.final_state_in_reserve() {
            return Ok(ended);
        }
        survivors::end(self);
        end(&mut state, &Ending::failed(reason), Timestamp::now());
        // On an unwritable disk the returned state is still the true one.
        let _written = self.close(&state, None);
        Ok(state)
    }

    fn read_json<T: serde::de::DeserializeOwned>(&self, path: &std::path::Path) -> LocalResult<T> {
        let text = private_file::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LocalError::NotFound(self.describe_missing()),
            _ => LocalError::io(format!("read {}", path.display()))(error),
        })?;
        serde_json::from_slice(&text)
            .map_err(|error| LocalError::Other(format!("{} is damaged: {error}", path.display())))
    }

    fn describe_missing(&self) -> String {
        format!("local job {}", self.name())
    }

    /// Turns an error of reading the state into [`LocalError::Damaged`], with a hint. A job without a folder stays
    /// [`LocalError::NotFound`].
    fn damaged(&self, error: LocalError) -> LocalError {
        let folder = shell_quote(&self.path().display().to_string());
        let name = self.name();
        let remove = format!(
            "end what still runs of it: smtrain stop {name}; save what you need of its folder, and remove it: \
             rm -r {folder}"
        );
        match error {
            LocalError::NotFound(_) if private_file::exists(self.path()).unwrap_or(true) => {
                LocalError::Damaged { what: format!("there is no {}", self.state().display()), hint: remove }
            }
            LocalError::Io { doing, source } => {
                let is_denied = source.kind() == io::ErrorKind::PermissionDenied;
                let hint = if is_denied { format!("make it readable: chmod -R u+rwX {folder}") } else { remove };
                LocalError::Damaged { what: format!("could not {doing}: {source}"), hint }
            }
            LocalError::Other(what) => LocalError::Damaged { what, hint: remove },
            error => error,
        }
    }
}

/// Writes the final state into the reserved space, and returns the file.
fn fill_reserve(mut file: File, text: &[u8]) -> io::Result<File> {
    file.write_all(text)?;
    file.set_len(text.len() as u64)?;
    // The mode may have been changed: the state is readable by its owner.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.sync_data()?;
    Ok(file)
}

/// Serializes a value as indented JSON with a final line feed.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> LocalResult<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| LocalError::Other(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// Removes a file. Succeeds if it doesn't exist.
pub(crate) fn remove_if_exists(path: &std::path::Path) -> LocalResult<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LocalError::io(format!("remove {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}
