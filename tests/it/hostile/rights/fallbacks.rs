//! A denied call that another one replaces is reported once, with its action and resource, and what it costs.

use serde_json::json;

use super::{CREATED, deny, on_aws};
use crate::support::{CommandOutput, TestAccount, TestResult};

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

/// Returns what SageMaker's message says, or what smtrain knows where it doesn't.
fn resource(message: &str) -> &'static str {
    if message.is_empty() { "arn:aws:sagemaker:eu-west-1:" } else { "*" }
}

fn deny_as(tenant: &TestAccount, operation: &str, message: &str) -> TestResult {
    tenant.clear_rules()?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": operation, "message": message }))
}

/// Fails unless stderr names the action, with the resource, exactly once, in one line of this label.
fn check_once(said: &CommandOutput, label: &str, action: &str, resource: &str) -> TestResult {
    let lines: Vec<&str> = said.stderr.lines().filter(|line| line.contains("could not")).collect();
    let [line] = lines[..] else { return Err(format!("{} lines on {action}: {said}", lines.len()).into()) };
    let resources = [format!("on resource: {resource}"), format!("it takes {action} on {resource}")];
    let is_told = line.starts_with(label) && line.contains(action) && resources.iter().any(|text| line.contains(text));
    if is_told { Ok(()) } else { Err(format!("{action} on {resource} is not told: {said}").into()) }
}

#[test]
fn a_history_without_search_says_once_what_is_missing() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    jobs(&tenant, 450)?;
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
            check_once(&said, "warning: ", "sagemaker:Search", resource(message))?;
            assert!(said.stderr.contains("ListTrainingJobs") && said.stderr.contains("a policy that allows"), "{said}");
            assert_eq!(said.lines().len(), count, "{arguments:?}: {said}");
            assert!(!said.stdout.contains("Search"), "{said}");
        }
        // The names are all there, only slower.
        let said = sandbox.smtrain(&["history", "--status", "Failed", "-o", "names"]).run()?.ok()?;
        check_once(&said, "note: could not", "sagemaker:Search", resource(message))?;
        assert_eq!(said.lines().len(), 20);
        let said = sandbox.smtrain(&["history", "-o", "names"]).run()?.ok()?;
        assert_eq!((said.lines().len(), said.stderr.as_str()), (20, ""), "needs no Search");
    }
    Ok(())
}

/// Details that are missing for another reason are missing all the same.
#[test]
fn a_history_whose_search_fails_says_so() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    jobs(&tenant, 3)?;
    tenant
        .rule(&json!({ "fault": "error", "operation": "Search", "code": "ValidationException", "message": "No." }))?;
    for arguments in [&["history"][..], &["history", "--status", "Failed"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        assert_eq!(said.stderr.matches("could not search the jobs: No. (ValidationException)").count(), 1, "{said}");
    }
    Ok(())
}

#[test]
fn jobs_that_are_described_one_by_one_are_reported() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    // Jobs without a time in their names would not be looked for in lists.
    let names: Vec<String> = (0..6).map(|number| format!("job-2025-11-23-08-00-00-00{number}")).collect();
    tenant.jobs(&names.iter().map(|name| json!({ "name": name, "created": CREATED })).collect::<Vec<_>>())?;
    for message in MESSAGES {
        deny_as(&tenant, "ListTrainingJobs", message)?;
        let said = sandbox.smtrain(&["wait"]).args(&names).run()?.ok()?;
        check_once(&said, "note: could not", "sagemaker:ListTrainingJobs", resource(message))?;
        assert_eq!(said.lines().len(), 6, "{said}");
    }
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
    for message in MESSAGES {
        deny_as(&tenant, "FilterLogEvents", message)?;
        for arguments in [&["logs", "wide"][..], &["logs", "-f", "wide"]] {
            let said = sandbox.smtrain(arguments).run()?.ok()?;
            check_once(&said, "note: could not", "logs:FilterLogEvents", "arn:aws:logs:eu-west-1:")?;
            assert_eq!(said.lines().len(), 9, "{said}");
        }
    }
    Ok(())
}

#[test]
fn a_bucket_that_may_not_be_closed_to_the_public_is_reported() -> TestResult {
    for message in MESSAGES {
        let (sandbox, tenant) = on_aws()?;
        deny_as(&tenant, "PutPublicAccessBlock", message)?;
        let project = sandbox.project("proj", "")?;
        let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
        let bucket = tenant.default_bucket();
        let resource =
            if message.is_empty() { format!("\"arn:aws:s3:::{bucket}\"") } else { format!("arn:aws:s3:::{bucket}") };
        check_once(&said, "warning: ", "s3:PutBucketPublicAccessBlock", &resource)?;
        // The bucket stands now.
        let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
        assert!(!said.stderr.contains("PublicAccessBlock"), "{said}");
    }
    Ok(())
}

/// `--quiet` leaves out what costs nothing, and not what is missing.
#[test]
fn a_quiet_history_still_warns() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    jobs(&tenant, 3)?;
    deny(&tenant, "Search")?;
    let said = sandbox.smtrain(&["-q", "history"]).run()?.ok()?;
    check_once(&said, "warning: ", "sagemaker:Search", resource(""))?;
    let said = sandbox.smtrain(&["-q", "history", "--status", "Failed", "-o", "names"]).run()?.ok()?;
    assert_eq!(said.stderr, "");
    Ok(())
}
