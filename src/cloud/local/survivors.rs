//! Processes of a job whose guard and supervisor were both killed: found by their session, and ended.

use nix::sys::signal::{Signal, kill};

use super::home::{self, JobFolder};
use super::processes::{self, ProcessIdentity};
use super::state::to_json;
use crate::cloud::CloudResult;

/// Writes down this process's session: it must be the leader of its own.
pub(crate) fn record_own_session(folder: &JobFolder) -> CloudResult<()> {
    home::replace(&folder.session(), &to_json(&ProcessIdentity::own())?)
}

/// Kills what is left of the job's session. Nothing is killed that might belong to somebody else.
pub(crate) fn end(folder: &JobFolder) {
    let Some(leader) = read_leader(folder).filter(ProcessIdentity::is_not_reused) else { return };
    let members = processes::all().into_iter().filter(|process| process.session == leader.pid());
    for process in members.filter(|process| process.started >= leader.started) {
        // It may have ended by itself meanwhile.
        let _gone = kill(process.pid, Signal::SIGKILL);
    }
}

fn read_leader(folder: &JobFolder) -> Option<ProcessIdentity> {
    serde_json::from_slice(&std::fs::read(folder.session()).ok()?).ok()
}
