//! `smtrain describe`.

use crate::support::{Project, Sandbox, TestResult, Transcript};

const METRICS: &str = "print('loss=0.9 acc=0.1')\nprint('loss=0.25 acc=0.8')\n";

fn project(sandbox: &Sandbox, script: &str) -> TestResult<Project> {
    let project = sandbox.project("proj", script)?.file("data/a.csv", "1")?;
    project.with(
        "[hyperparameters]\nepochs = 3\n[environment]\nMODE = 'fast'\n[channels]\ntrain = 'data'\n\
         [metrics]\nloss = 'loss=([0-9.]+)'\nacc = 'acc=([0-9.]+)'",
    )
}

#[test]
fn the_text_shows_the_whole_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox, METRICS)?, &[])?;
    let said = sandbox.smtrain(&["describe", &job]).run()?.ok()?;
    // How long things took depends on the computer.
    let text = regex::Regex::new(r"( +)\d+s\b")?.replace_all(&said.snapshot(sandbox.root())?, "$1[S]").into_owned();
    insta::assert_snapshot!(text, @r#"
    exit code: 0
    --- stdout
    name        proj-[STAMP]
    status      Completed
    created     [TIME]
    trained     [S]
    runs        sklearn:1.4-2 train.py
    image       <sklearn:1.4-2>
    instances   ml.m5.large
    volume      30 GB
    max run     1d 0h
    role        arn:aws:iam::000000000000:role/local
    output      s3://sagemaker-local-000000000000/
    arn         arn:aws:sagemaker:local:000000000000:training-job/proj-[STAMP]

    hyperparameters
      epochs                          3
      sagemaker_container_log_level   20
      sagemaker_job_name              "proj-[STAMP]"
      sagemaker_program               "train.py"
      sagemaker_region                "local"
      sagemaker_submit_directory      "s3://sagemaker-local-000000000000/smtrain/code/[SHA256]/sourcedir.tar.gz"

    environment
      MODE                            fast

    channels
      train                           s3://sagemaker-local-000000000000/smtrain/data/[SHA256]/

    tags
      smtrain:version                 [VERSION]
      smtrain:code-sha256             [SHA256]

    metrics
      loss                            0.25 (last of 2 values, from 0.25 to 0.9)
      acc                             0.8 (last of 2 values, from 0.1 to 0.8)

    phases
      Starting                        [TIME]       [S]  Preparing the job on this computer
      Downloading                     [TIME]       [S]  Preparing the code and the input data
      Training                        [TIME]       [S]  Training in progress
      Uploading                       [TIME]       [S]  Storing the model and the output data
      Completed                       [TIME]       [S]  Training job completed
    --- stderr
    "#);
    Ok(())
}

#[test]
fn a_failed_job_shows_its_reason() -> TestResult {
    let sandbox = Sandbox::new()?;
    let (job, _) = sandbox.end(&project(&sandbox, "raise ValueError('no penguins')")?, &[], 3)?;
    let said = sandbox.smtrain(&["describe", &job]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    name        proj-[STAMP]
    status      Failed
    reason      AlgorithmError: ExecuteUserScriptError:
                ExitCode 1
                ErrorMessage "raise ValueError('no penguins')
                 ValueError: no penguins"
                Command "[PYTHON] -- train.py --epochs 3", exit code: 1
    created     [TIME]
    trained     [S]
    runs        sklearn:1.4-2 train.py
    image       <sklearn:1.4-2>
    instances   ml.m5.large
    volume      30 GB
    max run     1d 0h
    role        arn:aws:iam::000000000000:role/local
    output      s3://sagemaker-local-000000000000/
    arn         arn:aws:sagemaker:local:000000000000:training-job/proj-[STAMP]

    hyperparameters
      epochs                          3
      sagemaker_container_log_level   20
      sagemaker_job_name              "proj-[STAMP]"
      sagemaker_program               "train.py"
      sagemaker_region                "local"
      sagemaker_submit_directory      "s3://sagemaker-local-000000000000/smtrain/code/[SHA256]/sourcedir.tar.gz"

    environment
      MODE                            fast

    channels
      train                           s3://sagemaker-local-000000000000/smtrain/data/[SHA256]/

    tags
      smtrain:version                 [VERSION]
      smtrain:code-sha256             [SHA256]

    phases
      Starting                        [TIME]       [S]  Preparing the job on this computer
      Downloading                     [TIME]       [S]  Preparing the code and the input data
      Training                        [TIME]       [S]  Training in progress
      Uploading                       [TIME]       [S]  Storing the model and the output data
      Failed                          [TIME]       [S]  Training job failed
    --- stderr
    "#);
    assert!(sandbox.failure_reason(&job)?.ends_with(", exit code: 1"));
    Ok(())
}

#[test]
fn json_is_the_api_s_answer() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox, METRICS)?, &[])?;
    let said = sandbox.smtrain(&["describe", "-o", "json", &job]).run()?.ok()?;
    assert_eq!(said.json()?["version"], 1);
    let state = sandbox.describe(&job)?;
    assert_eq!((&state["TrainingJobName"], &state["TrainingJobStatus"]), (&job.as_str().into(), &"Completed".into()));
    assert_eq!(state["HyperParameters"]["epochs"], "3");
    assert_eq!(state["Environment"]["MODE"], "fast");
    assert!(state["TrainingJobArn"].as_str().unwrap_or_default().ends_with(&job));
    let phases: Vec<&str> = state["SecondaryStatusTransitions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|phase| phase["Status"].as_str())
        .collect();
    assert_eq!(phases, ["Starting", "Downloading", "Training", "Uploading", "Completed"]);
    let metrics = state["FinalMetricDataList"].as_array().ok_or("no metrics")?;
    assert!(metrics.iter().any(|metric| metric["MetricName"] == "loss" && metric["Value"] == 0.25), "{metrics:?}");
    Ok(())
}

#[test]
fn what_is_described_is_what_was_sent() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox, METRICS)?;
    let dry = sandbox.smtrain(&["submit", "--local", "--dry-run", "-q", &project.spec()]).run()?.ok()?.json()?;
    let state = sandbox.describe(&sandbox.complete(&project, &[])?)?;
    for field in
        ["AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "Environment"]
    {
        assert_eq!(dry[field], state[field], "{field}");
    }
    Ok(())
}

#[test]
fn a_running_job_shows_its_phase() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&project(&sandbox, "import time\nprint('ready', flush=True)\ntime.sleep(600)")?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let said = sandbox.smtrain(&["show", "-"]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    name        proj-[STAMP]
    status      InProgress (Training)
    created     [TIME]
    trained     [S]
    runs        sklearn:1.4-2 train.py
    image       <sklearn:1.4-2>
    instances   ml.m5.large
    volume      30 GB
    max run     1d 0h
    role        arn:aws:iam::000000000000:role/local
    output      s3://sagemaker-local-000000000000/
    arn         arn:aws:sagemaker:local:000000000000:training-job/proj-[STAMP]

    hyperparameters
      epochs                          3
      sagemaker_container_log_level   20
      sagemaker_job_name              "proj-[STAMP]"
      sagemaker_program               "train.py"
      sagemaker_region                "local"
      sagemaker_submit_directory      "s3://sagemaker-local-000000000000/smtrain/code/[SHA256]/sourcedir.tar.gz"

    environment
      MODE                            fast

    channels
      train                           s3://sagemaker-local-000000000000/smtrain/data/[SHA256]/

    tags
      smtrain:version                 [VERSION]
      smtrain:code-sha256             [SHA256]

    phases
      Starting                        [TIME]       [S]  Preparing the job on this computer
      Downloading                     [TIME]       [S]  Preparing the code and the input data
      Training                        [TIME]       [S]  Training in progress
    --- stderr
    "#);
    Ok(())
}

#[test]
fn colours_come_only_when_asked_for() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.complete(&project(&sandbox, "")?, &[])?;
    let colours = |arguments: &[&str]| -> TestResult<bool> {
        let said = sandbox.smtrain(&["describe", "-"]).args(arguments).run()?.ok()?;
        // The presence of an escape sequence, not the text, is what differs.
        Ok(said.stdout.contains('\u{1b}'))
    };
    assert_eq!((colours(&[])?, colours(&["--color", "always"])?), (false, true));
    Ok(())
}

#[test]
fn an_unknown_job_is_an_error() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["describe", "nothing"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no job nothing on this computer
    hint: list the jobs there are: smtrain history --local
    "#);
    Ok(())
}

#[test]
fn an_empty_name_is_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    sandbox.complete(&project, &[])?;
    let mut transcript = Transcript::default();
    for command in ["describe", "stop", "wait", "logs", "download"] {
        let said = sandbox.smtrain(&[command, ""]).run()?.expect(2)?;
        transcript.add(command, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## describe
    ## stop
    ## wait
    ## logs
    ## download
    exit code: 2
    --- stderr
    error: a job's name can't be empty
    hint: `-` is the newest job that was submitted from here
    "#);
    Ok(())
}

#[test]
fn a_name_in_the_request_is_the_name_everywhere() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os\nprint(os.environ['SAGEMAKER_JOB_NAME'], os.environ['TRAINING_JOB_NAME'])";
    let project = sandbox.project("proj", script)?.with("[request]\nTrainingJobName = 'mine'")?;
    sandbox.complete(&project, &[])?;
    assert_eq!(sandbox.log("mine")?, "mine mine\n");
    Ok(())
}
