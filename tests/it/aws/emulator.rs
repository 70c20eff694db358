//! The emulator itself, tested through what others wrote: boto3, in `tests/emulator/check`.

use serde_json::json;

use crate::support::{Sandbox, TestResult};

#[test]
fn jobs_run() -> TestResult {
    check("jobs.Jobs")
}

#[test]
fn requests_are_checked_as_the_service_does() -> TestResult {
    check("jobs.Requests")
}

#[test]
fn past_jobs_are_listed_and_found() -> TestResult {
    check("jobs.Histories")
}

#[test]
fn objects_are_stored() -> TestResult {
    check("storage")
}

#[test]
fn objects_are_read() -> TestResult {
    check("reads")
}

#[test]
fn every_fault_is_seen() -> TestResult {
    check("faults")
}

#[test]
fn metrics_are_spoken_in_cbor() -> TestResult {
    check("metrics")
}

#[test]
fn logs_are_read_as_the_service_gives_them() -> TestResult {
    check("logs.Logs")
}

#[test]
fn live_jobs_tell_what_they_print() -> TestResult {
    check("logs.Live")
}

/// Runs boto3's side of a test, as a tenant of its own.
fn check(tests: &str) -> TestResult {
    let (sandbox, _tenant) = Sandbox::on_aws()?;
    let tests = format!("emulator.check.{tests}");
    sandbox.emulator_python(&["-m", "unittest", "-q", &tests])?.run()?.ok().map(drop)
}

#[test]
fn a_test_looks_into_its_own_account() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let (_other_sandbox, other) = Sandbox::on_aws()?;
    let bucket = tenant.default_bucket();
    let make = format!(
        "import boto3; boto3.client('s3').create_bucket(Bucket='{bucket}', \
         CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})"
    );
    sandbox.emulator_python(&["-c", &make])?.run()?.ok()?;
    tenant.put_object(&bucket, "a b/é", &[0, 255])?;
    assert_eq!(tenant.keys(&bucket, "a ")?, ["a b/é"]);
    assert_eq!(tenant.get_object(&bucket, "a b/é")?, [0, 255]);
    assert_eq!(tenant.buckets()?, [bucket.as_str()]);
    assert_eq!(tenant.count("CreateBucket")?, 1);
    assert_eq!(other.buckets()?, Vec::<String>::new());
    assert_eq!(other.calls()?.len(), 0);
    assert_ne!(other.account(), tenant.account());
    Ok(())
}

#[test]
fn a_test_makes_its_own_past_and_its_own_failures() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("search_lag", 0.0)?;
    tenant.jobs(&[json!({ "name": "old", "created": 1_700_000_000, "state": { "TrainingJobStatus": "Failed" } })])?;
    tenant.log_events("old/algo-1-1700000060", &[(1_700_000_061_000, "a line")])?;
    tenant.rule(&json!({ "fault": "throttle", "operation": "DescribeTrainingJob", "count": 1 }))?;
    let look = "
import boto3
boto3.setup_default_session(region_name='eu-west-1')
job = boto3.client('sagemaker').describe_training_job(TrainingJobName='old')
print(job['TrainingJobStatus'], job['RoleArn'])
stream = {'logGroupName': '/aws/sagemaker/TrainingJobs', 'logStreamName': 'old/algo-1-1700000060'}
print(boto3.client('logs').get_log_events(**stream)['events'][0]['message'])
";
    let said = sandbox.emulator_python(&["-c", look])?.run()?.ok()?;
    assert_eq!(said.lines(), [&format!("Failed {}", tenant.role_arn()), "a line"]);
    let statuses: Vec<_> = tenant.calls()?.iter().map(|call| call["status"].clone()).collect();
    assert_eq!(statuses, [400, 200, 200]);
    tenant.clear_calls()?;
    assert_eq!(tenant.calls()?.len(), 0);
    tenant.rule(&json!({ "fault": "throttle" }))?;
    tenant.clear_rules()?;
    sandbox.emulator_python(&["-c", look])?.run()?.ok()?;
    assert_eq!(tenant.count("DescribeTrainingJob")?, 1);
    Ok(())
}
