//! Entry points that the toolkit can't run.

use std::fs;

use super::{SHELL, SHELL_SCRIPT, framework, project, script};
use crate::support::{Project, Sandbox, TestResult, Transcript};

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn scripts_that_the_toolkit_cannot_run() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut all = Transcript::default();
    let mut check = |title: &str, project: Project, args: &[&str]| -> TestResult {
        all.add(title, &sandbox.smtrain(&["validate", "proj/job.toml"]).args(args).run()?);
        Ok(fs::remove_dir_all(project.path(""))?)
    };
    let in_folder = script("").replace("train.py", "sub/train.py");
    let package = || project(&sandbox, &in_folder)?.file("sub/train.py", "")?.file("setup.py", "");
    check("a setup.py, and the entry point in a subfolder", package()?, &[])?;
    check("the setup.py is left out", package()?, &["--set", "source.exclude=['/setup.py']"])?;
    check("the setup.py is ignored", package()?.file(".gitignore", "setup.py\n")?, &[])?;
    let dotted = project(&sandbox, &script("").replace("train.py", "train.v2.py"))?.file("train.v2.py", "")?;
    check("a setup.py, and a dot in the name", dotted.file("setup.py", "")?, &[])?;
    let shell = |text: &str| project(&sandbox, &framework("ml.m5.large", SHELL_SCRIPT))?.file("train.sh", text);
    check("Windows line ends", shell(&SHELL.replace('\n', "\r\n"))?, &[])?;
    check("requirements beside a shell script", shell(SHELL)?.file("requirements.txt", "x")?, &[])?;
    let installs = shell("#!/bin/sh\npip install -r requirements.txt\n")?.file("requirements.txt", "x")?;
    check("requirements that the script installs", installs, &[])?;
    check("a Python for a shell script", shell(SHELL)?, &["--set", "local.python=python3"])?;
    let isolated = || project(&sandbox, &script("[network]\nisolation = true\n"));
    check("requirements without network", isolated()?.file("requirements.txt", "x\n")?, &[])?;
    check("wheels without network", isolated()?.file("requirements.txt", "--no-index\n--find-links .\nx\n")?, &[])?;
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r#"
    ## a setup.py, and the entry point in a subfolder
    exit code: 2
    --- stderr
    error: sub/train.py can't run: beside a setup.py, it is run by `python -m sub/train`
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'sub/train.py'
      |               ^^^^^^^^^^^^^^
      |
      = hint: add a script without dots in its name beside setup.py that calls it, or leave setup.py out: source.exclude = ["/setup.py"]
    proj/job.toml: 1 error
    ## the setup.py is left out
    ## the setup.py is ignored
    exit code: 0
    --- stderr
    proj/job.toml: valid
    ## a setup.py, and a dot in the name
    exit code: 2
    --- stderr
    error: train.v2.py can't run: beside a setup.py, it is run by `python -m train.v2`
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'train.v2.py'
      |               ^^^^^^^^^^^^^
      |
      = hint: add a script without dots in its name beside setup.py that calls it, or leave setup.py out: source.exclude = ["/setup.py"]
    proj/job.toml: 1 error
    ## Windows line ends
    exit code: 2
    --- stderr
    error: train.sh has Windows line ends (CRLF), which the shell takes for parts of commands
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'train.sh'
      |               ^^^^^^^^^^
      |
      = hint: convert it with `dos2unix`; a line `*.sh text eol=lf` in .gitattributes keeps it so
    proj/job.toml: 1 error
    ## requirements beside a shell script
    exit code: 0
    --- stderr
    warning: requirements.txt is not installed for train.sh: the toolkit installs it for .py files
     --> proj/job.toml:9:15
      |
    9 | entry_point = 'train.sh'
      |               ^^^^^^^^^^
      |
      = hint: add `pip install -r requirements.txt` to train.sh
    proj/job.toml: valid
    ## requirements that the script installs
    exit code: 0
    --- stderr
    proj/job.toml: valid
    ## a Python for a shell script
    exit code: 0
    --- stderr
    warning: `python` is not used for train.sh, which the shell runs
     --> --set:1:14
      |
    1 | local.python=python3
      |              ^^^^^^^
      |
      = hint: leave it out, or name a .py file as the entry point
    proj/job.toml: valid
    ## requirements without network
    exit code: 0
    --- stderr
    warning: requirements.txt can't be fetched by a container without network
      --> proj/job.toml:11:13
       |
    11 | isolation = true
       |             ^^^^
       |
       = hint: put the wheels beside the script, and `--no-index` and `--find-links` into requirements.txt
    proj/job.toml: valid
    ## wheels without network
    exit code: 0
    --- stderr
    proj/job.toml: valid
    "#);
    Ok(())
}

#[test]
fn nothing_is_called_for_a_script_that_cannot_run() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    project(&sandbox, &framework("ml.m5.large", SHELL_SCRIPT))?.file("train.sh", SHELL.replace('\n', "\r\n"))?;
    sandbox.smtrain(&["submit", "proj/job.toml"]).run()?.expect(2)?;
    assert!(tenant.calls()?.is_empty(), "{:?}", tenant.calls()?);
    Ok(())
}
