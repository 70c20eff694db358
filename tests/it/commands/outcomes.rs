//! JSON of what has come of a job or a spec, and names and reasons as people need them.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{CommandOutput, Sandbox, TestResult};

/// A job's JSON without its name and ARN, which differ from run to run.
fn outcome(said: &CommandOutput) -> TestResult<Value> {
    let mut job = said.json()?;
    let fields = job.as_object_mut().ok_or("no object")?;
    assert!(fields.contains_key("name"), "{said}");
    fields.remove("name");
    fields.remove("arn");
    Ok(job)
}

#[test]
fn a_job_that_was_waited_for_is_printed_as_it_ended() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", "open('/opt/ml/model/m', 'w').close()")?.spec();
    for flag in ["--wait", "--follow", "--download"] {
        let said = sandbox.smtrain(&["submit", "--local", "-o", "json", &spec, flag]).run()?.ok()?;
        let expected = json!({ "version": 1, "status": "Completed" });
        let last = said.stdout.lines().next().unwrap_or_default();
        let mut job: Value = serde_json::from_str(last)?;
        let name = job["name"].as_str().unwrap_or_default().to_owned();
        assert!(said.stderr.contains(&format!("job {name} was created\n")), "{flag}: {said}");
        job.as_object_mut().ok_or("no object")?.retain(|field, _| !["name", "arn"].contains(&field.as_str()));
        assert_eq!(job, expected, "{flag}");
    }
    let failing = sandbox.project("failing", "raise SystemExit(7)")?.spec();
    let said = sandbox.smtrain(&["submit", "--local", "-o", "json", &failing, "--wait"]).run()?.expect(3)?;
    let job = outcome(&said)?;
    assert_eq!(job["status"], "Failed");
    assert!(job["failure_reason"].as_str().is_some_and(|reason| reason.contains("ExitCode 7")), "{job}");
    let said = sandbox.smtrain(&["submit", "--local", "-o", "json", &spec]).run()?.ok()?;
    assert_eq!(outcome(&said)?, json!({ "version": 1, "status": "InProgress" }));
    Ok(())
}

#[test]
fn a_job_whose_end_was_not_seen_is_printed_as_it_was_created() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", "import time\ntime.sleep(600)")?.spec();
    let running = sandbox.smtrain(&["submit", "--local", "-o", "json", "--wait", &spec]).start()?;
    running.wait_for_stderr("was created")?;
    running.signal(Signal::SIGINT)?;
    let said = running.finish()?.expect(130)?;
    assert_eq!(outcome(&said)?, json!({ "version": 1, "status": "InProgress" }));
    Ok(())
}

#[test]
fn a_status_and_a_stop_have_json() -> TestResult {
    let sandbox = Sandbox::new()?;
    // It takes its time to end, so that the stop is seen under way.
    let script = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (time.sleep(3), sys.exit()))\n\
                  print('ready', flush=True)\ntime.sleep(600)";
    let long = sandbox.project("long", script)?;
    let job = sandbox.submit(&long, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let status = sandbox.smtrain(&["logs", "--status", "-o", "json", &job]).run()?.ok()?;
    assert_eq!(outcome(&status)?, json!({ "version": 1, "status": "InProgress" }));
    let stopping = outcome(&sandbox.smtrain(&["stop", "-o", "json", &job]).run()?.ok()?)?;
    assert_eq!((&stopping["outcome"], &stopping["error"]), (&json!("stopping"), &Value::Null));
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    let ended = outcome(&sandbox.smtrain(&["stop", "-o", "json", &job]).run()?.ok()?)?;
    assert_eq!(ended, json!({ "version": 1, "status": "Stopped", "outcome": "ended", "error": null }));
    let status = sandbox.smtrain(&["logs", "--status", "-o", "json", &job]).run()?.expect(4)?;
    assert_eq!(outcome(&status)?["status"], "Stopped");
    Ok(())
}

#[test]
fn a_checked_spec_has_json() -> TestResult {
    let sandbox = Sandbox::new()?;
    let good = sandbox.project("good", "")?.spec();
    let bad = sandbox.project("bad", "")?.with("[limits]\nmax_run = \"0s\"\nepoch = 1")?.spec();
    let said = sandbox.smtrain(&["validate", "-o", "json", &good, &bad]).run()?.expect(2)?;
    let lines = said.json_lines()?;
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["valid"], &lines[0]["problems"], &lines[0]["file"]),
        (&json!(true), &json!([]), &json!(good))
    );
    assert_eq!(lines[1]["valid"], false);
    insta::assert_snapshot!(serde_json::to_string_pretty(&lines[1]["problems"])?.replace(&bad, "[SPEC]"), @r#"
    [
      {
        "severity": "error",
        "message": "`max_run` is out of range: it should be 1s to 672h",
        "hint": null,
        "source": "[SPEC]",
        "line": 12,
        "column": 11
      },
      {
        "severity": "error",
        "message": "unknown key `epoch` in [limits]",
        "hint": "its keys are max_run, max_wait, max_pending, max_retry_attempts",
        "source": "[SPEC]",
        "line": 13,
        "column": 1
      }
    ]
    "#);
    // The same problems are told to people.
    assert!(said.stderr.contains("max_run"), "{said}");
    Ok(())
}

#[test]
fn a_whole_base_name_wins_over_longer_ones() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("churn", "")?.spec();
    let submit = |name: &str| -> TestResult<String> {
        let said = sandbox.smtrain(&["submit", "--local", "-q", "--wait", "--name", name, &spec]).run()?.ok()?;
        Ok(said.line().to_owned())
    };
    let (short, _long) = (submit("churn")?, submit("churn-big")?);
    let described = sandbox.smtrain(&["describe", "churn", "--local"]).run()?.ok()?;
    assert!(described.stdout.starts_with(&format!("name        {short}\n")), "{described}");
    // A beginning of both is none of them.
    sandbox.smtrain(&["describe", "chur", "--local"]).run()?.expect(1)?;
    submit("churn")?;
    let said = sandbox.smtrain(&["describe", "churn", "--local"]).run()?.expect(1)?;
    assert!(!said.stderr.contains("churn-big"), "{said}");
    Ok(())
}

#[test]
fn a_killed_script_is_told_as_killed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")?;
    let said = sandbox.smtrain(&["submit", "--local", "-q", "--wait", &project.spec()]).run()?.expect(3)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 3
    --- stdout
    proj-[STAMP]
    --- stderr
    error: job proj-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode -9
      ErrorMessage ""
      ExtraInfo "Process killed by SIGKILL (signal 9)"
      Command "[PYTHON] -- train.py", exit code: 1
    hint: it was killed (SIGKILL), most often because this computer's memory was short, which its kernel's log tells (dmesg): smaller batches or fewer data loader workers; else by a user or its own code
    hint: read its log: smtrain logs proj-[STAMP]
    "#);
    Ok(())
}

#[test]
fn a_value_on_a_line_that_is_too_long_is_named_by_its_key() -> TestResult {
    let sandbox = Sandbox::new()?;
    let long = "x".repeat(20_000);
    let project = sandbox.project("proj", "")?.with(&format!("[output]\ns3_uri = \"{long}\""))?;
    let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: `s3_uri` has 20000 characters, and at most 1024 are allowed
    --> [SANDBOX]/proj/job.toml:12:10
     = at: s3_uri = "xxxxxxxxxxxxxxxxxxx...
    error: `s3_uri` is not an S3 URI: an S3 URI starts with s3://
    --> [SANDBOX]/proj/job.toml:12:10
     = at: s3_uri = "xxxxxxxxxxxxxxxxxxx...
    [SANDBOX]/proj/job.toml: 2 errors
    "#);
    Ok(())
}
