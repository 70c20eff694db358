//! Hints for unknown keys: those of another section, and those with a name of the SageMaker SDK or API.

use super::{CHANNEL, Key, ROOT, find, names};
use crate::job::diagnostics::suggest::did_you_mean;

/// Sections in the order in which an unknown key is looked for: many have a `name` or an `s3_uri`.
const LIKELY: [&str; 18] = [
    "resources",
    "limits",
    "output",
    "source",
    "framework",
    "container",
    "network",
    "encryption",
    "distribution",
    "checkpoints",
    CHANNELS,
    "local",
    "experiment",
    "debugger",
    "profiler",
    "mlflow",
    "serverless",
    "model_package",
];
/// The section of any channel.
const CHANNELS: &str = "channels.NAME";

/// Names in the SageMaker SDK and API, in snake case, of keys that have another name here: their section, empty for the
/// top level, and name.
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

fn keys_of(section: &str) -> &'static [Key] {
    match section {
        "" => ROOT,
        CHANNELS => CHANNEL,
        _ => find(ROOT, section).map_or(&[], Key::keys),
    }
}

/// Returns whether a spec has a key, at its top level or in a section.
pub(crate) fn is_of_spec(key: &str) -> bool {
    ROOT.iter().any(|known| known.name == key || find(known.keys(), key).is_some())
}

/// Returns a hint for a key that `section`, empty for the top level, doesn't have.
pub(crate) fn hint_for_unknown(section: &str, key: &str, allowed: &'static [Key]) -> Option<String> {
    let word = snake_case(key);
    if !section.is_empty() && !is_of_spec(section.split(['.', '[']).next().unwrap_or_default()) {
        // Another file's section, such as an image's: no section of a spec has its keys.
        return did_you_mean(&word, names(allowed));
    }
    let section = if section.starts_with("channels.") { CHANNELS } else { section };
    known_elsewhere(section, &word, allowed).or_else(|| did_you_mean(&word, names(allowed)))
}

fn known_elsewhere(section: &str, word: &str, allowed: &'static [Key]) -> Option<String> {
    if find(allowed, word).is_some() {
        return Some(format!("did you mean `{word}`?"));
    }
    if let Some((_, home, name)) = OTHER_NAMES.iter().find(|(other, ..)| *other == word) {
        return Some(belongs(section, home, name));
    }
    // A similar key of the same section is more likely meant than the same key of another.
    if did_you_mean(word, names(allowed)).is_some() {
        return None;
    }
    let home = LIKELY.iter().find(|home| **home != section && find(keys_of(home), word).is_some());
    match home {
        Some(home) => Some(belongs(section, home, word)),
        None if find(ROOT, word).is_some() => Some(belongs(section, "", word)),
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

/// Converts a key to snake case: `MaxRuntimeInSeconds`, `max-run`.
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
            assert!(find(keys_of(home), key).is_some(), "{other}");
        }
        for section in LIKELY {
            assert!(!keys_of(section).is_empty(), "{section}");
        }
    }
}
