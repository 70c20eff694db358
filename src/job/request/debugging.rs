//! Builds the debugger's and the profiler's part of the request. Nothing is sent unless the spec has the section.
//!
//! Source of the defaults: the SageMaker Python SDK 2.257.7, `estimator.py`.

use std::collections::BTreeMap;

use serde::ser::Error as _;

use super::convert::{int, some_list, some_map};
use super::resolved_inputs::ResolvedInputs;
use crate::job::spec::{JobSpec, RuleSpec};
use crate::model::request::{CollectionConfiguration, DebugHookConfig, ProfilerConfig, RuleConfiguration};

/// Returns the hook's configuration. Rules evaluate what a hook stores: for a spec that has rules but no hook, a hook
/// that stores at the job's output URI is added, as by the SDK.
pub(super) fn hook(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> Option<DebugHookConfig> {
    let debugger = spec.debugger.as_ref()?;
    let Some(hook) = &debugger.hook else {
        let default = DebugHookConfig { s3_output_path: inputs.output.to_string(), ..DebugHookConfig::default() };
        return (!debugger.rules.is_empty()).then_some(default);
    };
    Some(DebugHookConfig {
        local_path: hook.local_path.clone(),
        s3_output_path: hook.s3_uri.to_string(),
        hook_parameters: some_map(hook.parameters.clone()),
        collection_configurations: some_list(hook.collections.iter().map(collection).collect()),
    })
}

fn collection((name, parameters): &(String, BTreeMap<String, String>)) -> CollectionConfiguration {
    CollectionConfiguration { collection_name: Some(name.clone()), collection_parameters: some_map(parameters.clone()) }
}

/// Errors if neither the rule nor the inputs have an image.
fn rule_configuration(rule: &RuleSpec, inputs: &ResolvedInputs<'_>) -> serde_json::Result<RuleConfiguration> {
    let image = rule.image.as_deref().or(inputs.rules_image);
    let no_image = || serde_json::Error::custom(format_args!("there is no image for the rule {}", rule.name));
    Ok(RuleConfiguration {
        rule_configuration_name: rule.name.clone(),
        local_path: rule.local_path.clone(),
        s3_output_path: rule.s3_uri.as_ref().map(ToString::to_string),
        rule_evaluator_image: image.ok_or_else(no_image)?.to_owned(),
        instance_type: rule.instance_type.clone(),
        volume_size_in_gb: rule.volume_size_gb.map(int),
        rule_parameters: some_map(rule.parameters.clone()),
    })
}

/// Returns the debugger's rules. Errors if a rule has no image.
pub(super) fn debug_rules(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> serde_json::Result<Vec<RuleConfiguration>> {
    let rules = spec.debugger.iter().flat_map(|debugger| &debugger.rules);
    rules.map(|rule| rule_configuration(rule, inputs)).collect()
}

/// Returns the profiler's configuration. The default of its output is the job's output URI, as in the SDK.
pub(super) fn profiler(spec: &JobSpec, inputs: &ResolvedInputs<'_>) -> Option<ProfilerConfig> {
    let profiler = spec.profiler.as_ref()?;
    let is_off = profiler.enabled == Some(false);
    let default_output = (!is_off).then_some(inputs.output);
    Some(ProfilerConfig {
        s3_output_path: profiler.s3_uri.as_ref().or(default_output).map(ToString::to_string),
        profiling_interval_in_milliseconds: profiler.system_monitor_interval_millis,
        profiling_parameters: some_map(profiler.parameters.clone()),
        disable_profiler: Some(is_off),
    })
}

/// Returns the profiler's rules. Errors if a rule has no image.
pub(super) fn profiler_rules(
    spec: &JobSpec,
    inputs: &ResolvedInputs<'_>,
) -> serde_json::Result<Vec<RuleConfiguration>> {
    let rules = spec.profiler.iter().flat_map(|profiler| &profiler.rules);
    rules.map(|rule| rule_configuration(rule, inputs)).collect()
}
