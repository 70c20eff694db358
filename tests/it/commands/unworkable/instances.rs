//! Instances that lack what the spec gives them.

use super::{SHELL, framework, project, script, validated};
use crate::support::{Sandbox, TestResult, Transcript, normalised};

#[test]
fn storage_of_instances() -> TestResult {
    let key = "[encryption]\nvolume_kms_key_id = 'alias/mine'\n";
    let of = |instance_type: &str, sections: &str| {
        framework(instance_type, &format!("[source]\nentry_point = 'train.py'\n{sections}"))
    };
    let sized = |instance_type: &str| of(instance_type, "").replace("[source]", "volume_size_gb = 500\n[source]");
    let groups =
        "instance_groups = [{name = 'a', type = 'ml.g5.xlarge', count = 1}, {name = 'b', type = 'TYPE', count = 1}]";
    let grouped =
        |other: &str| of("ml.g5.xlarge", key).replace("instance_type = 'ml.g5.xlarge'", &groups.replace("TYPE", other));
    let said = validated(&[
        ("a key and a size with volumes", sized("ml.m5.large") + key),
        ("a key with local storage", of("ml.g4dn.xlarge", key)),
        ("a size with local storage", sized("ml.g5.xlarge")),
        ("a key, and groups with local storage", grouped("ml.p4d.24xlarge")),
        ("a key, and one group with volumes", grouped("ml.m5.large")),
    ])?;
    insta::assert_snapshot!(said, @r"
    ## a key and a size with volumes
    exit code: 0
    --- stderr
    proj/job.toml: valid
    ## a key with local storage
    exit code: 2
    --- stderr
    error: `ml.g4dn.xlarge` takes no `volume_kms_key_id`: its storage is local, and encrypted by hardware
      --> proj/job.toml:11:21
       |
    11 | volume_kms_key_id = 'alias/mine'
       |                     ^^^^^^^^^^^^
       |
       = hint: leave it out, or choose an instance type without local storage
    proj/job.toml: 1 error
    ## a size with local storage
    exit code: 0
    --- stderr
    warning: `ml.g5.xlarge` takes no `volume_size_gb`: its storage is local, of a fixed size
     --> proj/job.toml:8:18
      |
    8 | volume_size_gb = 500
      |                  ^^^
      |
      = hint: leave it out, or choose a larger instance type
    proj/job.toml: valid
    ## a key, and groups with local storage
    exit code: 2
    --- stderr
    error: `ml.g5.xlarge` takes no `volume_kms_key_id`: its storage is local, and encrypted by hardware
      --> proj/job.toml:11:21
       |
    11 | volume_kms_key_id = 'alias/mine'
       |                     ^^^^^^^^^^^^
       |
       = hint: leave it out, or choose an instance type without local storage
    proj/job.toml: 1 error
    ## a key, and one group with volumes
    exit code: 0
    --- stderr
    proj/job.toml: valid
    ");
    Ok(())
}

#[test]
fn a_volume_key_of_the_settings_is_left_out_where_there_is_no_volume() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    let sdk =
        "SchemaVersion: '1.0'\nSageMaker:\n  TrainingJob:\n    ResourceConfig:\n      VolumeKmsKeyId: alias/sdk\n";
    let own = "[encryption]\nvolume_kms_key_id = 'alias/own'\n";
    for (name, file, text) in
        [("SDK", "home/.config/sagemaker/config.yaml", sdk), ("settings", "home/.config/smtrain/config.toml", own)]
    {
        sandbox.file(file, text)?;
        for instance_type in ["ml.m5.large", "ml.g5.xlarge"] {
            project(&sandbox, &script("").replace("ml.m5.large", instance_type))?;
            let command = "smtrain submit --dry-run proj/job.toml | grep -o '\"VolumeKmsKeyId.*'";
            all.add(format!("{name}, {instance_type}"), &sandbox.sh(command).run()?);
        }
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r#"
    ## SDK, ml.m5.large
    exit code: 0
    --- stdout
    "VolumeKmsKeyId": "alias/sdk"
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ## SDK, ml.g5.xlarge
    exit code: 1
    --- stderr
    warning: the settings' `volume_kms_key_id` is left out: the storage of `ml.g5.xlarge` is local
     --> ~/.config/sagemaker/config.yaml:5:23
      |
    5 |       VolumeKmsKeyId: alias/sdk
      |                       ^^^^^^^^^
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ## settings, ml.m5.large
    exit code: 0
    --- stdout
    "VolumeKmsKeyId": "alias/own"
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ## settings, ml.g5.xlarge
    exit code: 1
    --- stderr
    warning: the settings' `volume_kms_key_id` is left out: the storage of `ml.g5.xlarge` is local
     --> ~/.config/smtrain/config.toml:2:21
      |
    2 | volume_kms_key_id = 'alias/own'
      |                     ^^^^^^^^^^^
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    "#);
    Ok(())
}

#[test]
fn the_quota_of_every_preferred_type_is_told() -> TestResult {
    let sandbox = Sandbox::new()?;
    let preferences =
        "instance_preferences = [{type = 'ml.p5.48xlarge', count = 2}, {type = 'ml.p4d.24xlarge', count = 4}]\n";
    project(&sandbox, &script("").replace("instance_type = 'ml.m5.large'\n", preferences))?;
    let said = sandbox.sh("smtrain submit --dry-run proj/job.toml | wc -l").run()?;
    insta::assert_snapshot!(normalised(&said.stderr)?, @r"
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    note: the account's quota must suffice for every preference: 2 of ml.p5.48xlarge, 4 of ml.p4d.24xlarge
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ");
    Ok(())
}

#[test]
fn distributions_that_cannot_start() -> TestResult {
    let torch = |instance_type: &str, entry_point: &str| {
        framework(
            instance_type,
            &format!("[source]\nentry_point = '{entry_point}'\n[distribution]\ntype = 'torch_distributed'\n"),
        )
    };
    let of_group = torch("ml.m5.large", "train.py").replace(
        "instance_type = 'ml.m5.large'",
        "instance_groups = [{name = 'cpu', type = 'ml.c5.xlarge', count = 1}, {name = 'gpu', type = 'ml.g5.xlarge', count = 1}]",
    );
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    for (title, spec) in [
        ("on CPUs", torch("ml.m5.large", "train.py")),
        ("a shell script", torch("ml.g5.xlarge", "train.sh")),
        ("on a group of CPUs", format!("{of_group}instance_groups = ['cpu']\n")),
        ("on a group of GPUs", format!("{of_group}instance_groups = ['gpu']\n")),
    ] {
        project(&sandbox, &spec)?.file("train.sh", SHELL)?;
        all.add(title, &sandbox.smtrain(&["validate", "proj/job.toml"]).run()?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## on CPUs
    exit code: 2
    --- stderr
    error: torch_distributed doesn't run on `ml.m5.large`, which has no GPU
     --> proj/job.toml:7:17
      |
    7 | instance_type = 'ml.m5.large'
      |                 ^^^^^^^^^^^^^
      |
      = hint: it runs on types with GPUs or Neuron devices, such as ml.g5.xlarge
    proj/job.toml: 1 error
    ## a shell script
    exit code: 2
    --- stderr
    error: torch_distributed starts only Python programs
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'train.sh'
      |               ^^^^^^^^^^
      |
      = hint: name a .py file, or leave [distribution] out
    proj/job.toml: 1 error
    ## on a group of CPUs
    exit code: 2
    --- stderr
    error: torch_distributed doesn't run on `ml.c5.xlarge`, which has no GPU
     --> proj/job.toml:7:19
      |
    7 | instance_groups = [{name = 'cpu', type = 'ml.c5.xlarge', count = 1}, {name = 'gpu', type = 'ml.g5.xlarge', count = 1}]
      |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: it runs on types with GPUs or Neuron devices, such as ml.g5.xlarge
    proj/job.toml: 1 error
    ## on a group of GPUs
    exit code: 0
    --- stderr
    proj/job.toml: valid
    ");
    Ok(())
}
