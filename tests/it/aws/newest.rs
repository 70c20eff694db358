//! `-` and `--last`: the newest job that was submitted from here.

use std::fs;

use serde_json::json;

use crate::support::{Project, Sandbox, TestAccount, TestResult, Transcript};

/// Where nothing listens.
const UNREACHABLE: &str = "http://127.0.0.1:9";

fn project(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", "import time\ntime.sleep(600)")
}

fn submit(sandbox: &Sandbox, project: &Project, tenant: &TestAccount) -> TestResult<String> {
    let arguments = ["submit", "-q", &project.spec(), "--role", tenant.role_arn()];
    Ok(sandbox.smtrain(&arguments).run()?.ok()?.line().to_owned())
}

/// A job of a colleague's in the same account, created in the far future.
fn foreign_job(tenant: &TestAccount) -> TestResult {
    tenant.jobs(&[json!({ "name": "colleague-9", "created": 4_000_000_000_u64, "state": { "TrainingJobStatus": "InProgress", "SecondaryStatus": "Training" } })])
}

#[test]
fn a_colleague_s_newer_job_is_not_meant() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let project = project(&sandbox)?;
    let _older = submit(&sandbox, &project, &tenant)?;
    let job = submit(&sandbox, &project, &tenant)?;
    foreign_job(&tenant)?;
    for newest in ["-", "--last"] {
        let said = sandbox.smtrain(&["describe", newest, "-o", "json"]).run()?.ok()?.json()?;
        assert_eq!(said["job"]["TrainingJobName"], json!(job), "{newest}");
    }
    let said = sandbox.smtrain(&["stop", "-"]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 0
    --- stdout
    --- stderr
    the job is proj-[STAMP], in eu-west-1
    stopping proj-[STAMP]; wait for its end: smtrain wait proj-[STAMP]
    ");
    let other = sandbox.smtrain(&["describe", "colleague-9", "-o", "json"]).run()?.ok()?.json()?;
    assert_eq!(other["job"]["TrainingJobStatus"], "InProgress");
    assert_eq!(tenant.count("StopTrainingJob")?, 1);
    Ok(())
}

#[test]
fn without_a_job_from_here_there_is_no_newest() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    foreign_job(&tenant)?;
    let mut all = Transcript::default();
    for arguments in [&["stop", "-"][..], &["logs", "--last"], &["wait", "-"], &["stop", "-", "--local"]] {
        all.add(arguments.join(" "), &sandbox.smtrain(arguments).run()?.expect(1)?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## stop -
    ## logs --last
    ## wait -
    exit code: 1
    --- stderr
    error: no job was submitted from this computer
    hint: name a job: smtrain history lists them
    ## stop - --local
    exit code: 1
    --- stderr
    error: no job was submitted from this computer
    hint: start one: smtrain submit --local job.toml
    ");
    // Three looked for a job that bears the caller's tag.
    let searches = (tenant.count("GetCallerIdentity")?, tenant.count("Search")?);
    assert_eq!((searches, tenant.calls()?.len()), ((3, 3), 6));
    Ok(())
}

/// A local job is of this user and from here, too.
#[test]
fn the_newest_of_this_computer_and_of_aws() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let project = project(&sandbox)?;
    let newest = |arguments: &[&str]| -> TestResult<String> {
        let said = sandbox.smtrain(&["describe", "-", "-o", "json"]).args(arguments).run()?.ok()?.json()?;
        Ok(said["job"]["TrainingJobName"].as_str().unwrap_or_default().to_owned())
    };
    let local = sandbox.complete(&sandbox.project("here", "")?, &[])?;
    let on_aws = submit(&sandbox, &project, &tenant)?;
    assert_eq!(newest(&[])?, on_aws);
    assert_eq!(newest(&["--local"])?, local);
    let local = sandbox.complete(&sandbox.project("here2", "")?, &[])?;
    assert_eq!(newest(&[])?, local);
    assert_eq!(newest(&["--region", "eu-west-1"])?, on_aws);
    Ok(())
}

/// The job's own region is used, whatever the environment's has become.
#[test]
fn a_job_is_found_in_the_region_it_was_submitted_to() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let project = project(&sandbox)?;
    let job = submit(&sandbox, &project, &tenant)?;
    let prefix = job.get(..job.len() - 2).unwrap_or_default();
    for name in ["-", prefix] {
        let command = sandbox.smtrain(&["describe", name, "-o", "json"]).env("AWS_REGION", "us-west-2");
        assert_eq!(command.run()?.ok()?.json()?["job"]["TrainingJobName"], json!(job), "{name}");
    }
    tenant.delete_job(&job)?;
    let said = sandbox.smtrain(&["stop", "-"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: the job proj-[STAMP], which was submitted from here, is not in eu-west-1
    hint: it was submitted to eu-west-1 of the account [ACCOUNT]: use that account's credentials
    hint: or name another job: smtrain history lists them
    ");
    Ok(())
}

/// Ten attempts would take a minute: the limit on a command's time fails the test.
#[test]
fn what_this_computer_knows_is_told_offline() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let local = sandbox.complete(&sandbox.project("here", "print('from here')")?, &[])?;
    foreign_job(&tenant)?;
    let prefix = local.get(..local.len() - 2).unwrap_or_default();
    for name in ["-", "--last", prefix, &local] {
        let said = sandbox.smtrain(&["logs", name]).env("AWS_ENDPOINT_URL", UNREACHABLE).run()?.ok()?;
        assert_eq!(said.stdout, "from here\n", "{name}");
    }
    assert_eq!(tenant.calls()?.len(), 0);
    Ok(())
}

#[test]
fn a_record_that_cannot_be_read_is_an_error() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let project = project(&sandbox)?;
    let job = submit(&sandbox, &project, &tenant)?;
    let record = sandbox.state().join("submitted.jsonl");
    fs::remove_file(&record)?;
    fs::create_dir(&record)?;
    let mut all = Transcript::default();
    all.add("describe -", &sandbox.smtrain(&["describe", "-"]).run()?.expect(1)?);
    let said = sandbox.smtrain(&["submit", &project.spec(), "--role", tenant.role_arn()]).run()?.ok()?;
    assert!(said.stderr.contains("warning: `-` will not find "), "{said}");
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## describe -
    exit code: 1
    --- stderr
    error: could not read [SANDBOX]/smtrain/submitted.jsonl
      cause: it is not a file of this user's
    ");
    // Lines that mean nothing to this version are skipped.
    fs::remove_dir(&record)?;
    let line =
        json!({ "name": job, "region": "eu-west-1", "account": null, "profile": null, "time": "2026-01-01T00:00:00Z" });
    fs::write(&record, format!("{line}\nnot JSON\n{{}}\n"))?;
    let said = sandbox.smtrain(&["describe", "-", "-o", "json"]).run()?.ok()?.json()?;
    assert_eq!(said["job"]["TrainingJobName"], json!(job));
    Ok(())
}
