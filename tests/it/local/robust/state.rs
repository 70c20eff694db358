//! The state of jobs: created once, never half, and true whatever has become of their folders.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::support::{Sandbox, TestResult, Transcript, poll};

#[test]
fn twenty_submits_at_once() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("twin", "print('mine')")?;
    let arguments = ["submit", "-q", "--local", "--wait", &project.spec()];
    let submits = (0..20).map(|_| sandbox.smtrain(&arguments).start()).collect::<TestResult<Vec<_>>>()?;
    let mut names = BTreeSet::new();
    for submit in submits {
        names.insert(submit.finish()?.ok()?.line().to_owned());
    }
    assert_eq!(names.len(), 20);
    for job in &names {
        assert_eq!(sandbox.log(job)?, "mine\n");
    }
    Ok(())
}

#[test]
fn following_ends_when_the_job_s_folder_is_removed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import time
print('ready', flush=True)
time.sleep(1)";
    let job = sandbox.submit(&sandbox.project("gone", script)?, &[])?;
    let follow = sandbox.smtrain(&["logs", "-f", &job]).start()?;
    follow.wait_for_stdout("ready")?;
    // In one step: the supervisor may be writing a state.
    fs::rename(sandbox.job_folder(&job), sandbox.path("removed"))?;
    fs::remove_dir_all(sandbox.path("removed"))?;
    let said = follow.finish()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    ready
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    error: local job gone-[STAMP] does not exist
    "#);
    sandbox.wait_for_no_processes()
}

#[test]
fn what_killed_submits_left_is_removed_in_time() -> TestResult {
    let sandbox = Sandbox::new()?;
    let jobs = sandbox.state().join("jobs");
    let (old, new) = (jobs.join(".new-old111"), jobs.join(".new-new222"));
    for folder in [&old, &new] {
        fs::create_dir_all(folder.join("log"))?;
    }
    File::open(&old)?.set_modified(SystemTime::now() - Duration::from_hours(2))?;
    sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    assert_eq!((old.exists(), new.exists()), (false, true));
    let names = sandbox.smtrain(&["history", "--local", "-o", "names"]).run()?.ok()?;
    assert_eq!(names.lines().len(), 1);
    Ok(())
}

#[test]
fn a_damaged_job_is_named_by_its_file() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    let (whole, damaged) = (sandbox.complete(&project, &[])?, sandbox.complete(&project, &[])?);
    let file = sandbox.job_folder(&damaged).join("job.json");
    fs::write(&file, "{\"Train")?;
    let mut transcript = Transcript::default();
    for command in ["describe", "stop", "wait"] {
        let said = sandbox.smtrain(&[command, &damaged]).run()?.expect(1)?;
        transcript.add(command, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## describe
    exit code: 1
    --- stderr
    error: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## stop
    exit code: 1
    --- stderr
    error: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## wait
    exit code: 1
    --- stderr
    error: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    "#);
    let listed = sandbox.smtrain(&["history", "--local", "-o", "names"]).run()?.ok()?;
    assert_eq!(listed.lines(), [&damaged, &whole]);
    Ok(())
}

/// A job's own words may be anything: they are neither waited for nor read whole.
#[test]
fn odd_failure_files() -> TestResult {
    let sandbox = Sandbox::new()?;
    for (name, make) in [
        ("pipe", "os.mkfifo(path)"),
        ("folder", "os.mkdir(path)"),
        ("device", "os.symlink('/dev/zero', path)"),
        ("binary", "open(path, 'wb').write(bytes(range(128, 256)) * 100000)"),
    ] {
        let script = format!("import os\npath = os.environ['SM_OUTPUT_DIR'] + '/failure'\n{make}\nraise SystemExit(3)");
        let (job, _) = sandbox.end(&sandbox.project(name, &script)?, &[], 3)?;
        let reason = sandbox.failure_reason(&job)?;
        assert!(reason.starts_with("AlgorithmError: ") && reason.ends_with(", exit code: 1"), "{name}: {reason}");
    }
    Ok(())
}

/// Another job's folder, copied while it ran, must not end the job that runs.
#[test]
fn a_copy_of_a_running_job_is_settled_alone() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, time
print('ready', flush=True)
while not os.path.exists('go'): time.sleep(0.01)";
    let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let copy = sandbox.sh("cp -r $SMTRAIN_HOME copy && SMTRAIN_HOME=$PWD/copy smtrain describe -").run()?.ok()?;
    insta::assert_snapshot!(copy.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    name        proj-[STAMP]
    status      Failed
    reason      InternalServerError: the process that looked after this job ended without recording why: it was killed, the computer was restarted, or its state could not be written
    created     [TIME]
    trained     [S]
    runs        sklearn:1.4-2 train.py
    image       <sklearn:1.4-2>
    instances   ml.m5.large
    volume      30 GB
    max run     1d 0h
    role        arn:aws:iam::000000000000:role/local
    output      s3://sagemaker-local-000000000000/
    arn         arn:aws:sagemaker:local:000000000000:training-job/proj-[STAMP]

    hyperparameters
      sagemaker_container_log_level   20
      sagemaker_job_name              "proj-[STAMP]"
      sagemaker_program               "train.py"
      sagemaker_region                "local"
      sagemaker_submit_directory      "s3://sagemaker-local-000000000000/smtrain/code/[SHA256]/sourcedir.tar.gz"

    tags
      smtrain:version                 [VERSION]
      smtrain:code-sha256             [SHA256]

    phases
      Starting                        [TIME]       [S]  Preparing the job on this computer
      Downloading                     [TIME]       [S]  Preparing the code and the input data
      Training                        [TIME]       [S]  Training in progress
      Failed                          [TIME]       [S]  Training job failed
    --- stderr
    "#);
    fs::write(sandbox.job_folder(&job).join("ml/code/go"), "")?;
    poll("the job's end", || Ok((sandbox.status(&job)? == "Completed").then_some(())))
}

/// What can't be removed stays: all that counts is stored.
#[test]
fn scripts_that_leave_locked_folders() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os
os.makedirs('locked/below')
open('locked/below/file', 'w').close()
os.chmod('locked/below', 0o555)";
    sandbox.complete(&sandbox.project("locked", script)?, &[]).map(drop)
}

/// However long its script takes.
#[test]
fn a_job_that_is_asked_to_stop_is_stopping_at_once() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while not os.path.exists('go'): time.sleep(0.01)";
    let job = sandbox.submit(&sandbox.project("asked", script)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
    let state = sandbox.describe(&job)?;
    assert_eq!((&state["TrainingJobStatus"], &state["SecondaryStatus"]), (&"Stopping".into(), &"Stopping".into()));
    fs::write(sandbox.job_folder(&job).join("ml/code/go"), "")?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    Ok(())
}

/// Root's folder is no danger, but no place for another user's jobs. Nothing is written: `/` is root's.
#[test]
fn a_state_folder_of_root_is_refused_by_its_owner() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    let run = "other=; [ $(id -u) != 0 ] || other='setpriv --reuid=65534 --regid=65534 --clear-groups'
        SMTRAIN_HOME=/ $other smtrain submit -q --local";
    let said = sandbox.sh(&format!("{run} {}", project.spec())).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @"
    exit code: 1
    --- stdout
    --- stderr
    error: no local job is run from another user's state folder: / belongs to root
    hint: set SMTRAIN_HOME to a folder of your own, or have the folder given to you: chown
    ");
    Ok(())
}
