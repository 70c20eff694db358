//! A job's processes: found by a variable that all of them inherit, told apart by their arguments, and ended when the guard
//! and the supervisor were both killed.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::table::{self, Process};
use crate::local::store::layout::JobFolder;

/// Names the job's folder to all of its processes, from the supervisor on.
pub(crate) const VARIABLE: &str = "SMTRAIN_JOB_FOLDER";

/// The subcommand that supervises a job: smtrain starts itself with it.
pub(crate) const SUPERVISE: &str = "__supervise";
/// The subcommand that guards a script.
pub(crate) const GUARD: &str = "__guard";

/// One that is just being forked is met on the next round. After these, a fraction of a second, what can't be killed is left:
/// whoever asks for a job's state is to get an answer.
const ROUNDS: usize = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// What [`VARIABLE`] is for a job: the folder, without links, so that every way to it gives the same.
pub(crate) fn mark(folder: &JobFolder) -> OsString {
    folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned()).into_os_string()
}

/// The job's living processes, without this one. An error where that can't be told; none where there is no `/proc`.
fn all(folder: &JobFolder) -> io::Result<Vec<Process>> {
    let variable = [VARIABLE.as_bytes(), b"=", mark(folder).as_bytes()].concat();
    let mut found = Vec::new();
    for process in table::all()? {
        let is_other = process.pid != Pid::this();
        if is_other && table::environment(process.pid)?.split(|byte| *byte == 0).any(|entry| entry == variable) {
            found.push(process);
        }
    }
    Ok(found)
}

/// The job's supervisor and its guard, as far as they live.
pub(crate) fn keepers(folder: &JobFolder) -> io::Result<Vec<Pid>> {
    let mut keepers = supervisors(folder)?;
    keepers.extend(with_role(folder, GUARD)?);
    Ok(keepers)
}

pub(crate) fn supervisors(folder: &JobFolder) -> io::Result<Vec<Pid>> {
    with_role(folder, SUPERVISE)
}

fn with_role(folder: &JobFolder, role: &str) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for process in all(folder)? {
        let arguments = table::arguments(process.pid)?;
        if arguments.split(|byte| *byte == 0).nth(1) == Some(role.as_bytes()) {
            found.push(process.pid);
        }
    }
    Ok(found)
}

/// Continues the job's processes that a signal has stopped.
pub(crate) fn resume(folder: &JobFolder) -> io::Result<()> {
    for process in all(folder)?.into_iter().filter(|process| process.is_stopped) {
        // It may have ended by itself meanwhile.
        let _gone = kill(process.pid, Signal::SIGCONT);
    }
    Ok(())
}

/// Kills what is left of the job's processes, other than this one. Blocks, but only as long as the kernel takes to end
/// them: its callers hold the job's lock, and are not to be given up half way.
pub(crate) fn end(folder: &JobFolder) {
    for _ in 0..ROUNDS {
        match all(folder) {
            Ok(left) if left.is_empty() => return,
            Ok(left) => {
                for process in left {
                    // It may have ended by itself meanwhile.
                    let _gone = kill(process.pid, Signal::SIGKILL);
                }
            }
            // Such as too many open files: it may pass.
            Err(_) => {}
        }
        std::thread::sleep(PAUSE);
    }
}
