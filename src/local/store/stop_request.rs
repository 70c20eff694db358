//! Requests to stop a job, and their acknowledgement by the supervisor.
//!
//! `stop` creates a file, for which the supervisor polls and which it renames as acknowledgement. No signal is sent to
//! a process id from a file, which might be reused. Processes that a signal has stopped can't poll: they are found by
//! the job's folder in their environment, and continued.

use std::fs::{self, File};
use std::io;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::layout::JobFolder;
use super::private_file;
use crate::local::process::{survivors, table};
use crate::local::{LocalError, LocalResult};
use crate::model::{JobStatus, shell_quote};

/// Interval at which a supervisor polls for a stop request.
pub(crate) const STOP_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Interval at which `stop` polls for the acknowledgement.
const ACKNOWLEDGE_POLL_INTERVAL: Duration = Duration::from_millis(25);
/// Timeout of the acknowledgement.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for which a job's folder may be absent without ending the job: it may be moved aside for a moment.
const MAX_ABSENCE: Duration = Duration::from_secs(2);

/// Asks a job to stop, and waits until its supervisor has acknowledged it or the job has ended. Works for a job whose
/// state can't be read, since the supervisor has the state in memory.
pub(crate) async fn stop(folder: &JobFolder) -> LocalResult<()> {
    match folder.current_state() {
        Ok(state) if state.has_ended() => return Ok(()),
        Err(error @ LocalError::Damaged { .. }) if folder.has_no_keeper() => {
            return Err(end_without_state(folder, error));
        }
        Ok(_) | Err(LocalError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let request = ask(folder)?;
    let deadline = Instant::now() + ACKNOWLEDGE_TIMEOUT;
    loop {
        survivors::resume(folder).map_err(LocalError::io("look for the job's processes"))?;
        if is_heard_or_ended(folder)? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let is_known = request == StopRequest::Signal || is_acknowledged(folder)?;
            return if is_known { Ok(()) } else { Err(not_acknowledged(folder)) };
        }
        sleep(ACKNOWLEDGE_POLL_INTERVAL).await;
    }
}

/// Form in which a job was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StopRequest {
    /// The file, which the supervisor acknowledges.
    File,
    /// SIGTERM, which the supervisor handles without an acknowledgement.
    Signal,
}

/// Creates the file. If that fails, as on a full disk, sends SIGTERM to the supervisor.
fn ask(folder: &JobFolder) -> LocalResult<StopRequest> {
    let path = folder.stop_request();
    let asked = private_file::exists(&folder.seen_stop_request()).and_then(|is_seen| {
        if is_seen { Ok(()) } else { private_file::open(&path, File::options().write(true).create_new(true)).map(drop) }
    });
    match asked {
        // Anything with that name counts as a request.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            let is_sent = terminate(folder);
            let failed = LocalError::io(format!("ask the job to stop: write {}", path.display()));
            if is_sent { Ok(StopRequest::Signal) } else { Err(failed(error)) }
        }
        _ => Ok(StopRequest::File),
    }
}

/// Sends SIGTERM to the job's supervisor, if it has installed its handler. Returns whether it was sent.
fn terminate(folder: &JobFolder) -> bool {
    let supervisors = survivors::supervisors(folder).unwrap_or_default();
    let listens = |pid: &Pid| table::catches(*pid, Signal::SIGTERM).unwrap_or(false);
    supervisors.into_iter().filter(listens).any(|pid| kill(pid, Signal::SIGTERM).is_ok())
}

/// Kills the processes of a job without supervisor and guard whose state can't be read. Returns the error that says so.
fn end_without_state(folder: &JobFolder, error: LocalError) -> LocalError {
    survivors::end(folder);
    let path = shell_quote(&folder.path().display().to_string());
    let hint =
        format!("none of its processes runs any more: save what you need of its folder, and remove it: rm -r {path}");
    LocalError::Damaged { what: error.to_string(), hint }
}

/// Returns whether the job has ended, or its supervisor has acknowledged the request. Fails if it has ended and its
/// state can't be read.
fn is_heard_or_ended(folder: &JobFolder) -> LocalResult<bool> {
    match folder.current_state() {
        Ok(state) if state.has_ended() => Ok(true),
        Ok(_) => Ok(folder.read_state()?.training_job_status == JobStatus::Stopping || is_acknowledged(folder)?),
        Err(error @ LocalError::Damaged { .. }) if folder.has_no_keeper() => Err(end_without_state(folder, error)),
        // The supervisor is about to write the state again.
        Err(LocalError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_acknowledged(folder: &JobFolder) -> LocalResult<bool> {
    let path = folder.seen_stop_request();
    private_file::exists(&path).map_err(LocalError::io(format!("look for {}", path.display())))
}

fn not_acknowledged(folder: &JobFolder) -> LocalError {
    let name = folder.name();
    let keepers: Vec<String> = survivors::keepers(folder).unwrap_or_default().iter().map(ToString::to_string).collect();
    let hint = if keepers.is_empty() {
        "run smtrain stop where the job was submitted: its processes can't be seen from here".to_owned()
    } else {
        format!("end the job at once, as Failed: kill -9 {}", keepers.join(" "))
    };
    LocalError::Unusable {
        what: format!("job {name} did not react to the stop within {} s", ACKNOWLEDGE_TIMEOUT.as_secs()),
        hint,
    }
}

/// Returns whether the job was asked to stop, and acknowledges the request.
pub(crate) fn acknowledge(folder: &JobFolder) -> bool {
    let is_requested = private_file::exists(&folder.stop_request()).unwrap_or(false);
    if is_requested {
        // If the file can't be renamed, the job's state acknowledges the request as well.
        let _not_renamed = fs::rename(folder.stop_request(), folder.seen_stop_request());
    }
    is_requested
}

/// Tracks for how long a job's folder has been absent.
#[derive(Debug, Default)]
pub(crate) struct Absence {
    since: Option<Instant>,
}

impl Absence {
    /// Polls for the folder. Returns whether it has been absent for too long, so that nobody could stop the job any
    /// more. A file in its place can hold no stop request either.
    pub(crate) fn is_final(&mut self, folder: &JobFolder) -> bool {
        let is_there = match fs::metadata(folder.path()) {
            Ok(about) => about.is_dir(),
            // A folder that can't be checked may exist.
            Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        };
        let since = (!is_there).then(|| self.since.unwrap_or_else(Instant::now));
        self.since = since;
        since.is_some_and(|since| since.elapsed() >= MAX_ABSENCE)
    }

    /// Waits until the folder has been absent for too long. Can be cancelled.
    pub(crate) async fn until_final(&mut self, folder: &JobFolder) {
        while !self.is_final(folder) {
            sleep(STOP_POLL_INTERVAL).await;
        }
    }
}

/// Returns whether the job was asked to stop, acknowledged or not.
pub(crate) fn is_requested(folder: &JobFolder) -> bool {
    [folder.stop_request(), folder.seen_stop_request()].iter().any(|path| private_file::exists(path).unwrap_or(false))
}
