//! Local jobs whose folders are damaged, removed, can't be written, or may be another user's.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::local::robust::{GUARD, SUPERVISOR, hold, process, signal};
use crate::support::{Sandbox, TestResult, Transcript, poll};

use super::models::as_user;

/// Saves something when it is asked to stop.
const SAVES: &str = "
import signal, sys, time
def save(*_):
    print('saved', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print('ready', flush=True)
time.sleep(600)
";

fn running(sandbox: &Sandbox) -> TestResult<String> {
    let job = sandbox.submit(&sandbox.project("proj", SAVES)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    Ok(job)
}

fn truncate(state: &Path) -> TestResult {
    Ok(fs::write(state, "{\"Train")?)
}

fn remove(state: &Path) -> TestResult {
    Ok(fs::remove_file(state)?)
}

fn replace(state: &Path) -> TestResult {
    fs::remove_file(state)?;
    Ok(fs::create_dir(state)?)
}

type Deed = fn(&Path) -> TestResult;

/// The supervisor has the state in memory: the stop ends the job as any other, and writes its state again.
#[test]
fn a_job_without_a_readable_state_is_stopped() -> TestResult {
    for (what, deed) in [("truncated", truncate as Deed), ("removed", remove)] {
        let sandbox = Sandbox::new()?;
        let job = running(&sandbox)?;
        deed(&sandbox.job_folder(&job).join("job.json"))?;
        let said = sandbox.smtrain(&["stop", &job]).run()?.ok().map_err(|error| format!("{what}: {error}"))?;
        // It may have ended by the time that `stop` looks again.
        let is_told = said.stderr.contains("stopping") || said.stderr.contains("has ended: Stopped");
        assert!(is_told, "{what}: {said}");
        let waited = sandbox.smtrain(&["wait", &job]).run()?.expect(4);
        waited.map_err(|error| format!("{what}: {error}"))?;
        assert!(sandbox.log(&job)?.contains("\nsaved\n"), "{what}");
        sandbox.wait_for_no_processes()?;
    }
    Ok(())
}

/// Nothing can be put in its place: the job ends all the same.
#[test]
fn a_job_whose_state_is_no_file_is_stopped() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    replace(&sandbox.job_folder(&job).join("job.json"))?;
    sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
    sandbox.wait_for_no_processes()?;
    // The end was written where space had been kept back for it.
    assert_eq!(sandbox.status(&job)?, "Stopped");
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    Ok(())
}

/// Nobody is left who could write the state. What still runs is ended, and the error says what is to be done.
#[test]
fn a_job_without_a_readable_state_and_without_keepers_is_ended() -> TestResult {
    let mut transcript = Transcript::default();
    for (what, deed) in [("truncated", truncate as Deed), ("removed", remove), ("replaced", replace)] {
        let sandbox = Sandbox::new()?;
        let job = running(&sandbox)?;
        deed(&sandbox.job_folder(&job).join("job.json"))?;
        let both = [process(&sandbox, SUPERVISOR)?, process(&sandbox, GUARD)?];
        hold(&both)?;
        signal(&both, Signal::SIGKILL)?;
        poll("the end of both", || Ok((sandbox.processes().len() <= 1).then_some(())))?;
        let said = sandbox.smtrain(&["stop", &job]).run()?.expect(1)?;
        transcript.add(what, &said);
        sandbox.wait_for_no_processes()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## truncated
    exit code: 1
    --- stderr
    error: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## removed
    exit code: 1
    --- stderr
    error: there is no [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## replaced
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    "#);
    Ok(())
}

/// A folder that is there is not said to be absent, and nothing is made up about its job.
#[test]
fn a_job_without_a_readable_state_is_listed_as_such() -> TestResult {
    let mut transcript = Transcript::default();
    for (what, deed) in [("truncated", truncate as Deed), ("removed", remove), ("replaced", replace)] {
        let sandbox = Sandbox::new()?;
        let project = sandbox.project("proj", "print('hello')")?;
        let (whole, job) = (sandbox.complete(&project, &[])?, sandbox.complete(&project, &[])?);
        // A supervisor writes the state for the last time just before it ends.
        sandbox.wait_for_no_processes()?;
        let state = sandbox.job_folder(&job).join("job.json");
        deed(&state)?;
        let said = sandbox.smtrain(&["history", "--local"]).run()?.ok()?;
        transcript.add(format_args!("{what}: history"), &said);
        let rows = sandbox.smtrain(&["history", "--local", "-o", "json"]).run()?.ok()?.json_lines()?;
        let statuses: Vec<&str> = rows.iter().filter_map(|row| row["status"].as_str()).collect();
        assert_eq!(statuses, ["Unreadable", "Completed"], "{what}");
        let failed = sandbox.smtrain(&["history", "--local", "-s", "Failed", "-o", "names"]).run()?.ok()?;
        assert_eq!(failed.stdout, "", "{what}");
        let names = sandbox.smtrain(&["history", "--local", "-o", "names"]).run()?.ok()?;
        assert_eq!(names.lines(), [&job, &whole], "{what}");
        for command in ["describe", "wait", "stop"] {
            let said = sandbox.smtrain(&[command, &job]).run()?.expect(1)?;
            transcript.add(format_args!("{what}: {command}"), &said);
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## truncated: history
    exit code: 0
    --- stdout
    NAME                          STATUS      RUNS                    INSTANCES    CREATED              TRAINED  BILLED  METRIC
    proj-[STAMP]  Unreadable  -                       -            [TIME]  -        -       -
    proj-[STAMP]  Completed   sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -
    --- stderr
    warning: the state of job proj-[STAMP] can't be read: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    ## truncated: describe
    ## truncated: wait
    exit code: 1
    --- stderr
    error: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## truncated: stop
    exit code: 1
    --- stderr
    error: [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json is damaged: EOF while parsing a string at line 1 column 7
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## removed: history
    exit code: 0
    --- stdout
    NAME                          STATUS      RUNS                    INSTANCES    CREATED              TRAINED  BILLED  METRIC
    proj-[STAMP]  Unreadable  -                       -            [TIME]  -        -       -
    proj-[STAMP]  Completed   sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -
    --- stderr
    warning: the state of job proj-[STAMP] can't be read: there is no [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json
    ## removed: describe
    ## removed: wait
    exit code: 1
    --- stderr
    error: there is no [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## removed: stop
    exit code: 1
    --- stderr
    error: there is no [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## replaced: history
    exit code: 0
    --- stdout
    NAME                          STATUS      RUNS                    INSTANCES    CREATED              TRAINED  BILLED  METRIC
    proj-[STAMP]  Unreadable  -                       -            [TIME]  -        -       -
    proj-[STAMP]  Completed   sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -
    --- stderr
    warning: the state of job proj-[STAMP] can't be read: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    ## replaced: describe
    ## replaced: wait
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: end what still runs of it: smtrain stop proj-[STAMP]; save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    ## replaced: stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    "#);
    Ok(())
}

/// Nobody could stop it any more.
#[test]
fn a_job_whose_folder_is_gone_ends() -> TestResult {
    let quiet = "print('ready', flush=True)\nimport time\ntime.sleep(600)";
    let loud = "print('ready', flush=True)\nwhile True: print('x' * 100)";
    for (what, script) in [("quiet", quiet), ("loud", loud)] {
        let sandbox = Sandbox::new()?;
        let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
        poll("a line", || {
            Ok((!sandbox.smtrain(&["logs", "-n", "1", &job]).run()?.ok()?.stdout.is_empty()).then_some(()))
        })?;
        fs::rename(sandbox.job_folder(&job), sandbox.path("removed"))?;
        fs::remove_dir_all(sandbox.path("removed"))?;
        sandbox.wait_for_no_processes().map_err(|error| format!("{what}: {error}"))?;
        assert!(!sandbox.job_folder(&job).exists(), "{what}");
    }
    Ok(())
}

/// A supervisor that is stopped does not see that the folder is gone: the guard does, and continues it.
#[test]
fn a_job_whose_folder_is_gone_ends_although_its_supervisor_is_held() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    signal(&[process(&sandbox, SUPERVISOR)?], Signal::SIGSTOP)?;
    fs::remove_dir_all(sandbox.job_folder(&job))?;
    sandbox.wait_for_no_processes()
}

/// A file can hold no request to stop.
#[test]
fn a_job_whose_folder_is_replaced_by_a_file_ends() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    fs::rename(sandbox.job_folder(&job), sandbox.path("aside"))?;
    fs::write(sandbox.job_folder(&job), "")?;
    sandbox.wait_for_no_processes()
}

/// The job ends, and is not said to be stopping for ever.
#[test]
fn a_job_whose_folder_is_replaced_by_a_file_is_stopped() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    fs::rename(sandbox.job_folder(&job), sandbox.path("aside"))?;
    fs::write(sandbox.job_folder(&job), "")?;
    let mut transcript = Transcript::default();
    for _ in 0..2 {
        let said = sandbox.smtrain(&["stop", &job]).run()?.expect(1)?;
        transcript.add("stop", &said);
        sandbox.wait_for_no_processes()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## stop
    exit code: 1
    --- stderr
    error: there is no [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    "#);
    Ok(())
}

/// No file of the job can be read or written: it ends, and every stop after that says so.
#[test]
fn a_job_whose_files_are_all_replaced_by_folders_is_stopped() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    for entry in fs::read_dir(sandbox.job_folder(&job))? {
        let path = entry?.path();
        if path.is_file() {
            replace(&path)?;
        }
    }
    let mut transcript = Transcript::default();
    for _ in 0..2 {
        let said = sandbox.smtrain(&["stop", &job]).run()?.expect(1)?;
        transcript.add("stop", &said);
        sandbox.wait_for_no_processes()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## stop
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/jobs/proj-[STAMP]/job.json: it is not a regular file
    hint: none of its processes runs any more: save what you need of its folder, and remove it: rm -r [SANDBOX]/smtrain/jobs/proj-[STAMP]
    "#);
    Ok(())
}

/// A folder may be put aside for a moment, as by a tool that copies it.
#[test]
fn a_job_whose_folder_is_back_at_once_goes_on() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = running(&sandbox)?;
    let (folder, aside) = (sandbox.job_folder(&job), sandbox.path("aside"));
    fs::rename(&folder, &aside)?;
    fs::rename(&aside, &folder)?;
    assert_eq!(sandbox.status(&job)?, "InProgress");
    sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    Ok(())
}

/// Ends a job that leaves a model and then does something to its folder; returns what `wait` and two looks at it said.
fn end_as_user(deed: &str) -> TestResult<(String, String)> {
    let script = format!(
        "
import os
open(os.environ['SM_MODEL_DIR'] + '/weights', 'w').write('precious')
folder = os.environ['SMTRAIN_JOB_FOLDER']
{deed}
os.chmod(folder, 0o500)"
    );
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", &script)?.spec();
    fs::copy(env!("CARGO_BIN_EXE_smtrain"), sandbox.path("smtrain-copy"))?;
    let run = format!(
        "job=$(./smtrain-copy submit -q --local {spec}); ./smtrain-copy wait $job 2>&1 || echo code $?; \
         ./smtrain-copy describe $job; chmod 700 smtrain/jobs/$job; ./smtrain-copy describe $job; \
         ./smtrain-copy download $job 2>&1 || :; cat $job/model/weights || :"
    );
    let said = as_user(&sandbox, &run)?.ok()?;
    sandbox.wait_for_no_processes()?;
    Ok((said.stdout, said.stderr))
}

/// How the job ended was written where space had been kept back: it is true although it can't be put in its place.
#[test]
fn an_end_that_can_not_be_put_in_its_place_is_read_from_the_reserve() -> TestResult {
    let (said, errors) = end_as_user("")?;
    // `wait` may have read the job before or after its folder was closed.
    assert_eq!(said.matches("Completed").count().min(2), 2, "{said}{errors}");
    assert!(!said.contains("Failed") && !said.contains("code 3") && said.ends_with("precious"), "{said}{errors}");
    Ok(())
}

/// Nor can it be written at all: the supervisor's own log says why, and so does everybody who reads the job.
#[test]
fn an_end_that_can_not_be_written_fails_the_job_with_the_cause() -> TestResult {
    let (said, errors) = end_as_user("os.remove(folder + '/reserve')")?;
    // `wait` may have read the job before or after its folder was closed.
    assert!(said.contains("code 3") && said.contains("Failed"), "{said}{errors}");
    let reasons = said.matches("job.json: cause: Permission denied").count()
        + said.matches("job.json: Permission denied").count();
    assert!(reasons >= 3, "{reasons}: {said}{errors}");
    Ok(())
}

/// A umask that takes the owner's rights makes files that the job itself could not read.
#[test]
fn a_umask_against_oneself_is_refused() -> TestResult {
    let mut transcript = Transcript::default();
    for umask in ["0777", "0700", "0277", "0400", "0100"] {
        let sandbox = Sandbox::new()?;
        let spec = sandbox.project("proj", "print('hello')")?.spec();
        fs::copy(env!("CARGO_BIN_EXE_smtrain"), sandbox.path("smtrain-copy"))?;
        let run = format!(
            "(umask {umask}; ./smtrain-copy submit -q --local {spec}) || echo code $?; find smtrain/jobs -name '.new-*' 2>/dev/null || :"
        );
        let said = as_user(&sandbox, &run)?.ok()?;
        transcript.add(umask, &said);
        sandbox.wait_for_no_processes()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## 0777
    exit code: 0
    --- stdout
    code 1
    --- stderr
    error: the umask 0777 denies the owner access to new files: a job could not read its own
    hint: set another one before: umask 022
    ## 0700
    exit code: 0
    --- stdout
    code 1
    --- stderr
    error: the umask 0700 denies the owner access to new files: a job could not read its own
    hint: set another one before: umask 022
    ## 0277
    exit code: 0
    --- stdout
    code 1
    --- stderr
    error: the umask 0277 denies the owner access to new files: a job could not read its own
    hint: set another one before: umask 022
    ## 0400
    exit code: 0
    --- stdout
    code 1
    --- stderr
    error: the umask 0400 denies the owner access to new files: a job could not read its own
    hint: set another one before: umask 022
    ## 0100
    exit code: 0
    --- stdout
    code 1
    --- stderr
    error: the umask 0100 denies the owner access to new files: a job could not read its own
    hint: set another one before: umask 022
    "#);
    Ok(())
}

/// Whoever can write there decides what a job runs.
#[test]
fn a_state_folder_that_others_can_write_is_refused() -> TestResult {
    let mut transcript = Transcript::default();
    for (what, deed) in [
        ("all", "chmod 777 $SMTRAIN_HOME"),
        ("all jobs", "chmod 777 $SMTRAIN_HOME/jobs"),
        ("all jobs, sticky", "chmod 1777 $SMTRAIN_HOME/jobs"),
        ("all objects", "chmod 702 $SMTRAIN_HOME/s3"),
        ("all environments", "mkdir $SMTRAIN_HOME/cache; chmod 777 $SMTRAIN_HOME/cache"),
        ("each environment", "mkdir -p $SMTRAIN_HOME/cache/environments; chmod 777 $SMTRAIN_HOME/cache/environments"),
        ("objects while they are made", "mkdir -p $SMTRAIN_HOME/s3/.staging; chmod 777 $SMTRAIN_HOME/s3/.staging"),
        (
            "a stranger",
            "if [ $(id -u) = 0 ]; then chown 1234 $SMTRAIN_HOME; else export SMTRAIN_HOME=/usr; IN='unshare -Ur'; fi",
        ),
    ] {
        let sandbox = Sandbox::new()?;
        let project = sandbox.project("proj", "print('hello')")?;
        sandbox.complete(&project, &[])?;
        let run = format!(
            "IN=; {deed}; $IN smtrain submit -q --local {} || echo code $?; $IN smtrain history --local -o names",
            project.spec()
        );
        let said = sandbox.sh(&run).run()?.ok()?;
        assert!(said.stdout.starts_with("code 1\n"), "{what}: {said}");
        // A stranger's folder is another one for root.
        if what == "a stranger" {
            let is_told = said.stderr.contains("error: ") && said.stderr.contains("SMTRAIN_HOME");
            assert!(is_told && said.stderr.contains("warning: ") && said.stderr.contains("hint: "), "{what}: {said}");
        } else {
            transcript.add(what, &said);
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## all
    exit code: 0
    --- stdout
    code 1
    proj-[STAMP]
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    warning: the state of local jobs can't be trusted: everybody may write to [SANDBOX]/smtrain; see SMTRAIN_HOME
    ## all jobs
    ## all jobs, sticky
    exit code: 0
    --- stdout
    code 1
    proj-[STAMP]
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/jobs
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    warning: the state of local jobs can't be trusted: everybody may write to [SANDBOX]/smtrain/jobs; see SMTRAIN_HOME
    ## all objects
    exit code: 0
    --- stdout
    code 1
    proj-[STAMP]
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/s3
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    warning: the state of local jobs can't be trusted: everybody may write to [SANDBOX]/smtrain/s3; see SMTRAIN_HOME
    ## all environments
    exit code: 0
    --- stdout
    code 1
    proj-[STAMP]
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/cache
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    warning: the state of local jobs can't be trusted: everybody may write to [SANDBOX]/smtrain/cache; see SMTRAIN_HOME
    ## each environment
    exit code: 0
    --- stdout
    code 1
    proj-[STAMP]
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/cache/environments
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    warning: the state of local jobs can't be trusted: everybody may write to [SANDBOX]/smtrain/cache/environments; see SMTRAIN_HOME
    ## objects while they are made
    exit code: 0
    --- stdout
    code 1
    proj-[STAMP]
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/s3/.staging
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    warning: the state of local jobs can't be trusted: everybody may write to [SANDBOX]/smtrain/s3/.staging; see SMTRAIN_HOME
    "#);
    Ok(())
}

/// As /tmp is: nobody can put anything in place of what is there.
#[test]
fn a_sticky_state_folder_is_accepted() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", "print('hello')")?.spec();
    let run = format!("mkdir $SMTRAIN_HOME; chmod 1777 $SMTRAIN_HOME; smtrain submit -q --local --wait {spec}");
    let said = sandbox.sh(&run).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @"");
    Ok(())
}

/// Objects are believed by their names, so that the folders above them count as well.
#[test]
fn a_folder_of_objects_that_others_can_write_is_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('hello')")?;
    sandbox.complete(&project, &[])?;
    let code = sandbox.sh("find $SMTRAIN_HOME/s3 -type d -path '*/code'").run()?.ok()?.lines().join("");
    let code = Path::new(&code);
    let bucket = code.ancestors().find(|folder| folder.parent().is_some_and(|above| above.ends_with("s3")));
    let mut transcript = Transcript::default();
    for folder in [Some(code), code.parent(), bucket] {
        let folder = folder.ok_or("no folder of code")?.display();
        let run = format!("chmod 777 {folder}; smtrain submit -q --local {} || :; chmod 700 {folder}", project.spec());
        let said = sandbox.sh(&run).run()?.ok()?;
        transcript.add(folder, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## [SANDBOX]/smtrain/s3/sagemaker-local-000000000000/smtrain/code
    exit code: 0
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/s3/sagemaker-local-000000000000/smtrain/code
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    ## [SANDBOX]/smtrain/s3/sagemaker-local-000000000000/smtrain
    exit code: 0
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/s3/sagemaker-local-000000000000/smtrain
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    ## [SANDBOX]/smtrain/s3/sagemaker-local-000000000000
    exit code: 0
    --- stderr
    error: no local job is run from a state folder that other users can change: everybody may write to [SANDBOX]/smtrain/s3/sagemaker-local-000000000000
    hint: set SMTRAIN_HOME to a folder of your own, or repair its owner and mode: chown, chmod o-w
    "#);
    sandbox.complete(&project, &[])?;
    Ok(())
}

/// The environment of a job's requirements, of which there is one after the first job.
fn environment(sandbox: &Sandbox) -> TestResult<std::path::PathBuf> {
    let mut entries = fs::read_dir(sandbox.path("smtrain/cache/environments"))?;
    let found = entries.find_map(|entry| Some(entry.ok()?.path()).filter(|path| path.is_dir()));
    Ok(found.ok_or("no environment")?)
}

/// Whoever can write to an environment, or put another one in its place, runs code as this user.
#[test]
fn an_environment_that_another_user_can_change_is_not_run() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('hello')")?.file("requirements.txt", "# none\n")?;
    sandbox.complete(&project, &[])?;
    let folder = environment(&sandbox)?;
    let shown = folder.display();
    for (what, deed, undo) in [
        ("all", format!("chmod 777 {shown}"), format!("chmod 700 {shown}")),
        (
            "a link",
            format!("mv {shown} {shown}.old; ln -s {shown}.old {shown}"),
            format!("rm {shown}; mv {shown}.old {shown}"),
        ),
        (
            "a stranger",
            format!("[ $(id -u) != 0 ] && rm -r {shown} && ln -s . {shown} || chown 1234 {shown}"),
            String::new(),
        ),
    ] {
        sandbox.sh(&deed).run()?.ok()?;
        let job = sandbox.submit(&project, &[])?;
        sandbox.smtrain(&["wait", &job]).run()?.expect(3)?;
        let reason = sandbox.smtrain(&["describe", &job]).run()?.ok()?.stdout;
        // The folder of a stranger is another one for root.
        assert!(reason.contains("other users can change"), "{what}: {reason}");
        sandbox.sh(&undo).run()?.ok()?;
    }
    Ok(())
}
