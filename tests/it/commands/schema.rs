//! `smtrain schema`, and the committed file that `init` writes beside a spec.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, Schemas};
use serde_json::Value;

use crate::support::python::tests_folder;
use crate::support::{Sandbox, TestResult};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("job-templates/job.schema.json")
}

/// `UPDATE=1 cargo test --test it schema` writes it anew.
#[test]
fn the_committed_file_is_what_the_binary_prints() -> TestResult {
    let printed = Sandbox::new()?.smtrain(&["schema"]).run()?.ok()?;
    assert_eq!(printed.stderr, "");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(committed(), &printed.stdout)?;
    }
    let committed = fs::read_to_string(committed()).unwrap_or_default();
    assert!(committed == printed.stdout, "job.schema.json is stale: UPDATE=1 cargo test --test it schema");
    Ok(())
}

/// All specs in a folder, and in the folders in it.
fn specs(folder: &Path) -> TestResult<Vec<PathBuf>> {
    let mut specs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            specs.extend(self::specs(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            specs.push(path);
        }
    }
    Ok(specs)
}

#[test]
fn templates_and_the_specs_of_tests_satisfy_it() -> TestResult {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("schema.json", serde_json::from_str(&fs::read_to_string(committed())?)?)?;
    let index = compiler.compile("schema.json", &mut schemas)?;
    let folders = [committed().with_file_name(""), tests_folder().join("api"), tests_folder().join("sdk")];
    let specs = folders.iter().map(|folder| specs(folder)).collect::<TestResult<Vec<_>>>()?.concat();
    assert!(specs.len() > 50, "{specs:?}");
    for spec in specs {
        let value: Value = serde_json::to_value(toml::from_str::<toml::Table>(&fs::read_to_string(&spec)?)?)?;
        schemas.validate(&value, index).map_err(|error| format!("{}: {error}", spec.display()))?;
    }
    Ok(())
}

#[test]
fn a_template_s_spec_stands_beside_its_schema() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.smtrain(&["init", "churn"]).run()?.ok()?;
    let spec = fs::read_to_string(sandbox.path("churn/job.toml"))?;
    let named = spec.lines().next().and_then(|line| line.strip_prefix("#:schema ")).ok_or("no schema is named")?;
    assert_eq!(fs::read(sandbox.path("churn").join(named))?, fs::read(committed())?);
    Ok(())
}
