//! Secrets in code, channels and tags are not sent.

mod data;
mod links;

use std::fs;

use crate::support::{CommandOutput, Project, Sandbox, TestResult, Transcript};

/// A secret of AWS's shape, put together here so that no scanner takes this file for a leak.
fn aws_secret() -> String {
    "w9Jx".chars().chain("Ab3/Cd4+Ef5gHi6J".chars().cycle().take(36)).collect()
}

fn key_id() -> String {
    ["AK", "IA", "Q3EGRT5YHJ2MNB7S"].concat()
}

/// Twenty files of code and configuration, each of which gives an AWS key away.
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
        alone.extend([format!("{}\n", said.stderr.lines().nth(1).unwrap_or_default().trim())]);
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
        named.extend([format!("{}\n", said.stderr.lines().nth(1).unwrap_or_default().trim())]);
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

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
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
