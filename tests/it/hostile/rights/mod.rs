//! Missing rights: what goes on without them, and what is said of them.

mod denied;
mod fallbacks;
mod metadata;

use serde_json::{Value, json};

use crate::support::{CommandOutput, Project, Sandbox, TestAccount, TestResult, Transcript};

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

/// Denies an operation with this message of the service.
fn deny_as(tenant: &TestAccount, operation: &str, message: &str) -> TestResult {
    tenant.clear_rules()?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": operation, "message": message }))
}

/// The operations that a log is read by, each alone.
const READING: [&str; 2] = ["DescribeLogStreams", "GetLogEvents"];

/// Fails unless the missing right was told once, and the job's status is what decided.
fn check_without_log(said: &CommandOutput, operation: &str) -> TestResult {
    // Which phases are seen depends on the moment.
    let action = format!("is not authorized to perform: logs:{operation} on resource: arn:aws:logs:eu-west-1:");
    let is_once = said.stderr.matches(&action).count() == 1 && said.stderr.matches("without its log").count() == 1;
    if is_once && said.stderr.contains("/aws/sagemaker/TrainingJobs") && said.stderr.contains("User: arn:aws:sts::") {
        return Ok(());
    }
    Err(format!("not said once: {operation}: {said}").into())
}

#[test]
fn a_job_is_followed_to_its_end_without_the_right_to_its_log() -> TestResult {
    let mut transcript = Transcript::default();
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
            // As in `check_without_log`.
            assert!(said.stderr.contains("the log was not read") && said.stderr.contains("Training"), "{said}");
            // One that has ended already.
            let again = sandbox.smtrain(&["logs", "-f", &name]).run()?.expect(code)?;
            check_without_log(&again, operation)?;
            // To read the log alone there is nothing else to do.
            let read = sandbox.smtrain(&["logs", &name]).run()?.expect(1)?;
            transcript.add(operation, &read);
            sandbox.smtrain(&["wait", &name]).run()?.expect(code)?;
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## DescribeLogStreams
    exit code: 1
    --- stderr
    error: could not list the log streams of completed: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:DescribeLogStreams on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:completed/ because no identity-based policy allows the logs:DescribeLogStreams action (AccessDeniedException)
    hint: ask for a policy that allows logs:DescribeLogStreams on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:completed/
    hint: see who is asking: aws sts get-caller-identity
    ## DescribeLogStreams
    exit code: 1
    --- stderr
    error: could not list the log streams of failed: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:DescribeLogStreams on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:failed/ because no identity-based policy allows the logs:DescribeLogStreams action (AccessDeniedException)
    hint: ask for a policy that allows logs:DescribeLogStreams on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:failed/
    hint: see who is asking: aws sts get-caller-identity
    ## DescribeLogStreams
    exit code: 1
    --- stderr
    error: could not list the log streams of stopped: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:DescribeLogStreams on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:stopped/ because no identity-based policy allows the logs:DescribeLogStreams action (AccessDeniedException)
    hint: ask for a policy that allows logs:DescribeLogStreams on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:stopped/
    hint: see who is asking: aws sts get-caller-identity
    ## GetLogEvents
    exit code: 1
    --- stderr
    error: could not read the log stream completed/algo-1-[EPOCH]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:GetLogEvents on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:completed/algo-1-[EPOCH] because no identity-based policy allows the logs:GetLogEvents action (AccessDeniedException)
    hint: ask for a policy that allows logs:GetLogEvents on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:completed/algo-1-[EPOCH]
    hint: see who is asking: aws sts get-caller-identity
    ## GetLogEvents
    exit code: 1
    --- stderr
    error: could not read the log stream failed/algo-1-[EPOCH]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:GetLogEvents on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:failed/algo-1-[EPOCH] because no identity-based policy allows the logs:GetLogEvents action (AccessDeniedException)
    hint: ask for a policy that allows logs:GetLogEvents on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:failed/algo-1-[EPOCH]
    hint: see who is asking: aws sts get-caller-identity
    ## GetLogEvents
    exit code: 1
    --- stderr
    error: could not read the log stream stopped/algo-1-[EPOCH]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:GetLogEvents on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:stopped/algo-1-[EPOCH] because no identity-based policy allows the logs:GetLogEvents action (AccessDeniedException)
    hint: ask for a policy that allows logs:GetLogEvents on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:stopped/algo-1-[EPOCH]
    hint: see who is asking: aws sts get-caller-identity
    "#);
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
        // As in `check_without_log`.
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
        // As in `check_without_log`.
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
    // As in `check_without_log`.
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
    // Which phases were seen depends on the moment.
    assert!(said.stderr.contains(words) && !said.stderr.contains("without its log"), "{said}");
    let mut transcript = Transcript::default();
    for arguments in [&["wait", JOB][..], &["logs", "-f", JOB], &["describe", JOB], &["download", JOB]] {
        let said = sandbox.smtrain(arguments).run()?.expect(1)?;
        transcript.add(arguments.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## wait job
    ## logs -f job
    ## describe job
    ## download job
    exit code: 1
    --- stderr
    error: could not describe job job: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:DescribeTrainingJob on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/job because no identity-based policy allows the sagemaker:DescribeTrainingJob action (AccessDeniedException)
    hint: ask for a policy that allows sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/job
    hint: see who is asking: aws sts get-caller-identity
    "#);
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

#[test]
fn old_versions_take_a_right_of_their_own() -> TestResult {
    let (sandbox, tenant, _) = furnished()?;
    let bucket = format!("versions-{}", tenant.account());
    tenant.make_odd_bucket(&bucket, "versioned")?;
    tenant.put_object(&bucket, "a", b"1")?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "GetObject", "message": "Access Denied" }))?;
    let said = sandbox.smtrain(&["download", &format!("s3://{bucket}/a")]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not fetch s3://versions-[ACCOUNT]/a: Access Denied (AccessDenied): it takes s3:GetObjectVersion on arn:aws:s3:::versions-[ACCOUNT]/a
    hint: ask for a policy that allows s3:GetObjectVersion on arn:aws:s3:::versions-[ACCOUNT]/a, or use a profile that has it: --profile NAME
    hint: where a KMS key encrypts the bucket, it takes kms:Decrypt on that key too
    hint: see who is asking: aws sts get-caller-identity
    "#);
    Ok(())
}

#[test]
fn an_upload_that_may_not_be_aborted_is_told() -> TestResult {
    let (sandbox, tenant, project) = furnished()?;
    ["UploadPart", "AbortMultipartUpload"].iter().try_for_each(|operation| deny(&tenant, operation))?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--set", "channels.train=big"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    warning: could not abort the upload [UPLOAD] to s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data, whose parts are kept and cost money: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:AbortMultipartUpload on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data" because no identity-based policy allows the s3:AbortMultipartUpload action (AccessDenied)
    error: could not store part 1 of s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data" because no identity-based policy allows the s3:PutObject action (AccessDenied)
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/data/[SHA256]/data
    hint: see who is asking: aws sts get-caller-identity
    "#);
    Ok(())
}

#[test]
fn metrics_that_may_not_be_read_are_told() -> TestResult {
    let mut transcript = Transcript::default();
    let metrics = "[metrics]\nloss = 'loss=([0-9.]+)'\n";
    // Only a job that names no metrics has them listed.
    for (operation, spec) in [("ListMetrics", ""), ("GetMetricData", metrics)] {
        let (sandbox, tenant) = on_aws()?;
        let project = sandbox.project("proj", "print('loss=1.5')")?.with(spec)?;
        let job = sandbox.smtrain(&["submit", "-q", "--wait", &project.spec()]).run()?.ok()?.line().to_owned();
        deny(&tenant, operation)?;
        let said = sandbox.smtrain(&["describe", &job]).run()?.ok()?;
        transcript.add_stderr(operation, &said);
        assert!(said.stdout.starts_with("name "), "{said}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## ListMetrics
    exit code: 0
    --- stderr
    warning: could not list the metrics of proj-[STAMP]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: cloudwatch:ListMetrics on resource: * because no identity-based policy allows the cloudwatch:ListMetrics action (AccessDeniedException); the job's metrics are left out; ask for a policy that allows cloudwatch:ListMetrics on *
    ## GetMetricData
    exit code: 0
    --- stderr
    warning: could not read the metrics of proj-[STAMP]: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: cloudwatch:GetMetricData on resource: * because no identity-based policy allows the cloudwatch:GetMetricData action (AccessDeniedException); only the last value of each metric is shown; ask for a policy that allows cloudwatch:GetMetricData on *
    "#);
    Ok(())
}
