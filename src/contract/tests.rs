//! Held against the real toolkit: `tests/toolkit/fixtures` has what scripts saw under sagemaker-training 5.1.4.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::model::request::CreateTrainingJobRequest;
use crate::tests::{TestResult, output};

#[derive(Deserialize)]
pub(super) struct Fixture {
    pub(super) case: Case,
    pub(super) seen: Option<Seen>,
    failure: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) job_arn: String,
    host: CaseHost,
    pub(super) request: CreateTrainingJobRequest,
    /// Of the source folder, beside the dumps.
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    /// Where the job is not one host alone.
    pub(super) resource_config: Option<Value>,
}

#[derive(Deserialize)]
struct CaseHost {
    instance_type: String,
    network_interface: String,
}

/// What `dump.py` wrote.
#[derive(Deserialize)]
pub(super) struct Seen {
    pub(super) argv: Vec<String>,
    pub(super) command_line: Vec<String>,
    pub(super) cwd: String,
    pub(super) environment: BTreeMap<String, String>,
}

/// Variables of the run under the toolkit that are not the contract's: they only lead it away from the network and from
/// the real `/opt/ml`.
const HARNESS: [&str; 2] = ["SM_STUDIO_LOCAL_MODE", "SAGEMAKER_BASE_DIR"];

/// What a dump shows of the environment.
const PREFIXES: [&str; 3] = ["SM_", "SAGEMAKER_", "TRAINING_JOB_"];
const OTHERS: [&str; 5] = ["AWS_REGION", "CURRENT_HOST", "NCCL_PROTO", "NCCL_SOCKET_IFNAME", "PYTHONPATH"];

pub(super) fn fixtures() -> Result<BTreeMap<String, Fixture>, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/toolkit/fixtures");
    let mut fixtures = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        fixtures.insert(name, serde_json::from_str(&fs::read_to_string(&path)?)?);
    }
    Ok(fixtures)
}

/// Those that a local job can be like.
fn on_one_host() -> Result<BTreeMap<String, Fixture>, Box<dyn Error>> {
    let mut fixtures = fixtures()?;
    fixtures.retain(|_, fixture| fixture.case.resource_config.is_none());
    Ok(fixtures)
}

impl Fixture {
    /// The machine of the toolkit's run, as far as it differs between machines.
    pub(super) fn host(&self) -> Result<Host, Box<dyn Error>> {
        let number = |name: &str| match self.seen.as_ref().and_then(|seen| seen.environment.get(name)) {
            Some(text) => text.parse(),
            None => Ok(0),
        };
        Ok(Host {
            cpus: number("SM_NUM_CPUS")?,
            gpus: number("SM_NUM_GPUS")?,
            neurons: number("SM_NUM_NEURONS")?,
            network_interface: self.case.host.network_interface.clone(),
            instance_type: self.case.host.instance_type.clone(),
        })
    }

    fn command(&self) -> Result<Result<ScriptCommand, ContractError>, Box<dyn Error>> {
        let (host, layout) = (self.host()?, Layout::opt_ml());
        let container = Container {
            job_arn: &self.case.job_arn,
            layout: &layout,
            region: None,
            host: &host,
            python: "python",
            has_setup_py: false,
        };
        Ok(command(&self.case.request, &container))
    }
}

pub(super) fn shown(name: &str) -> bool {
    !HARNESS.contains(&name) && (OTHERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// `/bin/sh` itself drops variables whose names it couldn't write, such as `SM_HP_WITH-DASH`, before the dump is made.
pub(super) fn passes_a_shell(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn shown_variables(variables: &BTreeMap<String, String>, kind: EntryPointKind) -> Vec<(&str, &str)> {
    let passes = |name: &str| kind != EntryPointKind::Shell || passes_a_shell(name);
    let shown = variables.iter().filter(|(name, _)| shown(name) && passes(name));
    shown.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A case that was changed without running `make_fixtures.py` would be compared with an old run.
#[test]
fn fixtures_are_of_these_cases() -> TestResult {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/toolkit");
    let read = |path: &Path| -> Result<Value, Box<dyn Error>> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
    let cases = read(&folder.join("cases.json"))?;
    let cases = cases.as_object().ok_or("not a table")?;
    for (name, case) in cases {
        assert_eq!(&read(&folder.join(format!("fixtures/{name}.json")))?["case"], case, "{name}");
    }
    assert_eq!(fixtures()?.len(), cases.len());
    Ok(())
}

#[test]
fn variables_are_the_toolkits_one_by_one() -> TestResult {
    let mut compared = 0;
    for (name, fixture) in on_one_host()? {
        let Some(seen) = &fixture.seen else { continue };
        let command = fixture.command()??;
        let ours = shown_variables(&command.variables, command.kind);
        let theirs = shown_variables(&seen.environment, command.kind);
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our, their, "{name}");
        }
        assert_eq!(ours.len(), theirs.len(), "{name}");
        compared += ours.len();
    }
    assert!(compared > 400, "{compared}");
    Ok(())
}

#[test]
fn command_lines_are_the_toolkits() -> TestResult {
    for (name, fixture) in on_one_host()? {
        let Some(seen) = &fixture.seen else { continue };
        let command = fixture.command()??;
        assert_eq!(seen.cwd, Layout::opt_ml().code().to_string_lossy(), "{name}");
        match command.kind {
            EntryPointKind::Shell => assert_eq!(through_the_shell(&command)?, seen.argv[1..], "{name}"),
            // torchrun is that module.
            _ if command.is_distributed => {
                assert_eq!(command.argv[..3], ["python", "-m", "torch.distributed.run"], "{name}");
                assert_eq!(command.argv[3..], seen.command_line[2..], "{name}");
            }
            _ => assert_eq!(command.argv, seen.command_line, "{name}"),
        }
    }
    Ok(())
}

/// What the entry point of a shell command is given, as the shell itself takes the command apart.
fn through_the_shell(command: &ScriptCommand) -> Result<Vec<String>, Box<dyn Error>> {
    let script = command.argv[2].replacen(&format!("./{}", command.entry_point), "printf '%s\\0'", 1);
    let output = output(std::process::Command::new(&command.argv[0]).args([&command.argv[1], &script]))?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_terminator('\0').map(str::to_owned).collect())
}

#[test]
fn failure_texts_are_the_toolkits() -> TestResult {
    for (name, exit_code, lines) in [
        ("failing", 1, &["raise ValueError('no data: ' + sys.argv[1])", "ValueError: no data: -a"][..]),
        ("failing-shell", 137, &["RuntimeError: from the shell"]),
    ] {
        let fixture = fixtures()?.remove(name).ok_or(name)?;
        let mut stderr = ErrorCapture::default();
        for line in lines {
            stderr.line(line.as_bytes());
        }
        let command = fixture.command()??.text();
        let text = failure_text(ToolkitError::ExecuteUserScript, exit_code, &stderr.message(), &command);
        assert_eq!(Some(text), fixture.failure, "{name}");
    }
    Ok(())
}

#[test]
fn what_the_toolkit_refuses_is_refused() -> TestResult {
    let fixture = fixtures()?.remove("refused-entry-point").ok_or("no fixture")?;
    assert_eq!(fixture.command()?, Err(ContractError::EntryPoint("../dump.py".to_owned())));
    Ok(())
}

/// The files that the toolkit was given in its run were made by `make_fixtures.py`, and it shows them in two variables.
#[test]
fn config_files_say_what_the_service_says() -> TestResult {
    for (name, fixture) in on_one_host()? {
        let Some(seen) = &fixture.seen else { continue };
        let files: BTreeMap<_, _> = config_files(&fixture.case.request, &fixture.host()?)?.into_iter().collect();
        for (file, variable) in
            [("resourceconfig.json", "SM_RESOURCE_CONFIG"), ("inputdataconfig.json", "SM_INPUT_DATA_CONFIG")]
        {
            let ours: Value = serde_json::from_str(files.get(file).ok_or(file)?)?;
            let theirs: Value = serde_json::from_str(seen.environment.get(variable).ok_or(variable)?)?;
            assert_eq!(ours, theirs, "{name} {file}");
        }
        let hyperparameters: BTreeMap<String, String> =
            serde_json::from_str(files.get("hyperparameters.json").ok_or("no file")?)?;
        assert_eq!(Some(hyperparameters), fixture.case.request.hyper_parameters, "{name}");
    }
    Ok(())
}

/// A request of one hyperparameter beside the program.
fn with_hyperparameter(name: &str, value: &str) -> Result<Fixture, Box<dyn Error>> {
    let mut fixture = fixtures()?.remove("plain").ok_or("no fixture")?;
    let program = ("sagemaker_program".to_owned(), "\"train.py\"".to_owned());
    let parameters = [program, (name.to_owned(), value.to_owned())];
    fixture.case.request.hyper_parameters = Some(parameters.into_iter().collect());
    Ok(fixture)
}

#[test]
fn what_no_process_can_be_given_is_an_error() -> TestResult {
    let result = |name, value| with_hyperparameter(name, value)?.command();
    assert_eq!(result("a", "x\0y")?, Err(ContractError::Argument("x\0y".to_owned())));
    assert_eq!(result("a", "\"\\u0000\"")?, Err(ContractError::Argument("\0".to_owned())));
    assert_eq!(result("a=b", "1")?, Err(ContractError::VariableName("SM_HP_A=B".to_owned())));
    Ok(())
}

#[test]
fn entry_points_are_checked() -> TestResult {
    for name in
        ["", "-c", "/bin/sh", "a b.py", "a;b.py", "a//b.py", "./a.py", "a/../b.py", "+a.py", "a/", "é.py", "a.py\n"]
    {
        let mut fixture = with_hyperparameter("a", "1")?;
        let program = [("sagemaker_program".to_owned(), Value::from(name).to_string())];
        fixture.case.request.hyper_parameters = Some(program.into_iter().collect());
        assert!(fixture.command()?.is_err(), "{name:?}");
    }
    Ok(())
}

#[test]
fn packages_are_modules_and_shell_scripts_install_nothing() -> TestResult {
    let fixture = with_hyperparameter("a", "1")?;
    let (host, layout) = (fixture.host()?, Layout::at("/jobs/x"));
    let container = Container {
        job_arn: "arn",
        layout: &layout,
        region: Some("eu-west-1"),
        host: &host,
        python: "/bin/python3",
        has_setup_py: true,
    };
    let command = command(&fixture.case.request, &container)?;
    assert_eq!(command.variables.get("AWS_REGION").map(String::as_str), Some("eu-west-1"));
    assert_eq!(command.argv, ["/bin/python3", "-m", "train", "-a", "1"]);
    assert_eq!(command.variables.get("SM_MODEL_DIR").map(String::as_str), Some("/jobs/x/model"));
    assert_eq!(command.variables.get("SAGEMAKER_BASE_DIR").map(String::as_str), Some("/jobs/x"));

    assert_eq!(pip_install_arguments(EntryPointKind::Package, true), [".", "-r", "requirements.txt"]);
    assert_eq!(pip_install_arguments(EntryPointKind::Program, true), ["-r", "requirements.txt"]);
    assert!(pip_install_arguments(EntryPointKind::Shell, true).is_empty());
    Ok(())
}

/// The toolkit's words differ; it fails such a job as well.
#[test]
fn torchrun_starts_python_scripts_only() -> TestResult {
    let fixture = fixtures()?.remove("torch-distributed").ok_or("no fixture")?;
    let (host, layout) = (fixture.host()?, Layout::opt_ml());
    let mut container =
        Container { job_arn: "arn", layout: &layout, region: None, host: &host, python: "python", has_setup_py: true };
    let mut request = fixture.case.request;
    let refused = |request: &CreateTrainingJobRequest, container: &Container<'_>| {
        matches!(command(request, container), Err(ContractError::TorchDistributed(_)))
    };
    assert!(refused(&request, &container));
    container.has_setup_py = false;
    assert!(!refused(&request, &container));
    let hyperparameters = request.hyper_parameters.as_mut().ok_or("no hyperparameters")?;
    hyperparameters.insert("sagemaker_program".to_owned(), "\"train.sh\"".to_owned());
    assert!(refused(&request, &container));
    Ok(())
}

#[test]
fn torchrun_starts_a_process_for_each_device() -> TestResult {
    let fixture = fixtures()?.remove("torch-distributed").ok_or("no fixture")?;
    let layout = Layout::opt_ml();
    for (gpus, neurons, given, expected) in
        [(0, 0, None, "1"), (4, 2, None, "4"), (0, 2, None, "2"), (4, 0, Some("3"), "3"), (4, 0, Some("0"), "4")]
    {
        let host = Host { gpus, neurons, ..fixture.host()? };
        let container = Container {
            job_arn: "arn",
            layout: &layout,
            region: None,
            host: &host,
            python: "python",
            has_setup_py: false,
        };
        let mut request = fixture.case.request.clone();
        let hyperparameters = request.hyper_parameters.as_mut().ok_or("no hyperparameters")?;
        let given = given.map(|count| ("sagemaker_mpi_num_of_processes_per_host".to_owned(), count.to_owned()));
        hyperparameters.extend(given);
        let argv = command(&request, &container)?.argv;
        assert_eq!(argv[3..7], ["--nnodes", "1", "--nproc_per_node", expected]);
    }
    Ok(())
}
