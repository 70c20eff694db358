//! `torch_distributed` on this computer: torchrun starts the script. What it is started with is compared with the toolkit
//! in the contract's tests.

use serde_json::Value;

use crate::support::{Project, Sandbox, TestResult};

/// A Python whose torch is the module behind torchrun alone, which writes down what it is given.
const MAKE_BASE: &str = r#"
python3 -m venv --without-pip base
packages=$(base/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
mkdir -p "$packages/torch/distributed" "$packages/torch-2.3.1.dist-info" bin
printf 'Metadata-Version: 2.1\nName: torch\nVersion: 2.3.1\n' >"$packages/torch-2.3.1.dist-info/METADATA"
: >"$packages/torch/__init__.py"
: >"$packages/torch/distributed/__init__.py"
cp torchrun.py "$packages/torch/distributed/run.py"
printf '#!/bin/sh\necho "GPU 0: A"; echo "GPU 1: B"\n' >bin/nvidia-smi
chmod +x bin/nvidia-smi
"#;

const TORCHRUN: &str = "import json, os, sys
names = ['NCCL_PROTO', 'PET_MASTER_PORT', 'SM_NUM_GPUS']
print(json.dumps({'arguments': sys.argv[1:], **{name: os.environ.get(name) for name in names}}))
";

const SPEC: &str = r#"
[framework]
name = "pytorch"
version = "2.3"

[source]
entry_point = "train.py"

[hyperparameters]
epochs = 3

[resources]
instance_type = "ml.p4d.24xlarge"

[distribution]
type = "torch_distributed"
"#;

/// A sandbox with that Python and two GPUs.
fn sandbox() -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?;
    sandbox.file("torchrun.py", TORCHRUN)?;
    sandbox.sh(MAKE_BASE).run()?.ok()?;
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH")?);
    Ok(sandbox.with_env("PATH", path))
}

fn project(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", "raise SystemExit('started without torchrun')")?.whole_spec(SPEC)
}

fn python(sandbox: &Sandbox) -> String {
    format!("local.python={}", sandbox.path("base/bin/python").display())
}

#[test]
fn torchrun_starts_a_process_for_each_gpu() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox)?;
    let python = python(&sandbox);
    let submit = sandbox.smtrain(&["submit", "--local", "--wait", &project.spec(), "--set", &python]);
    let said = submit.run()?.ok()?;
    assert!(!said.stderr.contains("torch"), "{said}");
    let seen: Value = serde_json::from_str(&sandbox.log(said.line())?)?;
    let arguments = ["--nnodes", "1", "--nproc_per_node", "2", "train.py", "--epochs", "3"];
    assert_eq!(seen["arguments"], serde_json::json!(arguments));
    assert_eq!((&seen["NCCL_PROTO"], &seen["SM_NUM_GPUS"]), (&"simple".into(), &"2".into()));
    // Jobs side by side don't meet at the port that torchrun takes by itself.
    let port: u16 = seen["PET_MASTER_PORT"].as_str().ok_or("no port")?.parse()?;
    assert_ne!(port, 29500);
    let own = ["--set", &python, "--set", "environment.PET_MASTER_PORT=\"29500\""];
    let seen: Value = serde_json::from_str(&sandbox.log(&sandbox.complete(&project, &own)?)?)?;
    assert_eq!(seen["PET_MASTER_PORT"], "29500");
    Ok(())
}

#[test]
fn a_python_without_torchrun_is_named() -> TestResult {
    let sandbox = sandbox()?;
    sandbox.sh("rm -r base/lib/python*/site-packages/torch*").run()?.ok()?;
    let (job, said) = sandbox.end(&project(&sandbox)?, &["--set", &python(&sandbox)], 3)?;
    let base = sandbox.path("base/bin/python").display().to_string();
    let missing = format!("{base} has no torch: the code's requirements.txt must install it");
    let note = format!("note: torchrun starts the script, and {missing}");
    assert_eq!(said.stderr.lines().filter(|line| *line == note).count(), 1, "{said}");
    let reason = sandbox.failure_reason(&job)?.replace(&base, "[PYTHON]");
    insta::assert_snapshot!(reason, @r#"AlgorithmError: distribution.type = "torch_distributed" starts the script by torchrun, and [PYTHON] has no torch: name it in requirements.txt, or set [local] python to a Python that has it, exit code: 1"#);
    Ok(())
}

/// Kinds that mpirun starts on SageMaker.
#[test]
fn other_kinds_run_one_process_and_say_so() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = SPEC.replace("torch_distributed", "mpi");
    let project = sandbox.project("proj", "print('alone')")?.whole_spec(&spec)?;
    let (job, said) = sandbox.end(&project, &[], 0)?;
    let note = "note: a local job runs the script as one process: mpi is not simulated";
    assert_eq!(said.stderr.lines().filter(|line| *line == note).count(), 1, "{said}");
    assert_eq!(sandbox.log(&job)?, "alone\n");
    Ok(())
}
