//! How following ends: with the job, by the reader, by Ctrl-C, or with a job that isn't there.

use nix::sys::signal::Signal;
use serde_json::json;

use super::{closing, ended, start};
use crate::support::{Sandbox, TestResult, Transcript, poll};

#[test]
fn the_exit_code_tells_how_the_job_ended() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let reason = "AlgorithmError: no such column, exit code: 1";
    start(&tenant, "failing", &json!({ "seconds": 2, "events": 20, "end": "Failed", "reason": reason }))?;
    start(
        &tenant,
        "stopping",
        &json!({ "seconds": 600, "events": 50_000, "phases": [0.1, 0.1, 600, 0.1], "appear": 0 }),
    )?;
    let running = sandbox.smtrain(&["logs", "-f", "stopping"]).start()?;
    running.wait_for_stdout("algo-1 0000001")?;
    let failed = sandbox.smtrain(&["logs", "-f", "failing"]).run()?.expect(3)?;
    insta::assert_snapshot!(failed.error_snapshot(sandbox.root())?, @r#"
    error: job failing failed: AlgorithmError: no such column, exit code: 1
    hint: read its log: smtrain logs failing
    "#);
    assert_eq!((closing(&failed)?.lines, failed.lines().len()), (20, 20));
    sandbox.smtrain(&["stop", "stopping"]).run()?.ok()?;
    let stopped = running.finish()?.expect(4)?;
    assert_eq!(closing(&stopped)?.gaps, 0);
    Ok(())
}

#[test]
fn the_end_tells_phases_and_the_billed_time() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "closing", &json!({ "nodes": 3, "phases": [1.2, 1.2, 3, 1.2], "events": 500 }))?;
    let said = sandbox.smtrain(&["logs", "-f", "closing"]).run()?.ok()?;
    // How long each phase took depends on the moment.
    assert!(said.stderr.contains("1,500 lines, 3/3 nodes, 0 late, 0 gaps") || closing(&said)?.late > 0, "{said}");
    let (_, end) = said.stderr.split_once("1,500 lines, 3/3 nodes").ok_or("no closing line")?;
    for word in ["Starting", "Downloading", "Training", "Uploading", "billed"] {
        assert!(end.contains(word), "no {word} in {end}");
    }
    Ok(())
}

#[test]
fn phases_are_told_before_there_is_a_line() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "waiting", &json!({ "phases": [4, 1, 1, 0.2], "events": 5 }))?;
    let running = sandbox.smtrain(&["logs", "-f", "waiting"]).start()?;
    running.wait_for_stderr("Preparing the instances for training")?;
    let said = running.finish()?.ok()?;
    // Which other phases are seen depends on the moment.
    assert!(said.stderr.contains("Downloading input data"), "{said}");
    assert_eq!(said.lines().len(), 5);
    Ok(())
}

#[test]
fn a_job_without_a_log_still_tells_its_failure() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    // The account has no log group yet.
    let reason = "CapacityError: Unable to provision requested ML compute capacity.";
    let state = json!({ "TrainingJobStatus": "Failed", "FailureReason": reason });
    tenant.jobs(&[json!({ "name": "lineless", "created": 1_763_884_800, "state": state })])?;
    let said = sandbox.smtrain(&["logs", "-f", "lineless"]).run()?.expect(3)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 3
    --- stdout
    --- stderr
    0 lines, 0/1 node, 0 late, 0 gaps
    billed 1m 0s
    error: job lineless failed: CapacityError: Unable to provision requested ML compute capacity.
    hint: AWS had no such instance free: try again later, or another instance type; with GPUs or Neuron devices, limits.max_pending waits for one
    hint: read its log: smtrain logs lineless
    "#);
    let read = sandbox.smtrain(&["logs", "lineless"]).run()?.ok()?;
    assert_eq!(read.stdout, "");
    Ok(())
}

#[test]
fn a_log_group_may_appear_later() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "first", &json!({ "phases": [2, 0.2, 3, 0.2], "events": 10, "appear": 1 }))?;
    let running = sandbox.smtrain(&["logs", "-f", "first"]).start()?;
    poll("a question for streams", || Ok((tenant.count("DescribeLogStreams")? > 0).then_some(())))?;
    let said = running.finish()?.ok()?;
    assert_eq!(said.lines().len(), 10);
    // Which phases are seen depends on the moment.
    assert!(!said.stderr.contains("error"), "{said}");
    Ok(())
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "piped", &json!({ "nodes": 2, "phases": [0.1, 0.1, 20, 0.1], "events": 2000, "appear": 0 }))?;
    let said = sandbox.sh("smtrain logs -q -f piped | head -5").run()?.ok()?;
    assert_eq!(said.lines().len(), 5);
    assert_eq!(said.stderr, "");
    assert_eq!(sandbox.status("piped")?, "InProgress");
    let all = sandbox.sh("smtrain logs piped | head -3").run()?.ok()?;
    assert_eq!((all.lines().len(), all.stderr.as_str()), (3, ""));
    Ok(())
}

#[test]
fn an_interrupt_detaches_and_says_how_to_come_back() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "long", &json!({ "nodes": 2, "phases": [0.1, 0.1, 600, 0.1], "events": 6000, "appear": 0 }))?;
    let running = sandbox.smtrain(&["logs", "-f", "long"]).start()?;
    running.wait_for_stdout("algo-2 | algo-2 0000003")?;
    running.signal(Signal::SIGINT)?;
    let said = running.finish()?.expect(130)?;
    insta::assert_snapshot!(said.error_snapshot(sandbox.root())?, @r#"
    error: detached; job long continues
    hint: follow it again: smtrain logs -f long
    hint: stop it: smtrain stop long
    "#);
    assert_eq!(sandbox.status("long")?, "InProgress");
    Ok(())
}

#[test]
fn an_unknown_job_is_an_error() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    ended(&tenant, "penguins-1", "Completed", &[(1, 60, "a line")])?;
    // Another job's name that only begins like it.
    let mut transcript = Transcript::default();
    for arguments in [&["logs", "nothing-like-it"][..], &["logs", "-f", "nothing-like-it"]] {
        let said = sandbox.smtrain(arguments).run()?.expect(1)?;
        transcript.add(arguments.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## logs nothing-like-it
    ## logs -f nothing-like-it
    exit code: 1
    --- stderr
    error: there is no job nothing-like-it on this computer or in eu-west-1
    hint: list the jobs there are: smtrain history
    hint: it may be in another region: --region NAME, or of another --profile
    "#);
    Ok(())
}

#[test]
fn a_job_that_is_deleted_while_it_is_followed_is_an_error() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "gone", &json!({ "phases": [0.1, 0.1, 600, 0.1], "events": 6000, "appear": 0 }))?;
    let running = sandbox.smtrain(&["logs", "-f", "gone"]).start()?;
    running.wait_for_stdout("algo-1 0000003")?;
    tenant.delete_job("gone")?;
    let said = running.finish()?.expect(1)?;
    insta::assert_snapshot!(said.error_snapshot(sandbox.root())?, @"error: job gone in eu-west-1 does not exist");
    Ok(())
}

#[test]
fn the_state_alone() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    for (status, code) in [("Completed", 0), ("Failed", 3), ("Stopped", 4), ("InProgress", 0)] {
        let name = format!("state-{}", status.to_lowercase());
        ended(&tenant, &name, status, &[])?;
        let said = sandbox.smtrain(&["logs", &name, "--status"]).run()?.expect(code)?;
        assert_eq!(said.stdout, format!("{status}\n"));
    }
    assert_eq!(tenant.count("DescribeLogStreams")?, 0);
    Ok(())
}
