//! What a job is told of this computer and of its place: devices, nodes, region, installed framework.

use std::fs;

use crate::support::{Project, Sandbox, TestResult, Transcript};

const SHOW_GPUS: &str = "import os\nprint(os.environ['SM_NUM_GPUS'])";

fn with_nvidia_smi(sandbox: Sandbox, script: &str) -> TestResult<Sandbox> {
    sandbox.file("bin/nvidia-smi", script)?;
    sandbox.sh("chmod +x bin/nvidia-smi").run()?.ok()?;
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH")?);
    Ok(sandbox.with_env("PATH", path))
}

/// The toolkit counts the lines of the driver's list, whatever is visible to the script.
#[test]
fn gpus_are_those_that_the_driver_lists() -> TestResult {
    let two = "#!/bin/sh\n[ \"$*\" = --list-gpus ] && printf 'GPU 0: A\\nno GPU\\nGPU 1: B\\n'\n";
    let failing = "#!/bin/sh\necho 'GPU 0: A'\nexit 9\n";
    for (script, expected) in [(two, "2\n"), (failing, "0\n")] {
        let sandbox = with_nvidia_smi(Sandbox::new()?, script)?.with_env("CUDA_VISIBLE_DEVICES", "0");
        let job = sandbox.complete(&sandbox.project("proj", SHOW_GPUS)?, &[])?;
        assert_eq!(sandbox.log(&job)?, expected);
    }
    Ok(())
}

const SHOW_REGION: &str = "import os
print(*(os.environ.get(name) for name in ['AWS_REGION', 'AWS_DEFAULT_REGION', 'SAGEMAKER_REGION']))";

fn region(sandbox: &Sandbox, project: &Project, arguments: &[&str]) -> TestResult<String> {
    let job = sandbox.complete(project, arguments)?;
    Ok(sandbox.log(&job)?.trim_end().to_owned())
}

#[test]
fn a_job_is_told_the_region_that_it_would_have() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", SHOW_REGION)?;
    assert_eq!(region(&sandbox, &project, &[])?, "None None local");
    sandbox.file("home/.config/smtrain/config.toml", "region = 'eu-central-1'\n")?;
    assert_eq!(region(&sandbox, &project, &[])?, "eu-central-1 None eu-central-1");
    let spec = fs::read_to_string(project.path("job.toml"))?;
    let project = project.whole_spec(&format!("region = 'eu-west-1'\n{spec}"))?;
    assert_eq!(region(&sandbox, &project, &[])?, "eu-west-1 None eu-west-1");
    let own = ["--set", "environment.AWS_REGION=us-west-2"];
    assert_eq!(region(&sandbox, &project, &own)?, "us-west-2 None eu-west-1");
    // A region of the user's shell is that of another job.
    let sandbox = sandbox.with_env("AWS_DEFAULT_REGION", "us-east-1").with_env("AWS_REGION", "us-east-2");
    assert_eq!(region(&sandbox, &project, &[])?, "eu-west-1 eu-west-1 eu-west-1");
    Ok(())
}

#[test]
fn one_node_of_one_has_logged() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('trained')")?;
    let spec = project.spec();
    let submit = sandbox.smtrain(&["submit", "--local", "--follow", &spec, "--set", "resources.instance_count=2"]);
    let said = submit.run()?.ok()?;
    let counts: Vec<&str> = said.stderr.lines().filter(|line| line.contains(" node")).collect();
    assert_eq!(counts.len(), 1, "{said}");
    assert!(counts[0].starts_with("1 line, 1/1 node, "), "{said}");
    Ok(())
}

#[test]
fn a_computer_without_path_has_no_python() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", "print(1)")?.spec();
    let smtrain = env!("CARGO_BIN_EXE_smtrain");
    let mut transcript = Transcript::default();
    for path in ["unset PATH", "PATH="] {
        let said = sandbox.sh(&format!("{path}; {smtrain} submit --local {spec}")).run()?;
        transcript.add(path, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## unset PATH
    ## PATH=
    exit code: 1
    --- stderr
    error: python3 can't be run as Python 3: no folder of PATH has it
    hint: install Python 3, activate its environment, or name it in the spec: [local] python = "/path/to/python3"
    "#);
    Ok(())
}

/// A Python with a package's metadata, and nothing of the package.
const MAKE_BASE: &str = r#"
python3 -m venv --without-pip base
packages=$(base/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
mkdir "$packages/scikit_learn-$1.dist-info"
printf 'Metadata-Version: 2.1\nName: scikit-learn\nVersion: %s\n' "$1" >"$packages/scikit_learn-$1.dist-info/METADATA"
"#;

#[test]
fn a_framework_of_another_version_than_the_images_is_said() -> TestResult {
    for (installed, is_said) in [("1.6.0", true), ("1.4.9", false)] {
        let sandbox = Sandbox::new()?;
        sandbox.sh(&format!("set -- {installed}\n{MAKE_BASE}")).run()?.ok()?;
        let base = sandbox.path("base/bin/python").display().to_string();
        let project = sandbox.project("proj", "print(1)")?;
        let python = format!("local.python={base}");
        let said = sandbox.smtrain(&["submit", "--local", &project.spec(), "--set", &python]).run()?.ok()?;
        let note = format!("note: {base} has scikit-learn 1.6.0, where AWS's image has 1.4-2");
        assert_eq!(said.stderr.lines().filter(|line| *line == note).count(), usize::from(is_said), "{said}");
        assert_eq!(said.stderr.contains("scikit-learn"), is_said, "{said}");
    }
    Ok(())
}
