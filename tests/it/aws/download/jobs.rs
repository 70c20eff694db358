//! What jobs have left, on the emulator and on this computer: models, output data, checkpoints, code; and why there is none.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{Bucket, files_in, names_in, noted};
use crate::support::{CommandOutput, Project, TestResult, Transcript, poll};

const SCRIPT: &str = "
import os, pathlib
model, output = pathlib.Path(os.environ['SM_MODEL_DIR']), pathlib.Path(os.environ['SM_OUTPUT_DATA_DIR'])
(model / 'weights.bin').write_bytes(bytes(range(256)) * 4000)
(output / 'report.txt').write_text('fine')
step = model.parent / 'checkpoints' / 'step-1'
step.mkdir(exist_ok=True)
(step / 'state').write_text('half way')
";

/// Where a job runs: on the emulator, and on this computer.
const PLACES: [&[&str]; 2] = [&[], &["--local"]];

/// A job's bucket, and who may run it.
fn bucket() -> TestResult<Bucket> {
    let Bucket { sandbox, tenant, name } = Bucket::new()?;
    Ok(Bucket { sandbox: sandbox.with_env("SMTRAIN_ROLE", "SageMakerRole"), tenant, name })
}

fn project(bucket: &Bucket) -> TestResult<Project> {
    let checkpoints = format!("[checkpoints]\ns3_uri = '{}'", bucket.uri("checkpoints"));
    bucket.sandbox.project("proj", SCRIPT)?.file("lib/more.py", "more = 1\n")?.with(&checkpoints)
}

fn completed(bucket: &Bucket, project: &Project, place: &[&str]) -> TestResult<String> {
    let submit = bucket.sandbox.smtrain(&["submit", "-q", "--wait", &project.spec()]).args(place);
    Ok(submit.run()?.ok()?.line().to_owned())
}

/// Downloads by `args`, and holds what is printed, and what is in the job's folder then.
fn assert_comes(bucket: &Bucket, job: &str, args: &[&str], printed: &[&str], files: &[&str]) -> TestResult {
    let said = bucket.download(&[&[job], args].concat())?.ok()?;
    let below = |path: &&str| format!("out/{job}{path}");
    assert_eq!(said.lines(), printed.iter().map(below).collect::<Vec<_>>());
    assert_eq!(names_in(&bucket.out(""))?, [job]);
    assert_eq!(files_in(&bucket.out(job))?.keys().collect::<Vec<_>>(), files, "{args:?}");
    Ok(())
}

fn assert_contents(project: &Project, folder: &Path) -> TestResult {
    assert_eq!(fs::read(folder.join("code/train.py"))?, fs::read(project.path("train.py"))?);
    assert_eq!(fs::read_to_string(folder.join("code/lib/more.py"))?, "more = 1\n");
    assert_eq!(fs::read_to_string(folder.join("checkpoints/step-1/state"))?, "half way");
    assert!(fs::read(folder.join("model/weights.bin"))? == (0..=255_u8).collect::<Vec<_>>().repeat(4000));
    Ok(())
}

#[test]
fn all_that_a_job_has() -> TestResult {
    let bucket = bucket()?;
    let project = project(&bucket)?;
    for place in PLACES {
        let job = &*completed(&bucket, &project, place)?;
        assert_comes(&bucket, job, &[], &[""], &["model/weights.bin", "output/report.txt"])?;
        fs::remove_dir_all(bucket.out(job).join("output"))?;
        let [checkpoint, model] = ["checkpoints/step-1/state", "model/weights.bin"];
        let both = [checkpoint, "code/job.toml", "code/lib/more.py", "code/train.py", model];
        assert_comes(&bucket, job, &["--checkpoints"], &["/checkpoints"], &[checkpoint, model])?;
        assert_comes(&bucket, job, &["--code", "--checkpoints", "--force"], &["/code", "/checkpoints"], &both)?;
        assert_contents(&project, &bucket.out(job))?;
        fs::remove_dir_all(bucket.out(job))?;
        assert_comes(&bucket, job, &["--code"], &["/code"], &both[1..4])?;
        fs::remove_dir_all(bucket.out(job))?;
        let archives = ["/model.tar.gz", "/output.tar.gz"];
        assert_comes(&bucket, job, &["--archive"], &archives, &archives.map(|path| &path[1..]))?;
        fs::remove_dir_all(bucket.out(job))?;
        assert_comes(&bucket, job, &["--only", "*.txt"], &[""], &["output/report.txt"])?;
        fs::remove_dir_all(bucket.out(job))?;
    }
    Ok(())
}

#[test]
fn a_job_s_files_are_listed_and_one_is_printed() -> TestResult {
    let bucket = bucket()?;
    let project = project(&bucket)?;
    let mut transcript = Transcript::default();
    for place in PLACES {
        let job = completed(&bucket, &project, place)?;
        let list = |args: &[&str]| -> TestResult<CommandOutput> {
            bucket.download(&[&[&*job, "--list"], args].concat())?.ok()
        };
        assert_eq!(list(&[])?.lines(), [" 1000.00 KiB  weights.bin", "         4 B  report.txt"]);
        assert_eq!(list(&["--checkpoints"])?.lines(), ["         8 B  step-1/state"]);
        let parts: Vec<Value> =
            list(&["-o", "json"])?.json_lines()?.into_iter().map(|mut line| line["part"].take()).collect();
        assert_eq!(parts, ["model", "output data"]);
        assert_eq!(bucket.download(&[&job, "--stdout", "report.txt"])?.ok()?.stdout, "fine");
        assert_eq!(bucket.download(&[&job, "--checkpoints", "--stdout", "step-1/state"])?.ok()?.stdout, "half way");
        assert_eq!(bucket.download(&[&job, "--code", "--stdout", "lib/more.py"])?.ok()?.stdout, "more = 1\n");
        let said = bucket.download(&[&job, "--stdout", "step-1/state"])?.expect(1)?;
        transcript.add(job, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## proj-[STAMP]
    exit code: 1
    --- stderr
    error: there is no file step-1/state in proj-[STAMP]
    hint: see what is inside with --list
    "#);
    assert!(!bucket.out("").exists());
    Ok(())
}

/// Jobs that never ran.
#[test]
fn jobs_that_left_nothing_are_errors_with_a_hint() -> TestResult {
    let bucket = bucket()?;
    let gone = bucket.uri("gone/output/model.tar.gz");
    let model = json!({ "S3ModelArtifacts": gone });
    let jobs = [
        ("runs", json!({ "TrainingJobStatus": "InProgress" })),
        ("failed", json!({ "TrainingJobStatus": "Failed" })),
        (
            "told",
            json!({ "TrainingJobStatus": "Failed", "ModelArtifacts": { "S3ModelArtifacts": bucket.uri("told/m.tar.gz") } }),
        ),
        ("stopped", json!({ "TrainingJobStatus": "Stopped" })),
        ("gone", json!({ "ModelArtifacts": model, "CheckpointConfig": { "S3Uri": bucket.uri("gone") } })),
    ];
    let jobs: Vec<Value> =
        jobs.map(|(name, state)| json!({ "name": name, "created": 1_700_000_000, "state": state })).into();
    bucket.tenant.jobs(&jobs)?;
    let mut transcript = Transcript::default();
    for args in [
        &["runs"][..],
        &["failed"],
        // The service tells where the model would have been.
        &["told"],
        &["stopped"],
        &["gone"],
        &["gone", "--list"],
        &["gone", "--stdout", "a"],
        &["gone", "--checkpoints"],
        &["gone", "--code"],
        &["runs", "--checkpoints"],
        &["nobody"],
    ] {
        let said = bucket.download(args)?.expect(1)?;
        transcript.add(args.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## runs
    exit code: 1
    --- stderr
    error: job runs is still running: there is no model yet
    hint: wait for it: smtrain wait runs
    ## failed
    exit code: 1
    --- stderr
    error: job failed failed and left no model
    hint: see why: smtrain describe failed
    ## told
    exit code: 1
    --- stderr
    error: job told failed and left no model
    hint: see why: smtrain describe told
    ## stopped
    exit code: 1
    --- stderr
    error: job stopped was stopped and left no model
    hint: have the script save its model when it gets SIGTERM, or save checkpoints: [checkpoints] in the spec
    ## gone
    ## gone --list
    ## gone --stdout a
    exit code: 1
    --- stderr
    error: the model of job gone can't be found at s3://sagemaker-eu-west-1-[ACCOUNT]/gone/output/model.tar.gz any more
    hint: it was deleted or moved, perhaps by a lifecycle rule of its bucket
    hint: see what is there: aws s3 ls s3://sagemaker-eu-west-1-[ACCOUNT]/gone/output/
    ## gone --checkpoints
    exit code: 1
    --- stderr
    error: there are no checkpoints of job gone at s3://sagemaker-eu-west-1-[ACCOUNT]/gone/
    hint: its script saves them in the folder that checkpoints.local_path names, /opt/ml/checkpoints by default
    ## gone --code
    exit code: 1
    --- stderr
    error: job gone has no code of its own: its image has all
    ## runs --checkpoints
    exit code: 1
    --- stderr
    error: job runs saves no checkpoints
    hint: [checkpoints] in a spec makes a job save them; spot jobs do by default
    ## nobody
    exit code: 1
    --- stderr
    error: there is no job nobody on this computer or in eu-west-1
    hint: list the jobs there are: smtrain history
    hint: it may be in another region: --region NAME, or of another --profile
    "#);
    assert!(!bucket.out("").exists());
    Ok(())
}

/// ModelTrainer sends code as a prefix in the channel `code`; `@remote` has the files beside a function in a channel of its
/// own, or pickles the function alone.
#[test]
fn the_code_of_other_clients_jobs_is_found() -> TestResult {
    let bucket = bucket()?;
    let channel = |name: &str, below: &str| json!([{ "ChannelName": name, "DataSource": { "S3DataSource": { "S3DataType": "S3Prefix", "S3Uri": bucket.uri(below) } } }]);
    let base = bucket.uri("remote");
    let arguments = json!(["--s3_base_uri", base, "--region", "eu-west-1"]);
    let algorithm = json!({ "TrainingImage": "image", "TrainingInputMode": "File", "ContainerArguments": arguments });
    let jobs = [
        ("trainer", json!({ "InputDataConfig": channel("code", "trainer/input/code") })),
        ("workspace", json!({ "InputDataConfig": channel("sm_rf_user_ws", "remote/sm_rf_user_ws") })),
        ("pickled", json!({ "AlgorithmSpecification": algorithm })),
    ];
    let jobs: Vec<Value> =
        jobs.map(|(name, state)| json!({ "name": name, "created": 1_700_000_000, "state": state })).into();
    bucket.tenant.jobs(&jobs)?;
    bucket.put("trainer/input/code/train.py", b"print(1)")?;
    bucket.put("remote/sm_rf_user_ws/workspace.zip", b"PK")?;
    let mut transcript = Transcript::default();
    for job in ["trainer", "workspace", "pickled"] {
        transcript.add(job, &bucket.download(&[job, "--code", "--list"])?);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## trainer
    exit code: 0
    --- stdout
             8 B  train.py
    ## workspace
    exit code: 0
    --- stdout
             2 B  workspace.zip
    ## pickled
    exit code: 1
    --- stderr
    error: job pickled ran a pickled function, and has no files of code
    hint: fetch the pickled function: smtrain download s3://sagemaker-eu-west-1-[ACCOUNT]/remote/function/
    "#);
    Ok(())
}

#[test]
fn a_model_without_compression() -> TestResult {
    let bucket = bucket()?;
    let project = project(&bucket)?.with("[output]\ncompression = 'none'")?;
    for place in PLACES {
        let job = &*completed(&bucket, &project, place)?;
        assert_comes(&bucket, job, &[], &[""], &["model/weights.bin", "output/report.txt"])?;
        fs::remove_dir_all(bucket.out(job))?;
    }
    Ok(())
}

/// A script that fails leaves its output data all the same.
#[test]
fn output_data_of_a_job_that_failed() -> TestResult {
    let bucket = bucket()?;
    let project = project(&bucket)?.file("train.py", format!("{SCRIPT}raise SystemExit(1)"))?;
    for place in PLACES {
        let submit = bucket.sandbox.smtrain(&["submit", "-q", "--wait", &project.spec()]).args(place);
        let job = submit.run()?.expect(3)?.line().to_owned();
        assert_comes(&bucket, &job, &[], &[""], &["output/report.txt"])?;
        fs::remove_dir_all(bucket.out(&job))?;
    }
    Ok(())
}

/// The same command would submit another job.
#[test]
fn an_interrupted_download_of_submit_is_resumed_by_download() -> TestResult {
    let bucket = bucket()?;
    let project = project(&bucket)?;
    bucket.tenant.rule(&json!({ "fault": "slow_body", "key": "model.tar.gz", "rate": 1000 }))?;
    let running = bucket.sandbox.smtrain(&["submit", "-q", &project.spec(), "--wait", "--download", "out"]).start()?;
    let journal = || -> TestResult<Option<std::path::PathBuf>> {
        let job = names_in(&bucket.out(""))?.pop();
        Ok(job.map(|job| bucket.out(&job).join(".model.partial/fetched")))
    };
    poll("something to come", || Ok(journal()?.filter(|journal| noted(journal) > 0)))?;
    running.signal(Signal::SIGINT)?;
    let said = running.finish()?.expect(130)?;
    let job = said.line();
    insta::assert_snapshot!(said.snapshot(bucket.sandbox.root())?, @r#"
    exit code: 130
    --- stdout
    proj-[STAMP]
    --- stderr
    error: interrupted
    hint: the fetched bytes are kept in out/proj-[STAMP]/.model.partial: smtrain download proj-[STAMP] -d out continues from there
    "#);
    bucket.tenant.clear_rules()?;
    let said = bucket.download(&[job])?.ok()?;
    // How much has been fetched by then depends on the moment.
    assert!(said.stderr.contains("model: resuming at"), "{said}");
    assert_eq!(names_in(&bucket.out(job))?, ["model", "output"]);
    Ok(())
}
