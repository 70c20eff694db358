//! Values of a spec, of settings and of flags are sent as they are written.

use serde_json::Value;

use crate::support::{Sandbox, TestResult, Transcript};

/// Values whose text is not that of the number or date that TOML reads from it.
const VALUES: &str = "version = 3.10\nsmall = 1e-5\nlarge = 1_000.50\nhex = 0xFF\nsigned = +5\ndate = 2026-01-02\n\
                      time = 2026-01-02 03:04:05Z\nno_number = nan\nflag = true\ntext = 'x'\n";

/// A project whose role and output are set.
fn sandbox(sections: &str) -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?;
    sandbox.project("proj", "print('trained')")?.with(sections)?;
    Ok(sandbox.with_env("SMTRAIN_ROLE", "arn:aws:iam::111122223333:role/R"))
}

fn request(sandbox: &Sandbox, args: &[&str]) -> TestResult<Value> {
    sandbox.smtrain(&["submit", "--dry-run", "-q", "proj/job.toml"]).args(args).run()?.ok()?.json()
}

/// The environment and the user's tags, as `name=value`.
fn environment_and_tags(request: &Value) -> Vec<String> {
    let variables = request["Environment"].as_object().into_iter().flatten();
    let variables = variables.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    let tags = request["Tags"].as_array().into_iter().flatten().map(|tag| (tag["Key"].as_str(), tag["Value"].as_str()));
    let tags = tags.map(|(key, value)| format!("{}={}", key.unwrap_or_default(), value.unwrap_or_default()));
    variables.chain(tags.filter(|tag| !tag.starts_with("smtrain:"))).collect()
}

#[test]
fn variables_and_tags_are_sent_as_written() -> TestResult {
    let of_spec = sandbox(&format!("[environment]\n{VALUES}[tags]\n{VALUES}"))?;
    let sent = environment_and_tags(&request(&of_spec, &[])?);
    insta::assert_snapshot!(sent.join("\n"), @r"
    date=2026-01-02
    flag=true
    hex=0xFF
    large=1_000.50
    no_number=nan
    signed=+5
    small=1e-5
    text=x
    time=2026-01-02 03:04:05Z
    version=3.10
    version=3.10
    small=1e-5
    large=1_000.50
    hex=0xFF
    signed=+5
    date=2026-01-02
    time=2026-01-02 03:04:05Z
    no_number=nan
    flag=true
    text=x
    ");
    let of_settings = sandbox("")?;
    of_settings.file("home/.config/smtrain/config.toml", format!("[environment]\n{VALUES}[tags]\n{VALUES}"))?;
    assert_eq!(environment_and_tags(&request(&of_settings, &[])?), sent);
    Ok(())
}

/// Values of `[request]` where the API takes text, and where it does not.
#[test]
fn texts_of_the_request_are_sent_as_written() -> TestResult {
    let tag = |value: &str| format!("[[request.Tags]]\nKey = 'v'\nValue = {value}\n");
    let sections = format!("[request.Environment]\n{VALUES}[request.HyperParameters]\n{VALUES}{}", tag("3.10"));
    let of_request = sandbox(&sections)?;
    let validated = of_request.smtrain(&["validate", "proj/job.toml"]).run()?;
    insta::assert_snapshot!(validated.snapshot(of_request.root())?, @r"
    exit code: 0
    --- stdout
    --- stderr
    proj/job.toml: valid
    ");
    let sent = request(&of_request, &[])?;
    insta::assert_snapshot!(environment_and_tags(&sent).join("\n"), @r"
    version=3.10
    small=1e-5
    large=1_000.50
    hex=0xFF
    signed=+5
    date=2026-01-02
    time=2026-01-02 03:04:05Z
    no_number=nan
    flag=true
    text=x
    v=3.10
    ");
    assert_eq!(sent["HyperParameters"]["version"], "3.10");
    let by_flag = request(&sandbox("")?, &["--set", "request.Environment.A=3.10"])?;
    assert_eq!(by_flag["Environment"]["A"], "3.10");
    Ok(())
}

#[test]
fn variables_of_flags_and_of_the_sdks_file_are_sent_as_written() -> TestResult {
    let sandbox = sandbox("")?;
    let sdk = "SchemaVersion: '1.0'\nSageMaker:\n  TrainingJob:\n    Environment:\n      A: 3.10\n      B: 1e-5\n      \
               C: 2026-01-02\n    Tags:\n    - Key: v\n      Value: 3.10\n";
    sandbox.file("home/.config/sagemaker/config.yaml", sdk)?;
    let args = ["--set", "environment.D=3.10", "--set", "environment.E=2026-01-02", "--set", "tags.w=1e-5"];
    let sent = environment_and_tags(&request(&sandbox, &args)?);
    insta::assert_snapshot!(sent.join("\n"), @r"
    A=3.10
    B=1e-5
    C=2026-01-02
    D=3.10
    E=2026-01-02
    w=1e-5
    v=3.10
    ");
    Ok(())
}

#[test]
fn hints_keep_the_zeros_of_a_version() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    for version in ["2.10", "1e2", "0x10", "2026-01-02"] {
        let project = sandbox.project("proj", "print('trained')")?;
        let spec = format!("[framework]\nname = 'pytorch'\nversion = {version}\n[source]\nentry_point = 'train.py'\n");
        project.whole_spec(&(spec + "[resources]\ninstance_type = 'ml.m5.large'\n"))?;
        all.add(version, &sandbox.smtrain(&["validate", "proj/job.toml"]).run()?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r#"
    ## 2.10
    exit code: 2
    --- stderr
    error: `version` is a float, and should be a string
     --> proj/job.toml:3:11
      |
    3 | version = 2.10
      |           ^^^^ expected a string
      |
      = hint: write "2.10", in quotes
    proj/job.toml: 1 error
    ## 1e2
    exit code: 2
    --- stderr
    error: `version` is a float, and should be a string
     --> proj/job.toml:3:11
      |
    3 | version = 1e2
      |           ^^^ expected a string
      |
      = hint: write "1e2", in quotes
    proj/job.toml: 1 error
    ## 0x10
    exit code: 2
    --- stderr
    error: `version` is an integer, and should be a string
     --> proj/job.toml:3:11
      |
    3 | version = 0x10
      |           ^^^^ expected a string
      |
      = hint: write "0x10", in quotes
    proj/job.toml: 1 error
    ## 2026-01-02
    exit code: 2
    --- stderr
    error: `version` is a date or time, and should be a string
     --> proj/job.toml:3:11
      |
    3 | version = 2026-01-02
      |           ^^^^^^^^^^ expected a string
      |
      = hint: write "2026-01-02", in quotes
    proj/job.toml: 1 error
    "#);
    Ok(())
}

#[test]
fn a_hyperparameter_that_loses_zeros_is_warned_about() -> TestResult {
    let mut all = Transcript::default();
    let of_spec =
        sandbox("[hyperparameters]\nversion = 3.10\nrate = 0.5\nwhole = 2.0\nsmall = 1e-10\nlayers = [1.50]\n")?;
    all.add("spec", &of_spec.smtrain(&["validate", "proj/job.toml"]).run()?);
    let sandbox = sandbox("")?;
    for args in [["--set", "hyperparameters.version=3.10"], ["-H", "version=3.10"], ["-H", "version='3.10'"]] {
        all.add(args.join(" "), &sandbox.smtrain(&["validate", "proj/job.toml"]).args(args).run()?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r#"
    ## spec
    exit code: 0
    --- stderr
    warning: 3.10 is sent as the number 3.1
      --> proj/job.toml:12:11
       |
    12 | version = 3.10
       |           ^^^^
       |
       = hint: write "3.10", in quotes, to send it as it is written
    warning: 1.50 is sent as the number 1.5
      --> proj/job.toml:16:11
       |
    16 | layers = [1.50]
       |           ^^^^
       |
       = hint: write "1.50", in quotes, to send it as it is written
    proj/job.toml: valid
    ## --set hyperparameters.version=3.10
    exit code: 0
    --- stderr
    warning: 3.10 is sent as the number 3.1
     --> --set:1:25
      |
    1 | hyperparameters.version=3.10
      |                         ^^^^
      |
      = hint: write "3.10", in quotes, to send it as it is written
    proj/job.toml: valid
    ## -H version=3.10
    exit code: 0
    --- stderr
    warning: 3.10 is sent as the number 3.1
     --> -H:1:9
      |
    1 | version=3.10
      |         ^^^^
      |
      = hint: write "3.10", in quotes, to send it as it is written
    proj/job.toml: valid
    ## -H version='3.10'
    exit code: 0
    --- stderr
    proj/job.toml: valid
    "#);
    let sent =
        |args: &[&str]| Ok::<_, Box<dyn std::error::Error>>(request(&sandbox, args)?["HyperParameters"]["x"].clone());
    for value in ["3", "3.5", "1e-5", "true", "text", "'3.10'", "[1, 2]", "2026-01-02"] {
        let by_set = sent(&["--set", &format!("hyperparameters.x={value}")])?;
        assert_eq!(sent(&["-H", &format!("x={value}")])?, by_set, "{value}");
    }
    Ok(())
}

#[test]
fn texts_of_several_lines_do_not_depend_on_line_ends() -> TestResult {
    let section = "[environment]\nA = '''\none\ntwo\n'''\nB = \"\"\"one\\\n  two\nthree\"\"\"\nC = \"a\\r\\nb\"\n";
    let sandbox = sandbox(section)?;
    let spec = sandbox.path("proj/job.toml");
    let expected = request(&sandbox, &[])?["Environment"].clone();
    insta::assert_snapshot!(expected, @r#"
    {"A":"one\ntwo\n","B":"onetwo\nthree","C":"a\r\nb"}
    "#);
    std::fs::write(&spec, std::fs::read_to_string(&spec)?.replace('\n', "\r\n"))?;
    assert_eq!(request(&sandbox, &[])?["Environment"], expected);
    Ok(())
}

#[test]
fn checkpoints_without_a_uri_are_sent_for_spot_jobs_only() -> TestResult {
    let sandbox = sandbox("[checkpoints]\nlocal_path = '/opt/ml/mine'\n")?;
    assert_eq!(request(&sandbox, &[])?.get("CheckpointConfig"), None);
    let of_spot = request(&sandbox, &["--spot", "--set", "output.s3_uri=s3://bucket/jobs"])?;
    assert_eq!(of_spot["CheckpointConfig"]["LocalPath"], "/opt/ml/mine");
    Ok(())
}

#[test]
fn code_goes_below_the_prefix_of_the_output() -> TestResult {
    let sandbox = sandbox("")?;
    let code = |args: &[&str]| {
        let request = request(&sandbox, args)?;
        let uri = request["HyperParameters"]["sagemaker_submit_directory"].as_str().unwrap_or_default().to_owned();
        let (place, _) = uri.trim_matches('"').split_once("/smtrain/code/").unwrap_or_default();
        Ok::<_, Box<dyn std::error::Error>>(place.to_owned())
    };
    for output in ["s3://bucket/team/jobs", "s3://bucket/team/jobs/"] {
        assert_eq!(code(&["--set", &format!("output.s3_uri={output}")])?, "s3://bucket/team/jobs");
    }
    assert_eq!(code(&["--set", "output.s3_uri=s3://bucket"])?, "s3://bucket");
    let both = ["--set", "output.s3_uri=s3://bucket/team", "--set", "source.s3_uri=s3://bucket/code"];
    assert_eq!(code(&both)?, "s3://bucket/code");
    Ok(())
}
