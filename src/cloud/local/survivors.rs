//! Processes of a job whose guard and supervisor were both killed: found by a variable that all of a job's processes
//! inherit, and ended.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::home::JobFolder;
use super::processes;

/// Names the job's folder to all of its processes, from the supervisor on.
pub(crate) const VARIABLE: &str = "SMTRAIN_JOB_FOLDER";

/// One that is just being forked is met on the next round. After these, a fraction of a second, what can't be killed is left:
/// whoever asks for a job's state is to get an answer.
const ROUNDS: usize = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// What [`VARIABLE`] is for a job: the folder, without links, so that every way to it gives the same.
pub(crate) fn mark(folder: &JobFolder) -> OsString {
    folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_owned()).into_os_string()
}

/// Kills what is left of the job's processes, other than this one. Blocks, but only as long as the kernel takes to end
/// them: its callers hold the job's lock, and are not to be given up half way.
pub(crate) fn end(folder: &JobFolder) {
    let variable = [VARIABLE.as_bytes(), b"=", mark(folder).as_bytes()].concat();
    let is_marked =
        |pid: Pid| processes::environment(pid).split(|byte| *byte == 0).any(|entry| entry == variable.as_slice());
    for _ in 0..ROUNDS {
        let all = processes::all().into_iter().map(|process| process.pid);
        let left: Vec<Pid> = all.filter(|pid| *pid != Pid::this() && is_marked(*pid)).collect();
        if left.is_empty() {
            return;
        }
        for pid in left {
            // It may have ended by itself meanwhile.
            let _gone = kill(pid, Signal::SIGKILL);
        }
        std::thread::sleep(PAUSE);
    }
}
