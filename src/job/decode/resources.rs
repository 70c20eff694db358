//! Decodes `[resources]`, `[limits]` and `[checkpoints]`.

use super::constraints;
use super::section::SectionReader;
use crate::job::diagnostics::problem::Problem;
use crate::job::schema::instance_types::{InstanceTypeMatch, classify};
use crate::job::spec::{
    Checkpoints, InstanceGroupSpec, InstancePlacement, InstancePreferenceSpec, LimitsSpec, Resources,
};
use crate::model::InstanceType;

const DEFAULT_VOLUME_GB: u32 = 30;
/// Limits of botocore's `InstanceGroupName` and `UltraServerId`.
const MAX_GROUP_NAME_CHARS: usize = 64;
const MAX_ULTRA_SERVER_ID_CHARS: usize = 256;

pub(crate) fn resources(root: &SectionReader<'_>) -> Resources {
    let section = root.section("resources");
    let instance_count = section.count("instance_count").unwrap_or(1);
    Resources {
        instance_type: instance_type(&section, "instance_type"),
        instance_count,
        volume_size_gb: section.count("volume_size_gb").unwrap_or(DEFAULT_VOLUME_GB),
        keep_alive_period: section.duration("keep_alive_period"),
        training_plan_arn: section.checked("training_plan_arn", constraints::training_plan_arn),
        instance_groups: instance_groups(&section),
        instance_preferences: instance_preferences(&section, instance_count),
        instance_placement: instance_placement(&section),
    }
}

/// Reads an instance type. One that isn't in the built-in list, which may be older, is a warning; a text that doesn't
/// have the form of an instance type is an error.
fn instance_type(section: &SectionReader<'_>, key: &str) -> Option<InstanceType> {
    let node = section.get(key)?;
    let name = section.string(key)?;
    let instance_type = InstanceType::new(name.as_str());
    let problem = if instance_type.is_local() { None } else { problem_of_type(&name) };
    if let Some(problem) = problem {
        section.report.add(problem.at(&node.place));
    }
    Some(instance_type)
}

fn problem_of_type(name: &str) -> Option<Problem> {
    let question = |word: String| format!("did you mean `{word}`?");
    match classify(name) {
        InstanceTypeMatch::Known => None,
        InstanceTypeMatch::Unlisted { near } => {
            let newer = "a newer type is sent as it is written";
            let hint = near.map_or_else(|| newer.to_owned(), |word| format!("{} {newer}", question(word)));
            Some(Problem::warning(format!("instance type `{name}` is not in the built-in list")).hint(hint))
        }
        InstanceTypeMatch::Malformed { near } => {
            let problem = Problem::error(format!("{name:?} is not an instance type"));
            Some(problem.hint("such as \"ml.m5.xlarge\", or \"local\"").maybe_hint(near.map(question)))
        }
    }
}

fn instance_groups(section: &SectionReader<'_>) -> Vec<InstanceGroupSpec> {
    let groups = section.sections("instance_groups");
    not_empty(section, "instance_groups", groups.len());
    let groups: Vec<_> = groups.iter().map(instance_group).collect();
    for (index, group) in groups.iter().enumerate() {
        if groups.iter().take(index).any(|before| before.name == group.name && !group.name.is_empty()) {
            section.refuse("instance_groups", format!("two instance groups are named `{}`", group.name), None);
        }
    }
    groups
}

fn instance_group(group: &SectionReader<'_>) -> InstanceGroupSpec {
    InstanceGroupSpec {
        name: group.checked("name", |text| constraints::between(text, 1, MAX_GROUP_NAME_CHARS)).unwrap_or_default(),
        instance_type: cloud_type(group),
        count: group.count("count").unwrap_or(1),
    }
}

/// Reads the preferences. Each gets a count: its own, or `instance_count`, which means the same to the API.
fn instance_preferences(section: &SectionReader<'_>, count_of_all: u32) -> Vec<InstancePreferenceSpec> {
    let readers = section.sections("instance_preferences");
    not_empty(section, "instance_preferences", readers.len());
    check_counts(section, readers.iter().filter(|reader| reader.has("count")).count(), readers.len());
    let preference = |reader: &SectionReader<'_>| InstancePreferenceSpec {
        instance_type: cloud_type(reader),
        count: reader.count("count").or(Some(count_of_all)),
        training_plan_arn: reader.checked("training_plan_arn", constraints::training_plan_arn),
    };
    readers.iter().map(preference).collect()
}

fn instance_placement(section: &SectionReader<'_>) -> Option<InstancePlacement> {
    let placement = section.section("instance_placement");
    let specification = |reader: &SectionReader<'_>| {
        let id = reader.checked("ultra_server_id", |text| constraints::between(text, 1, MAX_ULTRA_SERVER_ID_CHARS));
        (id, reader.count("count").unwrap_or(1))
    };
    placement.is_written().then(|| InstancePlacement {
        enable_multiple_jobs: placement.boolean("enable_multiple_jobs"),
        specifications: placement.sections("specifications").iter().map(specification).collect(),
    })
}

/// Reports counts that not all preferences have, or that stand beside `instance_count`.
///
/// Source: botocore 1.44.5, documentation of `InstancePreference`.
fn check_counts(section: &SectionReader<'_>, counts: usize, preferences: usize) {
    if counts > 0 && counts < preferences {
        let hint = "give every preference a `count`, or none and `instance_count` for all of them".to_owned();
        section.refuse("instance_preferences", "only some instance preferences have a `count`", Some(hint));
    }
    if counts > 0 && section.has("instance_count") {
        let message = "`instance_count` can't be used beside preferences that have a `count`";
        section.refuse("instance_count", message, Some("keep one of them".to_owned()));
    }
}

/// Reads the type of a group or a preference, which can't be `local`.
fn cloud_type(reader: &SectionReader<'_>) -> InstanceType {
    let instance_type = instance_type(reader, "type").unwrap_or_else(|| InstanceType::new(""));
    if instance_type.is_local() {
        let hint = "write instance_type = \"local\" instead".to_owned();
        reader.refuse("type", format!("`{instance_type}` can't be one of several types"), Some(hint));
    }
    instance_type
}

fn not_empty(section: &SectionReader<'_>, key: &str, count: usize) {
    if section.has(key) && count == 0 {
        section.refuse(key, format!("`{key}` has no entries"), Some("leave it out".to_owned()));
    }
}

pub(crate) fn limits(root: &SectionReader<'_>) -> LimitsSpec {
    let section = root.section("limits");
    LimitsSpec {
        max_run: section.duration("max_run").unwrap_or(LimitsSpec::default().max_run),
        max_wait: section.duration("max_wait"),
        max_pending: section.duration("max_pending"),
        max_retry_attempts: section.count("max_retry_attempts"),
    }
}

pub(crate) fn checkpoints(root: &SectionReader<'_>) -> Option<Checkpoints> {
    let section = root.section("checkpoints");
    section.is_written().then(|| Checkpoints {
        s3_uri: section.s3_uri("s3_uri"),
        local_path: section.checked("local_path", constraints::container_path),
    })
}
