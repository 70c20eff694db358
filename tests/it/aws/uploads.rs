//! What `smtrain submit` stores on AWS: the account's own bucket, code and local data by content, large files in parts.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Project, Sandbox, TestAccount, TestResult, normalised, poll};

/// More than goes in one request, in bytes, and its parts.
const LARGE: usize = 20 * 1024 * 1024 + 5;
const PARTS: usize = 3;

const SMALL: usize = 30;

/// A project, and beside it a folder of data: a large file, which is returned, and some small ones.
fn project(sandbox: &Sandbox) -> TestResult<(Project, Vec<u8>)> {
    let large: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(LARGE).collect();
    let data = sandbox.path("data");
    fs::create_dir_all(data.join("small"))?;
    fs::write(data.join("large.bin"), &large)?;
    for number in 0..SMALL {
        fs::write(data.join(format!("small/{number}.csv")), number.to_string())?;
    }
    Ok((sandbox.project("digits", "pass")?.with("[channels]\ntrain = \"../data\"\n")?, large))
}

/// Its jobs stay at their start: nothing here is about what they do.
fn on_aws() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("phase_seconds", 600.0)?;
    let role = tenant.role_arn().to_owned();
    Ok((sandbox.with_env("SMTRAIN_ROLE", role), tenant))
}

fn submit(sandbox: &Sandbox, project: &Project, code: i32) -> TestResult<String> {
    Ok(sandbox.smtrain(&["submit", "-q", &project.spec()]).run()?.expect(code)?.stderr)
}

/// The keys of the data.
fn data(tenant: &TestAccount) -> TestResult<Vec<String>> {
    tenant.keys(&tenant.default_bucket(), "smtrain/data/")
}

fn key_of_large(tenant: &TestAccount) -> TestResult<String> {
    data(tenant)?.into_iter().find(|key| key.ends_with("/large.bin")).ok_or_else(|| "it is not there".into())
}

#[test]
fn data_is_stored_once_and_what_is_missing_again() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let (project, large) = project(&sandbox)?;
    submit(&sandbox, &project, 0)?;
    let (bucket, key) = (tenant.default_bucket(), key_of_large(&tenant)?);
    assert_eq!(data(&tenant)?.len(), SMALL + 1);
    assert!(tenant.get_object(&bucket, &key)? == large);
    assert_eq!((tenant.count("CompleteMultipartUpload")?, tenant.count("UploadPart")?), (1, PARTS));
    tenant.clear_calls()?;
    submit(&sandbox, &project, 0)?;
    assert_eq!((tenant.count("PutObject")?, tenant.count("UploadPart")?), (0, 0));
    let heads = SMALL + 2;
    assert_eq!((tenant.count("ListObjectsV2")?, tenant.count("HeadObject")?), (1, heads), "each file, and the code");
    let small = key.replace("large.bin", "small/7.csv");
    tenant.put_object(&bucket, &small, b"not what it was")?;
    submit(&sandbox, &project, 0)?;
    assert_eq!((tenant.count("PutObject")?, tenant.get_object(&bucket, &small)?), (1, b"7".to_vec()));
    Ok(())
}

#[test]
fn the_default_bucket_is_made_once_and_closed_to_the_public() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let project = sandbox.project("digits", "pass")?;
    for _ in 0..2 {
        submit(&sandbox, &project, 0)?;
    }
    assert_eq!(tenant.buckets()?, [tenant.default_bucket()]);
    assert_eq!((tenant.count("CreateBucket")?, tenant.count("PutPublicAccessBlock")?), (1, 1));
    Ok(())
}

#[test]
fn a_bucket_that_can_not_be_used_says_why() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let project = sandbox.project("digits", "pass")?;
    submit(&sandbox, &project, 0)?;
    let cases = [
        (
            "wrong_region HeadBucket",
            json!({ "fault": "wrong_region", "operation": "HeadBucket", "region": "us-west-2" }),
        ),
        ("access_denied HeadBucket", json!({ "fault": "access_denied", "operation": "HeadBucket" })),
        ("access_denied HeadObject", json!({ "fault": "access_denied", "operation": "HeadObject" })),
    ];
    let mut told = String::new();
    for (title, rule) in cases {
        tenant.rule(&rule)?;
        told.extend([format!("## {title}\n{}", submit(&sandbox, &project, 1)?)]);
        tenant.clear_rules()?;
    }
    insta::assert_snapshot!(normalised(&told)?, @r#"
    ## wrong_region HeadBucket
    error: the bucket sagemaker-eu-west-1-[ACCOUNT] is in us-west-2, not in eu-west-1
    hint: use a bucket in eu-west-1, or work in the bucket's region: --region us-west-2
    ## access_denied HeadBucket
    error: the bucket sagemaker-eu-west-1-[ACCOUNT] can't be used: it belongs to another account than [ACCOUNT], or s3:ListBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT] is not permitted
    hint: set output.s3_uri to a bucket that you may use; or ask for s3:ListBucket on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT], and s3:GetObject and s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/*, for the identity that `aws sts get-caller-identity` shows
    ## access_denied HeadObject
    error: could not look up s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: access denied: it takes s3:GetObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: ask for a policy that allows s3:GetObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    hint: or nothing is at s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: without s3:ListBucket on the bucket, S3 doesn't say so
    "#);
    Ok(())
}

#[test]
fn failures_on_the_way_change_nothing_of_what_is_stored() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let (project, large) = project(&sandbox)?;
    for rule in [
        json!({ "fault": "throttle", "service": "s3", "probability": 0.3, "seed": 1 }),
        json!({ "fault": "reset_before", "operation": "UploadPart", "count": 1 }),
        json!({ "fault": "reset_after", "operation": "CompleteMultipartUpload", "count": 1 }),
        json!({ "fault": "reset_after", "operation": "PutObject", "key": "/small/", "count": 3 }),
        json!({ "fault": "expired_token", "operation": "UploadPart", "count": 1 }),
    ] {
        tenant.rule(&rule)?;
    }
    submit(&sandbox, &project, 0)?;
    assert!(tenant.get_object(&tenant.default_bucket(), &key_of_large(&tenant)?)? == large);
    assert_eq!(data(&tenant)?.len(), SMALL + 1);
    tenant.clear_rules()?;
    assert_eq!(open(&sandbox, &tenant)?, "[]");
    Ok(())
}

/// The multipart uploads that S3 still holds parts of.
fn open(sandbox: &Sandbox, tenant: &TestAccount) -> TestResult<String> {
    let bucket = tenant.default_bucket();
    let list =
        format!("import boto3; print(boto3.client('s3').list_multipart_uploads(Bucket='{bucket}').get('Uploads', []))");
    Ok(sandbox.emulator_python(&["-c", &list])?.run()?.ok()?.line().to_owned())
}

#[test]
fn an_upload_that_fails_or_is_interrupted_is_aborted() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let (project, _) = project(&sandbox)?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "UploadPart" }))?;
    submit(&sandbox, &project, 1)?;
    tenant.clear_rules()?;
    assert_eq!((tenant.count("AbortMultipartUpload")?, open(&sandbox, &tenant)?.as_str()), (1, "[]"));
    tenant.clear_calls()?;
    // Without end, if nobody presses Ctrl-C.
    tenant.rule(&json!({ "fault": "throttle", "operation": "UploadPart" }))?;
    let running = sandbox.smtrain(&["submit", "-q", &project.spec()]).start()?;
    poll("a part on its way", || Ok((tenant.count("UploadPart")? > 0).then_some(())))?;
    running.signal(Signal::SIGINT)?;
    running.finish()?.expect(130)?;
    assert_eq!((tenant.count("AbortMultipartUpload")?, open(&sandbox, &tenant)?.as_str()), (1, "[]"));
    assert!(!data(&tenant)?.iter().any(|key| key.ends_with("large.bin")));
    assert_eq!(tenant.count("CreateTrainingJob")?, 0);
    Ok(())
}
