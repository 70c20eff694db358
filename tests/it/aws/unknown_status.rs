//! Jobs whose status this version does not know: shown by every command, and never a reason to fail.

use serde_json::{Value, json};

use crate::support::{Sandbox, TestAccount, TestResult};

const CREATED: u64 = 1_763_884_800;

/// A job that is still there, by `Paused`, and one that has ended, by `Archived`.
fn jobs(tenant: &TestAccount) -> TestResult {
    let state = |status: &str| json!({ "TrainingJobStatus": status, "SecondaryStatus": format!("{status}Somehow") });
    let ended = |mut state: Value| {
        state["TrainingEndTime"] = json!(CREATED + 240);
        state["FailureReason"] = json!("It was archived.");
        state
    };
    let not_started = |mut state: Value| {
        state["TrainingStartTime"] = Value::Null;
        state
    };
    tenant.jobs(&[
        json!({ "name": "paused", "created": CREATED, "state": not_started(state("Paused")) }),
        json!({ "name": "archived", "created": CREATED + 60, "state": ended(state("Archived")) }),
    ])
}

#[test]
fn they_are_listed_and_described() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    jobs(&tenant)?;
    let mut told = String::new();
    for arguments in [
        &["history"][..],
        &["history", "--sort", "status", "-o", "names"],
        &["history", "-o", "csv"],
        &["describe", "paused"],
        &["logs", "--status", "paused"],
        &["logs", "paused"],
    ] {
        let said = sandbox.smtrain(arguments).run()?.ok()?.snapshot(sandbox.root())?;
        told.extend([format!("$ smtrain {}\n{}\n", arguments.join(" "), said.replace(tenant.account(), "[ACCOUNT]"))]);
    }
    insta::assert_snapshot!(told, @r"
    $ smtrain history
    exit code: 0
    --- stdout
    NAME      STATUS    RUNS                INSTANCES    CREATED              TRAINED  BILLED  METRIC
    archived  Archived  scikit-learn:1.4-2  ml.m5.large  [TIME]  2m 0s    -       -
    paused    Paused    scikit-learn:1.4-2  ml.m5.large  [TIME]  -        -       -
    --- stderr

    $ smtrain history --sort status -o names
    exit code: 0
    --- stdout
    paused
    archived
    --- stderr

    $ smtrain history -o csv
    exit code: 0
    --- stdout
    version,name,status,secondary_status,runs,instances,created,ended,training_seconds,billable_seconds,metric,metric_value
    1,archived,Archived,ArchivedSomehow,scikit-learn:1.4-2,ml.m5.large,[TIME],[TIME],120,,,
    1,paused,Paused,PausedSomehow,scikit-learn:1.4-2,ml.m5.large,[TIME],,,,,
    --- stderr

    $ smtrain describe paused
    exit code: 0
    --- stdout
    name        paused
    status      Paused (PausedSomehow)
    created     [TIME]
    runs        scikit-learn:1.4-2
    image       [ACCOUNT].dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3
    instances   ml.m5.large
    volume      30 GB
    max run     1d 0h
    role        arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole
    output      s3://sagemaker-eu-west-1-[ACCOUNT]
    arn         arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/paused

    phases
    --- stderr

    $ smtrain logs --status paused
    exit code: 0
    --- stdout
    Paused
    --- stderr

    $ smtrain logs paused
    exit code: 0
    --- stdout
    --- stderr
    job paused has no log yet; it is PausedSomehow
    ");
    let described = sandbox.smtrain(&["describe", "-o", "json", "paused"]).run()?.ok()?.json()?;
    assert_eq!(described["job"]["TrainingJobStatus"], "Paused");
    Ok(())
}

/// Without Search as well, and among more jobs than one page has.
#[test]
fn they_are_listed_by_either_call() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    jobs(&tenant)?;
    let many = (0..150).map(|number| json!({ "name": format!("job-{number}"), "created": CREATED + 100 + number }));
    tenant.jobs(&many.collect::<Vec<_>>())?;
    for denied in ["Search", "None"] {
        tenant.clear_rules()?;
        tenant.rule(&json!({ "fault": "access_denied", "operation": denied }))?;
        let names = sandbox.smtrain(&["history", "--all", "-o", "names"]).run()?.ok()?;
        assert_eq!(names.lines().len(), 152, "{denied}");
        assert_eq!(names.lines().get(150..), Some(&["archived", "paused"][..]), "{denied}");
    }
    Ok(())
}

#[test]
fn the_wait_for_them_ends_when_they_have_ended() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    jobs(&tenant)?;
    let ended = sandbox.smtrain(&["wait", "archived"]).run()?.expect(1)?.snapshot(sandbox.root())?;
    let waiting = sandbox.smtrain(&["wait", "paused"]).start()?;
    waiting.wait_for_stderr("waiting for paused")?;
    tenant.jobs(&[json!({ "name": "paused", "created": CREATED })])?;
    let completed = waiting.finish()?.ok()?.snapshot(sandbox.root())?;
    insta::assert_snapshot!(format!("{ended}\n{completed}"), @r"
    exit code: 1
    --- stdout
    archived Archived
    --- stderr
    error: job archived ended as Archived, a status that this version of smtrain does not know: It was archived.
    hint: see what is known of it: smtrain describe archived

    exit code: 0
    --- stdout
    paused Completed
    --- stderr
    warning: job paused is Paused, a status that this version of smtrain does not know; waiting for paused until SageMaker tells the time of its end
    ");
    Ok(())
}

#[test]
fn their_log_is_followed_to_its_end() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    jobs(&tenant)?;
    tenant.log_events(&format!("archived/algo-1-{CREATED}"), &[(CREATED * 1000, "a line")])?;
    let said = sandbox.smtrain(&["logs", "-f", "archived"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    a line
    --- stderr
    1 line, 1/1 node, 0 late, 0 gaps
    error: job archived ended as Archived, a status that this version of smtrain does not know: It was archived.
    hint: see what is known of it: smtrain describe archived
    ");
    Ok(())
}

#[test]
fn they_are_stopped_as_others_are() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    jobs(&tenant)?;
    let ended = sandbox.smtrain(&["stop", "archived"]).run()?.ok()?;
    insta::assert_snapshot!(ended.snapshot(sandbox.root())?, @r"
    exit code: 0
    --- stdout
    --- stderr
    job archived has ended already: Archived
    ");
    Ok(())
}
