//! Every field of the CreateTrainingJob API can be set from a spec, and what is sent is what botocore's model takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::python::{emulator_python, tests_folder};
use crate::support::{CommandOutput, Sandbox, TestResult};

/// Fields of the model that no key sets, each for a reason.
const NOT_SENT: [(&str, &str); 2] = [
    ("ResourceConfig.SelectedInstanceType", "the service's answer: which of the preferences it took"),
    ("ResourceConfig.SelectedInstanceCount", "the service's answer: which of the preferences it took"),
];

fn dry_run(sandbox: &Sandbox, spec: &str) -> TestResult<CommandOutput> {
    let place = ["--region", "eu-west-1", "--role", "arn:aws:iam::111122223333:role/R"];
    sandbox.smtrain(&["submit", spec, "--dry-run"]).args(place).run()?.ok()
}

/// The request of a spec, in a file.
fn request(sandbox: &Sandbox, spec: &Path) -> TestResult<String> {
    let said = dry_run(sandbox, &spec.display().to_string())?;
    let mut request = said.json()?;
    fill_in(&mut request);
    let file = sandbox.path(&format!("{}.json", spec.file_stem().unwrap_or_default().to_string_lossy()));
    fs::write(&file, request.to_string())?;
    Ok(file.display().to_string())
}

/// What only AWS knows stands in angle brackets, which its patterns don't take.
fn fill_in(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace("<account>", "111122223333"),
        Value::Array(items) => items.iter_mut().for_each(fill_in),
        Value::Object(fields) => fields.values_mut().for_each(fill_in),
        _ => {}
    }
}

/// What botocore's model says of requests.
fn checked(files: &[String]) -> TestResult<Value> {
    let output =
        Command::new(emulator_python()?).args(["-m", "api.check"]).args(files).current_dir(tests_folder()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {said}").into())
}

/// The requests of all specs in a folder of `tests`.
fn requests(sandbox: &Sandbox, folder: &str) -> TestResult<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(tests_folder().join(folder))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(request(sandbox, &path)?);
        }
    }
    assert!(!files.is_empty(), "{folder}");
    Ok(files)
}

#[test]
fn every_field_can_be_set_and_every_request_is_valid() -> TestResult {
    let found = checked(&requests(&Sandbox::new()?, "api/specs")?)?;
    assert_eq!(found["invalid"], json!({}));
    let missing: Vec<&str> = NOT_SENT.iter().map(|(field, _)| *field).collect();
    assert_eq!(found["missing"], json!(missing), "fields that no key of a spec sets");
    Ok(())
}

#[test]
fn every_request_that_is_the_sdk_s_is_valid() -> TestResult {
    assert_eq!(checked(&requests(&Sandbox::new()?, "sdk/specs")?)?["invalid"], json!({}));
    Ok(())
}

#[test]
fn every_template_s_request_is_valid() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut files = Vec::new();
    for template in sandbox.smtrain(&["init", "--list", "-o", "json"]).run()?.ok()?.json_lines()? {
        let name = template["name"].as_str().ok_or("no name")?;
        sandbox.smtrain(&["init", "-t", name, name]).run()?.ok()?;
        let spec = sandbox.path(name).join(format!("{name}.toml"));
        fs::rename(sandbox.path(name).join("job.toml"), &spec)?;
        files.push(request(&sandbox, &spec)?);
    }
    assert_eq!(checked(&files)?["invalid"], json!({}));
    Ok(())
}

/// A field that is newer than the SDK that smtrain is built with is sent as it is written.
#[test]
fn a_field_that_nobody_knows_yet_is_sent() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project =
        sandbox.project("newer", "")?.with("[request]\nResourceConfig.NewThing = { Depth = [1, 2.5] }\nTags = []\n")?;
    let request = dry_run(&sandbox, &project.spec())?.json()?;
    assert_eq!(request["ResourceConfig"]["NewThing"], json!({ "Depth": [1, 2.5] }));
    assert_eq!(request["Tags"], json!([]));
    assert_eq!(request["ResourceConfig"]["InstanceCount"], 1);

    // On its way to the service it is still there: the service itself refuses it by its name.
    let (aws, tenant) = Sandbox::on_aws()?;
    let project = aws.project("newer", "")?.with("[request]\nResourceConfig.NewThing = 1\n")?;
    let said = aws.smtrain(&["submit", &project.spec(), "--role", tenant.role_arn()]).run()?.expect(1)?;
    assert!(said.stderr.contains("newThing"), "{said}");
    Ok(())
}
