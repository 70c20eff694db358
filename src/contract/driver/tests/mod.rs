//! The driver, run: held against what scripts saw under the real toolkit, and left without the programs that it likes.

mod harness;
mod runs;

use std::collections::BTreeMap;

use self::harness::{Container, driver, in_each_shell, said};
use super::*;
use crate::contract::config_files;
use crate::contract::tests::{Fixture, Seen, fixtures, passes_a_shell, shown};
use crate::tests::TestResult;

/// What script mode sends of its own.
const SCRIPT_MODE: [&str; 5] = [
    "sagemaker_submit_directory",
    "sagemaker_program",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "sagemaker_region",
];

/// Of the harnesses on both sides.
const HARNESS: [&str; 2] = ["SM_STUDIO_LOCAL_MODE", "SAGEMAKER_BASE_DIR"];

/// The entry point of a script-mode job like those that are delivered to an image of the user's own, and the request
/// without what the driver brings.
fn delivered(fixture: &Fixture) -> Option<(String, CreateTrainingJobRequest)> {
    let mut request = fixture.case.request.clone();
    let hyperparameters = request.hyper_parameters.as_mut()?;
    let program = hyperparameters.get("sagemaker_program")?.trim_matches('"').to_owned();
    let all = SCRIPT_MODE.iter().all(|name| hyperparameters.remove(*name).is_some());
    let is_plain = all && !hyperparameters.keys().any(|name| name.starts_with("sagemaker_"));
    is_plain.then_some((program, request))
}

/// What the fixture's script sees under the driver, with paths as on SageMaker.
fn under_driver(container: Container, fixture: &Fixture) -> TestResult<Option<Seen>> {
    let Some((program, request)) = delivered(fixture) else { return Ok(None) };
    let files: BTreeMap<_, _> = config_files(&request, &fixture.host()?)?.into_iter().collect();
    let given = fixture.case.resource_config.as_ref().map(|config| PyValue::from(config).dumps());
    let mut container = container
        .resource_config(given.as_ref().unwrap_or(&files["resourceconfig.json"]))?
        .variable("TRAINING_JOB_NAME", request.training_job_name.as_str())
        .variable("TRAINING_JOB_ARN", &fixture.case.job_arn);
    for file in ["dump.py", "dump.sh"] {
        let text = std::fs::read_to_string(format!("{}/tests/toolkit/{file}", env!("CARGO_MANIFEST_DIR")))?;
        container = container.source(file, &text)?;
    }
    for (file, text) in &fixture.case.files {
        container = container.source(file, text)?;
    }
    for (name, value) in request.environment.iter().flatten() {
        container = container.variable(name, value);
    }
    let output = container.run(&driver(&request, Program::EntryPoint(&program))?, &[])?;
    assert!(output.status.success(), "{}", said(&output));
    let seen = container.read("ml/model/seen.json")?.replace(&container.ml(), "/opt/ml");
    Ok(Some(serde_json::from_str(&seen)?))
}

/// Names and values, without the number of this computer's processors.
fn comparable(seen: &Seen, is_shell: bool) -> BTreeMap<String, String> {
    let is_compared = |name: &str| {
        shown(name) && !HARNESS.contains(&name) && name != "SM_NUM_CPUS" && (!is_shell || passes_a_shell(name))
    };
    let cpus = |seen: &Seen| format!(r#""num_cpus":{},"#, seen.environment["SM_NUM_CPUS"]);
    let variables = seen.environment.iter().filter(|(name, _)| is_compared(name));
    variables.map(|(name, value)| (name.clone(), value.replace(&cpus(seen), ""))).collect()
}

#[test]
fn a_script_sees_what_it_sees_under_the_toolkit() -> TestResult {
    in_each_shell(|container| {
        let (mut compared, shell) = (0, container.shell.clone());
        for (name, fixture) in fixtures()? {
            // An image without the toolkit has nothing that starts torchrun.
            let Some(theirs) = fixture.seen.as_ref().filter(|_| name != "torch-distributed") else { continue };
            let Some(ours) = under_driver(Container::new()?.in_shell(&shell), &fixture)? else { continue };
            let is_shell = theirs.command_line.iter().all(|word| word != "--");
            let (our, their) = (comparable(&ours, is_shell), comparable(theirs, is_shell));
            for (variable, value) in &their {
                assert_eq!(our.get(variable), Some(value), "{name}: {variable} in {shell:?}");
            }
            assert_eq!(our.len(), their.len(), "{name} in {shell:?}");
            assert_eq!((&ours.argv, &ours.cwd), (&theirs.argv, &theirs.cwd), "{name} in {shell:?}");
            assert_eq!(ours.command_line[1..], theirs.command_line[1..], "{name} in {shell:?}");
            assert!(ours.environment["SM_NUM_CPUS"].parse::<usize>()? > 0);
            compared += 1;
        }
        assert!(compared >= 10, "only {compared}");
        Ok(())
    })
}
