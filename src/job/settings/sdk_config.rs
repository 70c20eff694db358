//! Translates the SageMaker Python SDK's `config.yaml` into smtrain's settings.
//!
//! Source of the keys: sagemaker 2.257.7, `sagemaker/config/config_schema.py`. The file configures more than training
//! jobs: keys that have no setting here are ignored.

use crate::job::diagnostics::problem::{Location, Problem};
use crate::job::diagnostics::report::Report;
use crate::job::document::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::job::document::yaml::{document, flattened};

/// The only version of the file's schema that the SDK accepts.
const SCHEMA_VERSION: &str = "1.0";

/// Sections of `SageMaker.TrainingJob` (empty for itself), their keys, and the paths of the settings they become.
const TRAINING_JOB: &[(&str, &str, &[&str])] = &[
    ("", "RoleArn", &["role"]),
    ("", "EnableNetworkIsolation", &["network", "isolation"]),
    ("", "EnableInterContainerTrafficEncryption", &["network", "encrypt_inter_container_traffic"]),
    ("VpcConfig", "Subnets", &["network", "subnets"]),
    ("VpcConfig", "SecurityGroupIds", &["network", "security_group_ids"]),
    ("OutputDataConfig", "KmsKeyId", &["output", "kms_key_id"]),
    ("ResourceConfig", "VolumeKmsKeyId", &["encryption", "volume_kms_key_id"]),
];

/// Keys of `SageMaker.PythonSDK.Modules.Session`, and the settings they become.
const SESSION: [(&str, &str); 2] =
    [("DefaultS3Bucket", "default_bucket"), ("DefaultS3ObjectKeyPrefix", "default_bucket_prefix")];

/// Parses the file, and returns its settings with their places.
pub(crate) fn settings(text: &str, report: &Report) -> TreeTable {
    let document = match document(text) {
        Ok(document) => SdkMapping { table: flattened(&document), report },
        Err(problem) => {
            report.add(problem);
            return TreeTable::default();
        }
    };
    document.check_version();
    let sagemaker = document.section("SageMaker");
    let mut settings = TreeTable::default();
    sagemaker.section("TrainingJob").training_job(&mut settings);
    let session = sagemaker.section("PythonSDK").section("Modules").section("Session");
    for (key, setting) in SESSION {
        session.put(key, &[setting], &mut settings);
    }
    settings
}

/// A mapping of the file.
struct SdkMapping<'r> {
    table: TreeTable,
    report: &'r Report,
}

impl SdkMapping<'_> {
    /// Returns a mapping inside this one. A missing one reads as empty.
    fn section(&self, key: &str) -> Self {
        let table = match self.table.get(key).map(|node| &node.value) {
            Some(Value::Table(table)) => flattened(table),
            Some(other) => {
                self.refuse(key, format!("`{key}` is {}, and should be a mapping", other.kind()));
                TreeTable::default()
            }
            None => TreeTable::default(),
        };
        Self { table, report: self.report }
    }

    fn refuse(&self, key: &str, message: String) {
        if let Some(node) = self.table.get(key) {
            self.report.add(Problem::error(message).at(&node.place));
        }
    }

    fn check_version(&self) {
        let version = self.table.get("SchemaVersion").map(|node| &node.value);
        if version.is_some_and(|version| !matches!(version, Value::String(text) if text == SCHEMA_VERSION)) {
            let message = format!("the schema's version should be {SCHEMA_VERSION}, the only one there is");
            self.refuse("SchemaVersion", message);
        }
    }

    fn training_job(&self, settings: &mut TreeTable) {
        let sections = ["VpcConfig", "OutputDataConfig", "ResourceConfig"].map(|name| (name, self.section(name)));
        for (name, key, setting) in TRAINING_JOB {
            let section = sections.iter().find(|(section, _)| section == name).map_or(self, |(_, section)| section);
            section.put(key, setting, settings);
        }
        if let Some(KeyValue { key_place, node, .. }) = self.table.entry("Environment") {
            let value = match &node.value {
                Value::Table(table) => Value::Table(flattened(table)),
                other => other.clone(),
            };
            merge(settings, &["environment"], key_place, TreeNode { value, ..node.clone() });
        }
        if let Some(KeyValue { key_place, node, .. }) = self.table.entry("Tags") {
            let tags = TreeNode { value: Value::Table(self.tags(node)), ..node.clone() };
            merge(settings, &["tags"], key_place, tags);
        }
    }

    fn put(&self, key: &str, setting: &[&str], settings: &mut TreeTable) {
        if let Some(entry) = self.table.entry(key) {
            merge(settings, setting, &entry.key_place, entry.node.clone());
        }
    }

    /// Converts a list of mappings of `Key` and `Value` to a table.
    fn tags(&self, node: &TreeNode) -> TreeTable {
        let Value::Array(items) = &node.value else {
            self.refuse("Tags", format!("`Tags` is {}, and should be a list", node.value.kind()));
            return TreeTable::default();
        };
        flattened(&TreeTable { entries: items.iter().filter_map(|item| self.tag(item)).collect() })
    }

    fn tag(&self, item: &TreeNode) -> Option<KeyValue> {
        let tag = match &item.value {
            Value::Table(table) => flattened(table),
            _ => TreeTable::default(),
        };
        if let (Some(key), Some(value)) = (tag.get("Key"), tag.get("Value"))
            && let Some(text) = key.text()
        {
            return Some(KeyValue { key: text.to_owned(), key_place: key.place.clone(), node: value.clone() });
        }
        self.report.add(Problem::error("a tag should be a mapping of `Key` and `Value`").at(&item.place));
        None
    }
}

/// Merges a value at a path, and creates the tables above it.
fn merge(table: &mut TreeTable, path: &[&str], key_place: &Location, node: TreeNode) {
    let wrap = |node: TreeNode, key: &&str| {
        let place = node.place.clone();
        let entry = KeyValue { key: (*key).to_owned(), key_place: key_place.clone(), node };
        TreeNode { value: Value::Table(TreeTable { entries: vec![entry] }), place, typed: None, written: None }
    };
    if let Value::Table(wrapped) = path.iter().rev().fold(node, wrap).value {
        wrapped.entries.into_iter().for_each(|entry| table.merge(entry));
    }
}
