//! Disks that are full, or can't be written.

use crate::support::{CommandOutput, Sandbox, TestResult, normalised};

/// Runs a shell script with a small disk of its own as SMTRAIN_HOME.
pub(crate) fn on_a_small_disk(sandbox: &Sandbox, size: &str, script: &str) -> TestResult<CommandOutput> {
    let mount = format!(
        "mkdir -p $SMTRAIN_HOME && unshare -Urm sh -c 'mount -t tmpfs -o size={size} none $SMTRAIN_HOME && {{ {script} }}'"
    );
    sandbox.sh(&mount).run()
}

/// Runs the job on a disk of 2 MB, on which it fails, and returns its reason, its log and its number of whole lines.
fn fail_on_a_small_disk(script: &str) -> TestResult<(String, String)> {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", script)?.spec();
    let run =
        format!("smtrain submit -q --local --wait {spec}; [ $? = 3 ] && smtrain describe -o json - && smtrain logs -");
    let said = on_a_small_disk(&sandbox, "2m", &format!("{run};"))?.ok()?;
    let (_job, rest) = said.stdout.split_once('\n').ok_or("no name")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
    let described = values.next().ok_or("no description")??;
    let log = rest.get(values.byte_offset()..).unwrap_or_default().trim_start().to_owned();
    sandbox.wait_for_no_processes()?;
    Ok((described["job"]["FailureReason"].as_str().unwrap_or_default().to_owned(), log))
}

#[test]
fn a_log_that_does_not_fit_fails_the_job() -> TestResult {
    let (reason, log) = fail_on_a_small_disk("for i in range(10**6): print('line number', i)")?;
    insta::assert_snapshot!(normalised(&reason)?, @"InternalServerError: could not write the job's log: No space left on device (os error 28)");
    let lines: Vec<&str> = log.lines().collect();
    let whole = lines.iter().position(|line| line.starts_with("smtrain: lines may be missing here"));
    let whole = whole.ok_or("no mark of the lines that were lost")?;
    assert!(whole > 10_000, "{whole}");
    for (number, line) in lines.iter().take(whole).enumerate() {
        assert_eq!(*line, format!("line number {number}"));
    }
    Ok(())
}

#[test]
fn a_model_that_can_not_be_packed_fails_the_job() -> TestResult {
    let script = "import os
open(os.environ['SM_MODEL_DIR'] + '/m', 'wb').write(os.urandom(1200 << 10))";
    let (reason, _) = fail_on_a_small_disk(script)?;
    insta::assert_snapshot!(normalised(&reason)?, @r#"InternalServerError: could not pack [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml/model: could not write the archive: No space left on device (os error 28) at path "[SANDBOX]/smtrain/s3/.staging/.tmp[TEMPORARY]"; all that it made is kept in [SANDBOX]/smtrain/jobs/proj-[STAMP]/ml"#);
    Ok(())
}

#[test]
fn a_model_that_does_not_fit_fails_the_job() -> TestResult {
    let script = "import os
open(os.environ['SM_MODEL_DIR'] + '/m', 'wb').write(os.urandom(8 << 20))";
    let (reason, _) = fail_on_a_small_disk(script)?;
    // Either the model or the log is what does not fit.
    assert!(reason.contains("No space left on device"), "{reason}");
    Ok(())
}

/// The room for the exit code and the state was taken before: the script itself ends well.
#[test]
fn a_full_disk_does_not_hide_the_script_s_exit_code() -> TestResult {
    let script = "import sys
try:
    with open('/opt/ml/fill', 'wb', buffering=0) as file:
        while file.write(b'x' * 512): pass
except OSError:
    sys.exit(7)";
    let (reason, _) = fail_on_a_small_disk(script)?;
    insta::assert_snapshot!(normalised(&reason)?, @r#"
    AlgorithmError: ExecuteUserScriptError:
    ExitCode 7
    ErrorMessage ""
    Command "[PYTHON] -- train.py", exit code: 1
    "#);
    Ok(())
}

#[test]
fn a_submission_to_a_full_disk_leaves_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", "print('hello')")?.spec();
    let fill = "head -c 10m /dev/zero > $SMTRAIN_HOME/fill 2>/dev/null;";
    let list = "find $SMTRAIN_HOME/jobs $SMTRAIN_HOME/s3 -type f 2>/dev/null;";
    let script = format!("{fill} smtrain submit -q --local {spec}; echo code $?; {list} smtrain history -q --local;");
    let said = on_a_small_disk(&sandbox, "1m", &script)?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    code 1
    --- stderr
    error: could not store [SANDBOX]/smtrain/s3/sagemaker-local-000000000000/smtrain/code/[SHA256]/sourcedir.tar.gz
      cause: No space left on device (os error 28)
    "#);
    sandbox.wait_for_no_processes()
}

#[test]
fn a_read_only_disk_can_be_read() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", "print('hello')")?.spec();
    let script = format!(
        "smtrain submit -q --local --wait {spec} && mount -o remount,bind,ro $SMTRAIN_HOME && smtrain logs - && \
         smtrain history --local -o names && ! smtrain submit -q --local {spec};"
    );
    let said = on_a_small_disk(&sandbox, "9m", &script)?.ok()?;
    let [job, log, listed] = said.lines()[..] else { return Err(said.to_string().into()) };
    assert_eq!((log, listed), ("hello", job));
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    error: could not create a folder in [SANDBOX]/smtrain/jobs
      cause: Read-only file system (os error 30) at path "[SANDBOX]/smtrain/jobs/.new-[TEMPORARY]"
    "#);
    Ok(())
}
