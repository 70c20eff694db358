//! The debugger and the profiler: sent only when the spec asks for them.

use std::collections::BTreeMap;

use super::convert::{int, some_list, some_map};
use super::facts::ResolvedInputs;
use crate::job::spec::{JobSpec, RuleSpec};
use crate::model::request::{CollectionConfiguration, DebugHookConfig, ProfilerConfig, RuleConfiguration};

/// A rule reads what a hook has stored: with rules alone, there is a hook that stores beside the job's output, as the SDK has
/// it.
pub(super) fn hook(spec: &JobSpec, facts: &ResolvedInputs<'_>) -> Option<DebugHookConfig> {
    let debugger = spec.debugger.as_ref()?;
    let Some(hook) = &debugger.hook else {
        let default = DebugHookConfig { s3_output_path: facts.output.to_string(), ..DebugHookConfig::default() };
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

fn rule_configuration(rule: &RuleSpec, facts: &ResolvedInputs<'_>) -> RuleConfiguration {
    RuleConfiguration {
        rule_configuration_name: rule.name.clone(),
        local_path: rule.local_path.clone(),
        s3_output_path: rule.s3_uri.as_ref().map(ToString::to_string),
        rule_evaluator_image: rule.image.clone().unwrap_or_else(|| facts.rules_image.to_owned()),
        instance_type: rule.instance_type.clone(),
        volume_size_in_gb: rule.volume_size_gb.map(int),
        rule_parameters: some_map(rule.parameters.clone()),
    }
}

pub(super) fn debug_rules(spec: &JobSpec, facts: &ResolvedInputs<'_>) -> Vec<RuleConfiguration> {
    let rules = spec.debugger.iter().flat_map(|debugger| &debugger.rules);
    rules.map(|rule| rule_configuration(rule, facts)).collect()
}

/// With its output beside the job's when the spec doesn't say where, as the SDK has it.
pub(super) fn profiler(spec: &JobSpec, facts: &ResolvedInputs<'_>) -> Option<ProfilerConfig> {
    let profiler = spec.profiler.as_ref()?;
    let is_off = profiler.enabled == Some(false);
    let default_output = (!is_off).then_some(facts.output);
    Some(ProfilerConfig {
        s3_output_path: profiler.s3_uri.as_ref().or(default_output).map(ToString::to_string),
        profiling_interval_in_milliseconds: profiler.system_monitor_interval_millis,
        profiling_parameters: some_map(profiler.parameters.clone()),
        disable_profiler: Some(is_off),
    })
}

pub(super) fn profiler_rules(spec: &JobSpec, facts: &ResolvedInputs<'_>) -> Vec<RuleConfiguration> {
    let rules = spec.profiler.iter().flat_map(|profiler| &profiler.rules);
    rules.map(|rule| rule_configuration(rule, facts)).collect()
}
