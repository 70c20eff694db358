//! `[tensorboard]`, `[experiment]`, `[debugger]`, `[profiler]` and `[mlflow]`.

use std::collections::BTreeMap;

use super::super::keys;
use super::super::patterns;
use super::super::problem::Problem;
use super::super::reader::Reader;
use super::super::spec::{Debugger, DebuggerHook, Experiment, Mlflow, Profiler, RuleSpec, S3AndLocalPath};
use super::super::values::text_table;
use super::resources::volume_size;
use crate::model::S3Uri;

/// Limits of botocore's `HookParameters`, `CollectionConfigurations`, `RuleParameters`, `DebugRuleConfigurations`.
const MOST_PARAMETERS: usize = 20;
const MOST_RULE_PARAMETERS: usize = 100;
const MOST_RULES: usize = 20;
const LONGEST_NAME: usize = 256;
/// What the service samples at, in milliseconds (the profiler's documented intervals).
const INTERVALS: [i64; 6] = [100, 200, 500, 1_000, 5_000, 60_000];

/// What stands for a URI that is missing or wrong, and so reported.
fn some_uri(uri: Option<S3Uri>) -> Option<S3Uri> {
    uri.or_else(|| S3Uri::parse("s3://missing").ok())
}

pub(crate) fn tensorboard(root: &Reader<'_>) -> Option<S3AndLocalPath> {
    let section = root.section("tensorboard", keys::S3_AND_LOCAL_PATH);
    section.require("s3_uri", "where its events go");
    let s3_uri = some_uri(section.s3_uri("s3_uri"))?;
    let local_path = section.checked("local_path", patterns::container_path);
    section.is_written().then_some(S3AndLocalPath { s3_uri, local_path })
}

pub(crate) fn experiment(root: &Reader<'_>) -> Option<Experiment> {
    let section = root.section("experiment", keys::EXPERIMENT);
    let name = |key| section.checked(key, patterns::experiment_name);
    section.is_written().then(|| Experiment {
        name: name("name"),
        trial: name("trial"),
        display_name: name("display_name"),
        run_name: name("run_name"),
    })
}

pub(crate) fn debugger(root: &Reader<'_>) -> Option<Debugger> {
    let section = root.section("debugger", keys::DEBUGGER);
    section.is_written().then(|| Debugger { hook: hook(&section), rules: rules(&section) })
}

fn hook(debugger: &Reader<'_>) -> Option<DebuggerHook> {
    let section = debugger.section("hook", keys::HOOK);
    section.require("s3_uri", "where its tensors go");
    let s3_uri = some_uri(section.s3_uri("s3_uri"))?;
    let collections = section.sections("collections", MOST_PARAMETERS, keys::COLLECTION);
    section.is_written().then(|| DebuggerHook {
        s3_uri,
        local_path: section.checked("local_path", patterns::container_path),
        parameters: parameters(&section, MOST_PARAMETERS),
        collections: collections.iter().map(collection).collect(),
    })
}

fn collection(section: &Reader<'_>) -> (String, BTreeMap<String, String>) {
    section.require("name", "such as name = \"losses\"");
    (name(section), parameters(section, MOST_PARAMETERS))
}

fn rules(section: &Reader<'_>) -> Vec<RuleSpec> {
    section.sections("rules", MOST_RULES, keys::RULE).iter().map(rule).collect()
}

fn rule(section: &Reader<'_>) -> RuleSpec {
    section.require("name", "the rule's name");
    section.require("image", "the image that evaluates it");
    RuleSpec {
        name: name(section),
        image: section.checked("image", patterns::image).unwrap_or_default(),
        instance_type: section.checked("instance_type", processing_type),
        volume_size_gb: volume_size(section),
        s3_uri: section.s3_uri("s3_uri"),
        local_path: section.checked("local_path", patterns::container_path),
        parameters: parameters(section, MOST_RULE_PARAMETERS),
    }
}

/// Rules run as processing jobs, whose types are not training's.
fn processing_type(text: &str) -> Result<(), String> {
    let is_type = text.starts_with("ml.") && text.matches('.').count() == 2 && !text.ends_with('.');
    if is_type { Ok(()) } else { Err("is not an instance type, such as ml.t3.medium".to_owned()) }
}

fn name(section: &Reader<'_>) -> String {
    section.checked("name", |text| patterns::between(text, 1, LONGEST_NAME)).unwrap_or_default()
}

fn parameters(section: &Reader<'_>, most: usize) -> BTreeMap<String, String> {
    let parameters = text_table(section, "parameters");
    at_most(section, "parameters", parameters.len(), most);
    for (entry, value) in &parameters {
        let checked =
            patterns::between(&entry.key, 1, LONGEST_NAME).map_err(|why| format!("the parameter's name {why}"));
        let checked = checked.and_then(|()| {
            patterns::at_most(value, LONGEST_NAME).map_err(|why| format!("the parameter's value {why}"))
        });
        if let Err(why) = checked {
            section.report.add(Problem::error(why).at(&entry.node.place));
        }
    }
    parameters.into_iter().map(|(entry, value)| (entry.key.clone(), value)).collect()
}

fn at_most(section: &Reader<'_>, key: &str, count: usize, most: usize) {
    if count > most {
        section.refuse(key, format!("`{key}` has {count} entries, and at most {most} are allowed"), None);
    }
}

pub(crate) fn profiler(root: &Reader<'_>) -> Option<Profiler> {
    let section = root.section("profiler", keys::PROFILER);
    let interval = section.integer("system_monitor_interval_millis", 1, i64::MAX);
    if interval.is_some_and(|interval| !INTERVALS.contains(&interval)) {
        let message = "`system_monitor_interval_millis` should be 100, 200, 500, 1000, 5000 or 60000";
        section.refuse("system_monitor_interval_millis", message, None);
    }
    section.is_written().then(|| Profiler {
        enabled: section.boolean("enabled"),
        s3_uri: section.s3_uri("s3_uri"),
        system_monitor_interval_millis: interval,
        parameters: parameters(&section, MOST_PARAMETERS),
        rules: rules(&section),
    })
}

pub(crate) fn mlflow(root: &Reader<'_>) -> Option<Mlflow> {
    let section = root.section("mlflow", keys::MLFLOW);
    section.require("resource_arn", "the ARN of the tracking server or app");
    let name = |key| section.checked(key, |text| patterns::between(text, 1, LONGEST_NAME));
    section.is_written().then(|| Mlflow {
        resource_arn: section.checked("resource_arn", patterns::mlflow_arn).unwrap_or_default(),
        experiment_name: name("experiment_name"),
        run_name: name("run_name"),
    })
}
