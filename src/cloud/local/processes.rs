//! The computer's processes, as far as `/proc` tells. Where there is no `/proc`, none are seen.

use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// The pause between two looks for processes that are left.
const ROUND: Duration = Duration::from_millis(2);
const ROUNDS: u32 = 5_000;

/// One process, from `/proc/{pid}/stat` (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: Pid,
    /// Clock ticks since boot.
    pub(crate) started: u64,
}

/// A process, told apart from a later one of the same number by the boot and the time that it started.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessIdentity {
    pid: i32,
    boot: String,
    /// Clock ticks since boot.
    started: u64,
}

impl ProcessIdentity {
    pub(crate) fn own() -> Self {
        let pid = Pid::this();
        let started = find(pid).map_or(0, |process| process.started);
        Self { pid: pid.as_raw(), boot: boot_id(), started }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.pid)
    }

    /// Whether the number still means the same process, or none.
    pub(crate) fn is_not_reused(&self) -> bool {
        self.boot == boot_id() && find(self.pid()).is_none_or(|process| process.started == self.started)
    }
}

pub(crate) fn find(pid: Pid) -> Option<Process> {
    parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

pub(crate) fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| find(Pid::from_raw(pid))).collect()
}

/// What a process was started with, as `NAME=VALUE` between NUL bytes. Nothing for one that has ended or is another user's.
pub(crate) fn environment(pid: Pid) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

/// Every process below `ancestor`.
pub(crate) fn descendants(ancestor: Pid) -> Vec<Process> {
    let all = all();
    let (mut found, mut parents): (Vec<Process>, Vec<Pid>) = (Vec::new(), vec![ancestor]);
    while let Some(parent) = parents.pop() {
        for child in all.iter().filter(|process| process.parent == parent) {
            parents.push(child.pid);
            found.push(*child);
        }
    }
    found
}

/// Makes this process the parent of every descendant whose own parent ends, so that none escapes. Linux alone has this.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Fails on kernels before 3.4 only: there a process that detaches itself may outlive its job.
        let _unsupported = nix::sys::prctl::set_child_subreaper(true);
    }
}

/// Kills every process below this one and waits until they are gone. One that is just being forked is met on the next
/// round. One that can't be killed, since another user runs it, is left after some seconds.
pub(crate) async fn end_descendants() {
    for _ in 0..ROUNDS {
        let left = descendants(Pid::this());
        if left.is_empty() {
            return;
        }
        for process in &left {
            // It may have ended by itself meanwhile.
            let _gone = kill(process.pid, Signal::SIGKILL);
        }
        reap();
        tokio::time::sleep(ROUND).await;
    }
}

/// Waits until a process group has no members. Those that are this process's children are reaped.
pub(crate) async fn end_of_group(group: Pid) {
    loop {
        reap();
        if killpg(group, None).is_err() {
            return;
        }
        tokio::time::sleep(ROUND).await;
    }
}

fn reap() {
    while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The name in parentheses can hold anything, `)` too: the fields are counted from its last one.
fn parse(pid: Pid, stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let process_id = |index: usize| number(index).and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    Some(Process { pid, parent: process_id(1)?, started: number(19)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b (c) S 5 6 4 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let expected = Process { pid: Pid::from_raw(7), parent: Pid::from_raw(5), started: 12345 };
        assert_eq!(parse(Pid::from_raw(7), stat), Some(expected));
        assert_eq!(parse(Pid::from_raw(7), "garbage"), None);
    }

    #[test]
    fn this_process_is_itself() {
        assert!(ProcessIdentity::own().is_not_reused());
    }
}
