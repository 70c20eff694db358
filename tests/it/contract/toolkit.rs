//! The same script under the real sagemaker-training toolkit and under `submit --local`: arguments and variables compared
//! one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::python::{python, toolkit_folder, toolkit_python};
use crate::support::{Project, Sandbox, TestResult};

/// Variables that differ, each for a reason. All others must be the same, in name and value.
const DIFFERENT: [(&str, &str); 4] = [
    (
        "SM_NUM_CPUS",
        "the toolkit counts the computer's cores, smtrain those that the job may use; in SM_TRAINING_ENV too",
    ),
    (
        "SM_STUDIO_LOCAL_MODE",
        "leads the toolkit away from the name service, which knows no algo-1: only its run has it",
    ),
    ("SAGEMAKER_BASE_DIR", "the toolkit's run has no /opt/ml of its own: only its run has it"),
    (
        "PYTHONPATH",
        "the toolkit adds its interpreter's own sys.path, which is not the job's: compared below /opt alone",
    ),
];

/// A spec with all that becomes an argument or a variable: every type of value, odd names, channels, variables.
const SETTINGS: &str = r#"
[hyperparameters]
epochs = 10
lr = 1e-5
momentum = 0.90
big = 12345678901234
shuffle = true
quiet = false
optimizer = "adam"
n = 3
empty = ""
text = "two words, \"quotes\", 'more', $HOME `x` \\ é \n end"
like-a-number = "007"
layers = [64, 32.5, "a'b"]
schedule = { warmup = 5, kind = "cosine" }
with-dash = "x"
"dotted.name" = 1
UPPER = "case"

[environment]
WANDB_MODE = "offline"
SM_MINE = "the user's own"

[channels]
train = "data"
second-channel = { source = "data/a.csv", content_type = "text/csv", input_mode = "FastFile" }
"#;

/// What `dump.py` writes down.
#[derive(Debug, Deserialize)]
struct Seen {
    argv: Vec<String>,
    command_line: Vec<String>,
    cwd: String,
    environment: BTreeMap<String, String>,
}

/// What `make_fixtures.py` tells of a run under the toolkit, with paths as on SageMaker.
#[derive(Debug, Deserialize)]
struct UnderToolkit {
    seen: Option<Seen>,
    failure: Option<String>,
}

#[test]
fn a_python_script_sees_the_same() -> TestResult {
    let (ours, theirs) = both("dump.py")?;
    assert_eq!(ours.command_line, theirs.command_line);
    assert_same(&ours, &theirs)
}

#[test]
fn a_shell_script_sees_the_same() -> TestResult {
    let (ours, theirs) = both("dump.sh")?;
    assert_same(&ours, &theirs)
}

fn assert_same(ours: &Seen, theirs: &Seen) -> TestResult {
    assert_eq!(ours.argv, theirs.argv);
    assert_eq!(ours.cwd, theirs.cwd);
    let names: BTreeSet<&String> = ours.environment.keys().chain(theirs.environment.keys()).collect();
    let is_same = |name: &&String| DIFFERENT.iter().all(|(different, _)| name != different);
    let without_cpus = Regex::new(r#""num_cpus":\d+"#)?;
    let value =
        |seen: &Seen, name: &str| seen.environment.get(name).map(|text| without_cpus.replace(text, "").into_owned());
    let differing: Vec<String> = names
        .iter()
        .filter(|name| is_same(name) && value(ours, name) != value(theirs, name))
        .map(|name| format!("{name}: {:?}, not {:?}", value(ours, name), value(theirs, name)))
        .collect();
    assert_eq!(differing, Vec::<String>::new());
    assert!(names.len() > 50, "only {} variables", names.len());
    for cpus in [&ours.environment, &theirs.environment].map(|variables| variables.get("SM_NUM_CPUS")) {
        assert!(cpus.is_some_and(|cpus| cpus.parse().is_ok_and(|cpus: usize| cpus > 0)), "{cpus:?}");
    }
    assert_eq!(ours.environment.get("PYTHONPATH"), theirs.environment.get("PYTHONPATH"));
    Ok(())
}

#[test]
fn a_failure_is_told_in_the_same_words() -> TestResult {
    let script = "import sys\nprint('before')\nraise ValueError('no data: ' + sys.argv[1])\n";
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox, "failing.py")?.file("failing.py", script)?;
    let (job, _) = sandbox.end(&project, &[], 3)?;
    let mut case = case(&sandbox, &job)?;
    case["files"] = json!({ "failing.py": script });
    let theirs = under_toolkit(&case)?.failure.ok_or("the toolkit told no failure")?;
    let ours = sandbox.failure_reason(&job)?;
    let ours = ours.strip_prefix("AlgorithmError: ").and_then(|text| text.strip_suffix(", exit code: 1"));
    let python = python()?;
    assert_eq!(ours.ok_or("no AlgorithmError")?.replace(&python, "python"), theirs);
    Ok(())
}

const SETUP: &str = "
from setuptools import setup
setup(name='mine', version='1', packages=['mine'], package_dir={'mine': 'lib/mine'})
";

/// The toolkit installs a source folder with a setup.py, and runs its entry point as a module.
#[test]
fn a_package_is_installed_before_it_runs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import mine, sys; print(mine.NAME, sys.argv[0].endswith('/train.py'))";
    let project = sandbox.project("package", script)?.file("setup.py", SETUP)?;
    let job = sandbox.complete(&project.file("lib/mine/__init__.py", "NAME = 'mine'")?, &[])?;
    let log = sandbox.log(&job)?;
    assert!(log.ends_with("\nmine True\n"), "{log}");
    Ok(())
}

/// What a script sees locally, and what it sees when the toolkit runs the same request.
fn both(entry_point: &str) -> TestResult<(Seen, Seen)> {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&project(&sandbox, entry_point)?, &["--download", "."])?;
    let text = fs::read_to_string(sandbox.path(&job).join("model/seen.json"))?;
    // On a computer without namespaces the job's folder is seen in place of /opt/ml.
    let folder = sandbox.job_folder(&job).join("ml").display().to_string();
    let ours = serde_json::from_str(&text.replace(&folder, "/opt/ml").replace(&python()?, "python"))?;
    let theirs = under_toolkit(&case(&sandbox, &job)?)?;
    Ok((ours, theirs.seen.ok_or_else(|| format!("the toolkit failed: {:?}", theirs.failure))?))
}

fn project(sandbox: &Sandbox, entry_point: &str) -> TestResult<Project> {
    let mut project = sandbox.project("same", "")?.file("data/a.csv", "1,2\n")?;
    for file in ["dump.py", "dump.sh"] {
        project = project.file(file, fs::read(toolkit_folder().join(file))?)?;
    }
    let spec = fs::read_to_string(project.path("job.toml"))?.replace("train.py", entry_point);
    project.whole_spec(&(spec + SETTINGS))
}

/// The job's own request, for the toolkit.
fn case(sandbox: &Sandbox, job: &str) -> TestResult<Value> {
    let request: Value = serde_json::from_slice(&fs::read(sandbox.job_folder(job).join("request.json"))?)?;
    let state = sandbox.describe(job)?;
    Ok(json!({
        "job_arn": state["TrainingJobArn"],
        "host": {
            "instance_type": request["ResourceConfig"]["InstanceType"],
            // The toolkit is told it by the service; what there is on this computer is told by smtrain.
            "network_interface": network_interface(),
        },
        "request": request,
    }))
}

/// `eth0` where there is one, else the first that is not the loopback, as smtrain says it to the script.
fn network_interface() -> String {
    let entries = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let first = names.iter().find(|name| *name != "lo").map_or("lo", String::as_str);
    if names.contains("eth0") { "eth0".to_owned() } else { first.to_owned() }
}

fn under_toolkit(case: &Value) -> TestResult<UnderToolkit> {
    let script = "import json, sys, make_fixtures; print(json.dumps(make_fixtures.run(json.load(sys.stdin))))";
    let mut child = Command::new(toolkit_python()?)
        .args(["-c", script])
        .current_dir(toolkit_folder())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("no stdin")?.write_all(case.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).map_err(|error| format!("the toolkit did not run: {error}\n{said}").into())
}
