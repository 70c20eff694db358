//! A denied call that another one replaces is reported once, with its action and resource, and what it costs.

use serde_json::json;

use super::{CREATED, deny, deny_as, on_aws};
use crate::support::{TestAccount, TestResult, Transcript};

/// IAM's message, and the one that S3 gives callers of other accounts.
const MESSAGES: [&str; 2] = ["", "Access Denied"];

fn jobs(tenant: &TestAccount, count: u64) -> TestResult {
    let job = |number: u64| {
        let status = if number.is_multiple_of(2) { "Completed" } else { "Failed" };
        json!({
            "name": format!("job-{number:04}"), "created": CREATED + number * 60, "seconds": 30,
            "state": { "TrainingJobStatus": status },
        })
    };
    tenant.jobs(&(0..count).map(job).collect::<Vec<_>>())
}

#[test]
fn a_history_without_search_says_once_what_is_missing() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    jobs(&tenant, 450)?;
    let mut transcript = Transcript::default();
    for message in MESSAGES {
        deny_as(&tenant, "Search", message)?;
        for (arguments, count) in [
            (&["history"][..], 21),
            (&["history", "--all"], 451),
            (&["history", "--status", "Failed", "-n", "40"], 41),
            (&["history", "-o", "json"], 20),
            (&["history", "-o", "csv", "--sort", "name"], 21),
        ] {
            let said = sandbox.smtrain(arguments).run()?.ok()?;
            transcript.add_stderr(format_args!("{message:?}: {}", arguments.join(" ")), &said);
            assert_eq!(said.lines().len(), count, "{arguments:?}: {said}");
        }
        // The names are all there, only slower.
        let said = sandbox.smtrain(&["history", "--status", "Failed", "-o", "names"]).run()?.ok()?;
        transcript.add_stderr(format_args!("{message:?}: names of failed jobs"), &said);
        assert_eq!(said.lines().len(), 20);
        let said = sandbox.smtrain(&["history", "-o", "names"]).run()?.ok()?;
        assert_eq!((said.lines().len(), said.stderr.as_str()), (20, ""), "needs no Search");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## "": history
    ## "": history --all
    ## "": history --status Failed -n 40
    ## "": history -o json
    ## "": history -o csv --sort name
    exit code: 0
    --- stderr
    warning: could not search the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:Search on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:Search action (AccessDeniedException); ListTrainingJobs alone lists the jobs: their names, statuses and times, and nothing else; ask for a policy that allows sagemaker:Search on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/*
    ## "": names of failed jobs
    exit code: 0
    --- stderr
    note: could not search the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:Search on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:Search action (AccessDeniedException); ListTrainingJobs alone lists the jobs, with more calls; ask for a policy that allows sagemaker:Search on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/*
    ## "Access Denied": history
    ## "Access Denied": history --all
    ## "Access Denied": history --status Failed -n 40
    ## "Access Denied": history -o json
    ## "Access Denied": history -o csv --sort name
    exit code: 0
    --- stderr
    warning: could not search the jobs: Access Denied (AccessDeniedException): it takes sagemaker:Search on *; ListTrainingJobs alone lists the jobs: their names, statuses and times, and nothing else; ask for a policy that allows sagemaker:Search on *, or use a profile that has it: --profile NAME
    ## "Access Denied": names of failed jobs
    exit code: 0
    --- stderr
    note: could not search the jobs: Access Denied (AccessDeniedException): it takes sagemaker:Search on *; ListTrainingJobs alone lists the jobs, with more calls; ask for a policy that allows sagemaker:Search on *, or use a profile that has it: --profile NAME
    "#);
    Ok(())
}

/// Details that are missing for another reason are missing all the same.
#[test]
fn a_history_whose_search_fails_says_so() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    jobs(&tenant, 3)?;
    tenant
        .rule(&json!({ "fault": "error", "operation": "Search", "code": "ValidationException", "message": "No." }))?;
    let mut transcript = Transcript::default();
    for arguments in [&["history"][..], &["history", "--status", "Failed"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        transcript.add_stderr(arguments.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## history
    ## history --status Failed
    exit code: 0
    --- stderr
    warning: could not search the jobs: No. (ValidationException); ListTrainingJobs alone lists the jobs: their names, statuses and times, and nothing else
    "#);
    Ok(())
}

#[test]
fn jobs_that_are_described_one_by_one_are_reported() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    // Jobs without a time in their names would not be looked for in lists.
    let names: Vec<String> = (0..6).map(|number| format!("job-2025-11-23-08-00-00-00{number}")).collect();
    tenant.jobs(&names.iter().map(|name| json!({ "name": name, "created": CREATED })).collect::<Vec<_>>())?;
    let mut transcript = Transcript::default();
    for message in MESSAGES {
        deny_as(&tenant, "ListTrainingJobs", message)?;
        let said = sandbox.smtrain(&["wait"]).args(&names).run()?.ok()?;
        transcript.add_stderr(format_args!("{message:?}"), &said);
        assert_eq!(said.lines().len(), 6, "{said}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## ""
    exit code: 0
    --- stderr
    note: could not list the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:ListTrainingJobs on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:ListTrainingJobs action (AccessDeniedException); each job is described by itself; ask for a policy that allows sagemaker:ListTrainingJobs on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/*
    ## "Access Denied"
    exit code: 0
    --- stderr
    note: could not list the jobs: Access Denied (AccessDeniedException): it takes sagemaker:ListTrainingJobs on *; each job is described by itself; ask for a policy that allows sagemaker:ListTrainingJobs on *, or use a profile that has it: --profile NAME
    "#);
    Ok(())
}

#[test]
fn a_log_that_is_read_node_by_node_is_reported() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let resources = json!({ "InstanceType": "ml.m5.large", "InstanceCount": 9, "VolumeSizeInGB": 30 });
    let state = json!({ "TrainingJobStatus": "Completed", "ResourceConfig": resources });
    tenant.jobs(&[json!({ "name": "wide", "created": CREATED, "state": state })])?;
    for node in 1..=9 {
        tenant.log_events(&format!("wide/algo-{node}-{CREATED}"), &[(CREATED * 1000, "one")])?;
    }
    let mut transcript = Transcript::default();
    for message in MESSAGES {
        deny_as(&tenant, "FilterLogEvents", message)?;
        for arguments in [&["logs", "wide"][..], &["logs", "-f", "wide"]] {
            let said = sandbox.smtrain(arguments).run()?.ok()?;
            transcript.add_stderr(format_args!("{message:?}: {}", arguments.join(" ")), &said);
            assert_eq!(said.lines().len(), 9, "{said}");
        }
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## "": logs wide
    exit code: 0
    --- stderr
    note: could not read the log of wide: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:FilterLogEvents on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:wide/ because no identity-based policy allows the logs:FilterLogEvents action (AccessDeniedException); each node's log is read by itself; ask for a policy that allows logs:FilterLogEvents on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:wide/
    ## "": logs -f wide
    exit code: 0
    --- stderr
    note: could not read the log of wide: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: logs:FilterLogEvents on resource: arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:wide/ because no identity-based policy allows the logs:FilterLogEvents action (AccessDeniedException); each node's log is read by itself; ask for a policy that allows logs:FilterLogEvents on arn:aws:logs:eu-west-1:[ACCOUNT]:log-group:/aws/sagemaker/TrainingJobs:log-stream:wide/
    9 lines, 9/9 nodes, 0 late, 0 gaps
    billed 1m 0s
    ## "Access Denied": logs wide
    exit code: 0
    --- stderr
    note: could not read the log of wide: Access Denied (AccessDeniedException): it takes logs:FilterLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*; each node's log is read by itself; ask for a policy that allows logs:FilterLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*, or use a profile that has it: --profile NAME
    ## "Access Denied": logs -f wide
    exit code: 0
    --- stderr
    note: could not read the log of wide: Access Denied (AccessDeniedException): it takes logs:FilterLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*; each node's log is read by itself; ask for a policy that allows logs:FilterLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*, or use a profile that has it: --profile NAME
    9 lines, 9/9 nodes, 0 late, 0 gaps
    billed 1m 0s
    "#);
    Ok(())
}

#[test]
fn a_bucket_that_may_not_be_closed_to_the_public_is_reported() -> TestResult {
    let mut transcript = Transcript::default();
    for message in MESSAGES {
        let (sandbox, tenant) = on_aws()?;
        deny_as(&tenant, "PutPublicAccessBlock", message)?;
        let project = sandbox.project("proj", "")?;
        let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
        transcript.add(format_args!("{message:?}"), &said);
        // The bucket stands now.
        let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
        transcript.add("the bucket stands now", &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## ""
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    warning: could not close the bucket sagemaker-eu-west-1-[ACCOUNT] to the public: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutBucketPublicAccessBlock on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]" because no identity-based policy allows the s3:PutBucketPublicAccessBlock action (AccessDenied); it was created with S3's defaults, which close new buckets; ask for a policy that allows s3:PutBucketPublicAccessBlock on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    ## the bucket stands now
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    ## "Access Denied"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    warning: could not close the bucket sagemaker-eu-west-1-[ACCOUNT] to the public: Access Denied (AccessDenied): it takes s3:PutBucketPublicAccessBlock on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]; it was created with S3's defaults, which close new buckets; ask for a policy that allows s3:PutBucketPublicAccessBlock on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT], or use a profile that has it: --profile NAME
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    ## the bucket stands now
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    "#);
    Ok(())
}

/// `--quiet` leaves out what costs nothing, and not what is missing.
#[test]
fn a_quiet_history_still_warns() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    jobs(&tenant, 3)?;
    deny(&tenant, "Search")?;
    let said = sandbox.smtrain(&["-q", "history"]).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @"warning: could not search the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:Search on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:Search action (AccessDeniedException); ListTrainingJobs alone lists the jobs: their names, statuses and times, and nothing else; ask for a policy that allows sagemaker:Search on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/*");
    let said = sandbox.smtrain(&["-q", "history", "--status", "Failed", "-o", "names"]).run()?.ok()?;
    assert_eq!(said.stderr, "");
    Ok(())
}
