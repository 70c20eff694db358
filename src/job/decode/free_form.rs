//! Decodes tables with arbitrary keys: to JSON (hyperparameters) or to texts (environment, tags,
//! parameters).

use serde_json::{Map, Number, Value as Json};

use super::section::SectionReader;
use crate::job::diagnostics::problem::Problem;
use crate::job::diagnostics::report::Report;
use crate::job::document::tree::{KeyValue, TreeNode, TreeTable, Value};

/// Returns the table under `key` as JSON, in the order written. Values that JSON can't represent are reported and left
/// out.
pub(crate) fn json_table(reader: &SectionReader<'_>, key: &str) -> Option<Map<String, Json>> {
    let Value::Table(table) = &reader.get(key)?.value else {
        reader.refuse(key, format!("`{key}` should be a table"), None);
        return None;
    };
    Some(json_object(table, reader.report))
}

fn json_object(table: &TreeTable, report: &Report) -> Map<String, Json> {
    let member = |entry: &KeyValue| Some((entry.key.clone(), json(&entry.node, report)?));
    table.entries.iter().filter_map(member).collect()
}

/// Returns a value as JSON; `None` for one that JSON can't represent, which is reported.
pub(super) fn json(node: &TreeNode, report: &Report) -> Option<Json> {
    match &node.value {
        Value::String(text) => Some(Json::String(text.clone())),
        Value::Boolean(boolean) => Some(Json::Bool(*boolean)),
        Value::Integer(integer) => number_of(*integer).map(Json::Number).or_else(|| refuse(node, report)),
        Value::Float(float) => Number::from_f64(*float).map(Json::Number).or_else(|| refuse(node, report)),
        Value::Array(items) => Some(Json::Array(items.iter().filter_map(|item| json(item, report)).collect())),
        Value::Table(table) => Some(Json::Object(json_object(table, report))),
        Value::Datetime => refuse(node, report),
    }
}

fn number_of(integer: i128) -> Option<Number> {
    let signed = i64::try_from(integer).ok().map(Number::from);
    signed.or_else(|| u64::try_from(integer).ok().map(Number::from))
}

/// Returns the entries of the table under `key`, each with its value as it is written. Values that are no
/// scalars are reported and left out.
pub(crate) fn text_table<'a>(reader: &SectionReader<'a>, key: &str) -> Vec<(&'a KeyValue, String)> {
    let Some(node) = reader.get(key) else { return Vec::new() };
    let Value::Table(table) = &node.value else {
        reader.refuse(key, format!("`{key}` should be a table"), None);
        return Vec::new();
    };
    table
        .entries
        .iter()
        .filter_map(|entry| Some((entry, entry.node.scalar_text().or_else(|| refuse(&entry.node, reader.report))?)))
        .collect()
}

fn refuse<T>(node: &TreeNode, report: &Report) -> Option<T> {
    let (what, hint) = match &node.value {
        Value::Datetime => ("a date or time".to_owned(), quoted(node)),
        Value::Float(_) | Value::Integer(_) => (node.scalar_text().unwrap_or_default(), quoted(node)),
        other => (other.kind().to_owned(), "strings, integers, floats, dates and booleans can".to_owned()),
    };
    report.add(Problem::error(format!("{what} can't be sent as a value here")).at(&node.place).hint(hint));
    None
}

fn quoted(node: &TreeNode) -> String {
    format!("write it in quotes: \"{}\"", node.scalar_text().unwrap_or_default())
}
