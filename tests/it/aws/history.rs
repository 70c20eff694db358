//! `smtrain history` on AWS: what is asked of the services, and what comes of it.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult};

/// Seconds since 1970.
fn now() -> TestResult<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64())
}

/// A job `name`, created `age` seconds ago.
fn job(name: &str, age: f64, state: &Value) -> TestResult<Value> {
    Ok(json!({ "name": name, "created": (now()? - age).floor(), "state": state }))
}

/// Jobs `n-1` (the newest) to `n-{count}`, a minute apart, of two hours and older. Every tenth has failed.
fn many(tenant: &TestAccount, count: u32) -> TestResult {
    let one = |number: u32| {
        let status = if number.is_multiple_of(10) { "Failed" } else { "Completed" };
        job(&format!("n-{number}"), 7200.0 + 60.0 * f64::from(number), &json!({ "TrainingJobStatus": status }))
    };
    tenant.jobs(&(1..=count).map(one).collect::<TestResult<Vec<_>>>()?)
}

fn history(sandbox: &Sandbox, arguments: &[&str]) -> TestResult<CommandOutput> {
    sandbox.smtrain(&["history"]).args(arguments).run()?.ok()
}

fn rows(sandbox: &Sandbox, arguments: &[&str]) -> TestResult<Vec<Value>> {
    history(sandbox, &[&["-o", "json"], arguments].concat())?.json_lines()
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["name"].as_str()).collect()
}

/// The operations that were called, and forgets them.
fn calls(tenant: &TestAccount) -> TestResult<Vec<String>> {
    let mut called: Vec<String> =
        tenant.calls()?.iter().filter_map(|call| call["operation"].as_str().map(str::to_owned)).collect();
    called.sort();
    tenant.clear_calls()?;
    Ok(called)
}

fn numbered(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("n-{number}")).collect()
}

#[test]
fn the_table_shows_the_jobs() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let script = json!({
        "HyperParameters": { "sagemaker_program": "\"train.py\"" },
        "FinalMetricDataList": [{ "MetricName": "loss", "Value": 0.25, "Timestamp": 1_732_334_455 }],
        "ResourceConfig": { "InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30 },
    });
    tenant.jobs(&[
        job("measured", 9000.0, &script)?,
        job("failed", 8000.0, &json!({ "TrainingJobStatus": "Failed" }))?,
    ])?;
    insta::assert_snapshot!(history(&sandbox, &[])?.snapshot(sandbox.root())?, @r"
    exit code: 0
    --- stdout
    NAME      STATUS     RUNS                         INSTANCES         CREATED              TRAINED  BILLED  METRIC
    failed    Failed     scikit-learn:1.4-2           ml.m5.large       [TIME]  1m 0s    1m 0s   -
    measured  Completed  scikit-learn:1.4-2 train.py  2 x ml.g5.xlarge  [TIME]  1m 0s    1m 0s   loss=0.25
    --- stderr
    ");
    assert_eq!(calls(&tenant)?, ["ListTrainingJobs", "Search"]);
    Ok(())
}

#[test]
fn the_default_page_is_two_calls() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 250)?;
    for (arguments, expected) in [
        (&[][..], numbered(1..=20)),
        (&["--limit", "100"], numbered(1..=100)),
        (&["--ascending", "-n", "3"], numbered([250, 249, 248])),
        (&["--status", "Failed"], numbered((1..=20).map(|number| number * 10))),
        (&["--status", "Failed", "--ascending", "-n", "2"], numbered([250, 240])),
        (&["--status", "Stopped"], Vec::new()),
        (&["n-24"], numbered([24].into_iter().chain(240..=249))),
        (&["--sort", "name", "-n", "2"], numbered([99, 98])),
        (&["--since", "123m", "--until", "121m"], numbered([1, 2])),
        (&["--since", "141m", "--until", "129m", "--status", "Failed"], numbered([10, 20])),
    ] {
        let rows = rows(&sandbox, arguments)?;
        assert_eq!(names(&rows), expected, "{arguments:?}");
        assert!(rows.iter().all(|row| row["runs"] == "scikit-learn:1.4-2"), "{arguments:?}: {rows:?}");
        assert_eq!(calls(&tenant)?, ["ListTrainingJobs", "Search"], "{arguments:?}");
    }
    Ok(())
}

#[test]
fn sorted_by_status() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 120)?;
    let rows = rows(&sandbox, &["--sort", "status", "--ascending"])?;
    assert!(
        rows.len() == 20 && rows.iter().all(|row| row["status"] == "Completed" && row["runs"].is_string()),
        "{rows:?}"
    );
    let calls = calls(&tenant)?;
    assert!(calls.len() <= 3 && calls.iter().all(|call| call != "DescribeTrainingJob"), "{calls:?}");
    Ok(())
}

#[test]
fn names_need_no_search() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 30)?;
    let said = history(&sandbox, &["-o", "names"])?;
    assert_eq!(said.lines(), numbered(1..=20));
    assert_eq!(calls(&tenant)?, ["ListTrainingJobs"]);
    // But those of a status do: the list has them page by page.
    let failed = history(&sandbox, &["-o", "names", "--status", "Failed"])?;
    assert_eq!(failed.lines(), numbered([10, 20, 30]));
    assert_eq!(calls(&tenant)?, ["ListTrainingJobs", "Search"]);
    Ok(())
}

#[test]
fn jobs_that_search_does_not_know_yet_are_listed() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("search_lag", 3600.0)?;
    let project = sandbox.project("new", "")?;
    let submitted = sandbox.smtrain(&["submit", "--wait", &project.spec(), "--role", tenant.role_arn()]).run()?.ok()?;
    many(&tenant, 30)?;
    tenant.clear_calls()?;
    let new = submitted.line();
    for (arguments, expected) in [
        (&["-n", "2"][..], &[new, "n-1"][..]),
        (&["-n", "2", "--status", "Completed"], &[new, "n-1"]),
        (&["--status", "InProgress"], &[]),
    ] {
        let rows = rows(&sandbox, arguments)?;
        assert_eq!(names(&rows), expected, "{arguments:?}");
        assert_eq!(calls(&tenant)?, ["ListTrainingJobs", "Search"], "{arguments:?}");
    }
    let rows = rows(&sandbox, &["-n", "1"])?;
    assert_eq!((&rows[0]["status"], &rows[0]["runs"]), (&json!("Completed"), &Value::Null));
    let table = history(&sandbox, &["-n", "1"])?;
    insta::assert_snapshot!(table.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    NAME                         STATUS     RUNS  INSTANCES  CREATED              TRAINED  BILLED  METRIC
    new-[STAMP]  Completed  -     -          [TIME]  -        -       -
    --- stderr
    "#);
    Ok(())
}

#[test]
fn who_may_not_search_sees_the_list() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 450)?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "Search" }))?;
    let listed = rows(&sandbox, &[])?;
    assert_eq!(names(&listed), numbered(1..=20));
    assert!(listed.iter().all(|row| row["runs"].is_null() && row["status"].is_string()), "{listed:?}");
    tenant.clear_calls()?;
    // The list shows a page's jobs of that status: it takes as many pages as there are.
    let failed = rows(&sandbox, &["--status", "Failed", "-n", "42"])?;
    assert_eq!(names(&failed), numbered((1..=42).map(|number| number * 10)));
    let called = calls(&tenant)?;
    assert_eq!(called.iter().filter(|call| *call == "Search").count(), 1, "asked only once: {called:?}");
    assert!(called.len() <= 14, "{called:?}");
    Ok(())
}

#[test]
fn a_denied_list_names_the_action() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.rule(&json!({ "fault": "access_denied", "service": "sagemaker" }))?;
    let said = sandbox.smtrain(&["history"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not list the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:ListTrainingJobs on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:ListTrainingJobs action (AccessDeniedException)
    hint: ask for a policy that allows sagemaker:ListTrainingJobs on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/*
    hint: see who is asking: aws sts get-caller-identity
    "#);
    Ok(())
}

#[test]
fn pages_up_to_the_limit() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 1500)?;
    for (arguments, expected, most) in [
        (&["-n", "250"][..], numbered(1..=250), 6),
        (&["-n", "1100"], numbered(1..=1100), 40),
        (&["-n", "250", "--sort", "name", "--ascending"], sorted(1500).into_iter().take(250).collect(), 6),
        (&["-n", "120", "--status", "Failed"], numbered((1..=120).map(|number| number * 10)), 4),
    ] {
        let rows = rows(&sandbox, arguments)?;
        assert_eq!(names(&rows), expected, "{arguments:?}");
        assert!(rows.iter().all(|row| row["runs"].is_string()), "{arguments:?}");
        let calls = calls(&tenant)?;
        assert!(calls.len() <= most, "{arguments:?}: {} calls", calls.len());
    }
    Ok(())
}

fn sorted(count: u32) -> Vec<String> {
    let mut names = numbered(1..=count);
    names.sort();
    names
}

#[test]
fn ten_thousand_jobs() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 10_000)?;
    let all = rows(&sandbox, &["--all"])?;
    assert_eq!(names(&all), numbered(1..=10_000));
    assert!(all.iter().all(|row| row["runs"].is_string()));
    let calls = calls(&tenant)?;
    assert!(calls.len() < 300, "{} calls", calls.len());
    let oldest_first = history(&sandbox, &["--all", "--ascending", "-o", "names"])?;
    assert_eq!(oldest_first.lines(), numbered((1..=10_000).rev()));
    let failed = history(&sandbox, &["--all", "--status", "Failed", "-o", "csv"])?;
    assert_eq!(failed.lines().len(), 1 + 1000, "and its headings, once");
    Ok(())
}

#[test]
fn a_long_table_has_its_headings_once_and_its_columns_straight() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 700)?;
    let table = history(&sandbox, &["--all"])?;
    let lines = table.lines();
    assert_eq!(lines.len(), 701);
    assert_eq!(lines.iter().filter(|line| line.starts_with("NAME")).count(), 1);
    let columns: BTreeSet<Option<usize>> = lines.iter().skip(1).map(|line| line.find("ml.m5.large")).collect();
    // Failed and Completed, n-1 and n-700 take the same room.
    assert_eq!(columns.len(), 1, "{columns:?}");
    Ok(())
}

#[test]
fn the_first_rows_come_before_the_last_page() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 1000)?;
    // All pages but the first never come.
    tenant.rule(&json!({ "fault": "access_denied", "operation": "ListTrainingJobs", "skip": 2 }))?;
    let said = sandbox.smtrain(&["history", "--all", "-o", "names"]).run()?.expect(1)?;
    assert_eq!(said.lines(), numbered(1..=100));
    Ok(())
}

#[test]
fn throttled_and_interrupted_it_is_still_whole() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    many(&tenant, 300)?;
    tenant.rule(&json!({ "fault": "reset_before", "service": "sagemaker", "count": 2, "skip": 5 }))?;
    tenant.rule(&json!({ "fault": "throttle", "service": "sagemaker", "probability": 0.3 }))?;
    let all = rows(&sandbox, &["--all"])?;
    assert_eq!(names(&all), numbered(1..=300));
    assert!(all.iter().all(|row| row["runs"].is_string()));
    let calls = calls(&tenant)?;
    assert!(calls.len() < 60, "{} calls", calls.len());
    Ok(())
}

#[test]
fn what_no_name_can_contain_is_not_asked_for() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let said = history(&sandbox, &["my_job"])?;
    assert_eq!(said.stderr, "no jobs\n");
    assert_eq!(tenant.calls()?.len(), 0);
    Ok(())
}

/// The preferences of a job whose instances are not chosen yet; null where nothing is known.
#[test]
fn preferred_instances_are_shown() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let preferences = json!([
        { "InstanceType": "ml.p5.48xlarge", "InstanceCount": 2 },
        { "InstanceType": "ml.p4d.24xlarge", "InstanceCount": 4 },
    ]);
    let preferred = json!({ "InstancePreferences": preferences, "VolumeSizeInGB": 30 });
    let counted = json!({ "InstanceCount": 3, "InstancePreferences": [{ "InstanceType": "ml.g5.xlarge" }] });
    tenant.jobs(&[
        job("preferred", 60.0, &json!({ "ResourceConfig": preferred }))?,
        job("counted", 120.0, &json!({ "ResourceConfig": counted }))?,
        job("unknown", 180.0, &json!({ "ResourceConfig": { "VolumeSizeInGB": 30 } }))?,
    ])?;
    let rows = rows(&sandbox, &[])?;
    let instances: Vec<&Value> = rows.iter().map(|row| &row["instances"]).collect();
    let expected = [json!("2 x ml.p5.48xlarge or 4 x ml.p4d.24xlarge"), json!("3 x ml.g5.xlarge"), Value::Null];
    assert_eq!(instances, expected.iter().collect::<Vec<_>>());
    let described = sandbox.smtrain(&["describe", "preferred"]).run()?.ok()?;
    assert!(described.stdout.contains("2 x ml.p5.48xlarge or 4 x ml.p4d.24xlarge\n"), "{described}");
    let csv = history(&sandbox, &["-o", "csv", "unknown"])?;
    assert!(!csv.stdout.contains(",-,"), "{csv}");
    Ok(())
}
