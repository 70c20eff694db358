//! Settings in layers: the SDK's files, smtrain's own, variables; and which of them a value comes from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Sandbox, TestResult};

const ROLE_OF_SDK: &str = "arn:aws:iam::111122223333:role/";

/// Writes a file in the sandbox, its folders too.
fn write(sandbox: &Sandbox, below: &str, text: impl AsRef<[u8]>) -> TestResult {
    let path = sandbox.path(below);
    fs::create_dir_all(path.parent().unwrap_or(sandbox.root()))?;
    Ok(fs::write(path, text)?)
}

/// A sandbox whose system-wide settings are its own too, with a project in `proj`.
fn sandbox() -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?;
    let site = sandbox.path("etc/xdg");
    sandbox.project("proj", "print('trained')")?;
    Ok(sandbox.with_env("XDG_CONFIG_DIRS", site))
}

fn sdk_role(name: &str) -> String {
    format!("SchemaVersion: '1.0'\nSageMaker:\n  TrainingJob:\n    RoleArn: {ROLE_OF_SDK}{name}\n")
}

/// What `validate -v` says of the role, with `args` at its end.
fn role(sandbox: &Sandbox, args: &[&str]) -> TestResult<String> {
    let said = sandbox.smtrain(&["validate", "-v", "proj/job.toml"]).args(args).run()?.ok()?;
    let line = said.stderr.lines().map(str::trim).find(|line| line.starts_with("role: "));
    Ok(line.unwrap_or_default().replace(ROLE_OF_SDK, ""))
}

#[test]
fn each_layer_stands_over_those_below() -> TestResult {
    let sandbox = sandbox()?;
    assert_eq!(role(&sandbox, &[])?, "");
    write(&sandbox, "etc/xdg/sagemaker/config.yaml", sdk_role("Site"))?;
    let mut over = "/etc/xdg/sagemaker/config.yaml:4".to_owned();
    assert_eq!(role(&sandbox, &[])?, format!("role: Site (from {}{over})", sandbox.root().display()));
    over = format!("{}{over}", sandbox.root().display());
    for (file, text, value, origin) in [
        ("home/.config/sagemaker/config.yaml", sdk_role("User"), "User", "~/.config/sagemaker/config.yaml:4"),
        (
            "home/.config/smtrain/config.toml",
            "\nrole = \"Mine\"\n".to_owned(),
            "Mine",
            "~/.config/smtrain/config.toml:2",
        ),
        ("smtrain.toml", "role = \"Project\"\n".to_owned(), "Project", "smtrain.toml:1"),
    ] {
        write(&sandbox, file, text)?;
        assert_eq!(role(&sandbox, &[])?, format!("role: {value} (from {origin}, over {over})"));
        over = format!("{origin}, {over}");
    }
    let sandbox = sandbox.with_env("SMTRAIN_ROLE", "Variable");
    assert_eq!(role(&sandbox, &[])?, format!("role: Variable (from SMTRAIN_ROLE, over {over})"));
    over = format!("SMTRAIN_ROLE, {over}");
    let spec = fs::read_to_string(sandbox.path("proj/job.toml"))?;
    write(&sandbox, "proj/job.toml", format!("role = \"Spec\"\n{spec}"))?;
    assert_eq!(role(&sandbox, &[])?, format!("role: Spec (from proj/job.toml:1, over {over})"));
    assert_eq!(role(&sandbox, &["--role", "Flag"])?, format!("role: Flag (from --role, over {over})"));
    Ok(())
}

#[test]
fn an_empty_variable_sets_nothing() -> TestResult {
    let sandbox = sandbox()?.with_env("SMTRAIN_ROLE", "");
    write(&sandbox, "smtrain.toml", "role = \"Project\"\n")?;
    assert_eq!(role(&sandbox, &[])?, "role: Project (from smtrain.toml:1)");
    Ok(())
}

#[test]
fn the_nearest_project_file_is_the_one() -> TestResult {
    let sandbox = sandbox()?;
    write(&sandbox, "smtrain.toml", "role = \"Outer\"\nregion = \"eu-west-1\"\n")?;
    write(&sandbox, "proj/smtrain.toml", "role = \"Inner\"\n")?;
    fs::create_dir_all(sandbox.path("proj/deep/er"))?;
    let validate = |folder: &str, spec: &str| -> TestResult<String> {
        let said = sandbox.smtrain(&["validate", "-v", spec]).dir(sandbox.path(folder)).run()?.ok()?;
        Ok(said.stderr.replace(&sandbox.root().display().to_string(), "[SANDBOX]"))
    };
    let inner = "../../job.toml: valid\n  role: Inner (from [SANDBOX]/proj/smtrain.toml:1)\n";
    assert_eq!(validate("proj/deep/er", "../../job.toml")?, inner);
    let outer =
        "proj/job.toml: valid\n  role: Outer (from smtrain.toml:1)\n  region: eu-west-1 (from smtrain.toml:2)\n";
    assert_eq!(validate(".", "proj/job.toml")?, outer);
    Ok(())
}

#[test]
fn secrets_are_not_shown() -> TestResult {
    let sandbox = sandbox()?;
    write(&sandbox, "smtrain.toml", "[environment]\nTOKEN = \"hunter2\"\n[tags]\nteam = \"hunter2\"\n")?;
    let said = sandbox.smtrain(&["validate", "-v", "proj/job.toml"]).run()?.ok()?;
    // Beside the snapshot, which would be accepted as a whole: the value of a setting is not in it.
    assert!(!said.to_string().contains("hunter2"), "{said}");
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    proj/job.toml: valid
      environment.TOKEN (from smtrain.toml:2)
      tags.team (from smtrain.toml:4)
    "#);
    Ok(())
}

#[test]
fn every_problem_of_every_layer_in_its_own_file() -> TestResult {
    let sandbox = sandbox()?.with_env("SMTRAIN_REGION", "Ireland");
    write(
        &sandbox,
        "home/.config/sagemaker/config.yaml",
        "SageMaker:\n  TrainingJob:\n    EnableNetworkIsolation: maybe\n",
    )?;
    write(&sandbox, "home/.config/smtrain/config.toml", "rolle = \"x\"\n\n[output]\ns3_uri = \"bucket\"\n")?;
    write(&sandbox, "smtrain.toml", "default_bucket = 3\ninstance_type = \"ml.m5.large\"\n")?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: `isolation` is a string, and should be a boolean
     --> ~/.config/sagemaker/config.yaml:3:29
      |
    3 |     EnableNetworkIsolation: maybe
      |                             ^^^^^ expected a boolean
    ~/.config/sagemaker/config.yaml: 1 error
    error: unknown key `rolle` in the settings
     --> ~/.config/smtrain/config.toml:1:1
      |
    1 | rolle = "x"
      | ^^^^^ unknown key
      |
      = hint: did you mean `role`?
    error: `s3_uri` is not an S3 URI: an S3 URI starts with s3://
     --> ~/.config/smtrain/config.toml:4:10
      |
    4 | s3_uri = "bucket"
      |          ^^^^^^^^
    ~/.config/smtrain/config.toml: 2 errors
    error: `default_bucket` is an integer, and should be a string
     --> smtrain.toml:1:18
      |
    1 | default_bucket = 3
      |                  ^ expected a string
      |
      = hint: write "3", in quotes
    error: unknown key `instance_type` in the settings
     --> smtrain.toml:2:1
      |
    2 | instance_type = "ml.m5.large"
      | ^^^^^^^^^^^^^ unknown key
      |
      = hint: `instance_type` belongs in a job spec
    smtrain.toml: 2 errors
    error: `region` is not a region, such as eu-west-1
     --> SMTRAIN_REGION:1:1
      |
    1 | Ireland
      | ^^^^^^^
    SMTRAIN_REGION: 1 error
    "#);
    Ok(())
}

#[test]
fn a_setting_that_a_spec_makes_wrong_is_shown_where_it_was_made() -> TestResult {
    let sandbox = sandbox()?;
    write(&sandbox, "smtrain.toml", "\n[network]\nsubnets = [\"subnet-1\"]\n")?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: `subnets` needs `security_group_ids` too
     --> smtrain.toml:3:11
      |
    3 | subnets = ["subnet-1"]
      |           ^^^^^^^^^^^^
      |
      = hint: add security_group_ids = [...]
    proj/job.toml: 1 error
    "#);
    sandbox.smtrain(&["validate", "--local", "proj/job.toml"]).run()?.ok()?;
    Ok(())
}

#[test]
fn files_that_can_not_be_read_are_errors() -> TestResult {
    let sandbox = sandbox()?;
    fs::create_dir_all(sandbox.path("smtrain.toml"))?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: this is a folder, not a settings file
    --> smtrain.toml
    smtrain.toml: 1 error
    "#);
    fs::remove_dir(sandbox.path("smtrain.toml"))?;
    write(&sandbox, "home/.config/smtrain/config.toml", [b'a', 0xff])?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: this is not a text file: byte 1 (line 1) is 0xff, which is not UTF-8 text
    --> ~/.config/smtrain/config.toml
     = hint: a settings file is a TOML file, saved as UTF-8
    ~/.config/smtrain/config.toml: 1 error
    "#);
    write(&sandbox, "home/.config/smtrain/config.toml", "x".repeat((1 << 20) + 1))?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: this file is larger than 1 MiB, which no settings file is
    --> ~/.config/smtrain/config.toml
     = hint: is it a data file or an archive?
    ~/.config/smtrain/config.toml: 1 error
    "#);
    let forbidden = sandbox.path("home/.config/smtrain/config.toml");
    write(&sandbox, "home/.config/smtrain/config.toml", "")?;
    fs::set_permissions(&forbidden, fs::Permissions::from_mode(0o000))?;
    // Who may read everything isn't refused.
    if fs::read(&forbidden).is_err() {
        let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
        // Root, as whom most containers run tests, never sees this message.
        assert!(said.stderr.contains("permission denied"), "{said}");
    }
    Ok(())
}

#[test]
fn overrides_of_the_sdk_name_a_file_or_a_folder() -> TestResult {
    let sandbox = sandbox()?;
    write(&sandbox, "home/.config/sagemaker/config.yaml", sdk_role("Ignored"))?;
    write(&sandbox, "admin/config.yaml", sdk_role("Admin"))?;
    write(&sandbox, "mine.yaml", sdk_role("Mine"))?;
    let sandbox = sandbox.with_env("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "admin");
    let sandbox = sandbox.with_env("SAGEMAKER_USER_CONFIG_OVERRIDE", "mine.yaml");
    assert_eq!(role(&sandbox, &[])?, "role: Mine (from mine.yaml:4, over admin/config.yaml:4)");
    Ok(())
}

#[test]
fn an_override_that_is_not_there_is_an_error() -> TestResult {
    let sandbox = sandbox()?.with_env("SAGEMAKER_USER_CONFIG_OVERRIDE", "none.yaml");
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: there is no such file
    --> none.yaml
     = hint: SAGEMAKER_USER_CONFIG_OVERRIDE names it
    none.yaml: 1 error
    "#);
    Ok(())
}

#[test]
fn an_override_in_s3_is_a_warning() -> TestResult {
    let sandbox = sandbox()?.with_env("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "s3://bucket/config.yaml");
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    warning: SAGEMAKER_ADMIN_CONFIG_OVERRIDE=s3://bucket/config.yaml is not read here: settings are read from this computer only
    proj/job.toml: valid
    "#);
    Ok(())
}

#[test]
fn who_needs_no_settings_reads_none() -> TestResult {
    let sandbox = sandbox()?;
    write(&sandbox, "smtrain.toml", "nonsense")?;
    for args in [&["--version"][..], &["completions", "bash"], &["init", "--list"], &["--help"]] {
        sandbox.smtrain(args).run()?.ok()?;
    }
    Ok(())
}

#[test]
fn settings_are_in_the_request() -> TestResult {
    let sandbox = sandbox()?.with_env("SMTRAIN_OUTPUT_S3_URI", "s3://variable/jobs");
    let sdk = "SageMaker:\n  TrainingJob:\n    ResourceConfig: {VolumeKmsKeyId: volume-key}\n    Tags: [{Key: cost, Value: 12}]\n";
    write(&sandbox, "home/.config/sagemaker/config.yaml", sdk)?;
    write(
        &sandbox,
        "home/.config/smtrain/config.toml",
        "[environment]\nMODE = \"settings\"\nLEVEL = \"3\"\n[tags]\nteam = \"growth\"\n",
    )?;
    write(&sandbox, "smtrain.toml", "[output]\nkms_key_id = \"output-key\"\n[network]\nisolation = true\n")?;
    let set = ["--set", "environment.MODE=flag"];
    let submit = ["submit", "--local", "--dry-run", "proj/job.toml"];
    let request = sandbox.smtrain(&submit).args(set).run()?.ok()?.json()?;
    assert_eq!(request["Environment"], serde_json::json!({"LEVEL": "3", "MODE": "flag"}));
    let tags = serde_json::json!([{"Key": "team", "Value": "growth"}, {"Key": "cost", "Value": "12"}]);
    assert_eq!(request["Tags"].as_array().map(|tags| &tags[..2]), tags.as_array().map(Vec::as_slice));
    assert_eq!(request["OutputDataConfig"]["KmsKeyId"], "output-key");
    assert_eq!(request["ResourceConfig"]["VolumeKmsKeyId"], "volume-key");
    assert_eq!(request["EnableNetworkIsolation"], true);
    Ok(())
}
