//! A job's `requirements.txt`, with packages from a folder in place of the package index.

use std::fs;

use crate::support::{Project, Sandbox, TestResult};

/// Writes `tiny-1.0`, a wheel with one module, into a folder: a wheel is a zip file.
const MAKE_WHEEL: &str = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/tiny-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tiny.py", "SIZE = 'tiny'\n")
    wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n")
"#;

/// A sandbox whose package index is a folder with that wheel.
fn sandbox() -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?;
    let wheels = sandbox.path("wheels");
    let sandbox = sandbox.with_env("PIP_NO_INDEX", "1").with_env("PIP_FIND_LINKS", &wheels);
    let sandbox = sandbox.with_env("UV_NO_INDEX", "1").with_env("UV_FIND_LINKS", &wheels);
    fs::create_dir(&wheels)?;
    fs::write(sandbox.path("make_wheel.py"), MAKE_WHEEL)?;
    sandbox.sh("python3 make_wheel.py wheels").run()?.ok()?;
    Ok(sandbox)
}

fn project(sandbox: &Sandbox, requirements: &str) -> TestResult<Project> {
    sandbox.project("proj", "import tiny\nprint('size', tiny.SIZE)")?.file("requirements.txt", requirements)
}

fn environments(sandbox: &Sandbox) -> TestResult<usize> {
    let folders = fs::read_dir(sandbox.state().join("cache/environments"))?;
    Ok(folders.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count())
}

#[test]
fn requirements_are_installed_once() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "tiny==1.0\n")?;
    let first = sandbox.log(&sandbox.complete(&project, &[])?)?;
    // What pip says differs by its version.
    assert!(first.contains("tiny") && first.ends_with("size tiny\n"), "{first}");
    assert_ne!(first, "size tiny\n", "what pip says is not in the log");
    // Were it installed again, there would be nothing to install it from.
    fs::remove_dir_all(sandbox.path("wheels"))?;
    assert_eq!(sandbox.log(&sandbox.complete(&project, &[])?)?, "size tiny\n");
    Ok(())
}

#[test]
fn other_code_with_the_same_requirements_shares_them() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "tiny==1.0\n")?;
    sandbox.complete(&project, &[])?;
    let changed = project.file("train.py", "import tiny\nprint('again', tiny.SIZE)")?;
    assert_eq!(sandbox.log(&sandbox.complete(&changed, &[])?)?, "again tiny\n");
    assert_eq!(environments(&sandbox)?, 1);
    Ok(())
}

/// Where the code's place is the same for all code.
#[test]
fn what_they_name_of_the_code_counts_under_network_isolation_too() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "-r more.txt\n")?.file("more.txt", "tiny==1.0\n")?;
    let project = project.with("[network]\nisolation = true")?;
    sandbox.complete(&project, &[])?;
    sandbox.complete(&project, &[])?;
    assert_eq!(environments(&sandbox)?, 1);
    sandbox.complete(&project.file("more.txt", "tiny>=1.0\n")?, &[])?;
    assert_eq!(environments(&sandbox)?, 2);
    Ok(())
}

#[test]
fn two_jobs_that_start_at_once_share_an_environment() -> TestResult {
    let sandbox = sandbox()?;
    let spec = project(&sandbox, "tiny==1.0\n")?.spec();
    let start = |_| sandbox.smtrain(&["submit", "--local", "-q", "--wait", &spec]).start();
    let running = (0..3).map(start).collect::<TestResult<Vec<_>>>()?;
    let mut installed = 0;
    for submit in running {
        let job = submit.finish()?.ok()?;
        let log = sandbox.log(job.line())?;
        assert!(log.ends_with("size tiny\n"), "{log}");
        installed += usize::from(log != "size tiny\n");
    }
    assert_eq!((installed, environments(&sandbox)?), (1, 1));
    Ok(())
}

#[test]
fn a_package_that_is_not_there_fails_the_job_before_the_script() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "no-such-package==3.2.1\n")?;
    let (job, _) = sandbox.end(&project, &[], 3)?;
    let reason = sandbox.failure_reason(&job)?;
    assert!(reason.starts_with("AlgorithmError: InstallRequirementsError:"), "{reason}");
    let message = reason.split("ErrorMessage \"").nth(1).unwrap_or_default();
    assert!(!message.starts_with('"'), "no message: {reason}");
    assert!(reason.ends_with(", exit code: 1"), "{reason}");
    let log = sandbox.log(&job)?;
    // What pip says differs by its version.
    assert!(log.contains("no-such-package") && !log.contains("size"), "{log}");
    // What was half made is not taken for whole.
    let (_, said) = sandbox.end(&project, &[], 3)?;
    assert!(said.stderr.contains("InstallRequirementsError"), "{said}");
    Ok(())
}

/// A Python with a package, another one that is installed as editable, and a third that requirements replace.
const MAKE_BASE: &str = r#"
python3 -m venv base
packages=$(base/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
echo 'WORD = "base"' > "$packages/ofbase.py"
echo 'SIZE = "of the base"' > "$packages/tiny.py"
mkdir "it's source"
echo 'WORD = "editable"' > "it's source/editable.py"
echo "$PWD/it's source" > "$packages/__editable__.pth"
"#;

#[test]
fn the_packages_of_the_python_stay_visible() -> TestResult {
    let sandbox = sandbox()?;
    let base = sandbox.path("base");
    sandbox.sh(MAKE_BASE).run()?.ok()?;
    let script = "import editable, ofbase, tiny\nprint(ofbase.WORD, editable.WORD, tiny.SIZE)";
    let project = project(&sandbox, "tiny\n")?.file("train.py", script)?;
    let python = format!("local.python={}", base.join("bin/python").display());
    let job = sandbox.complete(&project, &["--set", &python])?;
    assert!(sandbox.log(&job)?.ends_with("base editable tiny\n"));
    Ok(())
}

#[test]
fn a_stop_ends_the_installation() -> TestResult {
    let sandbox = sandbox()?;
    // A package that is built for ever.
    let project = project(&sandbox, "./slow\n")?;
    let project = project.file("slow/pyproject.toml", SLOW_PROJECT)?.file("slow/backend.py", SLOW_BACKEND)?;
    let job = sandbox.submit(&project, &["--set", "local.stop_grace=1s"])?;
    sandbox.wait_for_file("building".as_ref())?;
    sandbox.smtrain(&["stop", &job]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    sandbox.wait_for_no_processes()
}

/// Stands for an installer: fails, after it has looked for the terminal in which a person could be asked.
const ASKING_UV: &str = "#!/bin/sh
[ \"$1\" = --version ] && exit
if (: < /dev/tty) 2>/dev/null; then echo a terminal; else echo no terminal, prompts: $GIT_TERMINAL_PROMPT; fi
exit 1
";

#[test]
fn an_installer_can_t_ask_in_the_terminal() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox, "tiny\n")?.file("bin/uv", ASKING_UV)?.executable("bin/uv")?;
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH")?);
    let submit = sandbox.terminal(&["submit", "--local", "--wait", &project.spec()]).env("PATH", path);
    submit.run()?.expect(3)?;
    assert_eq!(sandbox.log("-")?, "no terminal, prompts: 0\n");
    Ok(())
}

#[test]
fn max_run_counts_the_installation() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "./slow\n")?.with("[limits]\nmax_run = '1s'")?;
    let project = project.file("slow/pyproject.toml", SLOW_PROJECT)?.file("slow/backend.py", SLOW_BACKEND)?;
    let (job, _) = sandbox.end(&project, &[], 4)?;
    let state = sandbox.describe(&job)?;
    let statuses = (&state["TrainingJobStatus"], &state["SecondaryStatus"]);
    assert_eq!(statuses, (&"Stopped".into(), &"MaxRuntimeExceeded".into()));
    sandbox.wait_for_no_processes()
}

const SLOW_PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";
const SLOW_BACKEND: &str = "import os, time\nopen(os.environ['HOME'] + '/../building', 'w').close()\ntime.sleep(600)\n";
