//! `stop` stops a job whatever state its files and processes are in.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::local::robust::{GUARD, SUPERVISOR, hold, process, signal, written_state};
use crate::support::{Sandbox, TestResult, Transcript, poll};

/// Saves something when it is asked to stop.
const SAVES: &str = "
import os, signal, sys, time
def save(*_):
    print('saved', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print('ready', os.getpid(), flush=True)
time.sleep(600)
";

fn running(sandbox: &Sandbox) -> TestResult<String> {
    let project = sandbox.project("proj", SAVES)?.with("[local]\nstop_grace = '5s'")?;
    let job = sandbox.submit(&project, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    Ok(job)
}

/// Stops the job and holds it to that: it ends Stopped, and its script had its time to save.
fn stops(sandbox: &Sandbox, job: &str, what: &str) -> TestResult {
    sandbox.smtrain(&["stop", "-q", job]).run()?.ok().map_err(|error| format!("{what}: {error}"))?;
    let waited = sandbox.smtrain(&["wait", job]).run()?.expect(4);
    waited.map_err(|error| format!("{what}: {error}"))?;
    assert!(sandbox.log(job)?.contains("\nsaved\n"), "{what}");
    sandbox.wait_for_no_processes()
}

/// Does something to a running job, then stops it.
fn stops_after(what: &str, deed: impl FnOnce(&Sandbox, &Path) -> TestResult) -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    deed(&sandbox, &sandbox.job_folder(&job))?;
    stops(&sandbox, &job, what)
}

fn write(path: &Path, text: &str) -> TestResult {
    Ok(fs::write(path, text)?)
}

#[test]
fn without_a_process_id() -> TestResult {
    stops_after("the pid file is gone", |_, folder| Ok(fs::remove_file(folder.join("pid"))?))?;
    stops_after("the pid file is damaged", |_, folder| write(&folder.join("pid"), "{\"pid\": 1"))?;
    stops_after("the pid file is empty", |_, folder| write(&folder.join("pid"), ""))
}

/// Each would be a catastrophe: all of the user's processes, the command's own group, the first process, a stranger. All of it
/// happens in a namespace of processes of its own.
#[test]
fn another_process_s_id() -> TestResult {
    for pid in ["-1", "0", "1", "$stranger"] {
        let sandbox = Sandbox::new()?;
        let spec = sandbox.project("proj", SAVES)?.file("write_pid.py", WRITE_PID)?.spec();
        let script = format!(
            "job=$(smtrain submit -q --local {spec})
            until smtrain logs $job | grep -q ready; do sleep 0.05; done
            sleep 600 & stranger=$!
            python3 proj/write_pid.py $SMTRAIN_HOME/jobs/$job/pid {pid}
            setsid -w smtrain stop -q $job || echo stop: $?
            smtrain wait $job || echo code $?
            smtrain logs $job | grep saved
            kill -0 $stranger && echo the stranger lives"
        );
        let alone = sandbox.sh("exec unshare -Urmpf --mount-proc sh -euc \"$RUN\"").env("RUN", script);
        let said = alone.run()?.ok().map_err(|error| format!("{pid}: {error}"))?;
        let lines = said.lines();
        assert_eq!(lines.get(1..), Some(&["code 4", "saved", "the stranger lives"][..]), "{pid}: {said}");
    }
    Ok(())
}

/// Writes a process into a pid file as the supervisor would itself: with the boot and the time of its start.
const WRITE_PID: &str = "
import json, sys
path, pid = sys.argv[1], int(sys.argv[2])
identity = json.load(open(path)) | {'pid': pid}
try:
    identity['started'] = int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[19])
except OSError:
    pass
json.dump(identity, open(path, 'w'))
";

#[test]
fn processes_that_a_signal_stopped() -> TestResult {
    stops_after("the supervisor is stopped", |sandbox, _| hold(&[process(sandbox, SUPERVISOR)?]))?;
    stops_after("the guard is stopped", |sandbox, _| hold(&[process(sandbox, GUARD)?]))?;
    stops_after("both are stopped", |sandbox, _| hold(&[process(sandbox, SUPERVISOR)?, process(sandbox, GUARD)?]))?;
    stops_after("the script is stopped", |sandbox, folder| {
        let job = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = sandbox.log(&job)?;
        let pid = log.trim().strip_prefix("ready ").ok_or("no process id")?.parse()?;
        hold(&[Pid::from_raw(pid)])
    })
}

/// Nobody is left who could end it as Stopped: it has Failed, and `stop` doesn't say that it is stopping for ever.
#[test]
fn processes_that_were_killed() -> TestResult {
    for (killed, held) in [(SUPERVISOR, Some(GUARD)), (GUARD, Some(SUPERVISOR)), (SUPERVISOR, None), (GUARD, None)] {
        let sandbox = Sandbox::new()?;
        let job = running(&sandbox)?;
        let killed = process(&sandbox, killed)?;
        if let Some(held) = held {
            hold(&[process(&sandbox, held)?])?;
        }
        signal(&[killed], Signal::SIGKILL)?;
        sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
        let said = sandbox.smtrain(&["wait", &job]).run()?;
        assert!(matches!(said.code, 3 | 4), "{said}");
        sandbox.wait_for_no_processes()?;
    }
    Ok(())
}

#[test]
fn a_missing_lock_ends_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    fs::remove_file(sandbox.job_folder(&job).join("lock"))?;
    let mut transcript = Transcript::default();
    for _ in 0..2 {
        assert_eq!(sandbox.status(&job)?, "InProgress");
        transcript.add("history", &sandbox.smtrain(&["history", "--local"]).run()?.ok()?);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## history
    exit code: 0
    --- stdout
    NAME                          STATUS      RUNS                    INSTANCES    CREATED              TRAINED  BILLED  METRIC
    proj-[STAMP]  InProgress  sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -
    "#);
    assert!(!sandbox.processes().is_empty());
    stops(&sandbox, &job, "the lock is gone")
}

/// Puts something that is no file in the place of a file.
fn replace(path: &Path, kind: &str) -> TestResult<Option<UnixListener>> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    match kind {
        "fifo" => mkfifo(path, Mode::S_IRWXU)?,
        "socket" => return Ok(Some(UnixListener::bind(path)?)),
        "folder" => fs::create_dir(path)?,
        "link to a device" => symlink("/dev/zero", path)?,
        "link to a fifo" => {
            mkfifo(&path.with_extension("fifo"), Mode::S_IRWXU)?;
            symlink(path.with_extension("fifo"), path)?;
        }
        kind => return Err(format!("no such kind: {kind}").into()),
    }
    Ok(None)
}

const KINDS: [&str; 5] = ["fifo", "socket", "folder", "link to a device", "link to a fifo"];

/// What the supervisor doesn't need any more, or can do without.
#[test]
fn no_files_in_place_of_files() -> TestResult {
    for name in ["pid", "stop", "lock", "plan.json", "request.json", "supervisor.log", "reserve", "spool"] {
        for kind in KINDS {
            let mut socket = None;
            stops_after(&format!("{name} is a {kind}"), |_, folder| {
                socket = replace(&folder.join(name), kind)?;
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Every command that reads the state answers, with an error that names the file.
#[test]
fn what_is_in_place_of_the_state_is_named() -> TestResult {
    let mut transcript = Transcript::default();
    for name in ["job.json", "request.json", "metrics.csv"] {
        for kind in KINDS {
            let sandbox = Sandbox::new()?;
            let job = sandbox.complete(&sandbox.project("proj", "print('hello')")?, &[])?;
            let path = sandbox.job_folder(&job).join(name);
            let _socket = replace(&path, kind)?;
            for command in ["describe", "stop", "wait", "logs", "download"] {
                let mut said = sandbox.smtrain(&[command, &job]).run()?;
                if name == "job.json" {
                    said = said.expect(1)?;
                    transcript.add(format_args!("a {kind}: {command}"), &said);
                }
            }
            sandbox.smtrain(&["history", "--local"]).run()?.ok()?;
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a fifo: describe
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a fifo: stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a fifo: wait
    ## a fifo: logs
    ## a fifo: download
    ## a socket: describe
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a socket: stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a socket: wait
    ## a socket: logs
    ## a socket: download
    ## a folder: describe
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a folder: stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a folder: wait
    ## a folder: logs
    ## a folder: download
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a link to a device: describe
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is a symbolic link
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a link to a device: stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is a symbolic link
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a link to a device: wait
    ## a link to a device: logs
    ## a link to a device: download
    ## a link to a fifo: describe
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is a symbolic link
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a link to a fifo: stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is a symbolic link
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## a link to a fifo: wait
    ## a link to a fifo: logs
    ## a link to a fifo: download
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is a symbolic link
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    "#);
    Ok(())
}

#[test]
fn what_is_in_place_of_the_log_is_named() -> TestResult {
    let mut transcript = Transcript::default();
    for kind in KINDS {
        let sandbox = Sandbox::new()?;
        let job = sandbox.complete(&sandbox.project("proj", "print('hello')")?, &[])?;
        let stream = fs::read_dir(sandbox.job_folder(&job).join("log"))?.next().ok_or("no stream")??.path();
        let _socket = replace(&stream, kind)?;
        for command in [&["logs", &job][..], &["logs", "-f", &job], &["logs", "-n", "1", &job]] {
            let said = sandbox.smtrain(command).run()?.expect(1)?;
            if kind == "link to a fifo" {
                // Either the link or the FIFO beside it, which lies in the log's folder too, is read first.
                assert!(said.stderr.contains("/log/algo-1-"), "{said}");
            } else {
                transcript.add(format_args!("{kind}: {}", command.join(" ")), &said);
            }
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## fifo: logs proj-[STAMP]
    ## fifo: logs -f proj-[STAMP]
    ## fifo: logs -n 1 proj-[STAMP]
    ## socket: logs proj-[STAMP]
    ## socket: logs -f proj-[STAMP]
    ## socket: logs -n 1 proj-[STAMP]
    ## folder: logs proj-[STAMP]
    ## folder: logs -f proj-[STAMP]
    ## folder: logs -n 1 proj-[STAMP]
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/log/algo-1-[EPOCH]
      cause: it is not a regular file
    ## link to a device: logs proj-[STAMP]
    ## link to a device: logs -f proj-[STAMP]
    ## link to a device: logs -n 1 proj-[STAMP]
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/log/algo-1-[EPOCH]
      cause: it is a symbolic link
    "#);
    Ok(())
}

/// The end of a login may be told to all of a user's processes.
#[test]
fn a_hangup_ends_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    let both = [process(&sandbox, SUPERVISOR)?, process(&sandbox, GUARD)?];
    for _ in 0..3 {
        signal(&both, Signal::SIGHUP)?;
    }
    sandbox.smtrain(&["logs", &job]).run()?.ok()?;
    assert_eq!(sandbox.status(&job)?, "InProgress");
    stops(&sandbox, &job, "the guard was told of a hangup")
}

/// A computer whose disk can't be written, and whose processes can't be seen: nobody hears of the stop.
#[test]
fn a_stop_that_nobody_hears_of_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    let alone = format!(
        "exec unshare -Urmpf --mount-proc sh -euc 'mount --rbind $SMTRAIN_HOME $SMTRAIN_HOME; \
         mount -o remount,bind,ro $SMTRAIN_HOME; exec smtrain stop {job}'"
    );
    let said = sandbox.sh(&alone).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not ask the job to stop: write [SANDBOX]/smtrain/jobs/proj-[STAMP]/stop
      cause: Read-only file system (os error 30)
    "#);
    assert_eq!(sandbox.status(&job)?, "InProgress");
    stops(&sandbox, &job, "it was not stopped before")
}

/// The disk can't be written, but the supervisor can be signalled.
#[test]
fn a_stop_that_can_not_be_written_down() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", SAVES)?.spec();
    let script = format!(
        "job=$(smtrain submit -q --local {spec})
        until smtrain logs $job | grep -q ready; do sleep 0.05; done
        unshare -m sh -euc 'mount --rbind $SMTRAIN_HOME $SMTRAIN_HOME
            mount -o remount,bind,ro $SMTRAIN_HOME
            exec smtrain stop -q $0' $job
        smtrain wait $job || echo code $?
        smtrain logs $job | grep saved"
    );
    let said = sandbox.sh("exec unshare -Urm sh -euc \"$RUN\"").env("RUN", script).run()?.ok()?;
    assert_eq!(said.lines().get(1..), Some(&["code 4", "saved"][..]), "{said}");
    sandbox.wait_for_no_processes()
}

/// The supervisor can't be continued from where it can't be seen.
#[test]
fn a_job_that_does_not_react_to_a_stop_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    let supervisor = process(&sandbox, SUPERVISOR)?;
    hold(&[supervisor])?;
    let said = sandbox.sh(&format!("exec unshare -Urmpf --mount-proc smtrain stop {job}")).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: job proj-[STAMP] did not react to the stop within 10 s
    hint: run smtrain stop where the job was submitted: its processes can't be seen from here
    "#);
    signal(&[supervisor], Signal::SIGCONT)?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    assert_eq!(written_state(&sandbox, &job)?["TrainingJobStatus"], "Stopped");
    Ok(())
}

/// A guard that is stopped again after every signal has its time, and no more.
#[test]
fn a_guard_that_does_nothing_is_ended() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
guard = os.getppid()
print('ready', flush=True)
while True:
    os.kill(guard, signal.SIGSTOP)
    time.sleep(0.001)";
    let project = sandbox.project("proj", script)?.with("[local]\nstop_grace = '1s'")?;
    let job = sandbox.submit(&project, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    sandbox.wait_for_no_processes()
}

/// StopTrainingJob makes it Stopping, and it ends Stopped; what the script has left is stored all the same.
#[test]
fn a_job_that_is_stopped_while_it_uploads_keeps_its_model() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os
with open(os.environ['SM_MODEL_DIR'] + '/weights', 'wb') as file:
    for _ in range(100): file.write(os.urandom(1 << 20))";
    let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
    poll("the upload", || Ok((sandbox.describe(&job)?["SecondaryStatus"] == "Uploading").then_some(())))?;
    let said = sandbox.smtrain(&["stop", &job]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    stopping proj-[STAMP]; wait for its end: smtrain wait proj-[STAMP]
    "#);
    let state = sandbox.describe(&job)?;
    assert_eq!((&state["TrainingJobStatus"], &state["SecondaryStatus"]), (&"Stopping".into(), &"Uploading".into()));
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    assert_eq!(fs::metadata(sandbox.path(&job).join("model/weights"))?.len(), 100 << 20);
    Ok(())
}

/// Answers nothing, and leaves a child that holds its output open.
const SILENT_PYTHON: &str = "#!/bin/sh\nsleep 600 &\nsleep 600\n";

#[test]
fn a_python_that_never_answers_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?.file("python", SILENT_PYTHON)?.executable("python")?;
    let python = project.path("python").display().to_string();
    let project = project.with(&format!("[local]\npython = '{python}'"))?;
    let said = sandbox.smtrain(&["submit", "--local", &project.spec()]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: [SANDBOX]/proj/python gave no answer within 20 s, when it was asked for its version
    hint: run `[SANDBOX]/proj/python -I -c 1`, or name another Python in the spec: [local] python = "/path/to/python3"
    "#);
    sandbox.wait_for_no_processes()?;
    poll("no job", || {
        Ok(sandbox.smtrain(&["history", "--local", "-o", "names"]).run()?.ok()?.stdout.is_empty().then_some(()))
    })
}
