//! Secrets in code, channels and tags are not sent.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;

use crate::support::{CommandOutput, Project, Sandbox, TestAccount, TestResult, Transcript};

/// A secret of AWS's shape, put together here so that no scanner takes this file for a leak.
fn aws_secret() -> String {
    "w9Jx".chars().chain("Ab3/Cd4+Ef5gHi6J".chars().cycle().take(36)).collect()
}

fn key_id() -> String {
    ["AK", "IA", "Q3EGRT5YHJ2MNB7S"].concat()
}

/// The issue's twenty files of code and configuration, each of which gives an AWS key away.
fn leaks() -> Vec<(&'static str, Vec<u8>)> {
    let (secret, id) = (aws_secret(), key_id());
    let utf16 = |text: String| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let text = |text: String| text.into_bytes();
    let lines = "value = compute(1)\n".repeat(6000);
    vec![
        ("environ.py", text(format!("import os\nos.environ[\"AWS_SECRET_ACCESS_KEY\"] = \"{secret}\"\n"))),
        ("kwargs.py", text(format!("boto3.client('s3', aws_secret_access_key='{secret}')\n"))),
        ("annotated.py", text(format!("aws_secret_access_key: str = \"{secret}\"\n"))),
        ("walrus.py", text(format!("print(secret_key := \"{secret}\")\n"))),
        ("late.py", text(format!("{}SECRET_KEY = \"{secret}\"\n", "x = 1\n".repeat(500)))),
        ("large.py", text(format!("{lines}aws_secret_access_key = \"{secret}\"\n"))),
        (
            "explore.ipynb",
            text(format!("{{\"source\": [\"os.environ[\\\"AWS_SECRET_ACCESS_KEY\\\"] = \\\"{secret}\\\"\\n\"]}}")),
        ),
        ("accessKeys.csv", text(format!("Access key ID,Secret access key\r\n{id},{secret}\r\n"))),
        ("keys.csv", text(format!("me,{id},{secret}\n"))),
        (
            "sts.json",
            text(format!("{{\"Credentials\": {{\"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\"}}}}")),
        ),
        ("Dockerfile", text(format!("FROM python\nENV AWS_SECRET_ACCESS_KEY {secret}\n"))),
        ("Dockerfile.arg", text(format!("ARG AWS_SECRET_ACCESS_KEY={secret}\n"))),
        ("config.yaml", text(format!("aws:\n  secret_access_key: {secret}\n"))),
        ("config.toml", text(format!("secret_access_key = \"{secret}\"\n"))),
        ("config.ini", text(format!("[default]\naws_secret_access_key={secret}\n"))),
        ("run.sh", text(format!("export AWS_SECRET_ACCESS_KEY={secret}\n"))),
        ("run.fish", text(format!("set -gx AWS_SECRET_ACCESS_KEY {secret}\n"))),
        ("run.ps1", utf16(format!("\u{feff}$Env:AWS_SECRET_ACCESS_KEY = \"{secret}\"\r\n"))),
        ("core-site.xml", text(format!("<name>fs.s3a.secret.key</name>\n<value>{secret}</value>\n"))),
        ("my.properties", text(format!("aws.secretKey={secret}\n"))),
    ]
}

fn with_leaks(project: Project, folder: &str) -> TestResult<Project> {
    leaks().into_iter().try_fold(project, |project, (name, content)| project.file(&format!("{folder}/{name}"), content))
}

/// Commands that must say the same of what can't be sent, before anything is.
fn refusals(sandbox: &Sandbox, project: &Project) -> TestResult<Vec<CommandOutput>> {
    let spec = project.spec();
    let commands: [&[&str]; 3] =
        [&["submit", "--local", &spec], &["submit", "--dry-run", "--region", "eu-west-1", &spec], &["validate", &spec]];
    commands.iter().map(|command| sandbox.smtrain(command).env("SMTRAIN_ROLE", "R").run()?.expect(2)).collect()
}

#[test]
fn code_with_secrets_is_refused_with_every_file_named() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = with_leaks(sandbox.project("proj", "pass")?, "conf")?;
    let mut transcript = Transcript::default();
    for said in refusals(&sandbox, &project)? {
        transcript.add("every file", &said);
        assert!(!said.to_string().contains(&aws_secret()), "{said}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## every file
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
        conf/Dockerfile:2: an AWS secret access key
        conf/Dockerfile.arg:1: an AWS secret access key
        conf/accessKeys.csv:1: an AWS secret access key
        conf/annotated.py:1: an AWS secret access key
        conf/config.ini:2: an AWS secret access key
        conf/config.toml:1: an AWS secret access key
        conf/config.yaml:2: an AWS secret access key
        conf/core-site.xml:1: an AWS secret access key
        conf/environ.py:2: an AWS secret access key
        conf/explore.ipynb:1: an AWS secret access key
        conf/keys.csv:1: an AWS secret access key
        conf/kwargs.py:1: an AWS secret access key
        conf/large.py:6001: an AWS secret access key
        conf/late.py:501: an AWS secret access key
        conf/my.properties:1: an AWS secret access key
        conf/run.fish:1: an AWS secret access key
        conf/run.ps1:1: an AWS secret access key
        conf/run.sh:1: an AWS secret access key
        conf/sts.json:1: an AWS secret access key
        conf/walrus.py:1: an AWS secret access key
    hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    ## every file
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
             conf/Dockerfile:2: an AWS secret access key
             conf/Dockerfile.arg:1: an AWS secret access key
             conf/accessKeys.csv:1: an AWS secret access key
             conf/annotated.py:1: an AWS secret access key
             conf/config.ini:2: an AWS secret access key
             conf/config.toml:1: an AWS secret access key
             conf/config.yaml:2: an AWS secret access key
             conf/core-site.xml:1: an AWS secret access key
             conf/environ.py:2: an AWS secret access key
             conf/explore.ipynb:1: an AWS secret access key
             conf/keys.csv:1: an AWS secret access key
             conf/kwargs.py:1: an AWS secret access key
             conf/large.py:6001: an AWS secret access key
             conf/late.py:501: an AWS secret access key
             conf/my.properties:1: an AWS secret access key
             conf/run.fish:1: an AWS secret access key
             conf/run.ps1:1: an AWS secret access key
             conf/run.sh:1: an AWS secret access key
             conf/sts.json:1: an AWS secret access key
             conf/walrus.py:1: an AWS secret access key
     --> [SANDBOX]/proj/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
      |
      = hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/proj/job.toml: 1 error
    "#);
    // Each by itself: the line that names it.
    let mut alone = String::new();
    for (name, content) in leaks() {
        let project = sandbox.project("one", "pass")?.file(name, content)?;
        let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.expect(2)?;
        alone += &format!("{}\n", said.stderr.lines().nth(1).unwrap_or_default().trim());
        fs::remove_file(project.path(name))?;
    }
    insta::assert_snapshot!(alone, @r#"
    environ.py:2: an AWS secret access key
    kwargs.py:1: an AWS secret access key
    annotated.py:1: an AWS secret access key
    walrus.py:1: an AWS secret access key
    late.py:501: an AWS secret access key
    large.py:6001: an AWS secret access key
    explore.ipynb:1: an AWS secret access key
    accessKeys.csv:1: an AWS secret access key
    keys.csv:1: an AWS secret access key
    sts.json:1: an AWS secret access key
    Dockerfile:2: an AWS secret access key
    Dockerfile.arg:1: an AWS secret access key
    config.yaml:2: an AWS secret access key
    config.toml:1: an AWS secret access key
    config.ini:2: an AWS secret access key
    run.sh:1: an AWS secret access key
    run.fish:1: an AWS secret access key
    run.ps1:1: an AWS secret access key
    core-site.xml:1: an AWS secret access key
    my.properties:1: an AWS secret access key
    "#);
    assert!(!sandbox.state().join("jobs").exists(), "a job was made");
    Ok(())
}

#[test]
fn allowed_code_is_sent_with_a_warning() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import pathlib; print(sorted(path.name for path in pathlib.Path(__file__).parent.iterdir()))";
    let project = sandbox.project("proj", script)?.file("keys.csv", leaks()[8].1.clone())?;
    let project = project.file(".env", "MODE=fast")?.file("deploy/prod.env", "MODE=fast")?;
    let arguments = ["--set", "source.allow_secrets=[\"keys.csv\"]", "--set", "source.exclude=[\"!.env\"]"];
    let (job, said) = sandbox.end(&project, &arguments, 0)?;
    let log = sandbox.log(&job)?;
    assert!(log.contains("'.env'") && log.contains("'keys.csv'"), "{log}");
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @r#"
    warning: sent although they are or hold secrets, as you allow: .env, keys.csv
    warning: left out of the code, as secrets: deploy/prod.env
    code: 4 files, [SIZE] packed, sha256 [SHA256]
    job proj-[STAMP] completed
    "#);
    Ok(())
}

/// Files of other secrets than AWS's, each with the value that is never shown. Values are put
/// together here, as that of [`aws_secret`].
fn other_leaks() -> Vec<(&'static str, String, String)> {
    let password = ["p@ss!", "w0rd", "#1"].concat();
    let random = ["x7Kp2mQ9", "vR4t"].concat();
    let signature = format!("{}aB3%3D", "w9Jx7Kp2mQzR4tVbN6cY".repeat(2));
    let url =
        format!("https://acc.blob.core.windows.net/c/a.csv?sv=2024-11-04&se=2027-01-01&sr=b&sp=r&sig={signature}");
    let webhook = format!("https://discord.com/api/webhooks/1187263540918273645/{}", "w9Jx7Kp2mQ_-aB3dE".repeat(4));
    vec![
        ("config.py", format!("password = \"{password}\"\n"), password.clone()),
        ("db.yaml", format!("db:\n  password: {password} # ours\n"), password.clone()),
        ("explore.ipynb", format!("{{\"source\": [\"pwd = '{password}'\\n\"]}}"), password.clone()),
        ("data.py", format!("url = \"{url}\"\n"), signature),
        ("fetch.sh", format!("curl -sL -u me:{random} https://h.org/x -O\n"), random.clone()),
        ("Dockerfile", format!("RUN curl --user 'me:{password}' https://h.org\n"), password),
        ("notify.py", format!("post('{webhook}')\n"), webhook),
        ("engine.py", format!("create_engine('mysql://me:{random}@db.org/x')\n"), random),
    ]
}

#[test]
fn passwords_signed_urls_and_logins_are_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut named = String::new();
    for (name, content, value) in other_leaks() {
        let project = sandbox.project("one", "pass")?.file(name, content)?;
        let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.expect(2)?;
        named += &format!("{}\n", said.stderr.lines().nth(1).unwrap_or_default().trim());
        assert!(!said.to_string().contains(&value), "{name}: {said}");
        fs::remove_file(project.path(name))?;
    }
    insta::assert_snapshot!(named, @r#"
    config.py:1: a password or token
    db.yaml:2: a password or token
    explore.ipynb:1: a password or token
    data.py:1: an Azure shared access signature
    fetch.sh:1: a password of curl's
    Dockerfile:1: a password of curl's
    notify.py:1: the URL of a Discord webhook
    engine.py:1: a password in a URL
    "#);
    Ok(())
}

/// What stands in the places of passwords in code that holds none.
#[test]
fn prompts_placeholders_and_variables_are_no_passwords() -> TestResult {
    let sandbox = Sandbox::new()?;
    let code = r#"
password = getpass("Password (8 characters, 1 digit!): ")
password = f"{prefix}#{number:03}!"
password = "%s@1%s" % (a, b)
password = "<password-1!>"
password = os.environ["DB_PASSWORD"]
login(password="Test@1234")
run("curl -u $USER:$PASSWORD https://h.org")
run("curl -u user:password https://h.org")
url = "https://acc.blob.core.windows.net/c?sv=2024-11-04&se=2027&sig=REDACTED"
engine = create_engine("postgresql://scott:tiger@localhost/test")
"#;
    let project = sandbox.project("proj", "pass")?.file("code.py", code)?;
    let project = project.file("compose.yaml", "environment:\n  PASSWORD: ${DB_PASSWORD:?missing-1!}\n")?;
    sandbox.smtrain(&["validate", &project.spec()]).run()?.ok()?;
    Ok(())
}

/// A folder of data that the issue names: 150 files of data, and four of secrets.
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

/// A stranger's repository whose spec names what is a link, or lies behind one.
#[test]
fn a_named_link_out_of_the_project_is_not_followed() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("home/notes"))?;
    fs::write(sandbox.path("home/notes/diary.txt"), "dear diary\n")?;
    fs::write(sandbox.path("home/notes/train.py"), "pass\n")?;
    let cases = [
        ("channel", "[channels]\ntrain = \"out\"\n"),
        ("file", "[channels]\ntrain = \"out/diary.txt\"\n"),
        ("dots", "[channels]\ntrain = \"src/../out/diary.txt\"\n"),
    ];
    let mut transcript = Transcript::default();
    for (name, rest) in cases {
        let project = sandbox.project(name, "pass")?.file("src/a.py", "1\n")?;
        let project = project.file(".smtrainignore", "out\n")?.with(rest)?;
        symlink("../home/notes", project.path("out"))?;
        for said in refusals(&sandbox, &project)? {
            transcript.add(name, &said);
        }
    }
    for (name, set) in [("dependency", "source.dependencies=[\"out\"]"), ("dir", "source.dir=\"out\"")] {
        let project = sandbox.project(name, "pass")?.file(".smtrainignore", "out\n")?;
        symlink("../home/notes", project.path("out"))?;
        for command in [&["submit", "--local"][..], &["submit", "--dry-run", "--region", "eu-west-1"], &["validate"]] {
            let spec = project.spec();
            let arguments = [command, &["--set", set, &spec]].concat();
            let said = sandbox.smtrain(&arguments).env("SMTRAIN_ROLE", "R").run()?.expect(2)?;
            transcript.add(format_args!("{name}: {}", command.join(" ")), &said);
        }
        let arguments = ["validate", "--set", set, "--set", "source.external_symlinks=true", &project.spec()];
        sandbox.smtrain(&arguments).run()?.ok()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## channel
    exit code: 2
    --- stderr
    error: [SANDBOX]/channel/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or write the channel as a table with external_symlinks = true
    ## channel
    exit code: 2
    --- stderr
    error: [SANDBOX]/channel/out is a symbolic link to ../home/notes, outside the project
      --> [SANDBOX]/channel/job.toml:12:9
       |
    12 | train = "out"
       |         ^^^^^
       |
       = hint: name what it leads to, or write the channel as a table with external_symlinks = true
    [SANDBOX]/channel/job.toml: 1 error
    ## file
    exit code: 2
    --- stderr
    error: [SANDBOX]/file/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or write the channel as a table with external_symlinks = true
    ## file
    exit code: 2
    --- stderr
    error: [SANDBOX]/file/out is a symbolic link to ../home/notes, outside the project
      --> [SANDBOX]/file/job.toml:12:9
       |
    12 | train = "out/diary.txt"
       |         ^^^^^^^^^^^^^^^
       |
       = hint: name what it leads to, or write the channel as a table with external_symlinks = true
    [SANDBOX]/file/job.toml: 1 error
    ## dots
    exit code: 2
    --- stderr
    error: [SANDBOX]/dots/src/../out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or write the channel as a table with external_symlinks = true
    ## dots
    exit code: 2
    --- stderr
    error: [SANDBOX]/dots/src/../out is a symbolic link to ../home/notes, outside the project
      --> [SANDBOX]/dots/job.toml:12:9
       |
    12 | train = "src/../out/diary.txt"
       |         ^^^^^^^^^^^^^^^^^^^^^^
       |
       = hint: name what it leads to, or write the channel as a table with external_symlinks = true
    [SANDBOX]/dots/job.toml: 1 error
    ## dependency: submit --local
    ## dependency: submit --dry-run --region eu-west-1
    exit code: 2
    --- stderr
    error: [SANDBOX]/dependency/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    ## dependency: validate
    exit code: 2
    --- stderr
    error: [SANDBOX]/dependency/out is a symbolic link to ../home/notes, outside the project
     --> [SANDBOX]/dependency/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
      |
      = hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    [SANDBOX]/dependency/job.toml: 1 error
    ## dir: submit --local
    ## dir: submit --dry-run --region eu-west-1
    exit code: 2
    --- stderr
    error: [SANDBOX]/dir/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    ## dir: validate
    exit code: 2
    --- stderr
    error: [SANDBOX]/dir/out is a symbolic link to ../home/notes, outside the project
     --> --set:1:12
      |
    1 | source.dir="out"
      |            ^^^^^
      |
      = hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    [SANDBOX]/dir/job.toml: 1 error
    "#);
    Ok(())
}

/// Names are judged where a path leads to, in the project, outside of it, and where the user allows the way out.
#[test]
fn a_named_secret_is_one_under_any_name() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("home/.aws/sso"))?;
    fs::write(sandbox.path("home/.aws/sso/cache.json"), "{}")?;
    fs::write(sandbox.path("home/.pgpass"), "x\n")?;
    let table = |source: &str| format!("[channels.train]\nsource = \"{source}\"\nexternal_symlinks = true\n");
    let cases = [
        ("outside", table("data"), Some("../home/.pgpass")),
        ("around", table("data"), Some("../home/.aws/sso")),
        ("written", "[channels]\ntrain = \"../home/.aws/sso\"\n".to_owned(), None),
        ("inside", "[channels]\ntrain = \"data\"\n".to_owned(), Some("conf/.aws")),
    ];
    let mut transcript = Transcript::default();
    for (name, rest, link) in cases {
        let project = sandbox.project(name, "pass")?.file("conf/.aws/config", "x\n")?;
        let project = project.file(".smtrainignore", "data\n")?.with(&rest)?;
        if let Some(target) = link {
            symlink(target, project.path("data"))?;
        }
        for said in refusals(&sandbox, &project)? {
            transcript.add(name, &said);
        }
    }
    let project = sandbox.project("code", "pass")?.file("train.py", "pass\n")?;
    fs::write(sandbox.path("home/.aws/sso/train.py"), "pass\n")?;
    let set = "source.dir=\"../home/.aws/sso\"";
    let said = sandbox.smtrain(&["validate", "--set", set, &project.spec()]).run()?.expect(2)?;
    transcript.add("code", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## outside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/outside/data holds secrets, and none of it was sent:
        data: database passwords
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## outside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/outside/data holds secrets, and none of it was sent:
             data: database passwords
      --> [SANDBOX]/outside/job.toml:12:10
       |
    12 | source = "data"
       |          ^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/outside/job.toml: 1 error
    ## around
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/around/data holds secrets, and none of it was sent:
        data/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## around
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/around/data holds secrets, and none of it was sent:
             data/: AWS credentials
      --> [SANDBOX]/around/job.toml:12:10
       |
    12 | source = "data"
       |          ^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/around/job.toml: 1 error
    ## written
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/written/../home/.aws/sso holds secrets, and none of it was sent:
        sso/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## written
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/written/../home/.aws/sso holds secrets, and none of it was sent:
             sso/: AWS credentials
      --> [SANDBOX]/written/job.toml:12:9
       |
    12 | train = "../home/.aws/sso"
       |         ^^^^^^^^^^^^^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/written/job.toml: 1 error
    ## inside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/inside/data holds secrets, and none of it was sent:
        data/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## inside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/inside/data holds secrets, and none of it was sent:
             data/: AWS credentials
      --> [SANDBOX]/inside/job.toml:12:9
       |
    12 | train = "data"
       |         ^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/inside/job.toml: 1 error
    ## code
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
             [SANDBOX]/home/.aws/sso/: AWS credentials
     --> --set:1:12
      |
    1 | source.dir="../home/.aws/sso"
      |            ^^^^^^^^^^^^^^^^^^
      |
      = hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/code/job.toml: 1 error
    "#);
    Ok(())
}

/// What is written as outside is what the user names, and a link inside the project leads to its own files.
#[test]
fn named_paths_that_say_where_they_lead_are_sent() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("shared"))?;
    fs::write(sandbox.path("shared/a.csv"), "1\n")?;
    symlink("shared", sandbox.path("latest"))?;
    let whole = sandbox.path("latest").display().to_string();
    let sources = ["../shared", "../latest", "../latest/a.csv", &whole, "inside", "inside/b.csv"];
    for (index, source) in sources.iter().enumerate() {
        let project = sandbox.project(&format!("proj-{index}"), "pass")?.file("files/b.csv", "1\n")?;
        symlink("files", project.path("inside"))?;
        let project = project.with(&format!("[channels]\ntrain = \"{source}\"\n"))?;
        sandbox.smtrain(&["validate", &project.spec()]).run()?.ok()?;
    }
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

#[test]
fn keys_of_the_spec_are_checked() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "pass")?;
    let sets = [
        "source.allow_secrets=[\"{a\"]",
        "source.allow_secrets=true",
        "source.allow_secrets=[\"/\"]",
        "source.allow_secrets=[\"[\"]",
        "source.allow_secrets=[\" \"]",
        "channels.t={source=\".\",allow_secrets=[\"/\"]}",
        "channels.t={source=\".\",allow_secrets=[\"[\"]}",
        "channels.t={source=\"s3://bucket/k\",allow_secrets=[\"x\"]}",
        "channels.t={source=\"s3://bucket/k\",external_symlinks=true}",
    ];
    let mut transcript = Transcript::default();
    for set in sets {
        let said = sandbox.smtrain(&["validate", &project.spec(), "--set", set]).run()?.expect(2)?;
        transcript.add(set, &said);
    }
    // Whoever else's settings these are, they open nothing.
    let project = project.file("smtrain.toml", "[source]\nallow_secrets = [\"*\"]\n")?;
    let said = sandbox.smtrain(&["validate", "job.toml"]).dir(project.path("")).run()?.expect(2)?;
    transcript.add("smtrain.toml", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## source.allow_secrets=["{a"]
    exit code: 2
    --- stderr
    error: `{a` in source.allow_secrets is not a valid pattern: error parsing glob '{a': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
     --> [SANDBOX]/proj/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## source.allow_secrets=true
    exit code: 2
    --- stderr
    error: `allow_secrets` is a boolean, and should be a list of strings
     --> --set:1:22
      |
    1 | source.allow_secrets=true
      |                      ^^^^ expected a list of strings
    [SANDBOX]/proj/job.toml: 1 error
    ## source.allow_secrets=["/"]
    exit code: 2
    --- stderr
    error: `/` in source.allow_secrets is not a valid pattern: it names no file
     --> [SANDBOX]/proj/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## source.allow_secrets=["["]
    exit code: 2
    --- stderr
    error: `[` in source.allow_secrets is not a valid pattern: error parsing glob '[': unclosed character class; missing ']'
     --> [SANDBOX]/proj/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## source.allow_secrets=[" "]
    exit code: 2
    --- stderr
    error: ` ` in source.allow_secrets is not a valid pattern: it names no file
     --> [SANDBOX]/proj/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## channels.t={source=".",allow_secrets=["/"]}
    exit code: 2
    --- stderr
    error: `/` in allow_secrets is not a valid pattern: it names no file
     --> --set:1:20
      |
    1 | channels.t={source=".",allow_secrets=["/"]}
      |                    ^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## channels.t={source=".",allow_secrets=["["]}
    exit code: 2
    --- stderr
    error: `[` in allow_secrets is not a valid pattern: error parsing glob '[': unclosed character class; missing ']'
     --> --set:1:20
      |
    1 | channels.t={source=".",allow_secrets=["["]}
      |                    ^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## channels.t={source="s3://bucket/k",allow_secrets=["x"]}
    exit code: 2
    --- stderr
    error: `allow_secrets` is only for data on this computer
     --> --set:1:50
      |
    1 | channels.t={source="s3://bucket/k",allow_secrets=["x"]}
      |                                                  ^^^^^
      |
      = hint: leave it out
    [SANDBOX]/proj/job.toml: 1 error
    ## channels.t={source="s3://bucket/k",external_symlinks=true}
    exit code: 2
    --- stderr
    error: `external_symlinks` is only for data on this computer
     --> --set:1:54
      |
    1 | channels.t={source="s3://bucket/k",external_symlinks=true}
      |                                                      ^^^^
      |
      = hint: leave it out
    [SANDBOX]/proj/job.toml: 1 error
    ## smtrain.toml
    exit code: 2
    --- stderr
    error: unknown key `allow_secrets` in [source] of the settings
     --> smtrain.toml:2:1
      |
    2 | allow_secrets = ["*"]
      | ^^^^^^^^^^^^^ unknown key
      |
      = hint: `allow_secrets` belongs in a job spec
    smtrain.toml: 1 error
    "#);
    Ok(())
}

#[test]
fn tags_are_checked_like_hyperparameters() -> TestResult {
    let sandbox = Sandbox::new()?;
    let token = ["hf", "_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"].concat();
    let project = sandbox.project("proj", "pass")?;
    let project = project.with(&format!("[tags]\nteam = \"{token}\"\nowner = \"research\"\n"))?;
    let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    warning: `tags.team` looks like a secret, and is sent in clear with the job
    --> [SANDBOX]/proj/job.toml
     = hint: have the script fetch it from Secrets Manager by its name; the job's role gives it the permission
    [SANDBOX]/proj/job.toml: valid
    "#);
    assert!(!said.to_string().contains(&token), "{said}");
    Ok(())
}
