//! Requirements that are the code's own packages: what is installed of them outlives the job that it was installed for.

use std::fs;

use crate::support::{Project, Sandbox, TestResult};

const PYPROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

/// A build backend that needs nothing from an index: an editable wheel is a file with the path of the package.
pub(super) const BACKEND: &str = r#"
import os, zipfile

def wheel(folder, files):
    about = "mine-1.0.dist-info/"
    files = {
        **files,
        about + "METADATA": "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n",
        about + "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = about + "RECORD"
    with zipfile.ZipFile(os.path.join(folder, "mine-1.0-py3-none-any.whl"), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(record, "".join(f"{name},,\n" for name in [*files, record]))
    return "mine-1.0-py3-none-any.whl"

def build_editable(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, {"mine.pth": os.path.abspath("src") + "\n"})

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open("src/mine.py") as module:
        return wheel(folder, {"mine.py": module.read()})
"#;

/// Stands for uv: does the same with venv and pip.
const UV: &str = r#"#!/bin/sh
case "$1" in
  venv) exec "$4" -m venv "$5" ;;
  pip) shift 3; python=$1; shift; exec "$python" -m pip install "$@" ;;
esac
"#;

fn sandbox() -> TestResult<Sandbox> {
    Ok(Sandbox::new()?.with_env("PIP_NO_INDEX", "1").with_env("PIP_NO_CACHE_DIR", "1"))
}

/// A project whose package `mine` is in `package/`, or in its root, and needs to be installed to be found.
fn project(sandbox: &Sandbox, package: &str, requirements: &str) -> TestResult<Project> {
    let project = sandbox.project("proj", "import mine\nprint(mine.WORD)")?.file("requirements.txt", requirements)?;
    let project = project.file(&format!("{package}pyproject.toml"), PYPROJECT)?;
    project.file(&format!("{package}backend.py"), BACKEND)?.file(&format!("{package}src/mine.py"), "WORD = 'one'\n")
}

/// Runs jobs one after another, each without what the one before has left, and compares the last lines of their logs.
fn assert_each_sees_its_own_code(sandbox: &Sandbox, project: Project, package: &str) -> TestResult {
    let module = format!("{package}src/mine.py");
    let mut project = project;
    for (word, times) in [("one", 2), ("two", 2), ("one", 1)] {
        project = project.file(&module, format!("WORD = '{word}'\n"))?;
        for _ in 0..times {
            let job = sandbox.complete(&project, &[])?;
            let log = sandbox.log(&job)?;
            assert_eq!(log.lines().last(), Some(word), "{log}");
            fs::remove_dir_all(sandbox.job_folder(&job))?;
        }
    }
    Ok(())
}

#[test]
fn an_editable_requirement_outlives_its_job() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "", "-e .\n")?;
    assert_each_sees_its_own_code(&sandbox, project, "")
}

#[test]
fn an_editable_requirement_of_another_list_outlives_its_job() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "lib/", "-r more.txt\n")?.file("more.txt", "--editable=./lib\n")?;
    assert_each_sees_its_own_code(&sandbox, project, "lib/")
}

#[test]
fn a_package_of_the_code_outlives_its_job() -> TestResult {
    let sandbox = sandbox()?;
    let project = project(&sandbox, "lib/", "./lib\n")?;
    assert_each_sees_its_own_code(&sandbox, project, "lib/")
}

#[test]
fn an_editable_requirement_outlives_its_job_with_uv_and_network_isolation_too() -> TestResult {
    let sandbox = sandbox()?;
    sandbox.file("bin/uv", UV)?;
    sandbox.sh("chmod +x bin/uv").run()?.ok()?;
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH")?);
    let sandbox = sandbox.with_env("PATH", path);
    let project = project(&sandbox, "", "-e .\n")?.with("[network]\nisolation = true")?;
    assert_each_sees_its_own_code(&sandbox, project, "")
}

/// A requirement of a package with a setup.py, which the toolkit installs itself.
#[test]
fn an_editable_requirement_of_a_package_outlives_its_job() -> TestResult {
    let sandbox = sandbox()?;
    let script = "import mine\nprint(mine.WORD)";
    let project = project(&sandbox, "lib/", "-e ./lib\n")?.file("train.py", script)?;
    let project = project.file("setup.py", "raise SystemExit('the backend is pyproject.toml')")?;
    let project = project.file("pyproject.toml", PYPROJECT)?.file("backend.py", BACKEND.replace("mine", "root"))?;
    assert_each_sees_its_own_code(&sandbox, project.file("src/root.py", "")?, "lib/")
}
