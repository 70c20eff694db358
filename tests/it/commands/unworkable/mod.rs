//! Specs that the API takes but whose jobs can't work: `validate` and `submit` refuse them before anything is paid for.

mod instances;
mod names;
mod packing;
mod request;
mod rules;
mod scripts;

use crate::support::{Project, Sandbox, TestResult, Transcript};

const SHELL_SCRIPT: &str = "[source]\nentry_point = 'train.sh'\n";
const SHELL: &str = "#!/bin/sh\necho trained\n";

/// A spec of a framework, with its instance type and further sections.
fn framework(instance_type: &str, sections: &str) -> String {
    format!(
        "role = 'arn:aws:iam::111122223333:role/R'\nregion = 'eu-west-1'\n[framework]\nname = 'pytorch'\nversion = '2.3'\n\
         [resources]\ninstance_type = '{instance_type}'\n{sections}"
    )
}

/// A spec that runs `train.py` on a CPU.
fn script(sections: &str) -> String {
    framework("ml.m5.large", &format!("[source]\nentry_point = 'train.py'\n{sections}"))
}

fn project(sandbox: &Sandbox, spec: &str) -> TestResult<Project> {
    sandbox.project("proj", "print('trained')")?.whole_spec(spec)
}

/// Validates each spec, and returns all that was said.
fn validated<T: AsRef<str>>(specs: &[(&str, T)]) -> TestResult<String> {
    let mut all = Transcript::default();
    let sandbox = Sandbox::new()?;
    for (title, spec) in specs {
        project(&sandbox, spec.as_ref())?;
        all.add(title, &sandbox.smtrain(&["validate", "proj/job.toml"]).run()?);
    }
    all.snapshot(sandbox.root())
}
