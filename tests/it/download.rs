//! `smtrain download`.

use std::fs;
use std::path::Path;

use crate::support::{Project, Sandbox, TestResult};

/// Leaves a model and output data.
const LEAVES: &str = "
import os
model, output = os.environ['SM_MODEL_DIR'], os.environ['SM_OUTPUT_DATA_DIR']
os.makedirs(model + '/deep')
open(model + '/deep/weights.bin', 'wb').write(b'1234')
open(model + '/run.sh', 'w').write('#!/bin/sh\\n')
os.chmod(model + '/run.sh', 0o755)
open(output + '/report.txt', 'w').write('fine')
";

fn project(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", LEAVES)
}

fn assert_whole(folder: &Path) -> TestResult {
    assert_eq!(fs::read(folder.join("model/deep/weights.bin"))?, b"1234");
    assert_eq!(fs::read_to_string(folder.join("output/report.txt"))?, "fine");
    let mut names: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<TestResult<_>>()?;
    names.sort_unstable();
    assert_eq!(names, ["model", "output"], "something else was left behind");
    Ok(())
}

#[test]
fn the_folder_is_printed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    let said = sandbox.smtrain(&["download", &job]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    ./proj-[STAMP]
    --- stderr
    model: 2 files, 14 B in ./proj-[STAMP]/model
    output data: 1 file, 4 B in ./proj-[STAMP]/output
    "#);
    assert_whole(&sandbox.path(&job))
}

#[test]
fn twice_only_by_force() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    let download = |arguments: &[&str]| sandbox.smtrain(&["download", &job, "-d", "models"]).args(arguments).run();
    download(&[])?.ok()?;
    let mine = sandbox.path("models").join(&job).join("model/mine.txt");
    fs::write(&mine, "mine")?;
    let refused = download(&[])?.expect(1)?;
    insta::assert_snapshot!(refused.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: models/proj-[STAMP]/model exists already
    hint: replace it with --force, or choose another folder with -d DIR
    "#);
    assert!(mine.exists());
    download(&["--force"])?.ok()?;
    assert!(!mine.exists(), "--force replaces");
    assert_whole(&sandbox.path("models").join(&job))
}

#[test]
fn json() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    let said = sandbox.smtrain(&["download", "-q", "-", "-o", "json", "-d", "models"]).run()?.ok()?;
    assert_eq!(said.stderr, "");
    let downloaded = said.json()?;
    assert_eq!((downloaded["version"].as_u64(), &downloaded["job"]), (Some(1), &job.as_str().into()));
    assert_eq!(downloaded["folder"], format!("models/{job}"));
    assert_eq!((downloaded["model"]["files"].as_u64(), downloaded["output"]["bytes"].as_u64()), (Some(2), Some(4)));
    Ok(())
}

#[test]
fn the_executable_bit_is_kept() -> TestResult {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &["--download", "out"])?;
    let script = sandbox.path("out").join(job).join("model/run.sh");
    assert_eq!(fs::metadata(script)?.permissions().mode() & 0o111, 0o111);
    Ok(())
}

#[test]
fn a_model_without_compression() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox)?.with("[output]\ncompression = 'none'")?;
    let job = sandbox.complete(&project, &[])?;
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    assert_whole(&sandbox.path(&job))
}

#[test]
fn a_job_that_is_still_running() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", "import time\ntime.sleep(600)")?, &[])?;
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    assert!(said.stderr.contains("still running") && said.stderr.contains(&format!("smtrain wait {job}")), "{said}");
    assert!(!sandbox.path(&job).exists(), "an empty folder was left");
    Ok(())
}

#[test]
fn a_job_that_failed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let (job, _) = sandbox.end(&sandbox.project("proj", "raise SystemExit(1)")?, &[], 3)?;
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    assert!(said.stderr.contains("failed and left no model"), "{said}");
    assert!(!sandbox.path(&job).exists());
    Ok(())
}

#[test]
fn a_failed_job_s_output_data() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = format!("{LEAVES}\nraise SystemExit(1)");
    let (job, _) = sandbox.end(&sandbox.project("proj", &script)?, &[], 3)?;
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    assert!(sandbox.path(&job).join("output/report.txt").is_file());
    assert!(!sandbox.path(&job).join("model").exists());
    Ok(())
}

#[test]
fn a_job_that_left_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    assert!(said.stderr.contains("SM_MODEL_DIR"), "{said}");
    Ok(())
}

#[test]
fn a_folder_that_can_not_be_made() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    fs::write(sandbox.path("file"), "")?;
    let said = sandbox.smtrain(&["download", &job, "-d", "file"]).run()?.expect(1)?;
    assert_eq!(said.stdout, "");
    assert!(said.stderr.contains("file"), "{said}");
    Ok(())
}
