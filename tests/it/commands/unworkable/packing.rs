//! Code that isn't packed, or is elsewhere.

use std::fs;
use std::os::unix::fs::symlink;

use super::{project, script, validated};
use crate::support::{Project, Sandbox, TestResult, Transcript};

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn code_that_is_not_packed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    let mut check = |title: &str, project: Project, args: &[&str]| -> TestResult {
        for command in [&["validate"][..], &["submit", "--dry-run"], &["submit", "--local"]] {
            let said = sandbox.smtrain(command).args(["proj/job.toml"]).args(args).run()?;
            all.add(format!("{title}: {}", command.join(" ")), &said);
        }
        Ok(fs::remove_dir_all(project.path(""))?)
    };
    // With a channel in S3, which a local job would fetch first.
    let valid = || project(&sandbox, &script("[channels]\ntrain = 's3://bucket/data'\n"));
    check("ignored", valid()?.file(".gitignore", "*.py\n")?, &[])?;
    check("excluded", valid()?, &["--set", "source.exclude=['train.*']"])?;
    let secret = "AWS_SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz'\n";
    check("a secret by its name", valid()?.file(".env/train.py", "")?, &["--set", "source.entry_point=.env/train.py"])?;
    check("a secret by its content", valid()?.file("train.py", secret)?, &[])?;
    let outside = valid()?;
    symlink(sandbox.path("elsewhere.py"), outside.path("link.py"))?;
    sandbox.file("elsewhere.py", "")?;
    check("a link that leads out", outside, &[])?;
    let nowhere = valid()?;
    symlink("nowhere.py", nowhere.path("link.py"))?;
    check("a link that leads nowhere", nowhere, &[])?;
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r#"
    ## ignored: validate
    ## ignored: submit --dry-run
    ## ignored: submit --local
    exit code: 2
    --- stderr
    error: entry point train.py is left out of the code archive by the pattern *.py of [SANDBOX]/proj/.gitignore
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'train.py'
      |               ^^^^^^^^^^
      |
      = hint: a line `!NAME` in .smtrainignore brings back what a pattern left out
    proj/job.toml: 1 error
    ## excluded: validate
    ## excluded: submit --dry-run
    ## excluded: submit --local
    exit code: 2
    --- stderr
    error: entry point train.py is left out of the code archive by the pattern train.* of source.exclude
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'train.py'
      |               ^^^^^^^^^^
      |
      = hint: take the pattern out of source.exclude
    proj/job.toml: 1 error
    ## a secret by its name: validate
    ## a secret by its name: submit --dry-run
    ## a secret by its name: submit --local
    exit code: 2
    --- stderr
    error: entry point .env/train.py is left out of the code archive by the built-in rules for secrets (.env)
     --> --set:1:20
      |
    1 | source.entry_point=.env/train.py
      |                    ^^^^^^^^^^^^^
      |
      = hint: rename it, or take the secret out of it, or name it in source.allow_secrets
    proj/job.toml: 1 error
    ## a secret by its content: validate
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
             train.py:1: an AWS secret access key
     --> proj/job.toml:8:1
      |
    8 | [source]
      | ^^^^^^^^
      |
      = hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    proj/job.toml: 1 error
    ## a secret by its content: submit --dry-run
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
        train.py:1: an AWS secret access key
    hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    ## a secret by its content: submit --local
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
             train.py:1: an AWS secret access key
     --> proj/job.toml:8:1
      |
    8 | [source]
      | ^^^^^^^^
      |
      = hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    proj/job.toml: 1 error
    ## a link that leads out: validate
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/link.py is a symbolic link to [SANDBOX]/elsewhere.py, outside the source folder
     --> proj/job.toml:8:1
      |
    8 | [source]
      | ^^^^^^^^
      |
      = hint: add the link to source.exclude, or set source.external_symlinks = true to pack what it leads to
    proj/job.toml: 1 error
    ## a link that leads out: submit --dry-run
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/link.py is a symbolic link to [SANDBOX]/elsewhere.py, outside the source folder
    hint: add the link to source.exclude, or set source.external_symlinks = true to pack what it leads to
    ## a link that leads out: submit --local
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/link.py is a symbolic link to [SANDBOX]/elsewhere.py, outside the source folder
     --> proj/job.toml:8:1
      |
    8 | [source]
      | ^^^^^^^^
      |
      = hint: add the link to source.exclude, or set source.external_symlinks = true to pack what it leads to
    proj/job.toml: 1 error
    ## a link that leads nowhere: validate
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/link.py is a symbolic link to nowhere.py, which does not exist
     --> proj/job.toml:8:1
      |
    8 | [source]
      | ^^^^^^^^
      |
      = hint: remove the link, or add it to source.exclude
    proj/job.toml: 1 error
    ## a link that leads nowhere: submit --dry-run
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/link.py is a symbolic link to nowhere.py, which does not exist
    hint: remove the link, or add it to source.exclude
    ## a link that leads nowhere: submit --local
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/link.py is a symbolic link to nowhere.py, which does not exist
     --> proj/job.toml:8:1
      |
    8 | [source]
      | ^^^^^^^^
      |
      = hint: remove the link, or add it to source.exclude
    proj/job.toml: 1 error
    "#);
    Ok(())
}

#[test]
fn an_entry_point_that_is_left_out_is_told_the_rule() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox, &script(""))?
        .file("venv/pyvenv.cfg", "")?
        .file("venv/bin/t.py", "")?
        .file(".env/pyvenv.cfg", "")?
        .file(".env/t.py", "")?
        .file("__pycache__/t.py", "")?;
    symlink("__pycache__/t.py", project.path("cached.py"))?;
    symlink("gone/t.py", project.path("broken.py"))?;
    let mut all = Transcript::default();
    for name in ["venv/bin/t.py", ".env/t.py", "__pycache__/t.py", "cached.py", "broken.py"] {
        let set = format!("source.entry_point={name}");
        let exclude = if name == "broken.py" { "source.exclude=[]" } else { "source.exclude=['broken.py']" };
        all.add(name, &sandbox.smtrain(&["validate", "proj/job.toml", "--set", &set, "--set", exclude]).run()?);
    }
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## venv/bin/t.py
    exit code: 2
    --- stderr
    error: entry point venv/bin/t.py is left out of the code archive by the built-in rules for caches, environments and version control (venv is a Python environment)
     --> --set:1:20
      |
    1 | source.entry_point=venv/bin/t.py
      |                    ^^^^^^^^^^^^^
      |
      = hint: move the script to a folder that is packed, and name it there in source.entry_point
    proj/job.toml: 1 error
    ## .env/t.py
    exit code: 2
    --- stderr
    error: entry point .env/t.py is left out of the code archive by the built-in rules for caches, environments and version control (.env is a Python environment)
     --> --set:1:20
      |
    1 | source.entry_point=.env/t.py
      |                    ^^^^^^^^^
      |
      = hint: move the script to a folder that is packed, and name it there in source.entry_point
    proj/job.toml: 1 error
    ## __pycache__/t.py
    exit code: 2
    --- stderr
    error: entry point __pycache__/t.py is left out of the code archive by the built-in rules for caches, environments and version control (__pycache__/)
     --> --set:1:20
      |
    1 | source.entry_point=__pycache__/t.py
      |                    ^^^^^^^^^^^^^^^^
      |
      = hint: move the script to a folder that is packed, and name it there in source.entry_point
    proj/job.toml: 1 error
    ## cached.py
    exit code: 2
    --- stderr
    error: entry point cached.py is left out of the code archive by the built-in rules for caches, environments and version control (__pycache__/)
     --> --set:1:20
      |
    1 | source.entry_point=cached.py
      |                    ^^^^^^^^^
      |
      = hint: move the script to a folder that is packed, and name it there in source.entry_point
    proj/job.toml: 1 error
    ## broken.py
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/broken.py is a symbolic link to gone/t.py, which does not exist
     --> --set:1:20
      |
    1 | source.entry_point=broken.py
      |                    ^^^^^^^^^
      |
      = hint: make the link lead to a file, or name the file itself
    proj/job.toml: 1 error
    ");
    Ok(())
}

#[test]
fn code_in_s3_is_refused_with_the_way() -> TestResult {
    let archive = "s3://bucket/source/sourcedir.tar.gz";
    let said = validated(&[
        ("as the folder", script("").replace("[source]", &format!("[source]\ndir = '{archive}'"))),
        ("as a dependency", script("").replace("[source]", &format!("[source]\ndependencies = ['{archive}']"))),
    ])?;
    insta::assert_snapshot!(said, @r#"
    ## as the folder
    exit code: 2
    --- stderr
    error: `dir` is in S3, and code is packed from a folder here
     --> proj/job.toml:9:7
      |
    9 | dir = 's3://bucket/source/sourcedir.tar.gz'
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: fetch and unpack it: smtrain download s3://bucket/source/sourcedir.tar.gz -d src; then write dir = "src"
    proj/job.toml: 1 error
    ## as a dependency
    exit code: 2
    --- stderr
    error: `dependencies` has an entry that is in S3, and dependencies are packed from here
     --> proj/job.toml:9:17
      |
    9 | dependencies = ['s3://bucket/source/sourcedir.tar.gz']
      |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    proj/job.toml: 1 error
    "#);
    Ok(())
}
