//! Where specs, code and state may lie, and what they may be called.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Sandbox, TestResult, Transcript};

const WORD: &str = "import word\nprint(word.WORD)";

#[test]
fn paths_start_in_the_spec_s_folder() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("deep/down/proj", WORD)?.file("word.py", "WORD = 'found'")?;
    let project = project.file("data/a.csv", "1")?.with("[channels]\ntrain = 'data'")?;
    fs::create_dir(sandbox.path("elsewhere"))?;
    for (folder, spec) in [
        ("deep/down/proj", "job.toml"),
        ("deep", "down/proj/job.toml"),
        ("elsewhere", "../deep/down/../down/proj/job.toml"),
        ("elsewhere", &project.spec()),
    ] {
        let submit = sandbox.smtrain(&["submit", "--local", "-q", "--wait", spec]).dir(sandbox.path(folder));
        let job = submit.run()?.ok()?.line().to_owned();
        assert_eq!(sandbox.log(&job)?, "found\n", "{spec} in {folder}");
        assert!(job.starts_with("proj-"), "{job}");
    }
    Ok(())
}

#[test]
fn a_python_s_path_starts_in_the_spec_s_folder() -> TestResult {
    let sandbox = Sandbox::new()?;
    let python = sandbox.sh("python3 -c 'import sys; print(sys.executable)'").run()?.ok()?;
    fs::create_dir(sandbox.path("py"))?;
    symlink(python.line(), sandbox.path("py/python"))?;
    let project = sandbox.project("proj", "import sys\nprint(sys.executable)")?;
    let project = project.with("[local]\npython = '../py/python'")?;
    let submit = sandbox.smtrain(&["submit", "--local", "-q", "--wait", &project.spec()]).dir("/");
    let job = submit.run()?.ok()?.line().to_owned();
    assert!(sandbox.log(&job)?.ends_with("py/python\n"), "{}", sandbox.log(&job)?);
    Ok(())
}

#[test]
fn the_code_may_lie_beside_the_spec_s_folder() -> TestResult {
    let sandbox = Sandbox::new()?;
    let code = sandbox.project("code", WORD)?.file("word.py", "WORD = 'from code'")?;
    fs::remove_file(code.path("job.toml"))?;
    let project = sandbox.project("proj", "raise SystemExit(1)")?;
    let job = sandbox.complete(&project, &["--set", "source.dir=../code"])?;
    assert_eq!(sandbox.log(&job)?, "from code\n");
    Ok(())
}

#[test]
fn folders_may_have_any_name() -> TestResult {
    let sandbox = Sandbox::new()?;
    for (folder, base) in [
        ("with space", "with-space-2"),
        ("größe_№1", "gr"),
        ("-dash", "dash-2"),
        ("a'b\"c$d", "a-b-c-d-2"),
        ("9", "9-2"),
    ] {
        let project = sandbox.project(folder, WORD)?.file("word.py", "WORD = 'found'")?.file("my data/ä.csv", "1")?;
        let project = project.with("[channels]\ntrain = 'my data'")?;
        let job = sandbox.complete(&project, &[])?;
        assert_eq!(sandbox.log(&job)?, "found\n", "{folder}");
        assert!(job.starts_with(base), "{folder}: {job}");
        assert!(job.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && job.len() <= 63, "{folder}: {job}");
    }
    Ok(())
}

#[test]
fn the_home_has_a_default_and_may_be_relative() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('here')")?;
    let submit = || sandbox.smtrain(&["submit", "--local", "-q", "--wait", &project.spec()]);
    let job = submit().env_remove("SMTRAIN_HOME").run()?.ok()?.line().to_owned();
    assert!(sandbox.path("home/.local/state/smtrain/jobs").join(&job).is_dir());
    sandbox.smtrain(&["logs", &job]).run()?.expect(1)?;
    let job = submit().env("SMTRAIN_HOME", "relative home").run()?.ok()?.line().to_owned();
    let logs = sandbox.smtrain(&["logs", &job]).env("SMTRAIN_HOME", sandbox.path("relative home")).run()?.ok()?;
    assert_eq!(logs.stdout, "here\n");
    Ok(())
}

#[test]
fn state_is_private_and_readable_with_cat() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", "print('line')")?, &[])?;
    let folder = sandbox.job_folder(&job);
    let mode = fs::metadata(sandbox.state().join("jobs"))?.permissions().mode();
    assert_eq!(mode & 0o077, 0, "others can read the jobs: {mode:o}");
    let state: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join("job.json"))?)?;
    assert_eq!(state["TrainingJobStatus"], "Completed");
    let log = fs::read_dir(folder.join("log"))?.next().ok_or("no log")??.path();
    assert!(fs::read_to_string(log)?.ends_with(" line\n"));
    Ok(())
}

#[test]
fn the_code_of_a_linked_spec_lies_beside_the_link() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("real", "raise SystemExit(1)")?;
    let beside = sandbox.project("proj", "print('beside the link')")?;
    fs::remove_file(beside.path("job.toml"))?;
    symlink(project.spec(), beside.path("job.toml"))?;
    let job = sandbox.complete(&beside, &["--set", "source.external_symlinks=true"])?;
    assert_eq!(sandbox.log(&job)?, "beside the link\n");
    Ok(())
}

#[test]
fn a_link_out_of_the_code_is_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::write(sandbox.path("outside.txt"), "secret")?;
    let project = sandbox.project("proj", "import os\nprint(sorted(os.listdir('.')))")?;
    symlink("../outside.txt", project.path("link.txt"))?;
    let said = sandbox.smtrain(&["submit", "--local", "--wait", &project.spec()]).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: [SANDBOX]/proj/link.txt is a symbolic link to ../outside.txt, outside the source folder
    hint: add the link to source.exclude, or set source.external_symlinks = true to pack what it leads to
    "#);
    Ok(())
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn a_source_that_can_not_be_used_is_an_error_of_usage() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    fs::create_dir(project.path("folder.py"))?;
    let mut transcript = Transcript::default();
    for set in [
        "source.entry_point=../train.py",
        "source.entry_point=/etc/passwd",
        "source.entry_point=folder.py",
        "source.entry_point=train.txt",
        "source.dir=nowhere",
        "source.dependencies=['nothing']",
        "channels.train=nothing",
        "channels.\"no good\"=data",
    ] {
        let said = sandbox.smtrain(&["submit", "--local", &project.spec(), "--set", set]).run()?.expect(2)?;
        transcript.add(set, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## source.entry_point=../train.py
    exit code: 2
    --- stderr
    error: `entry_point` has an empty, `.` or `..` part, which the training toolkit refuses
     --> --set:1:20
      |
    1 | source.entry_point=../train.py
      |                    ^^^^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## source.entry_point=/etc/passwd
    exit code: 2
    --- stderr
    error: `entry_point` is an absolute path, and should be one inside `dir`
     --> --set:1:20
      |
    1 | source.entry_point=/etc/passwd
      |                    ^^^^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## source.entry_point=folder.py
    exit code: 2
    --- stderr
    error: [SANDBOX]/proj/folder.py is a folder
     --> --set:1:20
      |
    1 | source.entry_point=folder.py
      |                    ^^^^^^^^^
      |
      = hint: the entry point is a .py or .sh file
    [SANDBOX]/proj/job.toml: 1 error
    ## source.entry_point=train.txt
    exit code: 2
    --- stderr
    error: `entry_point` is neither a .py nor a .sh file
     --> --set:1:20
      |
    1 | source.entry_point=train.txt
      |                    ^^^^^^^^^
    [SANDBOX]/proj/job.toml: 1 error
    ## source.dir=nowhere
    exit code: 2
    --- stderr
    error: there is no [SANDBOX]/proj/nowhere
     --> --set:1:12
      |
    1 | source.dir=nowhere
      |            ^^^^^^^
      |
      = hint: relative paths start in the spec's folder
    [SANDBOX]/proj/job.toml: 1 error
    ## source.dependencies=['nothing']
    exit code: 2
    --- stderr
    error: there is no [SANDBOX]/proj/nothing
     --> --set:1:22
      |
    1 | source.dependencies=['nothing']
      |                      ^^^^^^^^^
      |
      = hint: relative paths start in the spec's folder
    [SANDBOX]/proj/job.toml: 1 error
    ## channels.train=nothing
    exit code: 2
    --- stderr
    error: there is no [SANDBOX]/proj/nothing
     --> --set:1:16
      |
    1 | channels.train=nothing
      |                ^^^^^^^
      |
      = hint: relative paths start in the spec's folder
    [SANDBOX]/proj/job.toml: 1 error
    ## channels."no good"=data
    exit code: 2
    --- stderr
    error: the channel's name has the character ' ', and only letters, digits, `.`, `-` and `_` are allowed
     --> --set:1:10
      |
    1 | channels."no good"=data
      |          ^^^^^^^^^
    error: there is no [SANDBOX]/proj/data
     --> --set:1:20
      |
    1 | channels."no good"=data
      |                    ^^^^
      |
      = hint: relative paths start in the spec's folder
    [SANDBOX]/proj/job.toml: 2 errors
    "#);
    assert!(!sandbox.state().join("jobs").exists());
    Ok(())
}

#[test]
fn a_long_name_is_cut_and_the_job_is_found() -> TestResult {
    let sandbox = Sandbox::new()?;
    let name = "x".repeat(63);
    let job = sandbox.complete(&sandbox.project("proj", "print('found')")?, &["--name", &name])?;
    assert!(job.len() == 63 && job.starts_with(&"x".repeat(39)), "{job}");
    assert_eq!(sandbox.log(&job)?, "found\n");
    Ok(())
}

#[test]
fn the_request_section_is_merged_last() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    let project =
        project.with("[request.StoppingCondition]\nMaxPendingTimeInSeconds = 7200\n[request.NewField]\na = 1")?;
    let dry = ["submit", "--local", "--dry-run", "-q", &project.spec()];
    let request = sandbox.smtrain(&dry).run()?.ok()?.json()?;
    assert_eq!(request["StoppingCondition"]["MaxPendingTimeInSeconds"], 7200);
    assert_eq!(request["StoppingCondition"]["MaxRuntimeInSeconds"], 86_400);
    assert_eq!(request["NewField"]["a"], 1);
    let job = sandbox.complete(&project, &[])?;
    assert_eq!(sandbox.status(&job)?, "Completed");
    Ok(())
}

#[test]
fn limits_and_distribution_in_the_request_section_hold_for_local_jobs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    let submit = |set: &str| sandbox.smtrain(&["submit", "--local", "--wait", &project.spec(), "--set", set]).run();
    let mut transcript = Transcript::default();
    for limit in ["-1", "0"] {
        let said = submit(&format!("request.StoppingCondition.MaxRuntimeInSeconds={limit}"))?;
        transcript.add(limit, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## -1
    exit code: 1
    --- stderr
    error: MaxRuntimeInSeconds is -1: it must be at least 1
    hint: set limits.max_run
    ## 0
    exit code: 1
    --- stderr
    error: MaxRuntimeInSeconds is 0: it must be at least 1
    hint: set limits.max_run
    "#);
    let said = submit("request.HyperParameters.sagemaker_mpi_enabled=\"true\"")?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: a local job runs the script as one process: mpi is not simulated
    job proj-[STAMP] completed
    "#);
    Ok(())
}
