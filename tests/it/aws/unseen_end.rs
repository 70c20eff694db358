//! Jobs that go on although their end can't be seen.

use serde_json::json;

use crate::support::{Sandbox, TestResult};

/// Neither the log nor the job itself may be read: the job was created, and how to come back to it is said.
#[test]
fn a_job_that_may_not_be_followed_goes_on_and_says_so() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let sandbox = sandbox.with_env("SMTRAIN_ROLE", tenant.role_arn());
    for operation in ["DescribeLogStreams", "DescribeTrainingJob"] {
        tenant.rule(&json!({ "fault": "access_denied", "operation": operation, "message": "No." }))?;
    }
    let project = sandbox.project("proj", "")?;
    let said = sandbox.smtrain(&["submit", "-q", &project.spec(), "--follow"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    proj-[STAMP]
    --- stderr
    error: could not describe job proj-[STAMP]: No. (AccessDeniedException): it takes sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/proj-[STAMP]
    hint: ask for a policy that allows sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/proj-[STAMP], or use a profile that has it: --profile NAME
    hint: see who is asking: aws sts get-caller-identity
    hint: job proj-[STAMP] was created and continues; wait for it: smtrain wait proj-[STAMP]
    hint: stop it: smtrain stop proj-[STAMP]
    ");
    let json = sandbox.smtrain(&["submit", "-q", &project.spec(), "--wait", "-o", "json"]).run()?.expect(1)?;
    assert_eq!(json.json()?["status"], "InProgress");
    Ok(())
}
