//! What a script is given, and what is made of what it leaves: arguments, channels, checkpoints, its end.

use std::fs;

use crate::support::{Project, Sandbox, TestResult, normalised, poll};

/// Prints its arguments.
const ECHO: &str = "import sys\nprint('arguments', *sys.argv[1:])\n";

fn echo(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", ECHO)
}

#[test]
fn hyperparameters_are_the_scripts_arguments() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = echo(&sandbox)?.with("[hyperparameters]\nepochs = 10\noptimizer = 'adam'\nfast = true\nx = 1.5")?;
    let job = sandbox.complete(&project, &["-H", "note=two words"])?;
    assert_eq!(sandbox.log(&job)?, "arguments --epochs 10 --fast True --note two words --optimizer adam -x 1.5\n");
    Ok(())
}

#[test]
fn a_shell_script_can_be_the_entry_point() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project =
        sandbox.project("proj", "")?.file("train.sh", "echo shell \"$@\"; echo \"$SM_HP_EPOCHS\"\nexit 0\n")?;
    let flags = ["--set", "source.entry_point=train.sh", "-H", "epochs=3"];
    let job = sandbox.complete(&project.executable("train.sh")?, &flags)?;
    assert_eq!(sandbox.log(&job)?, "shell --epochs 3\n3\n");
    Ok(())
}

#[test]
fn dependencies_lie_beside_the_code() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "import common.words\nprint(common.words.WORD, open('extra.txt').read())")?;
    fs::create_dir(sandbox.path("common"))?;
    fs::write(sandbox.path("common/words.py"), "WORD = 'shared'")?;
    fs::write(sandbox.path("extra.txt"), "text")?;
    let project = project.file("job.toml", SPEC_WITH_DEPENDENCIES)?;
    let job = sandbox.complete(&project, &[])?;
    assert_eq!(sandbox.log(&job)?, "shared text\n");
    Ok(())
}

const SPEC_WITH_DEPENDENCIES: &str = r#"[framework]
name = "sklearn"
version = "1.4-2"
[source]
entry_point = "train.py"
dependencies = ["../common", "../extra.txt"]
"#;

/// Prints what is in every channel.
const LIST_CHANNELS: &str = "
import json, os, pathlib
for name in json.loads(os.environ['SM_CHANNELS']):
    folder = pathlib.Path(os.environ['SM_CHANNEL_' + name.upper()])
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    print(name, *(f'{path.relative_to(folder)}={path.read_text()}' for path in files))
";

#[test]
fn a_channel_is_a_file_or_a_folder() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", LIST_CHANNELS)?;
    let project = project.file("data/train/a.csv", "1")?.file("data/train/deep/b.csv", "2")?;
    let project =
        project.file("data/test.csv", "3")?.with("[channels]\ntrain = 'data/train'\ntest = 'data/test.csv'")?;
    let job = sandbox.complete(&project, &[])?;
    assert_eq!(sandbox.log(&job)?, "test test.csv=3\ntrain a.csv=1 deep/b.csv=2\n");
    let first = sandbox.describe(&job)?["InputDataConfig"].take();
    let again = sandbox.complete(&project, &[])?;
    assert_eq!(first, sandbox.describe(&again)?["InputDataConfig"]);
    Ok(())
}

#[test]
fn a_job_reads_what_another_one_left() -> TestResult {
    let sandbox = Sandbox::new()?;
    let first = sandbox.project("first", "import os\nopen(os.environ['SM_MODEL_DIR'] + '/w.txt', 'w').write('7')")?;
    let first = first.with("[output]\ns3_uri = 's3://bucket/jobs'\ncompression = 'none'")?;
    let job = sandbox.complete(&first, &[])?;
    let second = sandbox.project("second", LIST_CHANNELS)?;
    let channel = format!("channels.before=s3://bucket/jobs/{job}/output/model/");
    let job = sandbox.complete(&second, &["--set", &channel])?;
    assert_eq!(sandbox.log(&job)?, "before w.txt=7\n");
    Ok(())
}

#[test]
fn checkpoints_stay_for_the_next_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import json, os, pathlib\nroot = pathlib.Path(os.environ['SM_MODEL_DIR']).parent / 'checkpoints'\n\
                  file = root / 'epoch.txt'\nlast = int(file.read_text()) if file.exists() else 0\n\
                  print('from', last)\nfile.write_text(str(last + 1))\n";
    let project = sandbox.project("proj", script)?.with("[checkpoints]\ns3_uri = 's3://bucket/checkpoints'")?;
    for expected in ["from 0\n", "from 1\n"] {
        let job = sandbox.complete(&project, &[])?;
        assert_eq!(sandbox.log(&job)?, expected);
    }
    Ok(())
}

#[test]
fn a_failure_file_is_the_failure_reason() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os, sys\nfolder = os.path.dirname(os.environ['SM_OUTPUT_DATA_DIR'])\n\
                  open(folder + '/failure', 'w').write('out of penguins')\nsys.exit(7)\n";
    let (job, _) = sandbox.end(&sandbox.project("proj", script)?, &[], 3)?;
    let reason = sandbox.failure_reason(&job)?;
    assert!(reason.starts_with("AlgorithmError: out of penguins, exit code: "), "{reason}");
    Ok(())
}

#[test]
fn the_whole_process_tree_ends_with_the_script() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '600'])\nprint('left one behind')";
    let job = sandbox.complete(&sandbox.project("proj", script)?, &[])?;
    assert_eq!(sandbox.status(&job)?, "Completed");
    poll("the end of what the script left", || Ok(sandbox.processes().is_empty().then_some(())))
}

#[test]
fn the_script_has_its_variables_and_folders() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import json, os
assert os.getcwd() == os.path.dirname(os.path.abspath(__file__)), os.getcwd()
for name in ('SM_MODEL_DIR', 'SM_OUTPUT_DATA_DIR', 'SM_OUTPUT_DIR', 'SM_INPUT_DIR', 'SM_INPUT_CONFIG_DIR'):
    assert os.path.isdir(os.environ[name]), name
config = json.load(open(os.environ['SM_INPUT_CONFIG_DIR'] + '/hyperparameters.json'))
print(os.environ['SM_HPS'], config['epochs'], os.environ['MODE'], os.environ['TRAINING_JOB_NAME'])
";
    let project =
        sandbox.project("proj", script)?.with("[hyperparameters]\nepochs = 3\n[environment]\nMODE = 'a b'")?;
    let job = sandbox.complete(&project, &[])?;
    assert_eq!(sandbox.log(&job)?, format!("{{\"epochs\":3}} 3 a b {job}\n"));
    Ok(())
}

#[test]
fn nothing_waits_on_its_stdin() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", "import sys\nprint(repr(sys.stdin.read()))")?, &[])?;
    assert_eq!(sandbox.log(&job)?, "''\n");
    Ok(())
}

#[test]
fn a_signal_that_ends_the_script_is_in_the_failure_reason() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os, signal\nprint('last words', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)";
    let (job, _) = sandbox.end(&sandbox.project("proj", script)?, &[], 3)?;
    let reason = sandbox.failure_reason(&job)?;
    insta::assert_snapshot!(normalised(&reason)?, @r#"
    AlgorithmError: ExecuteUserScriptError:
    ExitCode -11
    ErrorMessage ""
    ExtraInfo "Process killed by SIGSEGV (signal 11)"
    Command "[PYTHON] -- train.py", exit code: 1
    "#);
    assert_eq!(sandbox.log(&job)?, "last words\n");
    Ok(())
}

#[test]
fn a_script_that_does_not_parse_fails_the_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let (job, said) = sandbox.end(&sandbox.project("proj", "def train(:\n")?, &[], 3)?;
    // How Python shows the line differs by its version.
    assert!(said.stderr.contains("SyntaxError"), "{said}");
    assert!(sandbox.log(&job)?.contains("SyntaxError"));
    Ok(())
}

#[test]
fn the_code_that_was_submitted_runs_whatever_happens_to_it_later() -> TestResult {
    let sandbox = Sandbox::new()?;
    let go = sandbox.path("go");
    let script = format!(
        "import os, time\nprint('ready', flush=True)\nwhile not os.path.exists({go:?}): time.sleep(.01)\nimport other\nprint(other.WORD)"
    );
    let project = sandbox.project("proj", &script)?.file("other.py", "WORD = 'as submitted'")?;
    let job = sandbox.submit(&project, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    fs::remove_dir_all(sandbox.path("proj"))?;
    fs::write(go, "")?;
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    assert_eq!(sandbox.log(&job)?, "ready\nas submitted\n");
    Ok(())
}

/// As in SageMaker's File mode: the script may write to its own copy.
#[test]
fn input_data_is_not_changed_by_a_script_that_writes_to_it() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "
import os
path = os.environ['SM_CHANNEL_TRAIN'] + '/a.csv'
print(open(path).read())
open(path, 'a').write('spoiled')
os.chmod(path, 0o666)
os.truncate(path, 0)
";
    let project = sandbox.project("proj", script)?.file("data/a.csv", "whole")?.with("[channels]\ntrain = 'data'")?;
    for _ in 0..2 {
        let job = sandbox.complete(&project, &[])?;
        assert_eq!(sandbox.log(&job)?, "whole\n");
    }
    assert_eq!(fs::read_to_string(project.path("data/a.csv"))?, "whole");
    Ok(())
}

#[test]
fn a_file_of_a_channel_may_have_any_name() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", LIST_CHANNELS)?.file("data/.new-a.csv", "1")?.file("data/.staging/b", "2")?;
    let left = sandbox.state().join("s3/.staging/left-by-a-killed-process");
    fs::create_dir_all(&left)?;
    let job = sandbox.complete(&project.with("[channels]\ntrain = 'data'")?, &[])?;
    assert_eq!(sandbox.log(&job)?, "train .new-a.csv=1 .staging/b=2\n");
    assert!(!left.exists(), "what was left is not removed");
    Ok(())
}

#[test]
fn the_instance_type_is_the_first_group_s() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import os\nprint(os.environ['SM_CURRENT_INSTANCE_TYPE'], os.environ['SM_INSTANCE_GROUPS_DICT'])";
    let project = sandbox.project("proj", script)?.whole_spec(SPEC_WITH_GROUPS)?;
    let job = sandbox.complete(&project, &[])?;
    let log = sandbox.log(&job)?;
    insta::assert_snapshot!(log, @r#"ml.m5.large {"a":{"hosts":["algo-1"],"instance_group_name":"a","instance_type":"ml.m5.large"}}"#);
    Ok(())
}

const SPEC_WITH_GROUPS: &str = r#"[framework]
name = "sklearn"
version = "1.4-2"
[source]
entry_point = "train.py"
[resources]
instance_groups = [{ name = "a", type = "ml.m5.large", count = 1 }, { name = "b", type = "ml.c5.large", count = 2 }]
"#;
