//! Profiles: those that don't exist, and files that the AWS CLI reads in every form that it does.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult, Transcript};

/// What botocore makes of profiles: for each case the region and the key, or null where it refuses the file or has no such
/// profile.
const BOTOCORE: &str = r#"
import json, os, sys, tempfile
import botocore.session
answers = []
for config, credentials, profile in json.loads(sys.argv[1]):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("config", config), ("credentials", credentials)):
            with open(folder + "/" + name, "w", newline="", encoding="utf-8") as file:
                file.write(text)
        os.environ["AWS_CONFIG_FILE"] = folder + "/config"
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = folder + "/credentials"
        try:
            session = botocore.session.Session(profile=profile)
            credentials = session.get_credentials()
            answers.append([session.get_config_variable("region"), credentials and credentials.access_key])
        except Exception:
            answers.append(None)
print(json.dumps(answers))
"#;

/// Files `config` and `credentials`, and the profile. `KEYS` are two lines with the keys of the account.
const ODDITIES: [(&str, &str, &str); 39] = [
    ("[profile x]\n  region = us-west-2\n  K1\n  K2\n", "", "x"),
    ("[profile x]\n\tregion = us-west-2\n\tK1\n\tK2\n", "", "x"),
    ("[profile x]\n    region = us-west-2\n  K1\nK2\n", "", "x"),
    ("  [profile x]\n  region = us-west-2\n  K1\n  K2\n", "", "x"),
    ("[profile \"my team\"]\nregion = us-west-2\nK1\nK2\n", "", "my team"),
    ("[profile 'my team']\nregion = us-west-2\nK1\nK2\n", "", "my team"),
    ("[profile my\\ team]\nregion = us-west-2\nK1\nK2\n", "", "my team"),
    ("[profile my' 'team]\nregion = us-west-2\nK1\nK2\n", "", "my team"),
    ("[profile équipe]\nregion = us-west-2\nK1\nK2\n", "", "équipe"),
    ("[profile a%b]\nregion = us-west-2\nK1\nK2\n", "", "a%b"),
    ("[profile x]y]\nregion = us-west-2\nK1\nK2\n", "", "x]y"),
    ("[profile \"x\"] # ours\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("[profile\tx]\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("[profilex y]\nregion = us-west-2\nK1\nK2\n", "", "y"),
    ("[profile \"default\"]\nregion = us-west-2\nK1\nK2\n", "", "default"),
    ("[default]\nregion = us-east-1\n[profile default]\nregion = us-west-2\nK1\nK2\n", "", "default"),
    ("[profile default]\nregion = us-east-1\n[default]\nregion = us-west-2\nK1\nK2\n", "", "default"),
    ("[DEFAULT]\nregion = us-west-2\n[profile x]\nK1\nK2\n", "", "x"),
    ("[profile x]\nregion: us-west-2\naws_access_key_id : ID\naws_secret_access_key:secret\n", "", "x"),
    ("[profile x]\nREGION = us-west-2\nAWS_ACCESS_KEY_ID = ID\nAws_Secret_Access_Key = secret\n", "", "x"),
    (
        "[profile x]\ns3 =\n    max_concurrent_requests = 20\n    # ours\n\n    x = y\nregion = us-west-2\nK1\nK2\n",
        "",
        "x",
    ),
    ("[profile x]\n  s3 =\n    addressing_style = path\n  region = us-west-2\n  K1\n  K2\n", "", "x"),
    ("[profile x]\ns3 =\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("# a\n; b\n[profile x]\n# c\nregion = us-west-2\n   # d\nK1\n; e\nK2\n", "", "x"),
    ("[profile x]\r\nregion = us-west-2\r\n \r\nK1\r\nK2\r\n", "", "x"),
    ("[profile x]\rregion = us-west-2\rK1\rK2\r", "", "x"),
    ("[profile x]\n\u{a0}region = us-west-2\n\u{a0}K1\n\u{a0}K2\n", "", "x"),
    ("[profile x]\nmy key = a\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("[preview]\nx = y\n[profile x]\nregion = us-west-2\nK1\nK2\n[plugins]\na = b\n", "", "x"),
    ("[profile x]\nregion = us-west-2\n", "[x]\nK1\nK2\n", "x"),
    ("[profile \"my team\"]\nregion = us-west-2\n", "[my team]\n  K1\n  K2\n", "my team"),
    ("[profile x]\nregion = us-west-2\naws_access_key_id = OTHER\n", "[x]\nK1\nK2\n", "x"),
    ("[profile x]\nregion = us-west-2\nK1\nK2", "", "x"),
    // What botocore refuses, or does not know as a profile.
    ("[ profile x ]\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("[profile x]\nregion = us-west-2\n[profile x]\nK1\nK2\n", "", "x"),
    ("[profile x]\nregion = us-east-1\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("[x]\nregion = us-west-2\nK1\nK2\n", "", "x"),
    ("[profile my team]\nregion = us-west-2\nK1\nK2\n", "", "my team"),
    ("[profile x]\nregion = us-west-2\n  K1\nK2\n", "", "x"),
];
/// Which of them smtrain reads although botocore does not: those that the AWS SDK for Rust reads.
const ALSO_READ: [usize; 3] = [33, 34, 35];

fn with_keys(text: &str, id: &str) -> String {
    let text = text.replace("K1", "aws_access_key_id = ID").replace("K2", "aws_secret_access_key = secret");
    text.replace("ID", id).replace("OTHER", "AKIAOTHER")
}

fn on_aws() -> TestResult<(Sandbox, TestAccount, String)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    fs::create_dir(sandbox.path("home/.aws"))?;
    let [(_, id), ..] = tenant.environment();
    Ok((sandbox, tenant, id))
}

/// A command without keys and region of the environment.
fn history(sandbox: &Sandbox, profile: &[&str]) -> TestResult<CommandOutput> {
    let command = sandbox.smtrain(&["describe", "none"]).args(profile).env_remove("AWS_ACCESS_KEY_ID");
    command.env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_REGION").run()?.expect(1)
}

fn write(sandbox: &Sandbox, config: &str, credentials: &str) -> TestResult {
    fs::write(sandbox.path("home/.aws/config"), config)?;
    Ok(fs::write(sandbox.path("home/.aws/credentials"), credentials)?)
}

#[test]
fn what_botocore_reads_is_read() -> TestResult {
    let (sandbox, _tenant, id) = on_aws()?;
    let cases: Vec<[String; 3]> = ODDITIES
        .iter()
        .map(|(config, credentials, profile)| {
            [with_keys(config, &id), with_keys(credentials, &id), (*profile).to_owned()]
        })
        .collect();
    let told = sandbox.emulator_python(&["-c", BOTOCORE, &json!(cases).to_string()])?;
    let told = told.env_remove("AWS_REGION").env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let told: Vec<Value> = serde_json::from_value(told.run()?.ok()?.json()?)?;
    assert_eq!(told.len(), cases.len());
    for (number, ([config, credentials, profile], told)) in cases.iter().zip(told).enumerate() {
        write(&sandbox, config, credentials)?;
        let said = history(&sandbox, &["--profile", profile])?;
        let is_read = said.stderr.starts_with("error: there is no job none in us-west-2\n");
        let is_told = told == json!(["us-west-2", id]);
        assert_eq!(
            is_read,
            is_told || ALSO_READ.contains(&number),
            "case {number}, botocore: {told}\n{config}\n{said}"
        );
    }
    Ok(())
}

#[test]
fn what_is_not_read_is_told_with_its_place() -> TestResult {
    let (sandbox, _tenant, id) = on_aws()?;
    let mut all = Transcript::default();
    for (config, profile) in [
        ("[x]\nregion = us-west-2\n", "x"),
        ("[default]\n[profile my team]\nregion = us-west-2\n", "my team"),
        ("[profile x]\nK1\nregion = us-west-2\n  K2\n", "x"),
        ("[profile x]\nregion = us west 2\n", "x"),
        ("[profile x]\nregion = \"us-west-2\"\n", "x"),
        ("region = us-west-2\n", "x"),
        ("[profile x]\nregion\n", "x"),
        ("[profile x]\n= a\n", "x"),
        ("[profile x\nregion = us-west-2\n", "x"),
        ("[profile x]\ns3 =\n  path\n", "x"),
        ("\u{feff}[profile x]\nregion = us-west-2\n", "x"),
    ] {
        write(&sandbox, &with_keys(config, &id), "")?;
        all.add(config.escape_debug(), &history(&sandbox, &["--profile", profile])?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r#"
    ## [x]\nregion = us-west-2\n
    exit code: 1
    --- stderr
    error: there is no profile x in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: line 1 of [SANDBOX]/home/.aws/config has [x], which is no profile: write [profile x]
    hint: make one: aws configure --profile NAME
    hint: --profile names it
    ## [default]\n[profile my team]\nregion = us-west-2\n
    exit code: 1
    --- stderr
    error: there is no profile my team in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: line 2 of [SANDBOX]/home/.aws/config has [profile my team], which is no profile: write [profile "my team"]
    hint: use one of the profiles there are: default
    hint: --profile names it
    ## [profile x]\nK1\nregion = us-west-2\n  K2\n
    exit code: 1
    --- stderr
    error: `region` is not the name of a region: [SANDBOX]/home/.aws/config, line 3, profile x
    hint: write one region on the key's line, as in `region = eu-west-1`; lines below it that are indented deeper belong to it
    ## [profile x]\nregion = us west 2\n
    ## [profile x]\nregion = \"us-west-2\"\n
    exit code: 1
    --- stderr
    error: `region` is not the name of a region: [SANDBOX]/home/.aws/config, line 2, profile x
    hint: write one region on the key's line, as in `region = eu-west-1`; lines below it that are indented deeper belong to it
    ## region = us-west-2\n
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 1: a key stands before the first [section]
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## [profile x]\nregion\n
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 2: a key must be followed by '=' and a value
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## [profile x]\n= a\n
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 2: no key stands before the '='
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## [profile x\nregion = us-west-2\n
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 1: the section's name must be followed by ']'
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## [profile x]\ns3 =\n  path\n
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 3: a key of a nested block must be followed by '=' and a value
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    ## \u{feff}[profile x]\nregion = us-west-2\n
    exit code: 1
    --- stderr
    error: [SANDBOX]/home/.aws/config can't be parsed: line 1: the file begins with a byte order mark, which is not supported
    hint: repair it, or set AWS_CONFIG_FILE to another file; /dev/null has no profiles
    "#);
    Ok(())
}

/// Whoever names a profile doesn't mean the instance's role, nor the keys of the environment.
#[test]
fn a_profile_that_no_file_has_is_an_error_wherever_it_is_named() -> TestResult {
    let (sandbox, _tenant, id) = on_aws()?;
    let mut all = Transcript::default();
    let describe = || sandbox.smtrain(&["describe", "none"]);
    all.add("no file", &describe().env("AWS_PROFILE", "tema").run()?.expect(1)?);
    write(&sandbox, "[default]\n[profile team]\n[profile \"my team\"]\n[preview]\n", "[old]\n")?;
    all.add("AWS_PROFILE", &describe().env("AWS_PROFILE", "tema").run()?.expect(1)?);
    all.add("AWS_DEFAULT_PROFILE", &describe().env("AWS_DEFAULT_PROFILE", "tema").run()?.expect(1)?);
    all.add("--profile", &describe().args(["--profile", "tema"]).run()?.expect(1)?);
    all.add("SMTRAIN_PROFILE", &describe().env("SMTRAIN_PROFILE", "tema").run()?.expect(1)?);
    fs::write(sandbox.path("smtrain.toml"), "# ours\nprofile = 'tema'\n")?;
    all.add("smtrain.toml", &describe().run()?.expect(1)?);
    let project = sandbox.project("proj", "")?;
    all.add("a dry run", &sandbox.smtrain(&["submit", "--dry-run", &project.spec()]).run()?.expect(1)?);
    fs::remove_file(sandbox.path("smtrain.toml"))?;
    let chain = "[profile r]\nrole_arn = arn:aws:iam::111122223333:role/R\nsource_profile = s\n\
                 [profile s]\nrole_arn = arn:aws:iam::111122223333:role/S\nsource_profile = tema\n";
    write(&sandbox, chain, &with_keys("[keys]\nK1\nK2\n", &id))?;
    all.add("source_profile", &describe().args(["--profile", "r"]).run()?.expect(1)?);
    let command = describe().env("AWS_PROFILE", "r").env_remove("AWS_ACCESS_KEY_ID");
    all.add("source_profile of AWS_PROFILE", &command.env_remove("AWS_SECRET_ACCESS_KEY").run()?.expect(1)?);
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## no file
    exit code: 1
    --- stderr
    error: there is no profile tema: no file of profiles exists
    hint: make one: aws configure --profile NAME
    hint: AWS_PROFILE names it: set another one, or unset AWS_PROFILE
    ## AWS_PROFILE
    exit code: 1
    --- stderr
    error: there is no profile tema in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: use one of the profiles there are: default, my team, old, team
    hint: AWS_PROFILE names it: set another one, or unset AWS_PROFILE
    ## AWS_DEFAULT_PROFILE
    exit code: 1
    --- stderr
    error: there is no profile tema in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: use one of the profiles there are: default, my team, old, team
    hint: AWS_DEFAULT_PROFILE names it: set another one, or unset AWS_DEFAULT_PROFILE
    ## --profile
    exit code: 1
    --- stderr
    error: there is no profile tema in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: use one of the profiles there are: default, my team, old, team
    hint: --profile names it
    ## SMTRAIN_PROFILE
    exit code: 1
    --- stderr
    error: there is no profile tema in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: use one of the profiles there are: default, my team, old, team
    hint: the setting `profile` names it: SMTRAIN_PROFILE
    ## smtrain.toml
    ## a dry run
    exit code: 1
    --- stderr
    error: there is no profile tema in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: use one of the profiles there are: default, my team, old, team
    hint: the setting `profile` names it: smtrain.toml:2
    ## source_profile
    ## source_profile of AWS_PROFILE
    exit code: 1
    --- stderr
    error: could not describe job none: could not get AWS credentials: there is no profile tema in [SANDBOX]/home/.aws/config or [SANDBOX]/home/.aws/credentials
    hint: use one of the profiles there are: keys, r, s
    hint: source_profile names it: [SANDBOX]/home/.aws/config, line 6, profile s
    ");
    // As with all AWS tools, keys of the environment come before the profile's.
    let said = describe().env("AWS_PROFILE", "r").run()?.expect(1)?;
    assert!(said.stderr.contains(" or in eu-west-1\n"), "{said}");
    Ok(())
}

/// As for the AWS CLI (botocore 1.44.5, `configprovider.py`).
#[test]
fn aws_default_profile_comes_before_aws_profile() -> TestResult {
    let (sandbox, _tenant, _id) = on_aws()?;
    write(&sandbox, "[profile a]\nregion = us-west-2\n[profile b]\nregion = eu-central-1\n", "")?;
    let describe = sandbox.smtrain(&["describe", "none"]).env_remove("AWS_REGION");
    let said = describe.env("AWS_PROFILE", "a").env("AWS_DEFAULT_PROFILE", "b").run()?.expect(1)?;
    let first = said.stderr.lines().next();
    assert_eq!(first, Some("error: there is no job none on this computer or in eu-central-1"), "{said}");
    Ok(())
}

#[test]
fn a_variable_that_is_empty_counts_as_unset() -> TestResult {
    let (sandbox, _tenant, _id) = on_aws()?;
    write(&sandbox, "[default]\nregion = us-west-2\n[profile e]\nregion =\n", "")?;
    let describe = || sandbox.smtrain(&["describe", "none"]).env_remove("AWS_REGION");
    for (variables, region) in [
        (&[("AWS_PROFILE", ""), ("AWS_DEFAULT_PROFILE", "")][..], "us-west-2"),
        (&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "")], "us-west-2"),
        (&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-central-1")], "eu-central-1"),
        (&[("AWS_REGION", ""), ("AWS_PROFILE", "default")], "us-west-2"),
    ] {
        let command = variables.iter().fold(describe(), |command, (name, value)| command.env(name, value));
        let said = command.run()?.expect(1)?;
        assert!(said.stderr.contains(&format!(" or in {region}\n")), "{variables:?}\n{said}");
    }
    let said = describe().args(["--profile", "e"]).run()?.expect(1)?;
    assert!(said.stderr.starts_with("error: no AWS region is set"), "{said}");
    Ok(())
}
