//! `smtrain download`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Project, Sandbox, TestResult, normalised};

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
fn an_existing_folder_is_replaced_only_by_force() -> TestResult {
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
fn json_has_a_line_for_each_file_and_a_summary() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    let said = sandbox.smtrain(&["download", "-q", "-", "-o", "json", "-d", "models"]).run()?.ok()?;
    assert_eq!(said.stderr, "");
    let mut lines = said.json_lines()?;
    let downloaded = lines.pop().ok_or("nothing was printed")?;
    let told = |file: &Value| format!("{} {} {} {}", file["kind"], file["part"], file["path"], file["size"]);
    let files: Vec<String> = lines.iter().map(told).collect();
    assert_eq!(
        files,
        [
            r#""file" "model" "deep/weights.bin" 4"#,
            r#""file" "model" "run.sh" 10"#,
            r#""file" "output data" "report.txt" 4"#
        ]
    );
    assert_eq!(lines[0]["sha256"], "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4");
    assert_eq!((&downloaded["version"], &downloaded["kind"]), (&json!(1), &json!("download")));
    assert_eq!((&downloaded["source"], &downloaded["folder"]), (&json!(job), &json!(format!("models/{job}"))));
    let [model, output] = &downloaded["parts"].as_array().ok_or("no parts")?[..] else { return Err("not two".into()) };
    assert_eq!((&model["files"], &model["path"]), (&json!(2), &json!(format!("models/{job}/model"))));
    assert_eq!(
        (&output["part"], &output["bytes"], &output["left_out"]),
        (&json!("output data"), &json!(4), &json!([]))
    );
    assert!(model["uri"].as_str().is_some_and(|uri| uri.ends_with("/output/model.tar.gz")), "{model}");
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
fn a_model_without_compression_is_downloaded_whole() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox)?.with("[output]\ncompression = 'none'")?;
    let job = sandbox.complete(&project, &[])?;
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    assert_whole(&sandbox.path(&job))
}

/// S3 has no links, and there is nothing in a fifo.
#[test]
fn links_and_fifos_of_a_model_without_compression_are_resolved_or_left_out() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os
model = os.environ['SM_MODEL_DIR']
os.makedirs(model + '/step-1')
open(model + '/step-1/weights.bin', 'w').write('1234')
os.mkfifo(model + '/fifo')
for target, name in [
    (model + '/step-1/weights.bin', 'absolute'), ('step-1/weights.bin', 'relative'), ('step-1', 'latest'),
    ('.', 'self'), ('..', 'up'), ('nowhere', 'broken\\n'), ('/etc/passwd', 'outside'), ('../code/train.py', 'code'),
]:
    os.symlink(target, model + '/' + name)
os.symlink('../absolute', model + '/step-1/back')
os.symlink(model, model + '/step-1/root')
";
    let project = sandbox.project("proj", script)?.with("[output]\ncompression = 'none'")?;
    let job = sandbox.complete(&project, &[])?;
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    let model = sandbox.path(&job).join("model");
    let whole = ["absolute", "relative", "latest/weights.bin", "latest/back", "step-1/weights.bin", "step-1/back"];
    for path in whole {
        assert!(model.join(path).symlink_metadata()?.is_file(), "{path}");
        assert_eq!(fs::read_to_string(model.join(path))?, "1234", "{path}");
    }
    assert_eq!(fs::read_dir(&model)?.count(), 4);
    insta::assert_snapshot!(sandbox.log(&job)?, @r"
    smtrain: left out: model/broken\n: the link leads nowhere
    smtrain: left out: model/code: the link leads out of the model
    smtrain: left out: model/fifo: it is neither a file nor a folder
    smtrain: left out: model/latest/root: the link leads to a folder that it is in
    smtrain: left out: model/outside: the link leads out of the model
    smtrain: left out: model/self: the link leads to a folder that it is in
    smtrain: left out: model/step-1/root: the link leads to a folder that it is in
    smtrain: left out: model/up: the link leads out of the model
    ");
    Ok(())
}

/// Links into the model, by all names that the script has for its folder.
const LINKS: &str = "
import os
model = os.environ['SM_MODEL_DIR']
os.makedirs(model + '/deep')
open(model + '/weights.bin', 'w').write('1234')
os.symlink(model + '/weights.bin', model + '/deep/link')
os.symlink(os.path.realpath(model), model + '/deep/root')
";

fn assert_links(model: &Path) -> TestResult {
    assert_eq!(fs::read_link(model.join("deep/link"))?, Path::new("../weights.bin"));
    assert_eq!(fs::read_to_string(model.join("deep/root/weights.bin"))?, "1234");
    Ok(())
}

#[test]
fn absolute_links_in_a_model_become_relative() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", LINKS)?, &["--download", "out"])?;
    assert_links(&sandbox.path("out").join(job).join("model"))
}

/// There, the folder's name is not /opt/ml/model.
#[test]
fn absolute_links_become_relative_without_namespaces_too() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", LINKS)?.spec();
    let without = format!(
        "unshare -Ur sh -euc 'echo 0 > /proc/sys/user/max_user_namespaces; \
         exec setpriv --bounding-set=-all --inh-caps=-all smtrain submit --local --download out {spec}'"
    );
    let said = sandbox.sh(&without).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    note: this computer grants no private /opt/ml (user namespaces are switched off, or all in use): use the SM_* variables, they point into the job's folder
    job proj-[STAMP] completed
    model: 1 file, 4 B in out/proj-[STAMP]/model
    "#);
    let [folder] =
        fs::read_dir(sandbox.path("out"))?.collect::<Result<Vec<_>, _>>()?.try_into().map_err(|_| "no job")?;
    assert_links(&folder.path().join("model"))
}

/// A model that can't be stored whole is not there at all.
#[test]
fn a_model_that_can_not_be_stored_leaves_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    let toml = "[output]\ncompression = 'none'\ns3_uri = 's3://bucket/x'\n[request]\nTrainingJobName = 'mine'";
    let project = project(&sandbox)?.with(toml)?;
    fs::create_dir_all(sandbox.state().join("s3/bucket/x"))?;
    fs::write(sandbox.state().join("s3/bucket/x/mine"), "in the way")?;
    let (job, _) = sandbox.end(&project, &[], 3)?;
    insta::assert_snapshot!(normalised(&sandbox.failure_reason(&job)?)?, @"InternalServerError: could not create the folder [SANDBOX]/smtrain/s3/bucket/x/mine/output: Not a directory (os error 20); all that it made is kept in [SANDBOX]/smtrain/jobs/mine/ml");
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: the model of job mine could not be stored: all that the job made is kept in [SANDBOX]/smtrain/jobs/mine/ml
    hint: see why: smtrain describe mine
    "#);
    assert!(!sandbox.path(&job).exists());
    assert_eq!(fs::read_dir(sandbox.state().join("s3/.staging"))?.count(), 0);
    Ok(())
}

#[test]
fn a_running_job_has_no_model_yet() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", "import time\ntime.sleep(600)")?, &[])?;
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: job proj-[STAMP] is still running: there is no model yet
    hint: wait for it: smtrain wait proj-[STAMP]
    "#);
    assert!(!sandbox.path(&job).exists(), "an empty folder was left");
    Ok(())
}

#[test]
fn a_failed_job_without_a_model_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let (job, _) = sandbox.end(&sandbox.project("proj", "raise SystemExit(1)")?, &[], 3)?;
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: job proj-[STAMP] failed and left no model
    hint: see why: smtrain describe proj-[STAMP]
    "#);
    assert!(!sandbox.path(&job).exists());
    Ok(())
}

#[test]
fn the_output_data_of_a_failed_job_is_downloaded() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = format!("{LEAVES}\nraise SystemExit(1)");
    let (job, _) = sandbox.end(&sandbox.project("proj", &script)?, &[], 3)?;
    sandbox.smtrain(&["download", &job]).run()?.ok()?;
    assert!(sandbox.path(&job).join("output/report.txt").is_file());
    assert!(!sandbox.path(&job).join("model").exists());
    Ok(())
}

#[test]
fn a_job_that_saved_nothing_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    let said = sandbox.smtrain(&["download", &job]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: job proj-[STAMP] left nothing in SM_MODEL_DIR
    hint: have the script save its model in /opt/ml/model, the folder that SM_MODEL_DIR names
    "#);
    Ok(())
}

#[test]
fn a_folder_that_can_not_be_made_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    fs::write(sandbox.path("file"), "")?;
    let said = sandbox.smtrain(&["download", &job, "-d", "file"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not look up file/proj-[STAMP]/model
      cause: Not a directory (os error 20)
    "#);
    Ok(())
}

#[test]
fn links_that_point_outside_are_left_out() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os\nmodel = os.environ['SM_MODEL_DIR']\nopen(model + '/weights', 'w').write('w')\n\
                  os.symlink('/opt/ml/model/weights', model + '/best')\nos.symlink('/etc/passwd', model + '/out')";
    let job = sandbox.complete(&sandbox.project("proj", script)?, &[])?;
    let said = sandbox.smtrain(&["download", &job, "-o", "json"]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    {"version":1,"kind":"file","part":"model","path":"weights","size":1,"sha256":"[SHA256]"}
    {"version":1,"kind":"download","source":"proj-[STAMP]","folder":"./proj-[STAMP]","parts":[{"part":"model","path":"./proj-[STAMP]/model","files":1,"bytes":1,"uri":"s3://sagemaker-local-000000000000/proj-[STAMP]/output/model.tar.gz","etag":"[ETAG]","left_out":["out -> /etc/passwd"]}]}
    --- stderr
    warning: left out of the model, since its target was not downloaded: out -> /etc/passwd
    model: 1 file, 1 B in ./proj-[STAMP]/model
    "#);
    let last = said.json_lines()?.pop().ok_or("nothing was printed")?;
    assert_eq!(last["parts"][0]["left_out"][0], "out -> /etc/passwd");
    let model = sandbox.path(&format!("{job}/model"));
    assert_eq!(fs::read_to_string(model.join("best"))?, "w");
    assert!(model.join("out").symlink_metadata().is_err());
    Ok(())
}
