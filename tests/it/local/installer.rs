//! The program that installs requirements, and the configuration that it gets.

use std::fs;

use super::editable::BACKEND;
use crate::support::python::python;
use crate::support::{Project, Sandbox, TestResult};

/// Stands for uv: writes down its arguments and variables, and does the same with venv and pip.
const UV: &str = r#"#!/bin/sh
[ "$1" = --version ] && exit
env | grep -E '^(UV_|SSL_CERT_FILE=)' | sort >"$HOME/../uv.variables"
echo "$@" >>"$HOME/../uv.arguments"
case "$1" in
  venv) exec "$4" -m venv "$5" ;;
  pip) shift 3; python=$1; shift; exec "$python" -m pip install "$@" ;;
esac
"#;

/// A sandbox with that uv, without an index, and without the computer's own configuration of pip where a test has one.
fn sandbox() -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?;
    sandbox.file("bin/uv", UV)?;
    sandbox.file("ca.pem", "")?;
    sandbox.sh("chmod +x bin/uv; mkdir wheels").run()?.ok()?;
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH")?);
    let wheels = sandbox.path("wheels");
    let certificates = sandbox.path("ca.pem");
    let sandbox = sandbox.with_env("PATH", path).with_env("PIP_NO_INDEX", "1").with_env("PIP_FIND_LINKS", wheels);
    Ok(sandbox.with_env("PIP_CERT", certificates).with_env("PIP_DEFAULT_TIMEOUT", "").with_env("PIP_CONFIG_FILE", ""))
}

/// A project whose requirements install nothing.
fn project(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", "print('trained')")?.file("requirements.txt", "# nothing\n")
}

fn read(sandbox: &Sandbox, file: &str) -> TestResult<String> {
    let text = fs::read_to_string(sandbox.path(file))?;
    Ok(text.replace(&sandbox.root().display().to_string(), "[SANDBOX]"))
}

/// Messages of the job's phases.
fn messages(sandbox: &Sandbox, job: &str) -> TestResult<Vec<String>> {
    let state = sandbox.describe(job)?;
    let phases = state["SecondaryStatusTransitions"].as_array().ok_or("no phases")?;
    Ok(phases.iter().filter_map(|phase| phase["StatusMessage"].as_str().map(str::to_owned)).collect())
}

#[test]
fn uv_gets_pips_configuration() -> TestResult {
    let sandbox = sandbox()?.with_env("PIP_INDEX_URL", "https://me:hunter2@packages.example.com/simple");
    let sandbox = sandbox.with_env("PIP_TRUSTED_HOST", "a.example.com b.example.com");
    let settings = "[global]\nno-index = no\n[install]\nextra-index-url =\n    https://c.example.com/simple\n    https://d.example.com/simple\n";
    sandbox.file("home/.config/pip/pip.conf", settings)?;
    sandbox.complete(&project(&sandbox)?, &[])?;
    let variables = read(&sandbox, "uv.variables")?;
    insta::assert_snapshot!(variables, @r"
    SSL_CERT_FILE=[SANDBOX]/ca.pem
    UV_EXTRA_INDEX_URL=https://c.example.com/simple https://d.example.com/simple
    UV_FIND_LINKS=[SANDBOX]/wheels
    UV_INDEX_STRATEGY=unsafe-best-match
    UV_INDEX_URL=https://me:hunter2@packages.example.com/simple
    UV_INSECURE_HOST=a.example.com b.example.com
    UV_NO_INDEX=1
    ");
    let arguments = read(&sandbox, "uv.arguments")?;
    assert!(!arguments.contains("hunter2"), "{arguments}");
    // No log and no state has the password.
    sandbox.sh("! grep -r hunter2 smtrain").run()?.ok()?;
    Ok(())
}

#[test]
fn pip_installs_where_uv_has_no_word_for_its_configuration() -> TestResult {
    let sandbox = sandbox()?.with_env("PIP_PREFER_BINARY", "1");
    let job = sandbox.complete(&project(&sandbox)?, &[])?;
    assert!(!sandbox.path("uv.arguments").exists(), "uv ran");
    let said = messages(&sandbox, &job)?;
    let expected = "Installing requirements.txt with pip: uv has no word for pip's prefer-binary";
    assert_eq!(said.iter().filter(|message| *message == expected).count(), 1, "{said:?}");
    Ok(())
}

#[test]
fn the_spec_chooses_the_installer() -> TestResult {
    let sandbox = sandbox()?.with_env("PIP_PREFER_BINARY", "1").with_env("PIP_USER", "1");
    let project = project(&sandbox)?;
    let environments = sandbox.state().join("cache/environments");
    sandbox.complete(&project, &["--set", "local.installer=pip"])?;
    assert!(!sandbox.path("uv.arguments").exists(), "uv ran");
    fs::remove_dir_all(environments)?;
    let sandbox = sandbox.with_env("PIP_USER", "");
    sandbox.complete(&project, &["--set", "local.installer=uv"])?;
    assert_eq!(read(&sandbox, "uv.arguments")?.lines().count(), 2);
    Ok(())
}

#[test]
fn a_chosen_uv_that_is_missing_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.file("only/python3", format!("#!/bin/sh\nexec {} \"$@\"\n", python()?))?;
    sandbox.sh("chmod +x only/python3").run()?.ok()?;
    let project = project(&sandbox)?;
    let submit = sandbox.smtrain(&["submit", "--local", &project.spec(), "--set", "local.installer=uv"]);
    let said = submit.env("PATH", sandbox.path("only").display().to_string()).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: [local] installer is uv, and uv is not in PATH
    hint: install uv, or let pip install: --set local.installer=pip
    ");
    Ok(())
}

#[test]
fn a_uv_that_does_not_work_is_told() -> TestResult {
    let sandbox = sandbox()?;
    sandbox.file("bin/uv", "#!/bin/sh\nexit 3\n")?;
    let project = project(&sandbox)?;
    let chosen = sandbox.smtrain(&["submit", "--local", &project.spec(), "--set", "local.installer=uv"]).run()?;
    insta::assert_snapshot!(chosen.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: [local] installer is uv, and `[SANDBOX]/bin/uv --version` failed with exit status: 3
    hint: see why: uv --version, or let pip install: --set local.installer=pip
    ");
    let job = sandbox.complete(&project, &[])?;
    let told = messages(&sandbox, &job)?;
    let told = told.iter().filter(|message| message.contains("pip")).map(String::as_str).collect::<Vec<_>>();
    let uv = sandbox.path("bin/uv").display().to_string();
    assert_eq!(told, [format!("Installing requirements.txt with pip: `{uv} --version` failed with exit status: 3")]);
    Ok(())
}

/// Without a training phase, the end is that of the last phase; no model was stored.
#[test]
fn a_job_whose_installation_failed_has_an_end_and_no_model() -> TestResult {
    let sandbox = sandbox()?;
    let project = sandbox.project("proj", "")?.file("requirements.txt", "no-such-package-anywhere\n")?;
    let (job, _) = sandbox.end(&project, &["--set", "local.installer=pip"], 3)?;
    let state = sandbox.describe(&job)?;
    assert_eq!((state.get("ModelArtifacts"), state.get("TrainingEndTime")), (None, None));
    let rows = sandbox.smtrain(&["history", "--local", "-o", "json"]).run()?.ok()?.json_lines()?;
    let phases = state["SecondaryStatusTransitions"].as_array().ok_or("no phases")?;
    assert_eq!(Some(&rows[0]["ended"]), phases.last().map(|phase| &phase["EndTime"]));
    assert!(rows[0]["ended"].is_string(), "{rows:?}");
    let said = sandbox.smtrain(&["download", &job]).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: job proj-[STAMP] failed and left no model
    hint: see why: smtrain describe proj-[STAMP]
    ");
    Ok(())
}

/// pip.conf of the virtual environment that the job's Python is in.
#[test]
fn a_virtual_environments_own_settings_count_with_uv_and_pip() -> TestResult {
    let sandbox = sandbox()?.with_env("PIP_FIND_LINKS", "");
    sandbox.file("backend.py", BACKEND)?;
    let make = "import backend; backend.wheel('wheels', {'mine.py': 'WORD = 1'})";
    sandbox.sh(&format!("python3 -m venv --without-pip base; python3 -c \"{make}\"")).run()?.ok()?;
    let wheels = sandbox.path("wheels").display().to_string();
    sandbox.file("base/pip.conf", format!("[install]\nfind-links = {wheels}\n"))?;
    let python = format!("local.python={}", sandbox.path("base/bin/python").display());
    let project = sandbox.project("proj", "import mine")?.file("requirements.txt", "mine\n")?;
    sandbox.complete(&project, &["--set", &python, "--set", "local.installer=pip"])?;
    assert!(!sandbox.path("uv.arguments").exists(), "uv ran");
    sandbox.sh("! find smtrain/cache -name pip.conf | grep .; rm -r smtrain/cache/environments").run()?.ok()?;
    sandbox.complete(&project, &["--set", &python])?;
    assert!(read(&sandbox, "uv.variables")?.contains("UV_FIND_LINKS=[SANDBOX]/wheels\n"));
    Ok(())
}
