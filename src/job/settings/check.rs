//! Checks one layer of settings: its keys must be those of settings, and its values valid.

use crate::job::decode::constraints::{self, ConstraintResult};
use crate::job::decode::section::SectionReader;
use crate::job::decode::{infrastructure, parameters};
use crate::job::diagnostics::problem::Problem;
use crate::job::diagnostics::report::Report;
use crate::job::diagnostics::suggest::did_you_mean;
use crate::job::document::tree::{TreeTable, Value};
use crate::job::schema::{Key, SETTINGS, find, is_of_spec, names};
use crate::model::S3Uri;

/// Length limit of a prefix, of the 1024 characters of an object's key; smtrain appends to it.
const MAX_PREFIX_CHARS: usize = 512;
const MAX_PROFILE_CHARS: usize = 255;

/// Checks a layer. Unknown keys are reported and removed from the table.
pub(crate) fn check(table: &mut TreeTable, report: &Report) {
    refuse_unknown("", table, SETTINGS, report);
    for section in SETTINGS.iter().filter(|key| !key.keys().is_empty()) {
        let node = table.entries.iter_mut().find(|entry| entry.key == section.name).map(|entry| &mut entry.node.value);
        if let Some(Value::Table(table)) = node {
            refuse_unknown(section.name, table, section.keys(), report);
        }
    }
    values(&SectionReader::root(table, SETTINGS, report));
}

fn refuse_unknown(section: &str, table: &mut TreeTable, keys: &'static [Key], report: &Report) {
    table.entries.retain(|entry| {
        let key = entry.key.as_str();
        let is_known = find(keys, key).is_some();
        if !is_known {
            let place =
                if section.is_empty() { "the settings".to_owned() } else { format!("[{section}] of the settings") };
            let problem = Problem::error(format!("unknown key `{key}` in {place}")).label("unknown key");
            let hint = if report.is_full() { None } else { Some(hint(key, keys)) };
            report.add(problem.at(&entry.key_place).maybe_hint(hint));
        }
        is_known
    });
}

fn hint(key: &str, keys: &'static [Key]) -> String {
    if let Some(section) = SETTINGS.iter().find(|section| find(section.keys(), key).is_some()) {
        return format!("`{key}` belongs in [{}]", section.name);
    }
    if is_of_spec(key) {
        return format!("`{key}` belongs in a job spec");
    }
    did_you_mean(key, names(keys))
        .unwrap_or_else(|| format!("its keys are {}", names(keys).collect::<Vec<_>>().join(", ")))
}

/// Reads all values for their problems only. Keys that require each other are checked once the layers are below a spec:
/// they may be in different layers.
fn values(root: &SectionReader<'_>) {
    root.checked("role", constraints::role);
    root.checked("region", constraints::region);
    root.checked("profile", profile);
    root.checked("default_bucket", bucket);
    root.checked("default_bucket_prefix", prefix);
    root.boolean("provenance");
    root.checked("images", constraints::not_empty);
    let output = root.section("output");
    output.s3_uri("s3_uri");
    output.checked("kms_key_id", constraints::kms_key_id);
    root.section("source").s3_uri("s3_uri");
    infrastructure::network_values(&root.section("network"));
    infrastructure::volume_kms_key_id(root);
    parameters::tags(root);
    parameters::environment(root);
}

fn profile(text: &str) -> ConstraintResult {
    constraints::between(text, 1, MAX_PROFILE_CHARS)?;
    if text.contains(char::is_control) { Err("has a control character".to_owned()) } else { Ok(()) }
}

fn bucket(text: &str) -> ConstraintResult {
    match S3Uri::parse(&format!("s3://{text}")) {
        Ok(uri) if uri.bucket() == text => Ok(()),
        _ => Err("is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens".to_owned()),
    }
}

fn prefix(text: &str) -> ConstraintResult {
    constraints::at_most(text, MAX_PREFIX_CHARS)?;
    if text.contains("//") && !text.contains("://") {
        return Err("has `//`, which SageMaker refuses in the keys of objects".to_owned());
    }
    if text.contains("://") {
        return Err("is a URI, and should be the start of keys, such as team/churn".to_owned());
    }
    if text.contains(char::is_control) { Err("has a control character".to_owned()) } else { Ok(()) }
}
