//! Jobs on SageMaker, from submission to the model on disk, on the emulator; whole, and with calls that fail.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::{Project, Sandbox, TestAccount, TestResult, Transcript, poll};

fn on_aws() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    Ok((sandbox.with_env("SMTRAIN_ROLE", "SageMakerRole"), tenant))
}

const SCRIPT: &str = "import os, sys
print('arguments', sys.argv[1:])
print('channels', os.environ['SM_CHANNELS'])
open(os.environ['SM_MODEL_DIR'] + '/weights.bin', 'wb').write(bytes(range(256)) * 40)
";

const CONTAINER: &str = r#"
[container]
image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1"

[source]
entry_point = "train.py"

[hyperparameters]
epochs = 3
name = "it's $HOME"

[resources]
instance_type = "ml.m5.large"
"#;

/// The model that `SCRIPT` writes.
fn weights() -> Vec<u8> {
    (0..=255_u8).collect::<Vec<_>>().repeat(40)
}

fn model(sandbox: &Sandbox, job: &str) -> TestResult<Vec<u8>> {
    Ok(fs::read(sandbox.path(&format!("models/{job}/model/weights.bin")))?)
}

fn framework(sandbox: &Sandbox, name: &str, script: &str) -> TestResult<Project> {
    sandbox.project(name, script)
}

#[test]
fn the_quickstart_trains_and_its_model_is_downloaded() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    sandbox.smtrain(&["init", "penguins"]).run()?.ok()?;
    let said = sandbox.smtrain(&["submit", "penguins/job.toml", "--follow", "--download", "models"]).run()?.ok()?;
    let job = said.line().to_owned();
    assert_eq!(said.stdout, format!("{job}\n"));
    assert_eq!(said.stderr.matches("epoch=40 ").count(), 1, "every line once: {said}");
    let model: Value = serde_json::from_slice(&fs::read(sandbox.path(&format!("models/{job}/model/model.json")))?)?;
    assert!(model.is_object());

    let row = &sandbox.smtrain(&["history", "-o", "json"]).run()?.ok()?.json_lines()?[0];
    assert_eq!((row["name"].as_str(), row["status"].as_str()), (Some(&*job), Some("Completed")));
    let described = &sandbox.smtrain(&["describe", &job, "-o", "json"]).run()?.ok()?.json()?["job"];
    assert_eq!(described["TrainingJobStatus"], "Completed");
    assert_eq!(described["RoleArn"], tenant.role_arn());
    let image = described["AlgorithmSpecification"]["TrainingImage"].as_str().unwrap_or_default();
    assert!(image.ends_with("/sagemaker-scikit-learn:1.4-2-cpu-py3"), "{image}");
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    let log = sandbox.smtrain(&["logs", &job, "--grep", "epoch="]).run()?.ok()?;
    assert_eq!(log.stdout.matches("epoch=").count(), 40);
    // What else is described is held by the tests of `describe`.
    assert!(sandbox.smtrain(&["describe", &job]).run()?.ok()?.stdout.contains("train:loss"));
    Ok(())
}

#[test]
fn the_sklearn_template_trains() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    sandbox.smtrain(&["init", "tumours", "--template", "sklearn"]).run()?.ok()?;
    let arguments = ["submit", "tumours/job.toml", "-H", "trees=20", "--wait", "--download", "models"];
    let job = sandbox.smtrain(&arguments).run()?.ok()?.line().to_owned();
    assert!(fs::read_dir(sandbox.path(&format!("models/{job}/model")))?.next().is_some());
    Ok(())
}

#[test]
fn a_failing_script_fails_the_job() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let project = framework(&sandbox, "failing", "print('before')\nraise ValueError('no data')\n")?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--follow"]).run()?.expect(3)?;
    insta::assert_snapshot!(said.error_snapshot(sandbox.root())?, @r#"
    error: job failing-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode 1
      ErrorMessage "raise ValueError('no data')
       ValueError: no data"
      Command "[PYTHON] -- train.py", exit code: 1
    hint: read its log: smtrain logs failing-[STAMP]
    "#);
    // Which phases are seen among the lines depends on the moment.
    assert!(said.stderr.contains("Traceback"), "{said}");
    let job = said.line();
    sandbox.smtrain(&["wait", job]).run()?.expect(3)?;
    sandbox.smtrain(&["logs", "-f", job]).run()?.expect(3)?;
    let none = sandbox.smtrain(&["download", job]).run()?.expect(1)?;
    insta::assert_snapshot!(none.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: job failing-[STAMP] failed and left no model
    hint: see why: smtrain describe failing-[STAMP]
    "#);
    Ok(())
}

#[test]
fn a_job_is_stopped() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.set("stop_grace", 5.0)?;
    let project =
        framework(&sandbox, "endless", "import time\nprint('running', flush=True)\nwhile True: time.sleep(0.1)\n")?;
    let job = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?.line().to_owned();
    poll("the script runs", || Ok(sandbox.smtrain(&["logs", &job]).run()?.stdout.contains("running").then_some(())))?;
    sandbox.smtrain(&["stop", &job]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    let again = sandbox.smtrain(&["stop", &job]).run()?.ok()?;
    insta::assert_snapshot!(again.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    job endless-[STAMP] has ended already: Stopped
    "#);
    Ok(())
}

#[test]
fn code_runs_in_an_image_without_the_toolkit() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let project = framework(&sandbox, "own", SCRIPT)?.file("data/a.csv", "1\n")?;
    let project = project.whole_spec(&format!("{CONTAINER}\n[channels]\ntrain = \"data\"\n"))?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--follow", "--download", "models"]).run()?.ok()?;
    // Which phases are seen among the lines depends on the moment.
    assert!(said.stderr.contains(r#"arguments ['--epochs', '3', '--name', "it's $HOME"]"#), "{said}");
    assert!(said.stderr.contains(r#"channels ["train"]"#), "{said}");
    assert_eq!(model(&sandbox, said.line())?, weights());
    Ok(())
}

#[test]
fn a_shell_script_in_an_image_of_ones_own_fails_with_its_code() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let project = framework(&sandbox, "own", "")?.file("train.sh", "echo \"shell $*\"\nexit 7\n")?;
    let project = project.whole_spec(&CONTAINER.replace("train.py", "train.sh"))?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--follow"]).run()?.expect(3)?;
    // Which phases are seen among the lines depends on the moment.
    assert!(said.stderr.contains("shell --epochs 3 --name it's $HOME"), "{said}");
    insta::assert_snapshot!(said.error_snapshot(sandbox.root())?, @r#"
    error: job own-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode 7
      ErrorMessage ""
      Command "/bin/sh -c ./train.sh --epochs 3 --name 'it'"'"'s $HOME'", exit code: 7
    hint: read its log: smtrain logs own-[STAMP]
    "#);
    Ok(())
}

/// The code's objects.
fn codes(tenant: &TestAccount) -> TestResult<Vec<String>> {
    tenant.keys(&tenant.default_bucket(), "smtrain/code/")
}

#[test]
fn code_is_uploaded_once_and_again_when_a_byte_changes() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.set("phase_seconds", 600.0)?;
    let project = framework(&sandbox, "same", "print(1)\n")?;
    let submit = || sandbox.smtrain(&["submit", &project.spec()]).run()?.ok();
    submit()?;
    tenant.clear_calls()?;
    submit()?;
    assert_eq!(tenant.count("PutObject")?, 0);
    assert!(tenant.calls()?.len() <= 6, "{:?}", tenant.calls()?);
    assert_eq!(codes(&tenant)?.len(), 1);
    fs::write(project.path("train.py"), "print(2)\n")?;
    submit()?;
    assert_eq!((tenant.count("PutObject")?, codes(&tenant)?.len()), (1, 2));
    Ok(())
}

#[test]
fn a_dry_run_calls_nobody_and_hides_what_looks_like_a_secret() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let project = framework(&sandbox, "dry", "")?.with("[environment]\nHF_TOKEN = \"correct-horse-battery\"\n")?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--dry-run"]).run()?.ok()?;
    assert_eq!(tenant.calls()?, Vec::<Value>::new());
    assert!(!said.to_string().contains("correct-horse"), "{said}");
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    warning: `environment.HF_TOKEN` looks like a secret, and is sent in clear with the job
    --> [SANDBOX]/dry/job.toml
     = hint: have the script fetch it from Secrets Manager by its name; the job's role gives it the permission
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    placeholder: <account> in HyperParameters, RoleArn, OutputDataConfig: the account's number
    placeholder: <path> in RoleArn: the role's path
    hidden: Environment.HF_TOKEN looks like a secret; it would be sent as written
    "#);
    let request = said.json()?;
    assert_eq!(request["RoleArn"], "arn:aws:iam::<account>:role/<path>SageMakerRole");
    assert_eq!(request["OutputDataConfig"]["S3OutputPath"], "s3://sagemaker-eu-west-1-<account>/");
    Ok(())
}

#[test]
fn throttling_resets_and_expired_credentials_change_nothing() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.rule(&json!({ "fault": "expired_token", "count": 1 }))?;
    tenant.rule(&json!({ "fault": "reset_before", "probability": 0.05, "seed": 3 }))?;
    tenant.rule(&json!({ "fault": "throttle", "probability": 0.3, "seed": 1 }))?;
    let project = framework(&sandbox, "throttled", SCRIPT)?;
    let said = sandbox.smtrain(&["submit", &project.spec(), "--follow", "--download", "models"]).run()?.ok()?;
    assert_eq!(model(&sandbox, said.line())?, weights());
    assert_eq!(said.stderr.matches("arguments [").count(), 1, "{said}");
    let calls = tenant.calls()?.len();
    assert!(calls < 120, "{calls} calls");
    tenant.clear_rules()?;
    let names = sandbox.smtrain(&["history", "-o", "names"]).run()?.ok()?;
    assert_eq!(names.lines(), [said.line()]);
    Ok(())
}

#[test]
fn a_lost_reply_makes_one_job() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.set("phase_seconds", 600.0)?;
    tenant.rule(&json!({ "fault": "reset_after", "operation": "CreateTrainingJob", "count": 1 }))?;
    let project = framework(&sandbox, "lost", "")?;
    let job = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?.line().to_owned();
    assert_eq!(tenant.count("CreateTrainingJob")?, 2);
    assert_eq!(sandbox.smtrain(&["history", "-o", "names"]).run()?.ok()?.lines(), [job]);
    Ok(())
}

const LOOP: &str = "
for number in $(seq 200); do
  smtrain submit -q many/job.toml > names/$number 2> errors/$number || echo $number >> failed &
  if [ $((number % 40)) = 0 ]; then wait; fi
done
wait
";

#[test]
fn two_hundred_submissions_at_once_make_two_hundred_jobs() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.set("phase_seconds", 600.0)?;
    framework(&sandbox, "many", "")?;
    for folder in ["names", "errors"] {
        fs::create_dir(sandbox.path(folder))?;
    }
    sandbox.sh(LOOP).run()?.ok()?;
    assert!(!sandbox.path("failed").exists(), "{}", fs::read_to_string(sandbox.path("errors/1"))?);
    let said: BTreeSet<String> = (1..=200)
        .map(|number| fs::read_to_string(sandbox.path(&format!("names/{number}"))))
        .collect::<Result<_, _>>()?;
    assert_eq!(said.len(), 200);
    let listed = sandbox.smtrain(&["history", "--all", "-o", "names"]).run()?.ok()?;
    assert_eq!(listed.lines().len(), 200);
    Ok(())
}

#[test]
fn known_refusals_say_what_to_do() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let limit = "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances";
    let create = |fields: Value| {
        let mut rule = json!({ "operation": "CreateTrainingJob" });
        let table = rule.as_object_mut().zip(fields.as_object());
        if let Some((rule, fields)) = table {
            rule.extend(fields.clone());
        }
        rule
    };
    let mut transcript = Transcript::default();
    for (title, rule) in [
        ("CreateTrainingJob is denied", create(json!({ "fault": "access_denied" }))),
        ("a quota is used up", create(json!({ "fault": "error", "code": "ResourceLimitExceeded", "message": limit }))),
        ("PutObject is denied", json!({ "fault": "access_denied", "operation": "PutObject" })),
        ("credentials have expired", json!({ "fault": "expired_token", "operation": "CreateTrainingJob" })),
    ] {
        tenant.rule(&rule)?;
        // Code that nobody has stored yet.
        let project = framework(&sandbox, "refused", &format!("# {rule}\n"))?;
        let said = sandbox.smtrain(&["submit", "-v", &project.spec()]).run()?.expect(1)?;
        transcript.add(title, &said);
        tenant.clear_rules()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## CreateTrainingJob is denied
    exit code: 1
    --- stderr
    role: SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: could not create the job: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:CreateTrainingJob on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/refused-[STAMP] because no identity-based policy allows the sagemaker:CreateTrainingJob action (AccessDeniedException)
      error code AccessDeniedException, HTTP status 400
      request id [REQUEST]
      because of: unhandled error (AccessDeniedException)
      because of: Error { code: "AccessDeniedException", message: "User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: sagemaker:CreateTrainingJob on resource: arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/refused-[STAMP] because no identity-based policy allows the sagemaker:CreateTrainingJob action", aws_request_id: "[REQUEST]" }
    hint: ask for a policy that allows sagemaker:CreateTrainingJob on arn:aws:sagemaker:eu-west-1:[ACCOUNT]:training-job/refused-[STAMP]
    hint: see who is asking: aws sts get-caller-identity
    ## a quota is used up
    exit code: 1
    --- stderr
    role: SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: could not create the job: The account-level service limit 'ml.m5.large for training job usage' is 0 Instances (ResourceLimitExceeded)
      error code ResourceLimitExceeded, HTTP status 400
      request id [REQUEST]
      because of: ResourceLimitExceeded: The account-level service limit 'ml.m5.large for training job usage' is 0 Instances
      because of: ResourceLimitExceeded: The account-level service limit 'ml.m5.large for training job usage' is 0 Instances
    hint: see the quota: aws service-quotas list-service-quotas --service-code sagemaker --query "Quotas[?QuotaName=='ml.m5.large for training job usage']"
    hint: raise it with its code: aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code CODE --desired-value N; or use another instance type
    ## PutObject is denied
    exit code: 1
    --- stderr
    role: SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: could not store s3://sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz" because no identity-based policy allows the s3:PutObject action (AccessDenied)
      error code AccessDenied, HTTP status 403
      request id [REQUEST]
      because of: unhandled error (AccessDenied)
      because of: Error { code: "AccessDenied", message: "User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz\" because no identity-based policy allows the s3:PutObject action", aws_request_id: "[REQUEST]" }
    hint: ask for a policy that allows s3:PutObject on arn:aws:s3:::sagemaker-eu-west-1-[ACCOUNT]/smtrain/code/[SHA256]/sourcedir.tar.gz
    hint: see who is asking: aws sts get-caller-identity
    ## credentials have expired
    exit code: 1
    --- stderr
    role: SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: could not create the job: The security token included in the request is expired (ExpiredTokenException)
      error code ExpiredTokenException, HTTP status 400
      request id [REQUEST]
      because of: unhandled error (ExpiredTokenException)
      because of: Error { code: "ExpiredTokenException", message: "The security token included in the request is expired", aws_request_id: "[REQUEST]" }
    hint: the credentials have expired; log in again: aws sso login
    "#);
    Ok(())
}

#[test]
fn a_missing_role_job_profile_or_region_is_named() -> TestResult {
    let (sandbox, _tenant) = on_aws()?;
    let project = framework(&sandbox, "missing", "")?;
    let mut transcript = Transcript::default();
    for arguments in [
        &["submit", &project.spec(), "--role", "Nobody"][..],
        &["describe", "missing-job"],
        &["history", "--profile", "nobody"],
    ] {
        transcript.add(arguments.join(" "), &sandbox.smtrain(arguments).run()?.expect(1)?);
    }

    let bare = Sandbox::new()?.with_env("AWS_EC2_METADATA_DISABLED", "true");
    let project = framework(&bare, "bare", "")?;
    let said = bare.smtrain(&["submit", &project.spec(), "--role", "R"]).run()?.expect(1)?;
    transcript.add("no region", &said);
    let said = bare.smtrain(&["submit", &project.spec(), "--role", "R", "--region", "eu-west-1"]).run()?.expect(1)?;
    transcript.add("no credentials", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## submit [SANDBOX]/missing/job.toml --role Nobody
    exit code: 1
    --- stderr
    role: Nobody (from --role)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: there is no IAM role Nobody in this account
    hint: list those for SageMaker: aws iam list-roles --query "Roles[?contains(RoleName,'SageMaker')].Arn"
    ## describe missing-job
    exit code: 1
    --- stderr
    error: there is no job missing-job on this computer or in eu-west-1
    hint: list the jobs there are: smtrain history
    hint: it may be in another region: --region NAME, or of another --profile
    ## history --profile nobody
    exit code: 1
    --- stderr
    error: there is no profile nobody: no file of profiles exists
    hint: make one: aws configure --profile NAME
    hint: --profile names it
    ## no region
    exit code: 1
    --- stderr
    error: no AWS region is set
    hint: give one: --region eu-west-1, or set AWS_REGION, or `region` in the job spec
    hint: or for good: aws configure set region eu-west-1
    ## no credentials
    exit code: 1
    --- stderr
    role: R (from --role)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    profile: default
    error: could not look up the role R: no AWS credentials are configured
    hint: give the role's ARN: it needs no look-up
    hint: log in: aws sso login, or aws configure; or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    hint: or run the job on this computer, without an account: --local
    "#);
    Ok(())
}

#[test]
fn a_local_job_is_found_by_its_name_and_reads_channels_from_s3() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.make_bucket("numbers")?;
    tenant.put_object("numbers", "train/a.csv", b"1,2\n")?;
    let script = "import os\nprint(open(os.environ['SM_CHANNEL_TRAIN'] + '/a.csv').read())\n";
    let project = framework(&sandbox, "here", script)?.with("[channels]\ntrain = \"s3://numbers/train\"\n")?;
    let job = sandbox.smtrain(&["submit", &project.spec(), "--local", "--wait"]).run()?.ok()?.line().to_owned();
    assert_eq!(sandbox.log(&job)?, "1,2\n\n");
    tenant.clear_calls()?;
    sandbox.smtrain(&["submit", &project.spec(), "--local", "--wait"]).run()?.ok()?;
    assert_eq!((tenant.calls()?.len(), tenant.count("ListObjectsV2")?), (1, 1), "it was fetched before");
    sandbox.smtrain(&["describe", &job, "--region", "eu-west-1"]).run()?.expect(1)?;
    Ok(())
}
