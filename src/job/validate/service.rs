//! Checks rules of the service that the types of its API don't express: requests that break them are refused once the
//! code is stored, or start a job that can't work.
//!
//! Source, where no other is named: the documentation of CreateTrainingJob in botocore 1.44.8.

use std::collections::HashSet;

use super::checks::Checks;
use crate::job::diagnostics::problem::Problem;
use crate::job::spec::{AlgorithmSpec, RuleSpec, Workload};

const VOLUME_SIZE: [&str; 2] = ["resources", "volume_size_gb"];
const VOLUME_KEY: [&str; 2] = ["encryption", "volume_kms_key_id"];
const PREFERENCES: [&str; 2] = ["resources", "instance_preferences"];

pub(crate) fn check(checks: &Checks<'_>) {
    volume(checks);
    pending(checks);
    preferences(checks);
    remote_debug(checks);
    metrics(checks);
    rules(checks);
}

/// Reports a key or a size for the volume of instances that have none: their storage is their own, of a fixed size, and
/// encrypted by hardware.
fn volume(checks: &Checks<'_>) {
    let types = checks.spec.resources.instance_types();
    let Some(first) = types.first().filter(|_| types.iter().all(|name| name.has_local_storage())) else { return };
    if checks.spec.volume_kms_key_id.is_some() {
        let message =
            format!("`{first}` takes no `volume_kms_key_id`: its storage is local, and encrypted by hardware");
        checks.refuse(&VOLUME_KEY, message, "leave it out, or choose an instance type without local storage");
    }
    if checks.has(&VOLUME_SIZE) {
        let message = format!("`{first}` takes no `volume_size_gb`: its storage is local, of a fixed size");
        checks.add(&VOLUME_SIZE, Problem::warning(message).hint("leave it out, or choose a larger instance type"));
    }
}

fn pending(checks: &Checks<'_>) {
    let types = checks.spec.resources.instance_types();
    let is_accelerated = types.iter().any(|name| name.is_accelerated() || name.is_local());
    if checks.spec.limits.max_pending.is_none() || types.is_empty() || is_accelerated {
        return;
    }
    let message = format!("`max_pending` has no effect on `{}`", types[0]);
    let hint = "leave it out: the service takes it for types with accelerators only, of ml.p, ml.g and ml.trn";
    checks.add(&["limits", "max_pending"], Problem::warning(message).hint(hint));
}

fn preferences(checks: &Checks<'_>) {
    let resources = &checks.spec.resources;
    if resources.instance_preferences.is_empty() {
        return;
    }
    let exclusive = "leave one of them out";
    if resources.instance_placement.is_some() {
        let message = "`instance_placement` can't be used with `instance_preferences`";
        checks.refuse(&["resources", "instance_placement"], message, exclusive);
    }
    let has_plan = resources.instance_preferences.iter().any(|preference| preference.training_plan_arn.is_some());
    if has_plan && resources.training_plan_arn.is_some() {
        let message = "`training_plan_arn` can't be used beside preferences that have one";
        checks.refuse(&["resources", "training_plan_arn"], message, exclusive);
    }
    let mut seen = HashSet::new();
    if let Some(again) = resources.instance_preferences.iter().find(|it| !seen.insert(&it.instance_type)) {
        let message = format!("`{}` is preferred twice", again.instance_type);
        checks.refuse(&PREFERENCES, message, "name each instance type once");
    }
}

/// Source: AWS's developer guide, "Access a training container through AWS Systems Manager for remote debugging".
fn remote_debug(checks: &Checks<'_>) {
    if checks.spec.remote_debug != Some(true) {
        return;
    }
    let path = ["remote_debug", "enabled"];
    if is_built_in(&checks.spec.workload) {
        let message = "remote debugging can't be used with a built-in algorithm";
        checks.refuse(&path, message, "leave [remote_debug] out");
    }
    if checks.spec.network.isolation {
        let message = "remote debugging can't be used with network isolation, which cuts its connection off";
        checks.refuse(&path, message, "leave one of them out");
    }
}

/// The service answers "You can't override the metric definitions for Amazon SageMaker algorithms".
fn metrics(checks: &Checks<'_>) {
    if is_built_in(&checks.spec.workload) && !checks.spec.metrics.is_empty() {
        let message = "[metrics] can't be used with a built-in algorithm, which has its own";
        checks.refuse(&["metrics"], message, "leave it out: `smtrain describe` shows the algorithm's metrics");
    }
}

fn is_built_in(workload: &Workload) -> bool {
    matches!(workload, Workload::Algorithm(AlgorithmSpec::BuiltIn { .. }))
}

/// Reports rules of one name, and a profiler that is switched off but has rules (sagemaker 2.257.7, `estimator.py`).
fn rules(checks: &Checks<'_>) {
    let debugger: &[RuleSpec] = checks.spec.debugger.as_ref().map_or(&[], |debugger| &debugger.rules);
    let profiler: &[RuleSpec] = checks.spec.profiler.as_ref().map_or(&[], |profiler| &profiler.rules);
    for (section, rules) in [("debugger", debugger), ("profiler", profiler)] {
        let mut names = HashSet::new();
        for rule in rules.iter().filter(|rule| !names.insert(&rule.name)) {
            let message = format!("[{section}] has two rules named `{}`", rule.name);
            checks.refuse(&[section, "rules"], message, "give each rule its own name");
        }
    }
    let is_off = checks.spec.profiler.as_ref().is_some_and(|profiler| profiler.enabled == Some(false));
    if is_off && !profiler.is_empty() {
        let message = "[profiler] has rules, and is switched off";
        checks.refuse(&["profiler", "rules"], message, "leave the rules out, or `enabled = false`");
    }
}
