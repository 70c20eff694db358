//! Decodes `[tensorboard]`, `[experiment]`, `[debugger]`, `[profiler]` and `[mlflow]`.

use std::collections::BTreeMap;

use super::constraints;
use super::free_form::text_table;
use super::section::SectionReader;
use crate::job::diagnostics::problem::Problem;
use crate::job::spec::{Debugger, DebuggerHook, Experiment, Mlflow, Profiler, RuleSpec, S3AndLocalPath};
use crate::model::S3Uri;

/// Length limit of names and of parameters (botocore, `ConfigKey`, `ConfigValue`).
const MAX_NAME_CHARS: usize = 256;
/// The profiler's documented sampling intervals, in milliseconds.
const INTERVALS_MILLIS: [i64; 6] = [100, 200, 500, 1_000, 5_000, 60_000];

/// Replaces a URI that is missing or wrong, which is reported already, by a placeholder.
fn or_placeholder(uri: Option<S3Uri>) -> Option<S3Uri> {
    uri.or_else(|| S3Uri::parse("s3://missing").ok())
}

pub(crate) fn tensorboard(root: &SectionReader<'_>) -> Option<S3AndLocalPath> {
    let section = root.section("tensorboard");
    let s3_uri = or_placeholder(section.s3_uri("s3_uri"))?;
    let local_path = section.checked("local_path", constraints::container_path);
    section.is_written().then_some(S3AndLocalPath { s3_uri, local_path })
}

pub(crate) fn experiment(root: &SectionReader<'_>) -> Option<Experiment> {
    let section = root.section("experiment");
    let name = |key| section.checked(key, constraints::experiment_name);
    section.is_written().then(|| Experiment {
        name: name("name"),
        trial: name("trial"),
        display_name: name("display_name"),
        run_name: name("run_name"),
    })
}

pub(crate) fn debugger(root: &SectionReader<'_>) -> Option<Debugger> {
    let section = root.section("debugger");
    section.is_written().then(|| Debugger { hook: hook(&section), rules: rules(&section) })
}

fn hook(debugger: &SectionReader<'_>) -> Option<DebuggerHook> {
    let section = debugger.section("hook");
    let s3_uri = or_placeholder(section.s3_uri("s3_uri"))?;
    let collections = section.sections("collections");
    section.is_written().then(|| DebuggerHook {
        s3_uri,
        local_path: section.checked("local_path", constraints::container_path),
        parameters: parameters(&section),
        collections: collections.iter().map(collection).collect(),
    })
}

fn collection(section: &SectionReader<'_>) -> (String, BTreeMap<String, String>) {
    (name(section), parameters(section))
}

fn rules(section: &SectionReader<'_>) -> Vec<RuleSpec> {
    section.sections("rules").iter().map(rule).collect()
}

fn rule(section: &SectionReader<'_>) -> RuleSpec {
    RuleSpec {
        name: name(section),
        image: section.checked("image", constraints::image),
        instance_type: section.checked("instance_type", processing_type),
        volume_size_gb: section.count("volume_size_gb"),
        s3_uri: section.s3_uri("s3_uri"),
        local_path: section.checked("local_path", constraints::container_path),
        parameters: parameters(section),
    }
}

/// Checks only the form of a rule's instance type: rules run as processing jobs, which have other types than training
/// jobs.
fn processing_type(text: &str) -> Result<(), String> {
    let is_type = text.starts_with("ml.") && text.matches('.').count() == 2 && !text.ends_with('.');
    if is_type { Ok(()) } else { Err("is not an instance type, such as ml.t3.medium".to_owned()) }
}

fn name(section: &SectionReader<'_>) -> String {
    section.checked("name", |text| constraints::between(text, 1, MAX_NAME_CHARS)).unwrap_or_default()
}

fn parameters(section: &SectionReader<'_>) -> BTreeMap<String, String> {
    let parameters = text_table(section, "parameters");
    let count = parameters.len();
    let most = section.max_entries("parameters");
    if count > most {
        let message = format!("`parameters` has {count} entries, and at most {most} are allowed");
        section.refuse("parameters", message, None);
    }
    for (entry, value) in &parameters {
        let checked =
            constraints::between(&entry.key, 1, MAX_NAME_CHARS).map_err(|why| format!("the parameter's name {why}"));
        let checked = checked.and_then(|()| {
            constraints::at_most(value, MAX_NAME_CHARS).map_err(|why| format!("the parameter's value {why}"))
        });
        if let Err(why) = checked {
            section.report.add(Problem::error(why).at(&entry.node.place));
        }
    }
    parameters.into_iter().map(|(entry, value)| (entry.key.clone(), value)).collect()
}

pub(crate) fn profiler(root: &SectionReader<'_>) -> Option<Profiler> {
    let section = root.section("profiler");
    let interval = section.integer("system_monitor_interval_millis");
    if interval.is_some_and(|interval| !INTERVALS_MILLIS.contains(&interval)) {
        let message = "`system_monitor_interval_millis` should be 100, 200, 500, 1000, 5000 or 60000";
        section.refuse("system_monitor_interval_millis", message, None);
    }
    section.is_written().then(|| Profiler {
        enabled: section.boolean("enabled"),
        s3_uri: section.s3_uri("s3_uri"),
        system_monitor_interval_millis: interval,
        parameters: parameters(&section),
        rules: rules(&section),
    })
}

pub(crate) fn mlflow(root: &SectionReader<'_>) -> Option<Mlflow> {
    let section = root.section("mlflow");
    let name = |key| section.checked(key, |text| constraints::between(text, 1, MAX_NAME_CHARS));
    section.is_written().then(|| Mlflow {
        resource_arn: section.checked("resource_arn", constraints::mlflow_arn).unwrap_or_default(),
        experiment_name: name("experiment_name"),
        run_name: name("run_name"),
    })
}
