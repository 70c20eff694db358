//! `smtrain submit`: from a spec to a job, its flags, and what it says where.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::{Project, Sandbox, TestResult, Transcript, normalised};

/// Prints its arguments, and says how it ends.
const ECHO: &str = "import sys\nprint('arguments', *sys.argv[1:])\n";
/// Runs until the file `go` is in the project's folder.
fn until(go: &std::path::Path) -> String {
    format!(
        "import os, time\nprint('ready', flush=True)\nwhile not os.path.exists('{}'): time.sleep(.01)\nprint('gone on')\n",
        go.display()
    )
}

fn echo(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", ECHO)
}

#[test]
fn stdout_is_the_name_alone() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?;
    let said = sandbox.smtrain(&["submit", "--local", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    follow it:   smtrain logs -f proj-[STAMP]
    stop it:     smtrain stop proj-[STAMP]
    download it: smtrain download proj-[STAMP]
    "#);
    Ok(())
}

#[test]
fn quiet_says_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["submit", "-q", "--local", "--follow", &echo(&sandbox)?.spec()]).run()?.ok()?;
    assert!(said.line().starts_with("proj-2"), "{said}");
    // The log is what --follow was asked for; everything else is talk.
    assert_eq!(said.stderr, "arguments\n");
    Ok(())
}

#[test]
fn json_has_the_job_s_name_and_arn() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["submit", "-q", "--local", "-o", "json", &echo(&sandbox)?.spec()]).run()?.ok()?;
    let job = said.json()?;
    assert_eq!((job["version"].as_u64(), job["status"].as_str()), (Some(1), Some("InProgress")));
    let name = job["name"].as_str().unwrap_or_default();
    let arn = job["arn"].as_str().unwrap_or_default();
    assert!(name.starts_with("proj-") && arn.ends_with(&format!(":training-job/{name}")), "{said}");
    Ok(())
}

#[test]
fn following_shows_phases_and_lines_in_their_order() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["submit", "--local", "--follow", &echo(&sandbox)?.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    arguments
    Uploading: Storing the model and the output data
    Completed: Training job completed
    1 line, 1/1 node, 0 late, 0 gaps
    job proj-[STAMP] completed
    "#);
    Ok(())
}

#[test]
fn a_failed_job_is_exit_code_3() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "raise ValueError('no good')")?;
    let mut transcript = Transcript::default();
    for how in ["--wait", "--follow", "--download"] {
        let said = sandbox.smtrain(&["submit", "--local", &project.spec(), how]).run()?.expect(3)?;
        transcript.add(how, &said);
        assert_eq!(sandbox.status(said.line())?, "Failed");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## --wait
    exit code: 3
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: job proj-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode 1
      ErrorMessage "raise ValueError('no good')
       ValueError: no good"
      Command "[PYTHON] -- train.py", exit code: 1
    hint: read its log: smtrain logs proj-[STAMP]
    ## --follow
    exit code: 3
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    Traceback (most recent call last):
      File "/opt/ml/code/train.py", line 1, in <module>
        raise ValueError('no good')
    ValueError: no good
    Uploading: Storing the model and the output data
    Failed: Training job failed
    4 lines, 1/1 node, 0 late, 0 gaps
    error: job proj-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode 1
      ErrorMessage "raise ValueError('no good')
       ValueError: no good"
      Command "[PYTHON] -- train.py", exit code: 1
    hint: read its log: smtrain logs proj-[STAMP]
    ## --download
    exit code: 3
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: job proj-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode 1
      ErrorMessage "raise ValueError('no good')
       ValueError: no good"
      Command "[PYTHON] -- train.py", exit code: 1
    hint: read its log: smtrain logs proj-[STAMP]
    "#);
    Ok(())
}

#[test]
fn a_job_over_its_time_is_exit_code_4() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "import time\nprint('started', flush=True)\ntime.sleep(600)")?;
    let limits = ["--set", "limits.max_run=1s", "--set", "local.stop_grace=1s"];
    let (job, said) = sandbox.end(&project, &limits, 4)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 4
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: job proj-[STAMP] was stopped: it ran longer than limits.max_run
    "#);
    let state = sandbox.describe(&job)?;
    assert_eq!(state["TrainingJobStatus"], "Stopped");
    assert_eq!(state["SecondaryStatus"], "MaxRuntimeExceeded");
    assert_eq!(sandbox.log(&job)?, "started\n");
    sandbox.wait_for_no_processes()
}

#[test]
fn an_interrupt_detaches() -> TestResult {
    let sandbox = Sandbox::new()?;
    let go = sandbox.path("go");
    let project = sandbox.project("proj", &until(&go))?;
    let mut transcript = Transcript::default();
    for how in ["--follow", "--wait"] {
        let running = sandbox.smtrain(&["submit", "--local", how, &project.spec()]).start()?;
        running.wait_for_stdout("\n")?;
        if how == "--follow" {
            running.wait_for_stderr("ready")?;
        }
        running.signal(Signal::SIGINT)?;
        let said = running.finish()?.expect(130)?;
        let job = said.line().to_owned();
        transcript.add(how, &said);
        assert_eq!(sandbox.status(&job)?, "InProgress");
        fs::write(&go, "")?;
        sandbox.smtrain(&["wait", &job]).run()?.ok()?;
        assert_eq!(sandbox.log(&job)?, "ready\ngone on\n");
        fs::remove_file(&go)?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## --follow
    exit code: 130
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    ready
    error: detached; job proj-[STAMP] continues
    hint: follow it again: smtrain logs -f proj-[STAMP]
    hint: stop it: smtrain stop proj-[STAMP]
    ## --wait
    exit code: 130
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    error: interrupted; the jobs continue
    hint: wait again: smtrain wait proj-[STAMP]
    "#);
    Ok(())
}

#[test]
fn the_job_outlives_the_terminal() -> TestResult {
    let sandbox = Sandbox::new()?;
    let go = sandbox.path("go");
    let project = sandbox.project("proj", &until(&go))?;
    let running = sandbox.smtrain(&["submit", "--local", "--follow", &project.spec()]).start()?;
    running.wait_for_stderr("ready")?;
    running.signal(Signal::SIGHUP)?;
    let job = running.finish()?.line().to_owned();
    assert_eq!(sandbox.status(&job)?, "InProgress");
    fs::write(go, "")?;
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    Ok(())
}

#[test]
fn flags_override_the_spec() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?.with("[hyperparameters]\nepochs = 1\nrate = 0.1\n[tags]\nteam = 'growth'")?;
    let flags = [
        ["-H", "epochs=5"],
        ["-H", "optimizer=adam"],
        ["--hyperparameter", "layers=[1, 2]"],
        ["--name", "renamed"],
        ["--role", "SomeRole"],
        ["--instance-type", "ml.m5.xlarge"],
        ["--instance-count", "2"],
        ["--set", "limits.max_run=30m"],
        ["--set", "environment.MODE=fast"],
    ];
    let command = sandbox.smtrain(&["submit", "--local", "--dry-run", "-q", "--spot", &project.spec()]);
    let request = command.args(flags.concat()).run()?.ok()?.json()?;
    let name = request["TrainingJobName"].as_str().unwrap_or_default();
    assert!(name.starts_with("renamed-"), "{name}");
    let parameters = &request["HyperParameters"];
    assert_eq!(parameters["epochs"], "5");
    assert_eq!(parameters["rate"], "0.1");
    assert_eq!(parameters["optimizer"], "\"adam\"");
    assert_eq!(parameters["layers"], "[1, 2]");
    assert!(request["RoleArn"].as_str().unwrap_or_default().ends_with("role/SomeRole"), "{}", request["RoleArn"]);
    assert_eq!(request["ResourceConfig"]["InstanceType"], "ml.m5.xlarge");
    assert_eq!(request["ResourceConfig"]["InstanceCount"], 2);
    assert_eq!(request["StoppingCondition"]["MaxRuntimeInSeconds"], 1800);
    assert_eq!(request["EnableManagedSpotTraining"], true);
    assert_eq!(request["Environment"]["MODE"], "fast");
    Ok(())
}

#[test]
fn a_dry_run_changes_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?.file("data/a.csv", "1\n")?.with("[channels]\ntrain = 'data'")?;
    let said = sandbox.smtrain(&["submit", "--local", "--dry-run", &project.spec()]).run()?.ok()?;
    assert_eq!(said.json()?["InputDataConfig"][0]["ChannelName"], "train");
    insta::assert_snapshot!(normalised(&said.stderr)?, @r#"
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    placeholder: TrainingImage <sklearn:1.4-2>, since a local job runs in no image
    "#);
    assert!(!sandbox.state().exists(), "a dry run wrote to SMTRAIN_HOME");
    Ok(())
}

#[test]
fn local_as_the_instance_type_means_local() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?;
    sandbox.smtrain(&["submit", &project.spec(), "--wait", "--instance-type", "local"]).run()?.ok()?;
    Ok(())
}

#[test]
fn what_is_not_simulated_is_said_once() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?;
    let (_, said) = sandbox.end(&project, &["--spot", "--instance-count", "3"], 0)?;
    assert_eq!(said.stderr.matches("spot").count(), 1, "{said}");
    assert_eq!(said.stderr.matches("one host").count(), 1, "{said}");
    Ok(())
}

#[test]
fn jobs_submitted_at_once_have_different_names() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?;
    let spec = project.spec();
    let start = |_| sandbox.smtrain(&["submit", "--local", "-q", &spec]).start();
    let running = (0..6).map(start).collect::<TestResult<Vec<_>>>()?;
    let mut names = Vec::new();
    for submit in running {
        names.push(submit.finish()?.ok()?.line().to_owned());
    }
    sandbox.smtrain(&["wait", "-q"]).args(&names).run()?.ok()?;
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 6);
    Ok(())
}

#[test]
fn code_is_stored_by_content() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?;
    let code = |job: &str| -> TestResult<String> {
        Ok(sandbox.describe(job)?["HyperParameters"]["sagemaker_submit_directory"].to_string())
    };
    let first = code(&sandbox.complete(&project, &[])?)?;
    let second = code(&sandbox.complete(&project, &[])?)?;
    assert_eq!(first, second);
    let changed = project.file("train.py", "print('other')")?;
    assert_ne!(first, code(&sandbox.complete(&changed, &[])?)?);
    Ok(())
}

#[test]
fn secrets_stay_here_and_are_named() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os\nprint(sorted(os.listdir(os.path.dirname(os.path.abspath(__file__)))))";
    let project = sandbox.project("proj", script)?.file(".env", "KEY=1")?.file("key.pem", "-")?;
    let project = project.file(".git/HEAD", "")?.file("notes.txt", "")?.file(".smtrainignore", "notes.txt\n")?;
    let (job, said) = sandbox.end(&project, &[], 0)?;
    let log = sandbox.log(&job)?;
    for absent in [".env", "key.pem", ".git'", "notes.txt"] {
        assert!(!log.contains(absent), "{absent} was sent: {log}");
    }
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    warning: left out of the code, as secrets: .env, key.pem
    left out of the code by ignore files and source.exclude: 1 path (-v names them)
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    note: the job has no tags of git's commit and branch: git failed: fatal: not a git repository: '[SANDBOX]/tmp/.tmp[TEMPORARY]'
    job proj-[STAMP] completed
    "#);
    Ok(())
}

#[test]
fn its_own_folders_are_never_packed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "import os\nprint(sorted(os.listdir('.')))")?;
    let home = project.path("state");
    let submit = || sandbox.smtrain(&["submit", "--local", "-q", "--wait", "proj/job.toml"]).env("SMTRAIN_HOME", &home);
    for _ in 0..2 {
        let job = submit().run()?.ok()?.line().to_owned();
        let log = sandbox.smtrain(&["logs", &job]).env("SMTRAIN_HOME", &home).run()?.ok()?;
        assert_eq!(log.stdout, "['job.toml', 'train.py']\n");
    }
    Ok(())
}
