//! What local jobs survive: killed processes, full disks, floods of output, computers that grant no namespaces.

pub(crate) mod disk;
mod isolation;
mod kill;
mod output;
mod state;

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Sandbox, TestResult, poll};

/// The job's supervisor.
pub(crate) const SUPERVISOR: &str = "__supervise";
/// The process between the supervisor and the script.
pub(crate) const GUARD: &str = "__guard";

/// Waits for a process of the sandbox that has this among its arguments.
pub(crate) fn process(sandbox: &Sandbox, argument: &str) -> TestResult<Pid> {
    poll(&format!("a process {argument}"), || {
        Ok(sandbox.processes().into_iter().find(|pid| has_argument(*pid, argument)))
    })
}

fn has_argument(pid: Pid, argument: &str) -> bool {
    // One that has ended meanwhile has none.
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    arguments.split(|byte| *byte == 0).any(|one| one == argument.as_bytes())
}

pub(crate) fn signal(pids: &[Pid], signal: Signal) -> TestResult {
    Ok(pids.iter().try_for_each(|pid| kill(*pid, signal))?)
}

/// Stops processes, and waits until every thread of theirs stands still.
pub(crate) fn hold(pids: &[Pid]) -> TestResult {
    signal(pids, Signal::SIGSTOP)?;
    poll("processes that stand still", || {
        let threads =
            pids.iter().map(|pid| fs::read_dir(format!("/proc/{pid}/task"))).collect::<Result<Vec<_>, _>>()?;
        let stats =
            threads.into_iter().flatten().flatten().map(|thread| fs::read_to_string(thread.path().join("stat")));
        let stats = stats.collect::<Result<Vec<_>, _>>()?;
        Ok(stats.iter().all(|stat| stat.contains(") T ")).then_some(()))
    })
}

/// `job.json` as it stands on disk: no command looks at the job, and so none can put its state right.
pub(crate) fn written_state(sandbox: &Sandbox, job: &str) -> TestResult<serde_json::Value> {
    Ok(serde_json::from_slice(&fs::read(sandbox.job_folder(job).join("job.json"))?)?)
}
