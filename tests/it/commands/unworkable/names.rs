//! URIs and tags that are valid alone.

use super::{project, script};
use crate::support::{Sandbox, TestResult, Transcript};

#[test]
fn uris_with_empty_parts() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    project(&sandbox, &script(""))?;
    for (key, uri) in [
        ("channels.train", "s3://bucket//key"),
        ("channels.train.source", "s3://bucket/a//b/"),
        ("source.s3_uri", "s3://bucket/code//"),
        ("output.s3_uri", "s3://bucket//"),
        ("checkpoints.s3_uri", "s3://bucket/a//b"),
    ] {
        let set = format!("{key}='{uri}'");
        all.add(&set, &sandbox.smtrain(&["validate", "proj/job.toml", "--set", &set]).run()?);
    }
    let with_prefix =
        sandbox.smtrain(&["validate", "proj/job.toml"]).env("SMTRAIN_DEFAULT_BUCKET_PREFIX", "team//churn");
    all.add("SMTRAIN_DEFAULT_BUCKET_PREFIX", &with_prefix.run()?);
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## channels.train='s3://bucket//key'
    exit code: 2
    --- stderr
    error: the S3 URI has `//` in its key, which SageMaker refuses
     --> --set:1:16
      |
    1 | channels.train='s3://bucket//key'
      |                ^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean s3://bucket/key?
    proj/job.toml: 1 error
    ## channels.train.source='s3://bucket/a//b/'
    exit code: 2
    --- stderr
    error: the S3 URI has `//` in its key, which SageMaker refuses
     --> --set:1:23
      |
    1 | channels.train.source='s3://bucket/a//b/'
      |                       ^^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean s3://bucket/a/b/?
    proj/job.toml: 1 error
    ## source.s3_uri='s3://bucket/code//'
    exit code: 2
    --- stderr
    error: `s3_uri` has `//` in its key, which SageMaker refuses
     --> --set:1:15
      |
    1 | source.s3_uri='s3://bucket/code//'
      |               ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean s3://bucket/code/?
    proj/job.toml: 1 error
    ## output.s3_uri='s3://bucket//'
    exit code: 2
    --- stderr
    error: `s3_uri` has `//` in its key, which SageMaker refuses
     --> --set:1:15
      |
    1 | output.s3_uri='s3://bucket//'
      |               ^^^^^^^^^^^^^^^
      |
      = hint: did you mean s3://bucket/?
    proj/job.toml: 1 error
    ## checkpoints.s3_uri='s3://bucket/a//b'
    exit code: 2
    --- stderr
    error: `s3_uri` has `//` in its key, which SageMaker refuses
     --> --set:1:20
      |
    1 | checkpoints.s3_uri='s3://bucket/a//b'
      |                    ^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean s3://bucket/a/b?
    proj/job.toml: 1 error
    ## SMTRAIN_DEFAULT_BUCKET_PREFIX
    exit code: 2
    --- stderr
    error: `default_bucket_prefix` has `//`, which SageMaker refuses in the keys of objects
     --> SMTRAIN_DEFAULT_BUCKET_PREFIX:1:1
      |
    1 | team//churn
      | ^^^^^^^^^^^
    SMTRAIN_DEFAULT_BUCKET_PREFIX: 1 error
    ");
    Ok(())
}

#[test]
fn own_tags_of_smtrain_give_way() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    let tags = |from: usize, to: usize| (from..to).fold(String::new(), |text, n| text + &format!("k{n:02} = 'x'\n"));
    for (own, of_settings) in [(46, 0), (40, 9), (50, 0), (40, 11)] {
        project(&sandbox, &script(&format!("[tags]\n{}", tags(0, own))))?;
        sandbox.file("home/.config/smtrain/config.toml", format!("[tags]\n{}", tags(own, own + of_settings)))?;
        let command = "smtrain submit --dry-run proj/job.toml >request && grep -c '\"Key\"' request";
        all.add(format!("{own} tags, and {of_settings} of the settings"), &sandbox.sh(command).run()?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## 46 tags, and 0 of the settings
    exit code: 0
    --- stdout
    48
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ## 40 tags, and 9 of the settings
    exit code: 0
    --- stdout
    50
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    note: a job takes 50 tags, and 49 are given: it goes without smtrain:code-sha256
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ## 50 tags, and 0 of the settings
    exit code: 0
    --- stdout
    50
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: submit adds a tag of the caller; a dry run calls no service
    note: a job takes 50 tags, and 50 are given: it goes without smtrain:version, smtrain:code-sha256
    placeholder: <account> in HyperParameters, OutputDataConfig: the account's number
    ## 40 tags, and 11 of the settings
    exit code: 2
    --- stderr
    error: [tags] has 51 entries, and at most 50 are allowed
      --> proj/job.toml:10:1
       |
    10 | [tags]
       | ^^^^^^
       |
       = hint: leave some out: 40 from proj/job.toml, 11 from ~/.config/smtrain/config.toml
    proj/job.toml: 1 error
    ");
    Ok(())
}
