//! Secrets in code, channels and tags are not sent.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;

use crate::support::{CommandOutput, Project, Sandbox, TestAccount, TestResult};

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
    let names: Vec<&str> = leaks().iter().map(|(name, _)| *name).collect();
    for said in refusals(&sandbox, &project)? {
        assert!(
            said.stderr.contains("the code holds secrets") && said.stderr.contains("source.allow_secrets"),
            "{said}"
        );
        assert!(names.iter().all(|name| said.stderr.contains(&format!("  conf/{name}:"))), "{said}");
        assert!(!said.stderr.contains(&aws_secret()) && !said.stdout.contains(&aws_secret()), "{said}");
    }
    // Each by itself.
    for (name, content) in leaks() {
        let project = sandbox.project("one", "pass")?.file(name, content)?;
        let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.expect(2)?;
        assert!(
            said.stderr.contains(&format!("{name}:")) && said.stderr.contains("an AWS secret access key"),
            "{said}"
        );
        fs::remove_file(project.path(name))?;
    }
    assert_eq!(names.len(), 20);
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
    assert!(said.stderr.contains("as you allow: .env, keys.csv"), "{said}");
    assert!(said.stderr.contains("left out of the code, as secrets: deploy/prod.env"), "{said}");
    Ok(())
}

/// Files of other secrets than AWS's, each with the kind that is said of it and the value that is never shown. Values are put
/// together here, as that of [`aws_secret`].
fn other_leaks() -> Vec<(&'static str, &'static str, String, String)> {
    let password = ["p@ss!", "w0rd", "#1"].concat();
    let random = ["x7Kp2mQ9", "vR4t"].concat();
    let signature = format!("{}aB3%3D", "w9Jx7Kp2mQzR4tVbN6cY".repeat(2));
    let url =
        format!("https://acc.blob.core.windows.net/c/a.csv?sv=2024-11-04&se=2027-01-01&sr=b&sp=r&sig={signature}");
    let webhook = format!("https://discord.com/api/webhooks/1187263540918273645/{}", "w9Jx7Kp2mQ_-aB3dE".repeat(4));
    let a_password = "a password or token";
    vec![
        ("config.py", a_password, format!("password = \"{password}\"\n"), password.clone()),
        ("db.yaml", a_password, format!("db:\n  password: {password} # ours\n"), password.clone()),
        ("explore.ipynb", a_password, format!("{{\"source\": [\"pwd = '{password}'\\n\"]}}"), password.clone()),
        ("data.py", "an Azure shared access signature", format!("url = \"{url}\"\n"), signature),
        ("fetch.sh", "a password of curl's", format!("curl -sL -u me:{random} https://h.org/x -O\n"), random.clone()),
        ("Dockerfile", "a password of curl's", format!("RUN curl --user 'me:{password}' https://h.org\n"), password),
        ("notify.py", "the URL of a Discord webhook", format!("post('{webhook}')\n"), webhook),
        ("engine.py", "a password in a URL", format!("create_engine('mysql://me:{random}@db.org/x')\n"), random),
    ]
}

#[test]
fn passwords_signed_urls_and_logins_are_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    for (name, kind, content, value) in other_leaks() {
        let project = sandbox.project("one", "pass")?.file(name, content)?;
        let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.expect(2)?;
        assert!(said.stderr.contains(&format!("{name}:")) && said.stderr.contains(kind), "{name}: {said}");
        assert!(!said.stderr.contains(&value) && !said.stdout.contains(&value), "{name}: {said}");
        fs::remove_file(project.path(name))?;
    }
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
    for name in [".env: ", ".aws/: ", ".ssh/: ", "terraform.tfstate: "] {
        assert!(said.stderr.contains(&format!("\n    {name}")), "{name}: {said}");
    }
    assert!(said.stderr.contains("allow_secrets"), "{said}");
    assert_eq!(tenant.buckets()?, Vec::<String>::new());
    assert_eq!((tenant.count("PutObject")?, tenant.count("CreateTrainingJob")?), (0, 0));
    for said in refusals(&sandbox, &project)? {
        assert!(said.stderr.contains("\n  .env: ") || said.stderr.contains("  .env: "), "{said}");
    }
    Ok(())
}

#[test]
fn data_with_a_secret_in_a_file_is_refused_too() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let project = sandbox.project("proj", "pass")?.with("[channels]\ntrain = \"data\"\n")?;
    let project = project.file("data/a.csv", "1,2\n")?.file("data/b/config.ini", leaks()[14].1.clone())?;
    let project = project.file(".smtrainignore", "data/\n")?;
    let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.expect(2)?;
    assert!(said.stderr.contains("\n    b/config.ini:2: an AWS secret access key"), "{said}");
    assert!(!said.stderr.contains(&aws_secret()), "{said}");
    assert_eq!((tenant.count("PutObject")?, tenant.buckets()?), (0, Vec::new()));
    let spec = fs::read_to_string(project.path("job.toml"))?;
    let allowed = spec.replace("train = \"data\"", "train = { source = \"data\", allow_secrets = [\"*.ini\"] }");
    let project = project.whole_spec(&allowed)?;
    let said = sandbox.smtrain(&["submit", &project.spec()]).run()?.ok()?;
    assert!(said.stderr.contains("as you allow: b/config.ini in channel train"), "{said}");
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
    for said in refusals(&sandbox, &project)? {
        assert!(said.stderr.contains("symbolic link") && said.stderr.contains("external_symlinks = true"), "{said}");
    }
    // With links allowed, what they lead to is judged.
    let project = project.with("external_symlinks = true\n")?;
    for said in refusals(&sandbox, &project)? {
        assert!(said.stderr.contains("  link/: AWS credentials"), "{said}");
    }
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
        ("channel", "[channels]\ntrain = \"out\"\n", "channel as a table"),
        ("file", "[channels]\ntrain = \"out/diary.txt\"\n", "channel as a table"),
        ("dots", "[channels]\ntrain = \"src/../out/diary.txt\"\n", "channel as a table"),
    ];
    for (name, rest, hint) in cases {
        let project = sandbox.project(name, "pass")?.file("src/a.py", "1\n")?;
        let project = project.file(".smtrainignore", "out\n")?.with(rest)?;
        symlink("../home/notes", project.path("out"))?;
        for said in refusals(&sandbox, &project)? {
            let names = said.stderr.contains("/out is a symbolic link to ../home/notes, outside the project");
            assert!(names && said.stderr.contains(hint) && said.stderr.contains("external_symlinks"), "{name}: {said}");
        }
    }
    for (name, set) in [("dependency", "source.dependencies=[\"out\"]"), ("dir", "source.dir=\"out\"")] {
        let project = sandbox.project(name, "pass")?.file(".smtrainignore", "out\n")?;
        symlink("../home/notes", project.path("out"))?;
        for command in [&["submit", "--local"][..], &["submit", "--dry-run", "--region", "eu-west-1"], &["validate"]] {
            let spec = project.spec();
            let arguments = [command, &["--set", set, &spec]].concat();
            let said = sandbox.smtrain(&arguments).env("SMTRAIN_ROLE", "R").run()?.expect(2)?;
            assert!(
                said.stderr.contains("outside the project") && said.stderr.contains("source.external_symlinks"),
                "{name}: {said}"
            );
        }
        let arguments = ["validate", "--set", set, "--set", "source.external_symlinks=true", &project.spec()];
        sandbox.smtrain(&arguments).run()?.ok()?;
    }
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
        ("outside", table("data"), Some("../home/.pgpass"), "database passwords"),
        ("around", table("data"), Some("../home/.aws/sso"), "AWS credentials"),
        ("written", "[channels]\ntrain = \"../home/.aws/sso\"\n".to_owned(), None, "AWS credentials"),
        ("inside", "[channels]\ntrain = \"data\"\n".to_owned(), Some("conf/.aws"), "AWS credentials"),
    ];
    for (name, rest, link, about) in cases {
        let project = sandbox.project(name, "pass")?.file("conf/.aws/config", "x\n")?;
        let project = project.file(".smtrainignore", "data\n")?.with(&rest)?;
        if let Some(target) = link {
            symlink(target, project.path("data"))?;
        }
        for said in refusals(&sandbox, &project)? {
            assert!(said.stderr.contains(about), "{name}: {said}");
        }
    }
    let project = sandbox.project("code", "pass")?.file("train.py", "pass\n")?;
    fs::write(sandbox.path("home/.aws/sso/train.py"), "pass\n")?;
    let set = "source.dir=\"../home/.aws/sso\"";
    let said = sandbox.smtrain(&["validate", "--set", set, &project.spec()]).run()?.expect(2)?;
    assert!(said.stderr.contains("AWS credentials"), "{said}");
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
    for said in refusals(&sandbox, &project)? {
        assert!(said.stderr.contains("is neither a file nor a folder"), "{said}");
    }
    Ok(())
}

#[test]
fn keys_of_the_spec_are_checked() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "pass")?;
    let cases = [
        ("source.allow_secrets=[\"{a\"]", "not a valid pattern"),
        ("source.allow_secrets=true", "allow_secrets"),
        ("source.allow_secrets=[\"/\"]", "not a valid pattern"),
        ("source.allow_secrets=[\"[\"]", "not a valid pattern"),
        ("source.allow_secrets=[\" \"]", "not a valid pattern"),
        ("channels.t={source=\".\",allow_secrets=[\"/\"]}", "not a valid pattern"),
        ("channels.t={source=\".\",allow_secrets=[\"[\"]}", "not a valid pattern"),
        (
            "channels.t={source=\"s3://bucket/k\",allow_secrets=[\"x\"]}",
            "`allow_secrets` is only for data on this computer",
        ),
        ("channels.t={source=\"s3://bucket/k\",external_symlinks=true}", "`external_symlinks` is only for data"),
    ];
    for (set, problem) in cases {
        let said = sandbox.smtrain(&["validate", &project.spec(), "--set", set]).run()?.expect(2)?;
        assert!(said.stderr.contains(problem), "{set}: {said}");
    }
    // Whoever else's settings these are, they open nothing.
    let project = project.file("smtrain.toml", "[source]\nallow_secrets = [\"*\"]\n")?;
    let said = sandbox.smtrain(&["validate", "job.toml"]).dir(project.path("")).run()?.expect(2)?;
    assert!(said.stderr.contains("allow_secrets"), "{said}");
    Ok(())
}

#[test]
fn tags_are_checked_like_hyperparameters() -> TestResult {
    let sandbox = Sandbox::new()?;
    let token = ["hf", "_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"].concat();
    let project = sandbox.project("proj", "pass")?;
    let project = project.with(&format!("[tags]\nteam = \"{token}\"\nowner = \"research\"\n"))?;
    let said = sandbox.smtrain(&["validate", &project.spec()]).run()?.ok()?;
    assert!(said.stderr.contains("`tags.team` looks like a secret"), "{said}");
    assert!(!said.stderr.contains("tags.owner") && !said.stderr.contains(&token), "{said}");
    Ok(())
}
