//! Secrets in the data of channels.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;

use super::{aws_secret, leaks, refusals};
use crate::support::{Project, Sandbox, TestAccount, TestResult, Transcript};

/// A folder of 150 files of data and four of secrets.
fn data(sandbox: &Sandbox) -> TestResult<Project> {
    let data = sandbox.path("data");
    for number in 0..150 {
        let path = data.join(format!("part-{}/{number}.csv", number % 3));
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, format!("{number},1,2\n"))?;
    }
    for name in [".env", ".aws/credentials", ".ssh/id_rsa", "terraform.tfstate"] {
        let path = data.join(name);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, "x")?;
    }
    sandbox.project("proj", "pass")?.with("[channels]\ntrain = \"../data\"\n")
}

fn on_aws() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("phase_seconds", 600.0)?;
    let role = tenant.role_arn().to_owned();
    Ok((sandbox.with_env("SMTRAIN_ROLE", role), tenant))
}

#[test]
fn data_with_secrets_is_refused_before_anything_is_sent() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let project = data(&sandbox)?;
    let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    note: [SANDBOX]/proj/../data lies outside the project and is uploaded
    error: the data in [SANDBOX]/proj/../data holds secrets, and none of it was sent:
        .env: environment variables, by convention with passwords
        .ssh/: SSH keys
        terraform.tfstate: Terraform's state, which holds secrets in clear
        .aws/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    "#);
    assert_eq!(tenant.buckets()?, Vec::<String>::new());
    assert_eq!((tenant.count("PutObject")?, tenant.count("CreateTrainingJob")?), (0, 0));
    let mut transcript = Transcript::default();
    for said in refusals(&sandbox, &project)? {
        transcript.add("data", &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## data
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/proj/../data holds secrets, and none of it was sent:
        .env: environment variables, by convention with passwords
        .ssh/: SSH keys
        terraform.tfstate: Terraform's state, which holds secrets in clear
        .aws/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## data
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/proj/../data holds secrets, and none of it was sent:
             .env: environment variables, by convention with passwords
             .ssh/: SSH keys
             terraform.tfstate: Terraform's state, which holds secrets in clear
             .aws/: AWS credentials
      --> [SANDBOX]/proj/job.toml:12:9
       |
    12 | train = "../data"
       |         ^^^^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/proj/job.toml: 1 error
    "#);
    Ok(())
}

#[test]
fn data_with_a_secret_in_a_file_is_refused_too() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let project = sandbox.project("proj", "pass")?.with("[channels]\ntrain = \"data\"\n")?;
    let project = project.file("data/a.csv", "1,2\n")?.file("data/b/config.ini", leaks()[14].1.clone())?;
    let project = project.file(".smtrainignore", "data/\n")?;
    let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    error: the data in [SANDBOX]/proj/data holds secrets, and none of it was sent:
        b/config.ini:2: an AWS secret access key
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    "#);
    assert!(!said.stderr.contains(&aws_secret()), "{said}");
    assert_eq!((tenant.count("PutObject")?, tenant.buckets()?), (0, Vec::new()));
    let spec = fs::read_to_string(project.path("job.toml"))?;
    let allowed = spec.replace("train = \"data\"", "train = { source = \"data\", allow_secrets = [\"*.ini\"] }");
    let project = project.whole_spec(&allowed)?;
    let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    role: arn:aws:iam::[ACCOUNT]:role/service-role/SageMakerRole (from SMTRAIN_ROLE)
    bucket: the default bucket, sagemaker-REGION-ACCOUNT
    credentials: from AWS_ACCESS_KEY_ID
    warning: sent although they are or hold secrets, as you allow: b/config.ini in channel train
    left out of the code by ignore files and source.exclude: 1 path (-v names them)
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    "#);
    assert_eq!(tenant.keys(&tenant.default_bucket(), "smtrain/data/")?.len(), 2);
    Ok(())
}

#[test]
fn a_link_out_of_the_data_is_not_followed() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let aws = sandbox.path("home/.aws");
    fs::create_dir_all(&aws)?;
    fs::write(aws.join("credentials"), "[default]\n")?;
    fs::create_dir_all(sandbox.path("shared"))?;
    fs::write(sandbox.path("shared/b.csv"), "1\n")?;
    let project = sandbox.project("proj", "pass")?.file("../data/a.csv", "1\n")?;
    symlink("../home/.aws", sandbox.path("data/link"))?;
    let spec = |rest: &str| format!("[channels.train]\nsource = \"../data\"\n{rest}");
    let project = project.with(&spec(""))?;
    let mut transcript = Transcript::default();
    for said in refusals(&sandbox, &project)? {
        transcript.add("a link", &said);
    }
    // With links allowed, what they lead to is judged.
    let project = project.with("external_symlinks = true\n")?;
    for said in refusals(&sandbox, &project)? {
        transcript.add("a link that is allowed", &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a link
    exit code: 2
    --- stderr
    error: [SANDBOX]/data/link is a symbolic link to ../home/.aws, outside the data's folder
    hint: remove the link, or write the channel as a table with external_symlinks = true to send what it leads to
    ## a link
    exit code: 2
    --- stderr
    error: [SANDBOX]/data/link is a symbolic link to ../home/.aws, outside the data's folder
      --> [SANDBOX]/proj/job.toml:12:10
       |
    12 | source = "../data"
       |          ^^^^^^^^^
       |
       = hint: remove the link, or write the channel as a table with external_symlinks = true to send what it leads to
    [SANDBOX]/proj/job.toml: 1 error
    ## a link that is allowed
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/proj/../data holds secrets, and none of it was sent:
        link/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## a link that is allowed
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/proj/../data holds secrets, and none of it was sent:
             link/: AWS credentials
      --> [SANDBOX]/proj/job.toml:12:10
       |
    12 | source = "../data"
       |          ^^^^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/proj/job.toml: 1 error
    "#);
    fs::remove_file(sandbox.path("data/link"))?;
    symlink("../shared", sandbox.path("data/link"))?;
    sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
    let keys = tenant.keys(&tenant.default_bucket(), "smtrain/data/")?;
    assert!(keys.iter().any(|key| key.ends_with("/link/b.csv")), "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains("credentials")), "{keys:?}");
    Ok(())
}

#[test]
fn special_files_in_data_hang_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "pass")?.file("../data/a.csv", "1\n")?;
    let project = project.with("[channels]\ntrain = \"../data\"\n")?;
    nix::unistd::mkfifo(&sandbox.path("data/fifo"), Mode::S_IRWXU)?;
    let mut transcript = Transcript::default();
    for said in refusals(&sandbox, &project)? {
        transcript.add("a fifo", &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## a fifo
    exit code: 2
    --- stderr
    error: [SANDBOX]/data/fifo is neither a file nor a folder
    hint: remove it from the folder
    ## a fifo
    exit code: 2
    --- stderr
    error: [SANDBOX]/data/fifo is neither a file nor a folder
      --> [SANDBOX]/proj/job.toml:12:9
       |
    12 | train = "../data"
       |         ^^^^^^^^^
       |
       = hint: remove it from the folder
    [SANDBOX]/proj/job.toml: 1 error
    "#);
    Ok(())
}
