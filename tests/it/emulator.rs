//! The emulator itself, tested through what others wrote: boto3, in `tests/emulator/check`.

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
fn every_fault_is_seen() -> TestResult {
    check("faults")
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
