//! Decodes `[request]`: fields of CreateTrainingJob, checked against the API's types.
//!
//! Where the API takes text, a number, a boolean or a date is sent as it is written. A field that the types don't have is
//! taken as it is: the API may be newer.

use serde_json::{Map, Value as Json};

use super::constraints::ConstraintResult;
use super::free_form::json;
use super::section::SectionReader;
use crate::job::diagnostics::problem::Problem;
use crate::job::document::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::model::JobName;
use crate::model::request_shape::{FieldShape, RequestField, request_fields};

/// Structures that the request has only if the spec has one of some sections, with the sections. Without them,
/// `[request]` must have every field of the structure that the API requires.
const SECTIONS_OF: &[(&str, &[&str])] = &[
    ("VpcConfig", &["network"]),
    ("CheckpointConfig", &["checkpoints", "spot"]),
    ("DebugHookConfig", &["debugger"]),
    ("TensorBoardOutputConfig", &["tensorboard"]),
    ("RetryStrategy", &["limits"]),
    ("ServerlessJobConfig", &["serverless"]),
    ("MlflowConfig", &["mlflow"]),
    ("ModelPackageConfig", &["model_package"]),
];

/// Decodes the section. Values that don't fit the API are reported and left out.
pub(crate) fn decode(root: &SectionReader<'_>) -> Map<String, Json> {
    let Some(node) = root.get("request") else { return Map::new() };
    let Value::Table(table) = &node.value else {
        root.refuse("request", "`request` should be a table", None);
        return Map::new();
    };
    let patch = Patch { root };
    let fields = request_fields();
    let member = |entry: &KeyValue| {
        let field = fields.iter().find(|field| field.name == entry.key);
        patch.check_new_structure(entry, field);
        Some((entry.key.clone(), patch.field(&entry.key, &entry.node, field)?))
    };
    table.entries.iter().filter_map(member).collect()
}

/// The decoder of the section's values.
struct Patch<'r, 'a> {
    root: &'r SectionReader<'a>,
}

impl Patch<'_, '_> {
    /// Returns a field's value; one of an unknown field as it is.
    fn field(&self, path: &str, node: &TreeNode, field: Option<&RequestField>) -> Option<Json> {
        match field {
            None => json(node, self.root.report),
            Some(field) => self.value(path, node, &field.shape),
        }
    }

    fn value(&self, path: &str, node: &TreeNode, shape: &FieldShape) -> Option<Json> {
        match (shape, &node.value) {
            (FieldShape::Boolean, Value::Boolean(boolean)) => Some(Json::Bool(*boolean)),
            (FieldShape::Integer(most), Value::Integer(integer)) => self.integer(path, node, *integer, *most),
            (FieldShape::List(item), Value::Array(items)) => Some(self.list(path, items, item)),
            (FieldShape::Map(value), Value::Table(table)) => Some(self.map(path, table, value)),
            (FieldShape::Structure(fields), Value::Table(table)) => Some(self.structure(path, table, fields)),
            (FieldShape::Text, _) => self.text(path, node),
            _ => self.wrong(path, node, shape),
        }
    }

    fn text(&self, path: &str, node: &TreeNode) -> Option<Json> {
        let Some(text) = node.scalar_text() else { return self.wrong(path, node, &FieldShape::Text) };
        if path == "TrainingJobName" {
            self.check(
                path,
                node,
                JobName::new(text.as_str()).map(|_| ()).map_err(|error| format!("is no name of a job: {error}")),
            );
        }
        Some(Json::String(text))
    }

    fn integer(&self, path: &str, node: &TreeNode, integer: i128, most: i64) -> Option<Json> {
        let is_in_range = i128::from(most) >= integer && integer >= -i128::from(most);
        let number = i64::try_from(integer).ok().filter(|_| is_in_range);
        self.check(path, node, number.map(|_| ()).ok_or_else(|| format!("may be at most {most}, not {integer}")));
        number.map(Json::from)
    }

    /// Decodes a list. Its items replace those of the spec, so each of them must be whole.
    fn list(&self, path: &str, items: &[TreeNode], shape: &FieldShape) -> Json {
        let item = |(index, item): (usize, &TreeNode)| {
            let path = format!("{path}[{index}]");
            self.check_whole(&path, item, shape);
            self.value(&path, item, shape)
        };
        Json::Array(items.iter().enumerate().filter_map(item).collect())
    }

    fn map(&self, path: &str, table: &TreeTable, shape: &FieldShape) -> Json {
        let value = |entry: &KeyValue| self.value(&format!("{path}.{}", entry.key), &entry.node, shape);
        let member = |entry: &KeyValue| Some((entry.key.clone(), value(entry)?));
        Json::Object(table.entries.iter().filter_map(member).collect())
    }

    fn structure(&self, path: &str, table: &TreeTable, fields: &[RequestField]) -> Json {
        let member = |entry: &KeyValue| {
            let field = fields.iter().find(|field| field.name == entry.key);
            Some((entry.key.clone(), self.field(&format!("{path}.{}", entry.key), &entry.node, field)?))
        };
        Json::Object(table.entries.iter().filter_map(member).collect())
    }

    /// Reports what a structure lacks that only `[request]` adds to the job.
    fn check_new_structure(&self, entry: &KeyValue, field: Option<&RequestField>) {
        let is_absent = |sections: &[&str]| !sections.iter().any(|section| self.root.has(section));
        let is_new = SECTIONS_OF.iter().any(|(name, sections)| *name == entry.key && is_absent(sections));
        if let (Some(field), true) = (field, is_new) {
            self.check_whole(&entry.key, &entry.node, &field.shape);
        }
    }

    /// Reports the required fields that a structure lacks, at any depth.
    fn check_whole(&self, path: &str, node: &TreeNode, shape: &FieldShape) {
        let (FieldShape::Structure(fields), Value::Table(table)) = (shape, &node.value) else { return };
        for field in fields {
            match table.get(field.name) {
                Some(inner) => self.check_whole(&format!("{path}.{}", field.name), inner, &field.shape),
                None if field.is_required => {
                    let message = format!("`request.{path}` lacks `{}`, which CreateTrainingJob requires", field.name);
                    self.root.report.add(Problem::error(message).at(&node.place));
                }
                None => {}
            }
        }
    }

    fn check(&self, path: &str, node: &TreeNode, checked: ConstraintResult) {
        if let Err(why) = checked {
            self.root.report.add(Problem::error(format!("`request.{path}` {why}")).at(&node.place));
        }
    }

    /// Reports a value of another type than the API's.
    fn wrong(&self, path: &str, node: &TreeNode, shape: &FieldShape) -> Option<Json> {
        let expected = match shape {
            FieldShape::Text => "a string",
            FieldShape::Boolean => "a boolean",
            FieldShape::Integer(_) => "an integer",
            FieldShape::List(_) => "a list",
            FieldShape::Map(_) | FieldShape::Structure(_) => "a table",
        };
        self.root.wrong_kind(&format!("`request.{path}`"), node, expected);
        None
    }
}
