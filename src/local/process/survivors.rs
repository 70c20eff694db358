//! Finds and ends the processes of a job whose guard and supervisor were killed.
//!
//! All processes of a job inherit an environment variable with the job's folder. The supervisor and the guard among
//! them are recognized by their arguments.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::table::{self, Process};
use crate::local::store::layout::JobFolder;

/// Environment variable with the job's folder, which all processes of the job inherit.
pub(crate) const VARIABLE: &str = "SMTRAIN_JOB_FOLDER";

/// Subcommand that supervises a job. smtrain starts itself with it.
pub(crate) const SUPERVISE: &str = "__supervise";
/// Subcommand that guards a script.
pub(crate) const GUARD: &str = "__guard";

/// Maximum number of rounds of killing. A process that is being forked is found in the next round. Unkillable processes
/// are left after all rounds, a fraction of a second, so that readers of a job's state get an answer.
const MAX_ROUNDS: usize = 100;
const ROUND_PAUSE: Duration = Duration::from_millis(1);

/// Returns the value of [`VARIABLE`] for a job: the folder's canonical path.
pub(crate) fn mark(folder: &JobFolder) -> OsString {
    folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned()).into_os_string()
}

/// Returns the job's processes, without this one. Empty where there is no `/proc`. Fails if the processes can't be
/// determined.
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

/// Returns the job's supervisor and guard, as far as they are alive.
pub(crate) fn keepers(folder: &JobFolder) -> io::Result<Vec<Pid>> {
    let mut keepers = supervisors(folder)?;
    keepers.extend(with_role(folder, GUARD)?);
    Ok(keepers)
}

/// Returns the job's supervisor, if it is alive.
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

/// Continues the job's stopped processes.
pub(crate) fn resume(folder: &JobFolder) -> io::Result<()> {
    for process in all(folder)?.into_iter().filter(|process| process.is_stopped) {
        // It may have ended already.
        let _gone = kill(process.pid, Signal::SIGCONT);
    }
    Ok(())
}

/// Kills the job's processes, except this one. Blocks for a fraction of a second at most, rather than being async:
/// callers hold the job's lock and must not be cancelled half way.
pub(crate) fn end(folder: &JobFolder) {
    for _ in 0..MAX_ROUNDS {
        match all(folder) {
            Ok(left) if left.is_empty() => return,
            Ok(left) => {
                for process in left {
                    // It may have ended already.
                    let _gone = kill(process.pid, Signal::SIGKILL);
                }
            }
            // The error may be transient, such as too many open files.
            Err(_) => {}
        }
        std::thread::sleep(ROUND_PAUSE);
    }
}
