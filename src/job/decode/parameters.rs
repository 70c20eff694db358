//! Decodes the tables with arbitrary keys: `[hyperparameters]`, `[environment]`, `[metrics]` and `[tags]`.

use std::collections::BTreeMap;

use regex::RegexBuilder;
use serde_json::{Map, Value as Json};

use super::constraints::{self, ConstraintResult};
use super::free_form::{json_table, text_table};
use super::section::SectionReader;
use crate::job::diagnostics::problem::{Location, Problem};
use crate::job::diagnostics::report::Report;
use crate::job::document::tree::{KeyValue, Value};

/// Limits of botocore's `TrainingEnvironmentMap`, `MetricDefinitionList` and `TagList`.
const MAX_VARIABLE_CHARS: usize = 512;
const MAX_METRIC_NAME_CHARS: usize = 255;
const MAX_EXPRESSION_CHARS: usize = 500;
/// Size limit of a compiled expression: compiling a hostile one must not take seconds.
const MAX_COMPILED_EXPRESSION_BYTES: usize = 1 << 20;
const MAX_TAG_KEY_CHARS: usize = 128;
const MAX_TAG_VALUE_CHARS: usize = 256;
/// Prefixes of the tags that AWS and smtrain set themselves.
const RESERVED_TAG_PREFIXES: [&str; 2] = ["aws:", "smtrain:"];

/// Decodes `[hyperparameters]`. Their lengths are checked in [`validate`](crate::job::validate): they depend on the
/// encoding, which depends on the workload.
pub(crate) fn hyperparameters(root: &SectionReader<'_>) -> Map<String, Json> {
    json_table(root, "hyperparameters").unwrap_or_default()
}

pub(crate) fn environment(root: &SectionReader<'_>) -> BTreeMap<String, String> {
    let variables = text_table(root, "environment");
    at_most(root, "environment", variables.len());
    for (entry, value) in &variables {
        check(root.report, &entry.key_place, "the variable's name", constraints::environment_name(&entry.key));
        check(root.report, &entry.node.place, "the value", constraints::at_most(value, MAX_VARIABLE_CHARS));
    }
    variables.into_iter().map(|(entry, value)| (entry.key.clone(), value)).collect()
}

pub(crate) fn tags(root: &SectionReader<'_>) -> Vec<(String, String)> {
    let tags = text_table(root, "tags");
    at_most(root, "tags", tags.len());
    for (entry, value) in &tags {
        let key = &entry.key;
        if let Some(prefix) = RESERVED_TAG_PREFIXES.iter().find(|prefix| key.to_lowercase().starts_with(*prefix)) {
            let message = format!("tags that start with `{prefix}` are reserved");
            root.report.add(Problem::error(message).at(&entry.key_place).hint("give it another key"));
        }
        let valid_key = constraints::between(key, 1, MAX_TAG_KEY_CHARS).and_then(|()| constraints::tag_text(key));
        let valid_value = constraints::at_most(value, MAX_TAG_VALUE_CHARS).and_then(|()| constraints::tag_text(value));
        check(root.report, &entry.key_place, "the tag's key", valid_key);
        check(root.report, &entry.node.place, "the tag's value", valid_value);
    }
    tags.into_iter().map(|(entry, value)| (entry.key.clone(), value)).collect()
}

pub(crate) fn metrics(root: &SectionReader<'_>) -> Vec<(String, String)> {
    let Some(node) = root.get("metrics") else { return Vec::new() };
    let Value::Table(table) = &node.value else {
        root.refuse("metrics", "`metrics` should be a table: name = 'regular expression'", None);
        return Vec::new();
    };
    at_most(root, "metrics", table.entries.len());
    // Expressions past the limit, which is reported, are not compiled: that takes long.
    let metrics = table.entries.iter().take(root.max_entries("metrics"));
    metrics.filter_map(|entry| Some((entry.key.clone(), metric(entry, root.report)?))).collect()
}

fn metric(entry: &KeyValue, report: &Report) -> Option<String> {
    let place = &entry.node.place;
    let Value::String(expression) = &entry.node.value else {
        let message = format!("a metric's expression is a string, not {}", entry.node.value.kind());
        report.add(Problem::error(message).at(place).hint("such as 'loss=([0-9.]+)'"));
        return None;
    };
    check(report, &entry.key_place, "the metric's name", constraints::between(&entry.key, 1, MAX_METRIC_NAME_CHARS));
    let length = constraints::between(expression, 1, MAX_EXPRESSION_CHARS);
    if length.is_ok() {
        check_expression(expression, place, report);
    }
    check(report, place, "the expression", length);
    Some(expression.clone())
}

/// Reports an expression without a group, or with a syntax error. SageMaker's engine is like Python's: syntax that only
/// it may accept is a warning.
fn check_expression(expression: &str, place: &Location, report: &Report) {
    match RegexBuilder::new(expression).size_limit(MAX_COMPILED_EXPRESSION_BYTES).build() {
        Ok(regex) if regex.captures_len() > 1 => {}
        Ok(_) => {
            let problem = Problem::error("the expression has no group, which is what the value is read from");
            report.add(problem.at(place).hint("put the number in parentheses: 'loss=([0-9.]+)'"));
        }
        Err(error) => {
            let why = reason(&error);
            let problem = if is_error_in_python(&why, expression) {
                Problem::error(format!("the expression is not a regular expression: {why}"))
            } else {
                Problem::warning(format!("the expression can't be checked or used locally: {why}"))
            };
            report.add(problem.at(place));
        }
    }
}

/// Returns whether Python's engine refuses the expression too. Python reads a brace that repeats nothing and a bracket
/// inside brackets literally, and has look-around, backreferences and more escapes.
fn is_error_in_python(why: &str, expression: &str) -> bool {
    const WRONG: [&str; 4] = ["unclosed group", "unopened group", "invalid character class range", "incomplete escape"];
    let starts = |start: &&str| why.starts_with(*start);
    WRONG.iter().any(starts)
        || (starts(&"unclosed character class") && expression.matches('[').count() == 1)
        || (starts(&"repetition operator missing") && !expression.contains('{'))
}

/// Returns the last line of a syntax error; the lines before it show the expression.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

fn at_most(root: &SectionReader<'_>, key: &str, count: usize) {
    let most = root.max_entries(key);
    if count > most {
        let message = format!("[{key}] has {count} entries, and at most {most} are allowed");
        root.refuse(key, message, hint_at_sources(root, key));
    }
}

/// Returns a hint at the texts that the entries of a table are in; `None` if all are in the table's own.
fn hint_at_sources(root: &SectionReader<'_>, key: &str) -> Option<String> {
    let node = root.get(key)?;
    let Value::Table(table) = &node.value else { return None };
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for entry in &table.entries {
        *counts.entry(entry.key_place.source).or_default() += 1;
    }
    let are_elsewhere = counts.keys().any(|source| *source != node.place.source);
    let named = counts.iter().filter_map(|(source, count)| Some((root.report.source_name(*source)?, count)));
    let named: Vec<String> = named.map(|(name, count)| format!("{count} from {name}")).collect();
    (are_elsewhere && !named.is_empty()).then(|| format!("leave some out: {}", named.join(", ")))
}

fn check(report: &Report, place: &Location, what: &str, checked: ConstraintResult) {
    if let Err(why) = checked {
        report.add(Problem::error(format!("{what} {why}")).at(place));
    }
}
