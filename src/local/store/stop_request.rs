//! The request to stop a job, and its acknowledgement by the supervisor.
//!
//! Whoever asks creates a file, which the supervisor looks for and then renames: the name that is gone says that it has
//! heard. No process is signalled by a number that a file tells. Processes that a signal has stopped are continued, since
//! they look for nothing; they are found by the job's folder in their environment.

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

/// The interval at which a supervisor polls for a request to stop.
pub(crate) const STOP_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The interval at which the acknowledgement is polled for.
const ACKNOWLEDGE_POLL_INTERVAL: Duration = Duration::from_millis(25);
/// The time limit of the acknowledgement.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest absence of a job's folder that doesn't end the job: it may be put aside for a moment.
const MAX_ABSENCE: Duration = Duration::from_secs(2);

/// Asks a job to stop, and waits until its supervisor has heard, or the job has ended. A job whose state can't be read is
/// stopped as any other: its supervisor has the state in memory.
pub(crate) async fn stop(folder: &JobFolder) -> LocalResult<()> {
    match folder.true_state() {
        Ok(state) if state.training_job_status.is_final() => return Ok(()),
        Err(error @ LocalError::Damaged { .. }) if folder.is_left() => return Err(end_without_state(folder, error)),
        Ok(_) | Err(LocalError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    ask(folder)?;
    let deadline = Instant::now() + ACKNOWLEDGE_TIMEOUT;
    loop {
        survivors::resume(folder).map_err(LocalError::io("look for the job's processes"))?;
        if is_heard_or_ended(folder)? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return if is_acknowledged(folder)? { Ok(()) } else { Err(unheard(folder)) };
        }
        sleep(ACKNOWLEDGE_POLL_INTERVAL).await;
    }
}

/// Creates the file. Where that can't be done, as on a full disk, a signal asks.
fn ask(folder: &JobFolder) -> LocalResult<()> {
    let path = folder.stop_request();
    let asked = private_file::is_there(&folder.seen_stop_request()).and_then(|is_heard| {
        if is_heard {
            Ok(())
        } else {
            private_file::open(&path, File::options().write(true).create_new(true)).map(drop)
        }
    });
    match asked {
        // Whatever has the name: the supervisor looks for nothing else.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !terminate(folder) => {
            Err(LocalError::io(format!("ask the job to stop: write {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

/// Sends SIGTERM to the job's supervisor, where there is one that listens already.
fn terminate(folder: &JobFolder) -> bool {
    let supervisors = survivors::supervisors(folder).unwrap_or_default();
    let listens = |pid: &Pid| table::catches(*pid, Signal::SIGTERM).unwrap_or(false);
    supervisors.into_iter().filter(listens).any(|pid| kill(pid, Signal::SIGTERM).is_ok())
}

/// Ends what still runs of a job that nobody looks after and whose state can't be read. Returns the error that says so.
fn end_without_state(folder: &JobFolder, error: LocalError) -> LocalError {
    survivors::end(folder);
    let path = shell_quote(&folder.path().display().to_string());
    let hint = format!("nothing runs of it any more: save what you need of its folder, and remove it: rm -r {path}");
    LocalError::Damaged { what: error.to_string(), hint }
}

/// Returns whether the job has ended, or its supervisor has heard. An error where it has ended and nobody can tell how.
fn is_heard_or_ended(folder: &JobFolder) -> LocalResult<bool> {
    match folder.true_state() {
        Ok(state) if state.training_job_status.is_final() => Ok(true),
        Ok(_) => Ok(folder.read_state()?.training_job_status == JobStatus::Stopping || is_acknowledged(folder)?),
        Err(error @ LocalError::Damaged { .. }) if folder.is_left() => Err(end_without_state(folder, error)),
        // The supervisor is about to write it again.
        Err(LocalError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_acknowledged(folder: &JobFolder) -> LocalResult<bool> {
    let path = folder.seen_stop_request();
    private_file::is_there(&path).map_err(LocalError::io(format!("look for {}", path.display())))
}

fn unheard(folder: &JobFolder) -> LocalError {
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

/// Returns whether the job was asked to stop, and lets those who asked know that its supervisor has heard.
pub(crate) fn acknowledge(folder: &JobFolder) -> bool {
    let is_asked = private_file::is_there(&folder.stop_request()).unwrap_or(false);
    if is_asked {
        // Where it can't be renamed, the job's state says it as well.
        let _unheard = fs::rename(folder.stop_request(), folder.seen_stop_request());
    }
    is_asked
}

/// How long a job's folder has been absent.
#[derive(Debug, Default)]
pub(crate) struct Absence {
    since: Option<Instant>,
}

impl Absence {
    /// Looks for the folder; returns whether it has been absent for too long to come back: nobody can stop the job any more.
    pub(crate) fn is_final(&mut self, folder: &JobFolder) -> bool {
        // Whatever can't be looked at may well be there.
        let is_there = private_file::is_there(folder.path()).unwrap_or(true);
        let since = (!is_there).then(|| self.since.unwrap_or_else(Instant::now));
        self.since = since;
        since.is_some_and(|since| since.elapsed() >= MAX_ABSENCE)
    }
}

/// Returns whether the job was asked to stop, heard or not.
pub(crate) fn is_asked(folder: &JobFolder) -> bool {
    [folder.stop_request(), folder.seen_stop_request()].iter().any(|path| private_file::is_there(path).unwrap_or(false))
}
