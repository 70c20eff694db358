//! The state that the phases of a running job share.

use std::fs::{File, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::host::Devices;
use crate::contract::failure::CONTAINER_EXIT_CODE;
use crate::contract::{Layout, ToolkitError, failure_reason, failure_text};
use crate::local::FindProgram;
use crate::local::store::job_state::{self, Ending};
use crate::local::store::layout::{Home, JobFolder};
use crate::model::job_status::phase;
use crate::model::request::{CreateTrainingJobRequest, MetricDefinition};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobStatus, LocalOptions};

/// Maximum number of bytes read from `output/failure`. A FailureReason has at most 1024 characters.
const MAX_FAILURE_BYTES: u64 = 64 * 1024;

/// A job between its supervisor's start and its end.
pub(super) struct RunningJob<'a> {
    pub(super) home: &'a Home,
    pub(super) cache: &'a Path,
    /// Path of the smtrain binary.
    pub(super) executable: &'a Path,
    pub(super) folder: JobFolder,
    pub(super) request: CreateTrainingJobRequest,
    pub(super) options: LocalOptions,
    pub(super) state: DescribeTrainingJobResponse,
    /// Cancelled once the job is asked to stop.
    pub(super) stop: CancellationToken,
    /// End of `max_run`.
    pub(super) deadline: Instant,
    pub(super) find_program: FindProgram,
    /// This computer's, once they are counted.
    pub(super) devices: Devices,
    /// File for the final state, opened at the start: later the process may be out of file descriptors.
    pub(super) reserve: Option<File>,
}

impl RunningJob<'_> {
    /// Starts a phase and writes the state. A state that can't be written doesn't end the job.
    pub(super) fn enter(&mut self, phase: &str, message: &str) {
        job_state::enter(&mut self.state, phase, message, Timestamp::now());
        // The final state has reserved disk space.
        let _unwritten = self.folder.write_state(&self.state);
    }

    pub(super) fn enter_stopping(&mut self) {
        self.state.training_job_status = JobStatus::Stopping;
        self.enter(phase::STOPPING, "Stopping the training job");
    }

    /// Returns the ending of a job whose command exited with `exit_code`. As on SageMaker, the FailureReason is the
    /// text of `output/failure`, which the script may have written itself.
    pub(super) fn failed(&self, failure: ToolkitError, exit_code: i32, message: &str, command: &str) -> Ending {
        let file = Layout::at(self.folder.ml()).failure();
        let text = read_failure_file(&file).filter(|text| !text.trim().is_empty()).unwrap_or_else(|| {
            let text = failure_text(failure, exit_code, message, command);
            // The file is only for users who look into the folder: the job's state has the reason.
            let _kept = File::create_new(&file).and_then(|mut file| file.write_all(text.as_bytes()));
            text
        });
        Ending::failed(failure_reason(Some(&text), CONTAINER_EXIT_CODE))
    }

    /// Returns the folder of the code on this computer, outside the script's mount namespace.
    pub(super) fn code(&self) -> PathBuf {
        Layout::at(self.folder.ml()).code()
    }

    pub(super) fn metric_definitions(&self) -> &[MetricDefinition] {
        let algorithm = self.request.algorithm_specification.as_ref();
        algorithm.and_then(|algorithm| algorithm.metric_definitions.as_deref()).unwrap_or_default()
    }
}

/// Reads the script's `output/failure`, if it is a regular file. Never blocks, even if the script created a FIFO.
fn read_failure_file(file: &Path) -> Option<String> {
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(file).ok()?;
    let mut text = Vec::new();
    file.metadata().ok().filter(Metadata::is_file)?;
    file.take(MAX_FAILURE_BYTES).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}
