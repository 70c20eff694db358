//! `kill -9` of everything that can be killed.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{GUARD, SUPERVISOR, hold, process, signal, written_state};
use crate::support::{Sandbox, TestResult, normalised, poll};

/// Has two children, one of them in a session of its own, and says its last words when it is told to.
const FAMILY: &str = "
import os, subprocess, sys, time
for session in False, True:
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=session)
print('ready', flush=True)
while not os.path.exists('go'):
    time.sleep(0.01)
print('last words', flush=True)
open('said', 'w').close()
time.sleep(600)
";

fn family(sandbox: &Sandbox) -> TestResult<String> {
    let job = sandbox.submit(&sandbox.project("family", FAMILY)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    Ok(job)
}

#[test]
fn of_the_supervisor() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = family(&sandbox)?;
    let supervisor = process(&sandbox, SUPERVISOR)?;
    // Held still, it can't read what the script says last.
    hold(&[supervisor])?;
    let code = sandbox.job_folder(&job).join("ml/code");
    fs::write(code.join("go"), "")?;
    sandbox.wait_for_file(&code.join("said"))?;
    signal(&[supervisor], Signal::SIGKILL)?;
    sandbox.wait_for_no_processes()?;
    let state = written_state(&sandbox, &job)?;
    assert_eq!(state["TrainingJobStatus"], "Failed");
    assert_eq!(state["FailureReason"], "InternalServerError: the supervisor of this job was killed");
    assert_eq!(sandbox.log(&job)?, "ready\nlast words\n");
    Ok(())
}

/// Of a script that ends before its guard has looked whether its supervisor still lives.
#[test]
fn of_the_supervisor_just_before_the_end() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, signal, time
print('ready', flush=True)
while not os.path.exists('go'):
    time.sleep(0.01)
print('last words', flush=True)
os.kill(int(open('go').read()), signal.SIGKILL)";
    let job = sandbox.submit(&sandbox.project("brief", script)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let supervisor = process(&sandbox, SUPERVISOR)?;
    hold(&[supervisor])?;
    let code = sandbox.job_folder(&job).join("ml/code");
    fs::write(code.join("new"), supervisor.to_string())?;
    fs::rename(code.join("new"), code.join("go"))?;
    sandbox.wait_for_no_processes()?;
    assert_eq!(written_state(&sandbox, &job)?["TrainingJobStatus"], "Failed");
    assert_eq!(sandbox.log(&job)?, "ready\nlast words\n");
    Ok(())
}

#[test]
fn of_the_guard() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = family(&sandbox)?;
    signal(&[process(&sandbox, GUARD)?], Signal::SIGKILL)?;
    sandbox.wait_for_no_processes()?;
    let state = written_state(&sandbox, &job)?;
    let reason = state["FailureReason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("InternalServerError: the process that guards the script was killed"), "{reason}");
    Ok(())
}

#[test]
fn of_both_and_the_next_command_cleans_up() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = family(&sandbox)?;
    let both = [process(&sandbox, SUPERVISOR)?, process(&sandbox, GUARD)?];
    // Neither sees the other one end.
    hold(&both)?;
    signal(&both, Signal::SIGKILL)?;
    poll("the end of both", || Ok((sandbox.processes().len() == 3).then_some(())))?;
    let reason = sandbox.failure_reason(&job)?;
    insta::assert_snapshot!(normalised(&reason)?, @"InternalServerError: the process that looked after this job ended without recording why: it was killed, the computer was restarted, or its state could not be written");
    sandbox.wait_for_no_processes()?;
    assert_eq!(written_state(&sandbox, &job)?["TrainingJobStatus"], "Failed");
    Ok(())
}

/// Stands for an installer that takes its time.
const SLOW_UV: &str = "#!/bin/sh
[ \"$1\" = --version ] && exit
echo installing
sleep 600
";

#[test]
fn of_the_supervisor_while_it_installs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("slow", "")?.file("requirements.txt", "numpy")?.file("bin/uv", SLOW_UV)?;
    let project = project.executable("bin/uv")?;
    let submit = format!("PATH={}:$PATH smtrain submit -q --local {}", project.path("bin").display(), project.spec());
    let job = sandbox.sh(&submit).run()?.ok()?.line().to_owned();
    sandbox.wait_for_log(&job, "installing")?;
    signal(&[process(&sandbox, SUPERVISOR)?], Signal::SIGKILL)?;
    poll("the job's end", || Ok((sandbox.status(&job)? == "Failed").then_some(())))?;
    sandbox.wait_for_no_processes()
}

#[test]
fn a_term_signal_to_the_supervisor_is_a_stop() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = family(&sandbox)?;
    signal(&[process(&sandbox, SUPERVISOR)?], Signal::SIGTERM)?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    sandbox.wait_for_no_processes()
}

/// A shell doesn't pass signals on, and ends at once itself.
#[test]
fn a_stop_reaches_what_a_shell_script_runs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, signal, sys, time
def save(*_):
    time.sleep(0.3)
    print('saved', flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, save)
print('ready', flush=True)
time.sleep(600)";
    let project = sandbox.project("shell", script)?.file("train.sh", "#!/bin/sh\npython3 train.py\necho after\n")?;
    let job = sandbox.submit(&project, &["--set", "source.entry_point=train.sh"])?;
    sandbox.wait_for_log(&job, "ready")?;
    sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    assert_eq!(sandbox.log(&job)?, "ready\nsaved\n");
    Ok(())
}

/// With it goes a supervisor that has not left its process group yet: then nobody was told of the job.
#[test]
fn of_submit_at_any_moment() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("cut", "print('whole')")?;
    let mut told = String::new();
    for milliseconds in (0..320).step_by(16) {
        let submit = sandbox.smtrain(&["submit", "-q", "--local", &project.spec()]).start()?;
        sleep(Duration::from_millis(milliseconds));
        // It may be through with it already.
        let _ended = submit.signal(Signal::SIGKILL);
        told += &submit.finish()?.stdout;
    }
    sandbox.wait_for_no_processes()?;
    let names = sandbox.smtrain(&["history", "--local", "--all", "-o", "names"]).run()?.ok()?;
    for job in names.lines() {
        if sandbox.status(job)? == "Completed" {
            assert_eq!(sandbox.log(job)?, "whole\n", "{job}");
        } else {
            // What was killed with it, and so the rest of the reason, depends on the moment.
            assert!(!told.contains(job) && sandbox.failure_reason(job)?.contains("was killed"), "{job}");
        }
    }
    sandbox.complete(&project, &[]).map(drop)
}

/// Stands for a process that a job can't end, such as another user's: it holds the script's output open.
#[test]
fn of_nobody_who_holds_the_output_open() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, time
print('process', os.getpid(), flush=True)
while not os.path.exists('go'):
    time.sleep(0.01)
print('last words')";
    let job = sandbox.submit(&sandbox.project("held", script)?, &[])?;
    sandbox.wait_for_log(&job, "process ")?;
    let log = sandbox.log(&job)?;
    let process = log.trim().trim_start_matches("process ");
    let _held = fs::File::options().write(true).open(format!("/proc/{process}/fd/1"))?;
    fs::write(sandbox.job_folder(&job).join("ml/code/go"), "")?;
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    assert!(sandbox.log(&job)?.ends_with("last words\n"));
    Ok(())
}

/// A model that takes a while to unpack.
const BIG: &str = "
import os
with open(os.environ['SM_MODEL_DIR'] + '/weights.bin', 'wb') as file:
    file.write(os.urandom(24 << 20))
";

#[test]
fn of_download_leaves_no_half_model() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("big", BIG)?, &[])?;
    let folder = sandbox.path(&job);
    for _ in 0..3 {
        let download = sandbox.smtrain(&["download", &job]).start()?;
        poll("something to be unpacked", || {
            Ok(folder.read_dir().is_ok_and(|mut all| all.next().is_some()).then_some(()))
        })?;
        download.signal(Signal::SIGKILL)?;
        assert_eq!(download.finish()?.code, 128 + 9);
        assert!(!folder.join("model").exists());
    }
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    assert_eq!(fs::metadata(folder.join("model/weights.bin"))?.len(), 24 << 20);
    assert_eq!(folder.read_dir()?.count(), 1, "nothing is left over");
    Ok(())
}
