//! Missing rights: what goes on without them, and what is said of them.

mod fallbacks;
mod metadata;

use serde_json::{Value, json};

use crate::support::{CommandOutput, Project, Sandbox, TestAccount, TestResult};

const JOB: &str = "job";
const CREATED: u64 = 1_763_884_800;

fn on_aws() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    Ok((sandbox.with_env("SMTRAIN_ROLE", tenant.role_arn()), tenant))
}

fn deny(tenant: &TestAccount, operation: &str) -> TestResult {
    tenant.rule(&json!({ "fault": "access_denied", "operation": operation }))
}

/// The job's end, its exit code, and the words that tell of it.
const ENDS: [(&str, i32); 3] = [("Completed", 0), ("Failed", 3), ("Stopped", 4)];

/// The operations that a log is read by, each alone.
const READING: [&str; 2] = ["DescribeLogStreams", "GetLogEvents"];

/// Fails unless the missing right was told once, and the job's status is what decided.
fn check_without_log(said: &CommandOutput, operation: &str) -> TestResult {
    let action = format!("is not authorized to perform: logs:{operation} on resource: arn:aws:logs:eu-west-1:");
    let is_once = said.stderr.matches(&action).count() == 1 && said.stderr.matches("without its log").count() == 1;
    if is_once && said.stderr.contains("/aws/sagemaker/TrainingJobs") && said.stderr.contains("User: arn:aws:sts::") {
        return Ok(());
    }
    Err(format!("not said once: {operation}: {said}").into())
}

#[test]
fn a_job_is_followed_to_its_end_without_the_right_to_its_log() -> TestResult {
    for operation in READING {
        let (sandbox, tenant) = on_aws()?;
        deny(&tenant, operation)?;
        for (end, code) in ENDS {
            let name = end.to_lowercase();
            let job = json!({ "name": name, "seconds": 4, "events": 50, "appear": 0, "end": end });
            tenant.live_job(&job)?;
            let said = sandbox.smtrain(&["logs", "-f", &name]).run()?.expect(code)?;
            check_without_log(&said, operation)?;
            assert_eq!(said.stdout, "", "{said}");
            assert!(said.stderr.contains("the log was not read") && said.stderr.contains("Training"), "{said}");
            // One that has ended already.
            let again = sandbox.smtrain(&["logs", "-f", &name]).run()?.expect(code)?;
            check_without_log(&again, operation)?;
            // To read the log alone there is nothing else to do.
            let read = sandbox.smtrain(&["logs", &name]).run()?.expect(1)?;
            assert!(read.stderr.contains(&format!("logs:{operation} on resource: arn:aws:logs:")), "{read}");
            sandbox.smtrain(&["wait", &name]).run()?.expect(code)?;
        }
    }
    Ok(())
}

#[test]
fn many_nodes_without_the_right_to_their_log() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    ["DescribeLogStreams", "FilterLogEvents", "GetLogEvents"].iter().try_for_each(|name| deny(&tenant, name))?;
    tenant.live_job(&json!({ "name": JOB, "nodes": 12, "seconds": 4, "events": 20, "appear": 0, "end": "Failed" }))?;
    for arguments in [&["logs", "-f", JOB, "--stall", "1s"][..], &["logs", "-f", JOB, "--tail", "3"]] {
        let said = sandbox.smtrain(arguments).run()?.expect(3)?;
        check_without_log(&said, "DescribeLogStreams")?;
        assert!(!said.stderr.contains("printed nothing"), "{said}");
    }
    Ok(())
}

#[test]
fn a_right_that_is_lost_in_the_middle() -> TestResult {
    for operation in ["GetLogEvents", "FilterLogEvents"] {
        let (sandbox, tenant) = on_aws()?;
        let nodes = if operation == "FilterLogEvents" { 12 } else { 1 };
        let job = json!({ "name": JOB, "nodes": nodes, "phases": [0.1, 0.1, 9, 0.1], "events": 300, "appear": 0 });
        tenant.live_job(&job)?;
        let running = sandbox.smtrain(&["logs", "-f", JOB]).start()?;
        running.wait_for_stdout("algo-1 0000010")?;
        deny(&tenant, operation)?;
        let said = running.finish()?.ok()?;
        check_without_log(&said, operation)?;
        assert!(said.stderr.contains("the rest was not read"), "{said}");
    }
    Ok(())
}

#[test]
fn a_submitted_job_is_followed_without_the_right_to_its_log() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    deny(&tenant, "DescribeLogStreams")?;
    let project = sandbox.project("proj", "raise ValueError('no data')")?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--follow"]).run()?.expect(3)?;
    check_without_log(&said, "DescribeLogStreams")?;
    assert!(said.stderr.contains("ValueError: no data"), "{said}");
    let project = sandbox.project("good", "import os; open(os.environ['SM_MODEL_DIR'] + '/m', 'w').close()")?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--follow", "--download", "models"]).run()?.ok()?;
    check_without_log(&said, "DescribeLogStreams")?;
    assert!(sandbox.path(&format!("models/{}/model/m", said.line())).exists());
    Ok(())
}

#[test]
fn a_denied_description_ends_it_at_once() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.live_job(&json!({ "name": JOB, "phases": [0.1, 0.1, 600, 0.1], "events": 6000, "appear": 0 }))?;
    let running = sandbox.smtrain(&["logs", "-f", JOB]).start()?;
    running.wait_for_stdout("algo-1 0000003")?;
    deny(&tenant, "DescribeTrainingJob")?;
    let words = "sagemaker:DescribeTrainingJob on resource: arn:aws:sagemaker:eu-west-1:";
    let said = running.finish()?.expect(1)?;
    assert!(said.stderr.contains(words) && !said.stderr.contains("without its log"), "{said}");
    for arguments in [&["wait", JOB][..], &["logs", "-f", JOB], &["describe", JOB], &["download", JOB]] {
        let said = sandbox.smtrain(arguments).run()?.expect(1)?;
        assert!(said.stderr.contains(words), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn many_jobs_are_awaited_without_the_right_to_list_them() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    // Without a time in their names, they would not be looked for in lists.
    let names: Vec<String> = (0..6).map(|number| format!("job-2025-11-23-08-00-00-00{number}")).collect();
    let jobs: Vec<Value> = names.iter().map(|name| json!({ "name": name, "created": CREATED })).collect();
    tenant.jobs(&jobs)?;
    deny(&tenant, "ListTrainingJobs")?;
    let said = sandbox.smtrain(&["wait"]).args(&names).run()?.ok()?;
    assert_eq!(said.lines().len(), 6, "{said}");
    assert!(tenant.count("ListTrainingJobs")? > 0);
    Ok(())
}

/// A denied operation, the command that calls it, and the action and resource that have to be told; `{account}` is the
/// caller's where the service tells it.
struct Denied {
    operation: &'static str,
    command: &'static [&'static str],
    action: &'static str,
    resource: &'static str,
}

const fn denied(
    operation: &'static str,
    command: &'static [&'static str],
    action: &'static str,
    resource: &'static str,
) -> Denied {
    Denied { operation, command, action, resource }
}

const SUBMIT: &[&str] = &["submit", "SPEC"];
const BIG: &[&str] = &["submit", "SPEC", "--set", "channels.train=big"];
const DOWNLOAD: &[&str] = &["download", "--force", "OBJECT"];

/// Every operation that smtrain calls and can't do without. (PutPublicAccessBlock, Search and FilterLogEvents have others
/// in their place.)
const DENIED: [Denied; 18] = [
    denied("CreateTrainingJob", SUBMIT, "sagemaker:CreateTrainingJob", ":training-job/"),
    denied("DescribeTrainingJob", &["describe", JOB], "sagemaker:DescribeTrainingJob", ":training-job/job"),
    denied("ListTrainingJobs", &["history"], "sagemaker:ListTrainingJobs", "*"),
    denied("StopTrainingJob", &["stop", "running"], "sagemaker:StopTrainingJob", ":training-job/running"),
    denied("DescribeLogStreams", &["logs", JOB], "logs:DescribeLogStreams", ":log-group:/aws/sagemaker/TrainingJobs:"),
    denied(
        "GetLogEvents",
        &["logs", JOB],
        "logs:GetLogEvents",
        ":log-group:/aws/sagemaker/TrainingJobs:log-stream:job/",
    ),
    denied("GetCallerIdentity", SUBMIT, "sts:GetCallerIdentity", "*"),
    denied("GetRole", &["submit", "SPEC", "--role", "SageMakerRole"], "iam:GetRole", "SageMakerRole"),
    denied("HeadBucket", SUBMIT, "s3:ListBucket", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("CreateBucket", SUBMIT, "s3:CreateBucket", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("HeadObject", SUBMIT, "s3:GetObject", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("PutObject", SUBMIT, "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("CreateMultipartUpload", BIG, "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("UploadPart", BIG, "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("CompleteMultipartUpload", BIG, "s3:PutObject", "arn:aws:s3:::sagemaker-eu-west-1-"),
    denied("ListObjectsV2", &["download", "--list", "PREFIX"], "s3:ListBucket", "arn:aws:s3:::numbers-"),
    denied("HeadObject", DOWNLOAD, "s3:GetObject", "/below/a"),
    denied("GetObject", DOWNLOAD, "s3:GetObject", "/below/a"),
];

/// A bucket's name that no other tenant has taken.
fn numbers(tenant: &TestAccount) -> String {
    format!("numbers-{}", tenant.account())
}

/// A tenant with all that the commands are about.
fn furnished() -> TestResult<(Sandbox, TestAccount, Project)> {
    let (sandbox, tenant) = on_aws()?;
    tenant.set("phase_seconds", 600.0)?;
    let bucket = numbers(&tenant);
    tenant.make_bucket(&bucket)?;
    tenant.put_object(&bucket, "below/a", b"1")?;
    tenant.jobs(&[
        json!({ "name": JOB, "created": CREATED }),
        json!({ "name": "running", "created": CREATED, "state": { "TrainingJobStatus": "InProgress" } }),
    ])?;
    tenant.log_events(&format!("{JOB}/algo-1-{CREATED}"), &[(CREATED * 1000, "line")])?;
    let project = sandbox.project("proj", "")?.file("big/data", vec![7; 17 * 1024 * 1024])?;
    Ok((sandbox, tenant, project))
}

/// Fails unless the error names the action and the resource; returns what was said.
fn check_denied(denied: &Denied, message: &str) -> TestResult<CommandOutput> {
    let (sandbox, tenant, project) = furnished()?;
    let Denied { operation, command, action, resource } = denied;
    tenant.rule(&json!({ "fault": "access_denied", "operation": operation, "message": message }))?;
    let prefix = format!("s3://{}/below/", numbers(&tenant));
    let arguments = command.iter().map(|word| match *word {
        "SPEC" => project.spec(),
        "PREFIX" => prefix.clone(),
        "OBJECT" => format!("{prefix}a"),
        word => word.to_owned(),
    });
    let said = sandbox.smtrain(&[]).args(arguments).run()?;
    let is_told = [action, resource].iter().all(|word| said.stderr.contains(*word));
    if said.code == 1 && is_told && said.stderr.contains("aws sts get-caller-identity") {
        return Ok(said);
    }
    Err(format!("{operation} ({message:?}): {action} on {resource} is not told: {said}").into())
}

fn each_denied(message: &str) -> TestResult {
    let failed: Vec<String> =
        DENIED.iter().filter_map(|denied| check_denied(denied, message).err()).map(|error| error.to_string()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

#[test]
fn every_denied_call_names_its_action_and_resource() -> TestResult {
    each_denied("")
}

/// As S3 answers callers of other accounts.
#[test]
fn every_denied_call_names_its_action_and_resource_where_the_service_does_not() -> TestResult {
    each_denied("Access Denied")
}

#[test]
fn a_key_that_may_not_be_used_is_named() -> TestResult {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/0000";
    let message = format!(
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: kms:GenerateDataKey on resource: {key} \
         because no identity-based policy allows the kms:GenerateDataKey action"
    );
    let put = denied("PutObject", SUBMIT, "allows kms:GenerateDataKey on", "key/0000");
    check_denied(&put, &message)?;
    // Where nothing is told, the key may be what is missing.
    check_denied(&denied("PutObject", SUBMIT, "kms:GenerateDataKey", "arn:aws:s3:::"), "Access Denied")?;
    check_denied(&denied("GetObject", DOWNLOAD, "kms:Decrypt", "arn:aws:s3:::"), "Access Denied")?;
    Ok(())
}

#[test]
fn old_versions_take_a_right_of_their_own() -> TestResult {
    let (sandbox, tenant, _) = furnished()?;
    let bucket = format!("versions-{}", tenant.account());
    tenant.make_odd_bucket(&bucket, "versioned")?;
    tenant.put_object(&bucket, "a", b"1")?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "GetObject", "message": "Access Denied" }))?;
    let said = sandbox.smtrain(&["download", &format!("s3://{bucket}/a")]).run()?.expect(1)?;
    assert!(said.stderr.contains(&format!("s3:GetObjectVersion on arn:aws:s3:::{bucket}/a")), "{said}");
    Ok(())
}

#[test]
fn an_upload_that_may_not_be_aborted_is_told() -> TestResult {
    let (sandbox, tenant, project) = furnished()?;
    ["UploadPart", "AbortMultipartUpload"].iter().try_for_each(|operation| deny(&tenant, operation))?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--set", "channels.train=big"]).run()?.expect(1)?;
    assert!(said.stderr.contains("s3:PutObject on") && said.stderr.contains("s3:AbortMultipartUpload"), "{said}");
    Ok(())
}

#[test]
fn metrics_that_may_not_be_read_are_told() -> TestResult {
    for (operation, action) in
        [("ListMetrics", "cloudwatch:ListMetrics"), ("GetMetricData", "cloudwatch:GetMetricData")]
    {
        let (sandbox, tenant) = on_aws()?;
        let project = sandbox.project("proj", "print('loss=1.5')")?.with("[metrics]\nloss = 'loss=([0-9.]+)'\n")?;
        let job = sandbox.smtrain(&["submit", "-q", "--wait", &project.spec()]).run()?.ok()?.line().to_owned();
        deny(&tenant, operation)?;
        let said = sandbox.smtrain(&["describe", &job]).run()?.ok()?;
        assert!(said.stderr.contains(action) && said.stdout.contains(&job), "{said}");
    }
    Ok(())
}
