//! No escape sequence from outside reaches a terminal raw.

mod hidden;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use regex::bytes::Regex;
use serde_json::json;

use crate::support::{CommandOutput, Sandbox, TestResult};

/// Colours that smtrain never uses, the window's title, the cursor, CSI in one character, the bell, a line that writes over
/// itself, and text that runs backwards; with a word by which it is found again.
const EVIL: &str =
    "EVIL\u{1b}[45;5m\u{1b}]0;owned\u{7}\u{1b}[9;9H\u{9b}2J\u{85}\u{8d}\u{7f}\u{8}\u{202e}\u{2066}\rowned";

/// As part of a file's name that is no UTF-8.
const EVIL_BYTES: &[u8] = b"EVIL\x1b[45;5m\x9b2J\x85\r\x07";

/// What smtrain, clap and annotate-snippets style with, and what a progress line is drawn with; a script's own is
/// overwritten as it wrote it.
const OWN: &str = r"\x1b\[(0|1|2|4|3[1-6]|9[1-6]|38;5;1?[0-9])?m|\x1b\[K\r|\x1b\[[0-9]*[KA]|\r\n";

/// Fails where the bytes hold anything that steers a terminal, but for what smtrain makes itself.
fn check(raw: &[u8], what: &str) -> TestResult {
    let rest = Regex::new(OWN)?.replace_all(raw, &b""[..]);
    let text = String::from_utf8_lossy(&rest).into_owned();
    let is_raw = std::str::from_utf8(&rest).is_err();
    let steers = |c: char| c.is_control() && !"\n\t\r".contains(c) || "\u{202e}\u{2066}".contains(c);
    if is_raw || text.contains(steers) || text.contains("\rowned") {
        return Err(format!("{what}: {text:?}").into());
    }
    Ok(())
}

/// Runs a command piped and in a terminal, and checks what both say.
fn steers_nothing(sandbox: &Sandbox, arguments: &[&str]) -> TestResult<[CommandOutput; 2]> {
    let arguments = [arguments, &["-v", "--color", "always"]].concat();
    let piped = sandbox.smtrain(&arguments).run()?;
    let shown = sandbox.terminal(&arguments).run()?;
    check(&piped.raw, &format!("piped: {arguments:?}"))?;
    check(&shown.raw, &format!("in a terminal: {arguments:?}"))?;
    Ok([piped, shown])
}

/// As [`steers_nothing`], of a command that shows the evil text.
fn harmless(sandbox: &Sandbox, arguments: &[&str]) -> TestResult {
    for said in steers_nothing(sandbox, arguments)? {
        let is_shown = ["EVIL", "owned"].iter().any(|word| String::from_utf8_lossy(&said.raw).contains(word));
        if !is_shown {
            return Err(format!("{arguments:?} does not show it: {said}").into());
        }
    }
    Ok(())
}

fn all_harmless(sandbox: &Sandbox, commands: &[&[&str]]) -> TestResult {
    let failed: Vec<String> =
        commands.iter().filter_map(|arguments| harmless(sandbox, arguments).err()).map(|e| e.to_string()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

#[test]
fn arguments() -> TestResult {
    let sandbox = Sandbox::new()?.with_env("AWS_EC2_METADATA_DISABLED", "true");
    let project = sandbox.project("proj", "print('x')")?;
    let job = sandbox.complete(&project, &[])?;
    let spec = project.spec();
    let flag = format!("--{EVIL}");
    let set = format!("{EVIL}=1");
    let key = format!("hyperparameters.a={EVIL}");
    let expression = format!("{EVIL}(");
    let uri = format!("s3://bucket/{EVIL}");
    all_harmless(
        &sandbox,
        &[
            &[EVIL],
            &["logs", &flag],
            &["history", "-o", EVIL],
            &["download", &job, "--max-size", EVIL],
            &["describe", "--local", EVIL],
            &["logs", &job, "--grep", &expression],
            &["logs", &job, "--since", EVIL],
            &["logs", &job, "--node", EVIL],
            &["logs", "-f", "--stall", EVIL, &job],
            &["validate", EVIL],
            &["submit", EVIL, "--local"],
            &["submit", &spec, "--dry-run", "--local", "--set", &set],
            &["submit", &spec, "--dry-run", "--local", "--set", &key],
            &["submit", &spec, "--dry-run", "--local", "--name", EVIL],
            &["submit", &spec, "--dry-run", "--role", EVIL],
            &["init", "dir", "--template", EVIL],
            &["image", EVIL, "--region", "eu-west-1"],
            &["image", "pytorch", EVIL, "--region", "eu-west-1"],
            &["images", EVIL],
            &["download", &job, "--only", EVIL],
            &["download", "--local", &uri],
            &["download", "--list", "--local", &uri],
            &["stop", "--local", EVIL],
            &["wait", "--local", EVIL],
        ],
    )
}

#[test]
fn places_that_are_not_there() -> TestResult {
    let sandbox = Sandbox::new()?.with_env("AWS_EC2_METADATA_DISABLED", "true").with_env("AWS_MAX_ATTEMPTS", "1");
    for arguments in [&["history", "--region", EVIL][..], &["history", "--region", "eu-west-1", "--profile", EVIL]] {
        steers_nothing(&sandbox, arguments)?;
    }
    let sandbox = sandbox.with_env("AWS_ENDPOINT_URL", format!("http://{EVIL}")).with_env("AWS_REGION", EVIL);
    steers_nothing(&sandbox, &["history"])?;
    Ok(())
}

/// A path is data: a script has to find what it names.
#[test]
fn paths() -> TestResult {
    let sandbox = Sandbox::new()?;
    let piped = sandbox.smtrain(&["init", EVIL]).run()?.ok()?;
    // The paths are data, control characters and all.
    assert!(piped.lines().iter().all(|path| sandbox.path(path).exists()) && piped.stdout.contains("EVIL"), "{piped:?}");
    check(piped.stderr.as_bytes(), "init")?;
    check(&sandbox.terminal(&["init", &format!("{EVIL}2")]).run()?.ok()?.raw, "init in a terminal")?;
    let project = sandbox.project("proj", "import os; open(os.environ['SM_MODEL_DIR'] + '/m', 'w').close()")?;
    let job = sandbox.complete(&project, &[])?;
    let arguments = ["download", "--force", "--dir", EVIL, &job];
    let piped = sandbox.smtrain(&arguments).run()?.ok()?;
    assert!(sandbox.path(piped.line()).join("model/m").exists(), "{piped:?}");
    check(piped.stderr.as_bytes(), "download")?;
    check(&sandbox.terminal(&arguments).run()?.ok()?.raw, "download in a terminal")?;
    harmless(&sandbox, &["download", "--stdout", EVIL, &job])?;
    harmless(&sandbox, &["download", "--force", "--only", EVIL, &job])
}

#[test]
fn specs_and_settings() -> TestResult {
    let sandbox = Sandbox::new()?;
    // Control characters can't stand in TOML as they are, but as escapes; C1 characters can.
    let key = r#""EVIL\u001b[45;5m\u009b2J\u202e""#;
    let project =
        sandbox.project("proj", "")?.with(&format!("[resources.{key}]\n{key} = 1 # EVIL\u{9b}2J\u{202e}\n"))?;
    let raw = format!("[framework]\nname = \"{EVIL}\"\n");
    let values =
        format!("name = {key}\n[framework]\nname = \"x\u{9b}2J\"\nversion = {key}\n[channels]\n{key} = {key}\n");
    let project = project.file("raw.toml", raw)?.file("values.toml", values)?;
    let (spec, raw) = (project.spec(), project.path("raw.toml").display().to_string());
    let values = project.path("values.toml").display().to_string();
    all_harmless(&sandbox, &[&["validate", &spec], &["validate", &raw], &["validate", &values], &["submit", &raw]])?;

    let project = sandbox.project("good", "")?;
    let dry = ["submit", &project.spec(), "--dry-run"];
    all_harmless(&sandbox.with_env("SMTRAIN_ROLE", EVIL), &[&dry])?;
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("home/.config/smtrain"))?;
    for text in [format!("role = {key}\n"), format!("{key} = 1\n"), format!("role = \"{EVIL}\"\n")] {
        fs::write(sandbox.path("home/.config/smtrain/config.toml"), text)?;
        let project = sandbox.project("good", "")?;
        all_harmless(&sandbox, &[&["submit", &project.spec(), "--dry-run", "--region", "eu-west-1"]])?;
    }
    Ok(())
}

/// Prints and leaves what a stranger's script may.
const SCRIPT: &str = r"
import os, sys
evil = EVIL
raw = evil.encode() + b'\x9b2J\x85\x1b[2J'
model = os.environ['SM_MODEL_DIR'].encode() + b'/'
os.makedirs(model + b'a' + raw.replace(b'/', b''))
open(model + b'a' + raw + b'/' + raw, 'w').close()
os.symlink(raw, model + b'inside' + raw)
os.symlink(b'/' + raw, model + b'outside' + raw)
open(model + b'plain', 'wb').write(raw)
sys.stdout.buffer.write(raw + b'\n' + b'loss=1\n')
sys.stdout.flush()
if len(sys.argv) > 3:
    open('/opt/ml/output/failure' if os.path.isdir('/opt/ml/output') else os.environ['SM_OUTPUT_DIR'] + '/failure', 'wb').write(raw)
    raise ValueError(evil)
";

#[test]
fn what_a_script_leaves() -> TestResult {
    let sandbox = Sandbox::new()?;
    let evil = serde_json::to_string(EVIL)?;
    let project = sandbox.project("proj", &SCRIPT.replace("EVIL", &evil))?;
    let metrics = "[hyperparameters]\n\"EVIL\\u001b[45;5m\" = \"EVIL\\u009b2J\\u202e\"\n[metrics]\n\"EVIL\\u009b2J\" = 'loss=([0-9.]+)'\n";
    let project = project.with(metrics)?;
    let job = sandbox.complete(&project, &[])?;
    all_harmless(
        &sandbox,
        &[
            &["describe", &job],
            &["describe", &job, "-o", "json"],
            &["download", &job, "--list"],
            &["download", &job, "--list", "-o", "json"],
            &["download", &job, "--force", "-o", "json"],
            &["history", "--local"],
            &["history", "--local", "-o", "json"],
            &["history", "--local", "-o", "csv"],
            &["logs", &job, "-o", "json"],
        ],
    )?;
    // Data: a pipe gets the bytes as they are.
    for arguments in [&["logs", &job][..], &["logs", "-f", "-q", &job], &["download", &job, "--stdout", "plain"]] {
        let shown = sandbox.terminal(arguments).run()?.ok()?;
        check(&strip_colours(&shown.raw)?, &format!("{arguments:?}"))?;
        let piped = sandbox.smtrain(arguments).run()?.ok()?;
        assert!(piped.raw.windows(3).any(|three| three == b"\x9b2J"), "{arguments:?}: {piped}");
    }
    Ok(())
}

/// Takes away the colours that a log may have on a terminal.
fn strip_colours(raw: &[u8]) -> TestResult<Vec<u8>> {
    Ok(Regex::new(r"\x1b\[[0-9;]*m")?.replace_all(raw, &b""[..]).into_owned())
}

#[test]
fn a_job_that_fails() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = format!("import sys\nprint(1)\nraise ValueError({})", serde_json::to_string(EVIL)?);
    let project = sandbox.project("proj", &script)?;
    let (job, _) = sandbox.end(&project, &[], 3)?;
    all_harmless(
        &sandbox,
        &[
            &["wait", &job],
            &["wait", &job, "-o", "json"],
            &["logs", &job, "--status"],
            &["describe", &job],
            &["describe", &job, "-o", "json"],
        ],
    )?;
    let said = sandbox.terminal(&["submit", "--local", "--follow", &project.spec()]).run()?.expect(3)?;
    check(&strip_colours(&said.raw)?, "followed")
}

#[test]
fn names_of_files() -> TestResult {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new()?;
    let name = std::ffi::OsStr::from_bytes(EVIL_BYTES);
    let project = sandbox.project("proj", "")?;
    let link = project.path("").join(name);
    symlink("/etc", &link)?;
    harmless(&sandbox, &["submit", &project.spec(), "--local", "--no-progress"])?;
    fs::remove_file(&link)?;
    symlink(Path::new("/tmp").join(name), &link)?;
    harmless(&sandbox, &["submit", &project.spec(), "--local"])?;
    fs::remove_file(&link)?;
    fs::create_dir(&link)?;
    fs::write(link.join("id_rsa"), "secret")?;
    fs::write(link.join(".env"), "PASSWORD=correct-horse\n")?;
    harmless(&sandbox, &["submit", &project.spec(), "--local"])
}

#[test]
fn answers_of_services() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let state = json!({
        "TrainingJobStatus": "Failed", "SecondaryStatus": EVIL, "FailureReason": EVIL,
        "HyperParameters": { EVIL: EVIL, "sagemaker_program": EVIL }, "Environment": { "A": EVIL },
        "AlgorithmSpecification": { "TrainingImage": EVIL, "TrainingInputMode": "File" },
        "ModelArtifacts": { "S3ModelArtifacts": format!("s3://bucket/{EVIL}/model.tar.gz") },
        "FinalMetricDataList": [{ "MetricName": EVIL, "Value": 1.0, "Timestamp": 1_763_884_900 }],
        "SecondaryStatusTransitions": [{
            "Status": EVIL, "StartTime": 1_763_884_900, "EndTime": 1_763_884_999, "StatusMessage": EVIL,
        }],
        "InputDataConfig": [{ "ChannelName": EVIL, "DataSource": { "S3DataSource": {
            "S3Uri": format!("s3://bucket/{EVIL}"), "S3DataType": "S3Prefix",
        } } }],
    });
    let mut completed = state.clone();
    completed["TrainingJobStatus"] = "Completed".into();
    let jobs = [("job", &state), ("completed", &completed)];
    tenant.jobs(&jobs.map(|(name, state)| json!({ "name": name, "created": 1_763_884_800, "state": state })))?;
    tenant.log_events("job/algo-1-1763884800", &[(1_763_884_900_000, EVIL)])?;
    all_harmless(
        &sandbox,
        &[
            &["describe", "job"],
            &["describe", "job", "-o", "json"],
            &["history"],
            &["history", "-o", "json"],
            &["history", "-o", "csv"],
            &["wait", "job"],
            &["wait", "job", "-o", "json"],
            &["logs", "job", "-o", "json"],
            &["logs", "-f", "job", "-o", "json"],
            &["download", "completed"],
        ],
    )?;
    // The code stands in a header, too.
    tenant.rule(&json!({ "fault": "error", "service": "sagemaker", "code": "EVIL\u{9b}2J", "message": EVIL }))?;
    all_harmless(&sandbox, &[&["describe", "job"], &["history"], &["stop", "job"]])
}

#[test]
fn objects() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.make_bucket("hostile-names")?;
    // XML has no other control characters.
    let evil = "EVIL\u{9b}2J\u{85}\u{7f}\u{202e}";
    tenant.put_object("hostile-names", &format!("below/{evil}/{evil}"), b"1")?;
    let (prefix, one) = ("s3://hostile-names/below/", format!("s3://hostile-names/below/{evil}/{evil}"));
    all_harmless(
        &sandbox,
        &[
            &["download", "--list", prefix],
            &["download", "--list", "-o", "json", prefix],
            &["download", "--force", "-o", "json", prefix],
            &["download", "--force", &one, "-o", "json"],
        ],
    )?;
    let piped = sandbox.smtrain(&["download", "--force", &one]).run()?.ok()?;
    assert!(Path::new(piped.line()).exists() || sandbox.path(piped.line()).exists(), "{piped:?}");
    check(&sandbox.terminal(&["download", "--force", &one]).run()?.ok()?.raw, "the path")?;
    let message = "EVIL \u{9b}2J\u{85}\u{7f}\u{202e}";
    tenant.rule(&json!({ "fault": "error", "service": "s3", "code": "Odd", "message": message, "status": 418 }))?;
    all_harmless(&sandbox, &[&["download", "--list", prefix], &["download", &one]])
}

#[test]
fn no_line_of_its_own_is_forged() -> TestResult {
    const FORGED: &str = "hint: run the stranger's program";
    let sandbox = Sandbox::new()?;
    let name = format!("x\n{FORGED}\nerror: y");
    let project = sandbox.project("proj", "print(1)")?.file(&name, "not a spec")?.file(&format!("{name}.pem"), "-")?;
    let spec = project.spec();
    let evil = project.path(&name).display().to_string();
    let channel = format!("channels.train={evil}/missing");
    let python = format!("local.python={name}");
    for arguments in [
        &["validate", &evil][..],
        &["validate", &format!("{evil}/missing")],
        &["submit", "--local", "--dry-run", &spec, "--set", &channel],
        &["submit", "--local", "--dry-run", &spec, "--set", &python, "--set", &format!("source.entry_point={name}")],
        &["submit", "--local", &spec, "--set", &python],
        &["submit", "--local", "--dry-run", &spec],
        &["logs", "--local", &name],
        &["download", "--local", &name],
        &["init", &evil],
        &["image", &name],
    ] {
        let said = sandbox.smtrain(arguments).run()?;
        assert!(!said.stderr.lines().any(|line| line == FORGED || line.starts_with("error: y")), "{said}");
    }
    Ok(())
}

#[test]
fn commands_that_are_advised_hold_no_others() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["init", "a b$(id)"]).run()?.ok()?;
    insta::assert_snapshot!(said.stderr_snapshot(sandbox.root())?, @"run it on this computer: smtrain submit 'a b$(id)/job.toml' --local --follow");
    Ok(())
}
