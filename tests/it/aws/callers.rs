//! `-` on another computer: the newest job that bears the caller's tag.

use serde_json::json;

use crate::support::{Command, CommandOutput, Project, Sandbox, TestAccount, TestResult, Transcript};

/// Where nothing listens.
const UNREACHABLE: &str = "http://127.0.0.1:9";
/// Names of the profiles, each of one role with a session of its own.
const CALLERS: [&str; 2] = ["first", "second"];
const SESSION: &str = "first@example.com";

/// Two callers of one account, whose jobs don't end, and Search that lags behind by nothing.
struct Team {
    sandbox: Sandbox,
    tenant: TestAccount,
    project: Project,
}

impl Team {
    fn new() -> TestResult<Self> {
        let (sandbox, tenant) = Sandbox::on_aws()?;
        tenant.set("phase_seconds", 600.0)?;
        tenant.set("search_lag", 0.0)?;
        tenant.make_bucket(&bucket(&tenant))?;
        let sandbox = sandbox.with_env("SMTRAIN_ROLE", tenant.role_arn());
        let role = |name: &str, session: &str| {
            let role = tenant.role_arn();
            format!("[profile {name}]\nrole_arn = {role}\nsource_profile = keys\nrole_session_name = {session}\n")
        };
        sandbox.file("home/.aws/config", role(CALLERS[0], SESSION) + &role(CALLERS[1], "second"))?;
        let [(_, id), (_, secret), ..] = tenant.environment();
        let keys = format!("[keys]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        sandbox.file("home/.aws/credentials", keys)?;
        let project = sandbox.project("proj", "")?;
        Ok(Self { sandbox, tenant, project })
    }

    fn smtrain(&self, caller: &str, arguments: &[&str]) -> Command {
        let command = self.sandbox.smtrain(arguments).env("AWS_PROFILE", caller);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY")
    }

    /// A command on a computer from which nothing was submitted.
    fn elsewhere(&self, caller: &str, arguments: &[&str]) -> Command {
        self.smtrain(caller, arguments).env("SMTRAIN_HOME", self.sandbox.path("elsewhere"))
    }

    /// Submits a job whose output goes to a bucket that is named, so that the account's number is not needed.
    fn submit(&self, caller: &str, arguments: &[&str]) -> TestResult<CommandOutput> {
        let output = format!("output.s3_uri=s3://{}/out", bucket(&self.tenant));
        let command = self.smtrain(caller, &["submit", &self.project.spec(), "--set", &output]);
        command.args(arguments).run()?.ok()
    }

    fn newest_elsewhere(&self, caller: &str) -> TestResult<String> {
        let job = self.elsewhere(caller, &["describe", "-", "-o", "json"]).run()?.ok()?.json()?;
        Ok(job["job"]["TrainingJobName"].as_str().ok_or("no name")?.to_owned())
    }

    /// The tags of a job that `describe` shows, each a line.
    fn tags(&self, job: &str) -> TestResult<Vec<String>> {
        let said = self.smtrain(CALLERS[0], &["describe", job]).run()?.ok()?;
        let tags = said.lines().into_iter().map(str::trim).filter(|line| line.starts_with("smtrain:"));
        Ok(tags.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }
}

fn bucket(tenant: &TestAccount) -> String {
    format!("bucket-{}", tenant.account())
}

#[test]
fn each_caller_gets_their_own_newest_on_another_computer() -> TestResult {
    let team = Team::new()?;
    let _older = team.submit("first", &[])?;
    let first = team.submit("first", &[])?.line().to_owned();
    let second = team.submit("second", &[])?.line().to_owned();
    for share in [0.0, 0.9] {
        team.tenant.set("empty_pages", share)?;
        assert_eq!(team.newest_elsewhere("first")?, first);
        assert_eq!(team.newest_elsewhere("second")?, second);
    }
    let said = team.elsewhere("first", &["stop", "--last"]).run()?.ok()?;
    assert_eq!(said.stderr.lines().next(), Some(&*format!("the job is {first}, in eu-west-1")), "{said}");
    let other = team.smtrain("second", &["describe", &second, "-o", "json"]).run()?.ok()?.json()?;
    assert_eq!(other["job"]["TrainingJobStatus"], "InProgress");
    assert_eq!(team.tenant.count("StopTrainingJob")?, 1);
    Ok(())
}

/// What was submitted from here is meant, without a search, as long as there is something.
#[test]
fn the_record_comes_before_the_tag() -> TestResult {
    let team = Team::new()?;
    let here = team.submit("first", &[])?.line().to_owned();
    let elsewhere = team.smtrain("first", &["submit", "-q", &team.project.spec()]);
    elsewhere.env("SMTRAIN_HOME", team.sandbox.path("elsewhere")).run()?.ok()?;
    let said = team.smtrain("first", &["describe", "-", "-o", "json"]).run()?.ok()?.json()?;
    assert_eq!(said["job"]["TrainingJobName"], json!(here));
    assert_eq!(team.tenant.count("Search")?, 0);
    Ok(())
}

#[test]
fn the_caller_is_a_tag_and_asked_once() -> TestResult {
    let team = Team::new()?;
    let job = team.submit("first", &[])?.line().to_owned();
    let arn = format!("arn:aws:sts::{}:assumed-role/SageMakerRole/{SESSION}", team.tenant.account());
    let tags = team.tags(&job)?;
    assert_eq!(tags.last(), Some(&format!("smtrain:caller {arn}")), "{tags:?}");
    assert_eq!(team.tenant.count("GetCallerIdentity")?, 1);
    // For the default bucket, the account is asked for anyway.
    team.tenant.clear_calls()?;
    team.smtrain("first", &["submit", "-q", &team.project.spec()]).run()?.ok()?;
    assert_eq!(team.tenant.count("GetCallerIdentity")?, 1);
    Ok(())
}

#[test]
fn without_a_tagged_job_there_is_no_newest() -> TestResult {
    let team = Team::new()?;
    let mut all = Transcript::default();
    all.add("no job", &team.elsewhere("first", &["stop", "-"]).run()?.expect(1)?);
    // Search does not know it yet.
    team.submit("first", &[])?;
    team.tenant.set("search_lag", 3600.0)?;
    all.add("too new", &team.elsewhere("first", &["stop", "-"]).run()?.expect(1)?);
    team.tenant.set("search_lag", 0.0)?;
    for operation in ["Search", "GetCallerIdentity"] {
        team.tenant.rule(&json!({ "fault": "access_denied", "operation": operation }))?;
        all.add(operation, &team.elsewhere("first", &["stop", "-"]).run()?.expect(1)?);
        team.tenant.clear_rules()?;
    }
    insta::assert_snapshot!(all.snapshot(team.sandbox.root())?, @r"
    ## no job
    ## too new
    exit code: 1
    --- stderr
    error: no job was submitted from this computer
    hint: name a job: smtrain history lists them
    ## Search
    exit code: 1
    --- stderr
    error: no job was submitted from this computer
      cause: could not search the jobs: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:Search on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/* because no identity-based policy allows the sagemaker:Search action (AccessDeniedException)
    hint: name a job: smtrain history lists them
    ## GetCallerIdentity
    exit code: 1
    --- stderr
    error: no job was submitted from this computer
      cause: could not find out whose credentials these are: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sts:GetCallerIdentity on resource: * because no identity-based policy allows the sts:GetCallerIdentity action (AccessDenied)
    hint: name a job: smtrain history lists them
    ");
    assert_eq!(team.tenant.count("StopTrainingJob")?, 0);
    Ok(())
}

/// All attempts would take minutes: the limit on a command's time would fail the test.
#[test]
fn aws_that_cannot_be_reached_is_not_waited_for() -> TestResult {
    let team = Team::new()?;
    let command = team.sandbox.smtrain(&["stop", "-"]).env("AWS_ENDPOINT_URL", UNREACHABLE);
    let said = command.env("AWS_MAX_ATTEMPTS", "30").run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(team.sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: no job was submitted from this computer
      cause: AWS did not answer within 15 s
    hint: name a job: smtrain history lists them
    ");
    Ok(())
}

#[test]
fn a_caller_that_sts_does_not_tell_is_no_tag() -> TestResult {
    let team = Team::new()?;
    team.tenant.rule(&json!({ "fault": "access_denied", "operation": "GetCallerIdentity" }))?;
    let said = team.submit("first", &[])?;
    insta::assert_snapshot!(said.stderr_snapshot(team.sandbox.root())?, @r"
    output.s3_uri: s3://bucket-[ACCOUNT]/out (from --set)
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    profile: first (from AWS_PROFILE)
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: the job has no tag of its caller, by which `-` finds it from other computers: could not find out whose credentials these are: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sts:GetCallerIdentity on resource: * because no identity-based policy allows the sts:GetCallerIdentity action (AccessDenied)
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    ");
    let tags = team.tags(said.line())?;
    assert!(tags.len() == 2 && tags[1].starts_with("smtrain:code-sha256 "), "{tags:?}");
    Ok(())
}

#[test]
fn without_provenance_nobody_is_asked() -> TestResult {
    let team = Team::new()?;
    team.sandbox.file("home/.config/smtrain/config.toml", "provenance = false\n")?;
    let job = team.submit("first", &[])?.line().to_owned();
    assert_eq!(team.tags(&job)?, Vec::<String>::new());
    assert_eq!(team.tenant.count("GetCallerIdentity")?, 0);
    team.elsewhere("first", &["stop", "-"]).run()?.expect(1)?;
    assert_eq!(team.tenant.count("StopTrainingJob")?, 0);
    Ok(())
}

/// Own tags come first, and a dry run asks nobody.
#[test]
fn a_caller_for_whom_there_is_no_room() -> TestResult {
    let team = Team::new()?;
    let mut all = Transcript::default();
    all.add_stderr("a dry run", &team.submit("first", &["--dry-run"])?);
    all.add_stderr("a local dry run", &team.submit("first", &["--dry-run", "--local"])?);
    assert_eq!(team.tenant.calls()?.len(), 0);
    let tags = (0..48).fold(String::new(), |text, number| format!("{text}k{number} = 'x'\n"));
    team.sandbox.file("home/.config/smtrain/config.toml", format!("[tags]\n{tags}"))?;
    all.add_stderr("48 own tags", &team.submit("first", &[])?);
    insta::assert_snapshot!(all.snapshot(team.sandbox.root())?, @r"
    ## a dry run
    exit code: 0
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    ## a local dry run
    exit code: 0
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    placeholder: TrainingImage <sklearn:1.4-2>, since a local job runs in no image
    ## 48 own tags
    exit code: 0
    --- stderr
    output.s3_uri: s3://bucket-[ACCOUNT]/out (from --set)
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    profile: first (from AWS_PROFILE)
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: a job takes 50 tags, and 48 are given: it goes without smtrain:caller
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    ");
    Ok(())
}
