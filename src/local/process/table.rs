//! The process table, from `/proc`. Without `/proc`, it is empty.

use std::time::Duration;
use std::{fs, io};

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::Serialize;

/// Pause between two rounds of killing or waiting, and their maximum number: 10 s.
const ROUND_PAUSE: Duration = Duration::from_millis(2);
const MAX_ROUNDS: u32 = 5_000;

/// A process, from `/proc/{pid}/stat` (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) parent: Pid,
    /// Stopped by a signal: SIGSTOP, or one of a terminal's.
    pub(crate) is_stopped: bool,
    /// Clock ticks since boot.
    start_ticks: u64,
}

/// A process id with boot id and start time, which distinguish it from a later process with the same id.
#[derive(Debug, Serialize)]
pub(crate) struct ProcessIdentity {
    pid: i32,
    boot: String,
    /// Clock ticks since boot.
    start_ticks: u64,
}

impl ProcessIdentity {
    pub(crate) fn own() -> Self {
        let pid = Pid::this();
        let start_ticks = find(pid).ok().flatten().map_or(0, |process| process.start_ticks);
        Self { pid: pid.as_raw(), boot: boot_id(), start_ticks }
    }
}

/// Returns a process; `None` if it has ended, or there is no `/proc`.
fn find(pid: Pid) -> io::Result<Option<Process>> {
    let stat = none_if_ended(fs::read(format!("/proc/{pid}/stat")))?;
    Ok(stat.and_then(|stat| parse(pid, &String::from_utf8_lossy(&stat))))
}

/// Returns all visible processes. Empty where there is no `/proc`.
pub(crate) fn all() -> io::Result<Vec<Process>> {
    let Some(entries) = none_if_ended(fs::read_dir("/proc"))? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in entries {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        all.extend(find(Pid::from_raw(pid))?);
    }
    Ok(all)
}

/// Returns a process's initial environment, as `NAME=VALUE` between NUL bytes. Empty if it has ended or belongs to
/// another user.
pub(crate) fn environment(pid: Pid) -> io::Result<Vec<u8>> {
    read_own(pid, "environ")
}

/// Returns a process's program and arguments, each followed by a NUL byte. Empty if it has ended or belongs to another
/// user.
pub(crate) fn arguments(pid: Pid) -> io::Result<Vec<u8>> {
    read_own(pid, "cmdline")
}

/// Returns whether a process has a handler for a signal.
pub(crate) fn catches(pid: Pid, signal: Signal) -> io::Result<bool> {
    let status = read_own(pid, "status")?;
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigCgt:")?.trim(), 16).ok());
    Ok(mask.is_some_and(|mask| mask & (1 << (signal as i32 - 1)) != 0))
}

fn read_own(pid: Pid, file: &str) -> io::Result<Vec<u8>> {
    let text = match fs::read(format!("/proc/{pid}/{file}")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        read => none_if_ended(read)?,
    };
    Ok(text.unwrap_or_default())
}

/// Turns the errors for an ended process into `None`. Other errors, such as too many open files, say nothing about it.
fn none_if_ended<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns all descendants of a process.
fn descendants(ancestor: Pid) -> io::Result<Vec<Process>> {
    let all = all()?;
    let mut found: Vec<Process> = Vec::new();
    let mut parents: Vec<Pid> = vec![ancestor];
    while let Some(parent) = parents.pop() {
        for child in all.iter().filter(|process| process.parent == parent) {
            parents.push(child.pid);
            found.push(*child);
        }
    }
    Ok(found)
}

/// Makes this process a subreaper: descendants whose parents end become its children, so that none escapes. Linux only.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Fails only on kernels before 3.4: there a process that detaches itself may outlive its job.
        let _unsupported = nix::sys::prctl::set_child_subreaper(true);
    }
}

/// Kills all descendants of this process and waits until they are gone. A process that is being forked is found in the
/// next round. One that can't be killed, since another user runs it, is left after 10 s.
pub(crate) async fn end_descendants() {
    for _ in 0..MAX_ROUNDS {
        match descendants(Pid::this()) {
            Ok(left) if left.is_empty() => return,
            Ok(left) => {
                for process in &left {
                    // It may have ended already.
                    let _gone = kill(process.pid, Signal::SIGKILL);
                }
            }
            // The error may be transient, such as too many open files.
            Err(_) => {}
        }
        reap();
        tokio::time::sleep(ROUND_PAUSE).await;
    }
}

/// Waits until a process group has no members, and reaps those that are this process's children.
pub(crate) async fn end_of_group(group: Pid) {
    loop {
        reap();
        if killpg(group, None).is_err() {
            return;
        }
        tokio::time::sleep(ROUND_PAUSE).await;
    }
}

fn reap() {
    while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Parses a line of `stat`. The process's name, in parentheses, may contain `)`: fields are counted from the last one.
fn parse(pid: Pid, stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let process_id = |index: usize| number(index).and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    let is_stopped = *fields.first()? == "T";
    Some(Process { pid, parent: process_id(1)?, is_stopped, start_ticks: number(19)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b (c) S 5 6 4 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let expected =
            Process { pid: Pid::from_raw(7), parent: Pid::from_raw(5), is_stopped: false, start_ticks: 12345 };
        assert_eq!(parse(Pid::from_raw(7), stat), Some(expected));
        assert_eq!(parse(Pid::from_raw(7), "garbage"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_seen() -> io::Result<()> {
        let own = find(Pid::this())?.ok_or(io::ErrorKind::NotFound)?;
        assert!(!own.is_stopped && own.start_ticks == ProcessIdentity::own().start_ticks);
        assert!(all()?.contains(&own) && !arguments(own.pid)?.is_empty());
        assert_eq!(find(Pid::from_raw(i32::MAX))?, None);
        assert!(!catches(own.pid, Signal::SIGUSR2)?);
        Ok(())
    }
}
