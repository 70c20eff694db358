//! Every key of the spec, and where a key belongs that stands in the wrong place or has another tool's name.

use super::suggest::did_you_mean;

pub(crate) const ROOT: &[&str] = &[
    "name",
    "input_mode",
    "role",
    "region",
    "framework",
    "source",
    "algorithm",
    "container",
    "hyperparameters",
    "environment",
    "resources",
    "limits",
    "spot",
    "checkpoints",
    "channels",
    "output",
    "metrics",
    "distribution",
    "network",
    "encryption",
    "tags",
    "local",
    "tensorboard",
    "experiment",
    "debugger",
    "profiler",
    "remote_debug",
    "infra_check",
    "session_chaining",
    "mlflow",
    "request",
];
/// What only settings have.
pub(crate) const SETTINGS_ONLY: [&str; 4] = ["profile", "default_bucket", "default_bucket_prefix", "provenance"];
pub(crate) const FRAMEWORK: &[&str] = &[
    "name",
    "version",
    "py_version",
    "pytorch_version",
    "tensorflow_version",
    "image",
    "model_dir",
    "training_compiler",
    "allow_unknown_version",
];
pub(crate) const SOURCE: &[&str] = &["dir", "entry_point", "dependencies", "s3_uri", "exclude", "external_symlinks"];
pub(crate) const ALGORITHM: &[&str] = &["name", "arn", "version"];
pub(crate) const CONTAINER: &[&str] =
    &["image", "entrypoint", "arguments", "repository_access", "repository_credentials_provider_arn"];
pub(crate) const RESOURCES: &[&str] = &[
    "instance_type",
    "instance_count",
    "volume_size_gb",
    "keep_alive_period",
    "training_plan_arn",
    "instance_groups",
    "instance_preferences",
];
pub(crate) const INSTANCE_GROUP: &[&str] = &["name", "type", "count"];
pub(crate) const INSTANCE_PREFERENCE: &[&str] = &["type", "count", "training_plan_arn"];
pub(crate) const LIMITS: &[&str] = &["max_run", "max_wait", "max_pending", "max_retry_attempts"];
pub(crate) const SWITCH: &[&str] = &["enabled"];
pub(crate) const S3_AND_LOCAL_PATH: &[&str] = &["s3_uri", "local_path"];
pub(crate) const CHANNEL: &[&str] = &[
    "source",
    "content_type",
    "input_mode",
    "distribution",
    "compression",
    "record_wrapper",
    "s3_data_type",
    "attribute_names",
    "shuffle_seed",
    "instance_groups",
    "access",
];
pub(crate) const OUTPUT: &[&str] = &["s3_uri", "kms_key_id", "compression"];
pub(crate) const DISTRIBUTION: &[&str] =
    &["type", "processes_per_host", "custom_mpi_options", "parameters", "modelparallel", "instance_groups"];
pub(crate) const NETWORK: &[&str] = &["subnets", "security_group_ids", "isolation", "encrypt_inter_container_traffic"];
pub(crate) const ENCRYPTION: &[&str] = &["volume_kms_key_id"];
pub(crate) const LOCAL: &[&str] = &["python", "stop_grace"];
pub(crate) const EXPERIMENT: &[&str] = &["name", "trial", "display_name", "run_name"];
pub(crate) const DEBUGGER: &[&str] = &["hook", "rules"];
pub(crate) const HOOK: &[&str] = &["s3_uri", "local_path", "parameters", "collections"];
pub(crate) const COLLECTION: &[&str] = &["name", "parameters"];
pub(crate) const RULE: &[&str] =
    &["name", "image", "instance_type", "volume_size_gb", "s3_uri", "local_path", "parameters"];
pub(crate) const PROFILER: &[&str] = &["enabled", "s3_uri", "system_monitor_interval_millis", "parameters", "rules"];
pub(crate) const MLFLOW: &[&str] = &["resource_arn", "experiment_name", "run_name"];

/// Sections by how likely a stray key is meant for them: `name` or `s3_uri` is in many.
const SECTIONS: &[(&str, &[&str])] = &[
    ("resources", RESOURCES),
    ("limits", LIMITS),
    ("output", OUTPUT),
    ("source", SOURCE),
    ("framework", FRAMEWORK),
    ("container", CONTAINER),
    ("network", NETWORK),
    ("encryption", ENCRYPTION),
    ("distribution", DISTRIBUTION),
    ("checkpoints", S3_AND_LOCAL_PATH),
    ("channels.NAME", CHANNEL),
    ("local", LOCAL),
    ("experiment", EXPERIMENT),
    ("debugger", DEBUGGER),
    ("profiler", PROFILER),
    ("mlflow", MLFLOW),
];

/// Names of the SageMaker SDK and API (in snake case) that differ here: section (empty for the top level) and key.
const OTHER_NAMES: &[(&str, &str, &str)] = &[
    ("base_job_name", "", "name"),
    ("training_job_name", "", "name"),
    ("job_name", "", "name"),
    ("role_arn", "", "role"),
    ("training_input_mode", "", "input_mode"),
    ("inputs", "", "channels"),
    ("input_data_config", "", "channels"),
    ("metric_definitions", "", "metrics"),
    ("hyper_parameters", "", "hyperparameters"),
    ("env", "", "environment"),
    ("source_dir", "source", "dir"),
    ("entry_script", "source", "entry_point"),
    ("code_location", "source", "s3_uri"),
    ("framework_version", "framework", "version"),
    ("transformers_version", "framework", "version"),
    ("compiler_config", "framework", "training_compiler"),
    ("image_uri", "container", "image"),
    ("training_image", "container", "image"),
    ("container_entry_point", "container", "entrypoint"),
    ("container_entrypoint", "container", "entrypoint"),
    ("container_arguments", "container", "arguments"),
    ("algorithm_name", "algorithm", "name"),
    ("algorithm_arn", "algorithm", "arn"),
    ("train_instance_type", "resources", "instance_type"),
    ("train_instance_count", "resources", "instance_count"),
    ("volume_size", "resources", "volume_size_gb"),
    ("volume_size_in_gb", "resources", "volume_size_gb"),
    ("keep_alive_period_in_seconds", "resources", "keep_alive_period"),
    ("training_plan", "resources", "training_plan_arn"),
    ("max_runtime_in_seconds", "limits", "max_run"),
    ("max_wait_time_in_seconds", "limits", "max_wait"),
    ("max_pending_time_in_seconds", "limits", "max_pending"),
    ("maximum_retry_attempts", "limits", "max_retry_attempts"),
    ("use_spot_instances", "spot", "enabled"),
    ("enable_managed_spot_training", "spot", "enabled"),
    ("checkpoint_s3_uri", "checkpoints", "s3_uri"),
    ("checkpoint_local_path", "checkpoints", "local_path"),
    ("output_path", "output", "s3_uri"),
    ("s3_output_path", "output", "s3_uri"),
    ("output_kms_key", "output", "kms_key_id"),
    ("volume_kms_key", "encryption", "volume_kms_key_id"),
    ("enable_network_isolation", "network", "isolation"),
    ("enable_inter_container_traffic_encryption", "network", "encrypt_inter_container_traffic"),
    ("s3_data", "channels.NAME", "source"),
    ("record_wrapping", "channels.NAME", "record_wrapper"),
    ("tensorboard_output_config", "", "tensorboard"),
    ("experiment_config", "", "experiment"),
    ("debugger_hook_config", "debugger", "hook"),
    ("profiler_config", "", "profiler"),
];

/// Whether a key is the spec's, in any of its sections.
pub(crate) fn is_of_spec(key: &str) -> bool {
    ROOT.contains(&key) || SECTIONS.iter().any(|(_, keys)| keys.contains(&key))
}

/// What to do about a key that `section` (empty for the top level) does not have.
pub(crate) fn hint_for_unknown(section: &str, key: &str, allowed: &[&str]) -> Option<String> {
    let word = snake_case(key);
    let section = if section.starts_with("channels.") { "channels.NAME" } else { section };
    known_elsewhere(section, &word, allowed).or_else(|| did_you_mean(&word, allowed.iter().copied()))
}

fn known_elsewhere(section: &str, word: &str, allowed: &[&str]) -> Option<String> {
    if allowed.contains(&word) {
        return Some(format!("did you mean `{word}`?"));
    }
    if let Some((_, home, name)) = OTHER_NAMES.iter().find(|(other, ..)| *other == word) {
        return Some(belongs(section, home, name));
    }
    // A key that is common to many sections, written in one that has a similar one, is a slip of the pen.
    if did_you_mean(word, allowed.iter().copied()).is_some() {
        return None;
    }
    let home = SECTIONS.iter().find(|(home, keys)| *home != section && keys.contains(&word));
    match home {
        Some((home, _)) => Some(belongs(section, home, word)),
        None if ROOT.contains(&word) => Some(belongs(section, "", word)),
        None => None,
    }
}

fn belongs(section: &str, home: &str, name: &str) -> String {
    if section == home {
        format!("its name here is `{name}`")
    } else if home.is_empty() {
        format!("`{name}` belongs at the top of the file, before the first [section]")
    } else {
        format!("`{name}` belongs in [{home}]")
    }
}

/// `MaxRuntimeInSeconds` and `max-run` as keys are written here.
fn snake_case(key: &str) -> String {
    let mut snake = String::new();
    let mut after_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_sdk_and_the_api_are_sent_home() {
        for (key, hint) in [
            ("instance_type", "`instance_type` belongs in [resources]"),
            ("max_run", "`max_run` belongs in [limits]"),
            ("source_dir", "`dir` belongs in [source]"),
            ("MaxRuntimeInSeconds", "`max_run` belongs in [limits]"),
            ("VolumeSizeInGB", "`volume_size_gb` belongs in [resources]"),
            ("hyper-parameters", "its name here is `hyperparameters`"),
            ("resource", "did you mean `resources`?"),
        ] {
            assert_eq!(hint_for_unknown("", key, ROOT).as_deref(), Some(hint), "{key}");
        }
        assert_eq!(hint_for_unknown("", "zebra", ROOT), None);
    }

    #[test]
    fn every_home_has_the_key() {
        for (other, home, key) in OTHER_NAMES {
            let sections = SECTIONS.iter().chain(&[("", ROOT), ("algorithm", ALGORITHM), ("spot", SWITCH)]);
            let mut keys = sections.filter(|(name, _)| name == home).map(|(_, keys)| *keys);
            assert!(keys.any(|keys| keys.contains(key)), "{other}");
        }
    }

    #[test]
    fn the_readme_names_every_key() {
        const README: &str = include_str!("../../README.md");
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let more =
            [ROOT, ALGORITHM, SWITCH, S3_AND_LOCAL_PATH, INSTANCE_GROUP, INSTANCE_PREFERENCE, HOOK, COLLECTION, RULE];
        let keys = SECTIONS.iter().map(|(_, keys)| *keys).chain(more).flatten();
        for key in keys {
            assert!(README.split(|c| !is_of_word(c)).any(|word| word == *key), "the README does not name {key}");
        }
    }
}
