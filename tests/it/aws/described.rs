//! `smtrain describe` of jobs on AWS: last values and ranges of metrics, what a job was made with, fields of later versions.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Sandbox, TestAccount, TestResult};

const DAY: u64 = 24 * 3600;

/// Seconds since 1970, some days ago, on the hour.
fn days_ago(days: u64) -> TestResult<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(now / 3600 * 3600 - 3600 - days * DAY)
}

/// A job with two metrics, whose last values are 0.25 and 0.5, and with two values of `loss` in one minute before.
fn measured(tenant: &TestAccount, name: &str, created: u64, state: &Value) -> TestResult {
    let last = |name: &str, value: f64| json!({ "MetricName": name, "Value": value, "Timestamp": created + 100 });
    let defined = |name: &str| json!({ "Name": name, "Regex": "x=([0-9.]+)" });
    let mut told = json!({
        "AlgorithmSpecification": {
            "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1", "TrainingInputMode": "File",
            "MetricDefinitions": [defined("loss"), defined("acc")],
        },
        "FinalMetricDataList": [last("loss", 0.25), last("acc", 0.5)],
    });
    for (field, value) in state.as_object().into_iter().flatten() {
        told[field] = value.clone();
    }
    tenant.jobs(&[json!({ "name": name, "created": created, "state": told })])?;
    let values = [("loss", 0.75, created + 61), ("loss", 0.25, created + 62), ("loss", 0.5, created + 130)];
    tenant.metrics(name, &values)
}

/// The section `metrics` of a description, and what is said on stderr.
fn told_metrics(sandbox: &Sandbox, job: &str) -> TestResult<String> {
    let said = sandbox.smtrain(&["describe", job]).run()?.ok()?;
    let section = said.stdout.split("\nmetrics\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    Ok(format!("{}\n--- stderr\n{}", section.unwrap_or("no section"), said.stderr))
}

#[test]
fn the_last_value_is_the_one_that_the_service_took() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let mut told = String::new();
    for (name, days) in [("new", 0), ("weeks", 20), ("months", 80), ("years", 500)] {
        measured(&tenant, name, days_ago(days)?, &json!({}))?;
        told.extend([format!("{name}:\n{}\n", told_metrics(&sandbox, name)?)]);
    }
    insta::assert_snapshot!(told, @r"
    new:
      loss                            0.25 (last of 3 values, from 0.25 to 0.75)
      acc                             0.5 (last value)
    --- stderr

    weeks:
      loss                            0.25 (last of 3 values, from 0.25 to 0.75)
      acc                             0.5 (last value)
    --- stderr

    months:
      loss                            0.25 (last of 3 values, from 0.25 to 0.75)
      acc                             0.5 (last value)
    --- stderr

    years:
      loss                            0.25 (last value)
      acc                             0.5 (last value)
    --- stderr
    only the last value of each metric is shown: CloudWatch keeps the others for 455 days
    ");
    Ok(())
}

#[test]
fn a_running_job_has_averages_and_says_so() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let state = json!({ "TrainingJobStatus": "InProgress", "FinalMetricDataList": null });
    let created = days_ago(0)?;
    measured(&tenant, "going", created, &state)?;
    let latest = told_metrics(&sandbox, "going")?;
    tenant.metrics("going", &[("loss", 0.25, created + 131)])?;
    insta::assert_snapshot!(format!("{latest}\n{}", told_metrics(&sandbox, "going")?), @r"
      loss                            0.5 (newest of 3 values, from 0.25 to 0.75)
    --- stderr

      loss                            0.375 (average of its last minute; 4 values, from 0.25 to 0.75)
    --- stderr
    ");
    Ok(())
}

#[test]
fn last_values_are_shown_where_cloudwatch_is_denied() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    measured(&tenant, "done", days_ago(0)?, &json!({}))?;
    measured(&tenant, "going", days_ago(0)?, &json!({ "FinalMetricDataList": null }))?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "GetMetricData", "message": "No." }))?;
    let told = format!("{}\n{}", told_metrics(&sandbox, "done")?, told_metrics(&sandbox, "going")?);
    insta::assert_snapshot!(told, @r"
      loss                            0.25 (last value)
      acc                             0.5 (last value)
    --- stderr
    warning: could not read the metrics of done: No. (AccessDeniedException): it takes cloudwatch:GetMetricData on *; only the last value of each metric is shown; ask for a policy that allows cloudwatch:GetMetricData on *, or use a profile that has it: --profile NAME

    no section
    --- stderr
    warning: could not read the metrics of going: No. (AccessDeniedException): it takes cloudwatch:GetMetricData on *; the job's metrics are left out; ask for a policy that allows cloudwatch:GetMetricData on *, or use a profile that has it: --profile NAME
    ");
    Ok(())
}

/// A metric that no definition names, as those of an algorithm of the marketplace are.
#[test]
fn metrics_that_the_job_does_not_name_are_listed() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let state = json!({
        "AlgorithmSpecification": { "AlgorithmName": "mine", "TrainingInputMode": "File" }, "FinalMetricDataList": null,
    });
    measured(&tenant, "job", days_ago(0)?, &state)?;
    insta::assert_snapshot!(told_metrics(&sandbox, "job")?, @r"
      loss                            0.5 (newest of 3 values, from 0.25 to 0.75)
    --- stderr
    ");
    Ok(())
}

/// All that a job may be made with.
fn furnished() -> Value {
    json!({
        "ResourceConfig": {
            "InstanceType": "ml.p4d.24xlarge", "InstanceCount": 2, "VolumeSizeInGB": 100, "VolumeKmsKeyId": "volume-key",
            "KeepAlivePeriodInSeconds": 600,
        },
        "OutputDataConfig": { "S3OutputPath": "s3://bucket/out", "KmsKeyId": "output-key" },
        "VpcConfig": { "Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"] },
        "EnableNetworkIsolation": true, "EnableInterContainerTrafficEncryption": true, "EnableManagedSpotTraining": true,
        "StoppingCondition": {
            "MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200, "MaxPendingTimeInSeconds": 9000,
        },
        "CheckpointConfig": { "S3Uri": "s3://bucket/checkpoints", "LocalPath": "/opt/ml/checkpoints" },
        "RoleArn": "arn:aws:iam::123456789012:role/R", "SecondaryStatusTransitions": [],
        "ModelArtifacts": { "S3ModelArtifacts": "s3://bucket/out/job/output/model.tar.gz" },
    })
}

#[test]
fn all_that_a_job_was_made_with_is_shown() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let tags = json!([{ "Key": "team", "Value": "risk" }, { "Key": "api_key", "Value": "AKIAIOSFODNN7EXAMPLE" }]);
    tenant.jobs(&[json!({ "name": "job", "created": 1_763_884_800, "state": furnished(), "tags": tags })])?;
    let said = sandbox.smtrain(&["describe", "job"]).run()?.ok()?;
    let text = said.snapshot(sandbox.root())?.replace(tenant.account(), "[ACCOUNT]");
    insta::assert_snapshot!(text, @r"
    exit code: 0
    --- stdout
    name        job
    status      Completed
    created     [TIME]
    trained     1m 0s
    billed      1m 0s
    runs        scikit-learn:1.4-2
    image       [ACCOUNT].dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3
    instances   2 x ml.p4d.24xlarge
    volume      100 GB, KMS key volume-key
    warm pool   kept for 10m 0s
    spot        yes, at most 2h 0m with waiting
    max run     1h 0m
    max pending 2h 30m
    role        arn:aws:iam::[ACCOUNT]:role/R
    network     subnets subnet-1 subnet-2, security groups sg-1, isolated, encrypted between instances
    output      s3://bucket/out, KMS key output-key
    checkpoints s3://bucket/checkpoints in /opt/ml/checkpoints
    model       s3://bucket/out/job/output/model.tar.gz
    arn         arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/job

    tags
      team                            risk
      api_key                         <hidden: it looks like a secret>

    phases
    --- stderr
    ");
    Ok(())
}

#[test]
fn tags_that_may_not_be_listed_are_told() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.jobs(&[json!({ "name": "job", "created": 1_763_884_800 })])?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "ListTags", "message": "No." }))?;
    let said = sandbox.smtrain(&["describe", "job"]).run()?.ok()?;
    assert!(said.stdout.starts_with("name        job\n"), "{said}");
    insta::assert_snapshot!(said.stderr, @r"
    warning: could not list the tags of job: No. (AccessDeniedException): it takes sagemaker:ListTags on arn:aws:sagemaker:eu-west-1:*:training-job/job; the job's tags are left out; ask for a policy that allows sagemaker:ListTags on arn:aws:sagemaker:eu-west-1:*:training-job/job, or use a profile that has it: --profile NAME
    ");
    Ok(())
}

#[test]
fn fields_of_a_later_service_stay_in_the_json() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let resources =
        json!({ "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30, "Cooling": "air" });
    let state = json!({ "Gained": { "Deep": [1, 2] }, "GainedTime": 1_763_884_800, "ResourceConfig": resources });
    tenant.jobs(&[json!({ "name": "job", "created": 1_763_884_800, "state": state })])?;
    let told = sandbox.smtrain(&["describe", "-o", "json", "job"]).run()?.ok()?.json()?;
    let job = &told["job"];
    assert_eq!(job["Gained"], json!({ "Deep": [1, 2] }));
    assert_eq!(job["GainedTime"], "2025-11-23T08:00:00Z");
    assert_eq!(job["ResourceConfig"]["Cooling"], "air");
    assert_eq!(job["CreationTime"], "2025-11-23T08:00:00Z");
    Ok(())
}
