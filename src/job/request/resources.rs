//! Builds ResourceConfig: the instances that a job runs on.

use std::time::Duration;

use super::convert::{int, some_list};
use crate::job::spec::{InstanceGroupSpec, InstancePlacement, InstancePreferenceSpec, JobSpec, Resources};
use crate::model::request::{
    InstanceGroup, InstancePlacementConfig, InstancePreference, PlacementSpecification, ResourceConfig,
};

pub(super) fn config(spec: &JobSpec) -> ResourceConfig {
    let resources = &spec.resources;
    // The API accepts a type and a count, or groups, or preferences, but only one of the three.
    let is_plain = resources.instance_groups.is_empty() && resources.instance_preferences.is_empty();
    ResourceConfig {
        instance_type: resources.instance_type.clone().filter(|_| is_plain),
        instance_count: is_plain.then_some(int(resources.instance_count)),
        volume_size_in_gb: Some(int(resources.volume_size_gb)),
        volume_kms_key_id: spec.volume_kms_key_id.clone(),
        keep_alive_period_in_seconds: resources.keep_alive_period.map(seconds),
        instance_groups: groups(resources),
        training_plan_arn: resources.training_plan_arn.clone(),
        instance_preferences: some_list(resources.instance_preferences.iter().map(preference).collect()),
        instance_placement_config: resources.instance_placement.as_ref().map(placement),
        ..ResourceConfig::default()
    }
}

fn placement(placement: &InstancePlacement) -> InstancePlacementConfig {
    let specification = |(id, count): &(Option<String>, u32)| PlacementSpecification {
        ultra_server_id: id.clone(),
        instance_count: int(*count),
    };
    InstancePlacementConfig {
        enable_multiple_jobs: placement.enable_multiple_jobs,
        placement_specifications: some_list(placement.specifications.iter().map(specification).collect()),
    }
}

fn groups(resources: &Resources) -> Option<Vec<InstanceGroup>> {
    let group = |group: &InstanceGroupSpec| InstanceGroup {
        instance_type: group.instance_type.clone(),
        instance_count: int(group.count),
        instance_group_name: group.name.clone(),
    };
    some_list(resources.instance_groups.iter().map(group).collect())
}

fn preference(preference: &InstancePreferenceSpec) -> InstancePreference {
    InstancePreference {
        instance_type: preference.instance_type.clone(),
        instance_count: preference.count.map(int),
        training_plan_arns: preference.training_plan_arn.clone().map(|arn| vec![arn]),
    }
}

/// Returns whole seconds. The durations of a valid spec are far below the limit.
pub(super) fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
