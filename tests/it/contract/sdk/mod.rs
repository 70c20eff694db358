//! The request of `submit --dry-run`, field by field with the one that the SageMaker Python SDK makes for the same job.
//!
//! `tests/sdk` has both: the jobs as estimators (`cases/`), what the SDK asked for each (`requests.json`, written by
//! `make_requests.py`), and the jobs as specs. What differs on purpose stands in [`rules`].

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::python::tests_folder;
use crate::support::{Sandbox, TestResult};

/// The two requests for one job.
#[derive(Debug)]
struct Pair {
    /// smtrain's spec of it.
    spec: toml::Table,
    ours: Value,
    theirs: Value,
}

#[test]
fn requests_are_those_of_the_sdk() -> TestResult {
    let theirs: BTreeMap<String, Value> = serde_json::from_str(&fs::read_to_string(folder().join("requests.json"))?)?;
    let specs = specs()?;
    let (ours, named): (BTreeSet<&String>, BTreeSet<&String>) = (specs.keys().collect(), theirs.keys().collect());
    let alone: Vec<_> = ours.symmetric_difference(&named).collect();
    assert!(alone.is_empty(), "specs without a request of the SDK, or requests without a spec: {alone:?}");
    let sandbox = Sandbox::new()?;
    let (mut differing, mut needed) = (Vec::new(), BTreeSet::new());
    for (name, theirs) in theirs {
        let mut found = Vec::new();
        match submit(&sandbox, &specs[&name], theirs)? {
            Ok(mut pair) => {
                needed.extend(rules::apply(&mut pair));
                compare("", Some(&pair.ours), Some(&pair.theirs), &mut found);
            }
            Err(refusal) => found.push(refusal),
        }
        differing.extend(found.iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(differing.is_empty(), "not the SDK's requests:\n{}", differing.join("\n"));
    assert_eq!(rules::unneeded(&needed), Vec::<String>::new(), "rules that no case needs");
    Ok(())
}

fn folder() -> PathBuf {
    tests_folder().join("sdk")
}

/// The specs by their names.
fn specs() -> TestResult<BTreeMap<String, PathBuf>> {
    let mut specs = BTreeMap::new();
    for entry in fs::read_dir(folder().join("specs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            specs.insert(name, path);
        }
    }
    Ok(specs)
}

/// The pair of requests, or what smtrain said in place of one. It must have nothing to say beside it.
fn submit(sandbox: &Sandbox, spec: &Path, theirs: Value) -> TestResult<Result<Pair, String>> {
    // The folder has settings, with what the cases have in common.
    let command = sandbox.smtrain(&["submit", "--dry-run", "-q"]).args([spec]).dir(folder());
    let said = command.run()?;
    if said.code != 0 || !said.stderr.is_empty() {
        return Ok(Err(said.to_string()));
    }
    Ok(Ok(Pair { spec: fs::read_to_string(spec)?.parse()?, ours: said.json()?, theirs }))
}

/// The fields that differ, each by its path, and the whole of one that only one request has.
fn compare(path: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                compare(&format!("{path}/{name}"), ours.get(name), theirs.get(name), found);
            }
        }
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) => {
            for at in 0..ours.len().max(theirs.len()) {
                compare(&format!("{path}/{at}"), ours.get(at), theirs.get(at), found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{path}: {}, the SDK: {}", shown(ours), shown(theirs))),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
