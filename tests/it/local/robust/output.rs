//! Floods of output, and output that is no text.

use std::fs;

use super::{SUPERVISOR, process};
use crate::support::{Sandbox, TestResult, poll};

const MILLION: usize = 1_000_000;

#[test]
fn a_million_lines() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import sys
for start in range(0, 1000000, 1000):
    sys.stdout.write(''.join(f'step {i} of many\\n' for i in range(start, start + 1000)))";
    let job = sandbox.submit(&sandbox.project("flood", script)?, &[])?;
    // Followed while they are written.
    let counted = sandbox.sh(&format!("smtrain logs -f {job} | wc -l")).run()?.ok()?;
    assert_eq!(counted.line().trim(), MILLION.to_string());
    let log = sandbox.log(&job)?;
    let wrong = log.lines().enumerate().find(|(number, line)| *line != format!("step {number} of many"));
    assert_eq!((log.lines().count(), wrong), (MILLION, None));
    let last = sandbox.smtrain(&["logs", "--tail", "2", &job]).run()?.ok()?;
    assert_eq!(last.stdout, "step 999998 of many\nstep 999999 of many\n");
    Ok(())
}

/// Writes 200 MB without a line end, then waits.
const ENDLESS_LINE: &str = "
import os, sys, time
for _ in range(200):
    sys.stdout.buffer.write(b'x' * 1000000)
sys.stdout.buffer.flush()
open('written', 'w').close()
while not os.path.exists('go'):
    time.sleep(0.01)
";

#[test]
fn a_line_without_end() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("endless", ENDLESS_LINE)?, &[])?;
    let code = sandbox.job_folder(&job).join("ml/code");
    sandbox.wait_for_file(&code.join("written"))?;
    let peak = peak_memory_kib(process(&sandbox, SUPERVISOR)?)?;
    assert!(peak < 64 * 1024, "the supervisor took {peak} KiB");
    fs::write(code.join("go"), "")?;
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    let kept = sandbox.sh(&format!("smtrain logs {job} | tr -d '\\n' | wc -c")).run()?.ok()?;
    assert_eq!(kept.line().trim(), "200000000");
    Ok(())
}

fn peak_memory_kib(pid: nix::unistd::Pid) -> TestResult<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

#[test]
fn every_byte_there_is() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)";
    let job = sandbox.complete(&sandbox.project("binary", script)?, &[])?;
    let stream = fs::read_dir(sandbox.job_folder(&job).join("log"))?.next().ok_or("no stream")??;
    let file = fs::read(stream.path())?;
    // Line ends aside, and the time in front of each line.
    let lines = file.split(|byte| *byte == b'\n').filter_map(|line| line.get(25..));
    let kept: Vec<u8> = lines.flatten().copied().filter(|byte| *byte != b'\r').collect();
    let written: Vec<u8> = (0..=255).filter(|byte| !b"\r\n".contains(byte)).collect();
    assert!(kept == written.repeat(1000));
    Ok(())
}

#[test]
fn a_script_that_closes_its_output() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os; os.close(1); os.close(2); open(os.environ['SM_MODEL_DIR'] + '/m', 'w').close()";
    sandbox.complete(&sandbox.project("closed", script)?, &[]).map(drop)
}

/// A daemon, as daemons are made: two forks, a session of its own, the output still open.
const DAEMON: &str = "
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print('daemon', flush=True)
        open('up', 'w').close()
        time.sleep(600)
    os._exit(0)
while not os.path.exists('up'):
    time.sleep(0.01)
print('done')
";

#[test]
fn a_daemon_that_lingers() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("daemon", DAEMON)?, &[])?;
    assert_eq!(sandbox.log(&job)?, "daemon\ndone\n");
    sandbox.wait_for_no_processes()
}

#[test]
fn children_that_nobody_waits_for() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os
for _ in range(100):
    if os.fork() == 0: os._exit(0)
print('done')";
    let job = sandbox.complete(&sandbox.project("zombies", script)?, &[])?;
    assert_eq!(sandbox.log(&job)?, "done\n");
    Ok(())
}

#[test]
fn lines_are_there_while_the_script_runs() -> TestResult {
    let sandbox = Sandbox::new()?;
    // Nothing is flushed: Python itself writes each line, as in AWS's images.
    let job = sandbox.submit(&sandbox.project("live", "import time; print('now'); time.sleep(600)")?, &[])?;
    poll("a line", || Ok((sandbox.log(&job)? == "now\n").then_some(())))
}
