//! Checks the number and the lengths of hyperparameters as they will be sent against the API's limits.

use serde_json::Value as Json;

use super::checks::Checks;
use crate::job::diagnostics::problem::Problem;
use crate::job::document::tree::{TreeNode, Value};
use crate::job::request::added_hyperparameters;
use crate::python::repr::PyValue;

/// Limits of botocore's `HyperParameters`, `HyperParameterKey` and `HyperParameterValue`.
const MAX_HYPERPARAMETERS: usize = 100;
const MAX_NAME_CHARS: usize = 256;
const MAX_VALUE_CHARS: usize = 2500;
/// Prefix of the hyperparameters that smtrain adds for the toolkit.
const RESERVED_PREFIX: &str = "sagemaker_";

pub(crate) fn check(checks: &Checks<'_>) {
    count(checks);
    let Some(Value::Table(table)) = checks.tree.at(&["hyperparameters"]).map(|node| &node.value) else { return };
    for entry in &table.entries {
        let add = |problem: Problem| checks.report.add(problem.at(&entry.key_place));
        if entry.key.starts_with(RESERVED_PREFIX) {
            let message = format!("hyperparameters that start with `{RESERVED_PREFIX}` are reserved");
            add(Problem::error(message).hint("give it another name"));
        }
        let length = entry.key.chars().count();
        if length == 0 || length > MAX_NAME_CHARS {
            add(Problem::error(format!(
                "a hyperparameter's name has 1 to {MAX_NAME_CHARS} characters, and this has {length}"
            )));
        }
        changed_numbers(checks, &entry.node);
        let value = checks.spec.hyperparameters.get(&entry.key).map_or(0, |value| sent_length(checks, value));
        if value > MAX_VALUE_CHARS {
            let message =
                format!("this value is sent as {value} characters, and at most {MAX_VALUE_CHARS} are allowed");
            let problem = Problem::error(message).at(&entry.node.place);
            checks.report.add(problem.hint("put it in a file beside the script, or in a channel"));
        }
    }
}

/// Warns of floats that lose zeros as numbers, such as a version `3.10`.
fn changed_numbers(checks: &Checks<'_>, node: &TreeNode) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| changed_numbers(checks, item)),
        Value::Table(table) => table.entries.iter().for_each(|entry| changed_numbers(checks, &entry.node)),
        Value::Float(float) => {
            let written = node.scalar_text().unwrap_or_default();
            if ends_in_lost_zero(&written) {
                let sent = PyValue::from(&Json::from(*float)).to_str();
                let problem = Problem::warning(format!("{written} is sent as the number {sent}")).at(&node.place);
                checks.report.add(problem.hint(format!("write \"{written}\", in quotes, to send it as it is written")));
            }
        }
        _ => {}
    }
}

/// Returns whether a float's fraction ends in a zero that is not its only digit.
fn ends_in_lost_zero(written: &str) -> bool {
    let mantissa = written.split(['e', 'E']).next().unwrap_or_default();
    mantissa.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 1 && fraction.ends_with('0'))
}

fn count(checks: &Checks<'_>) {
    let added = added_hyperparameters(checks.spec);
    let count = checks.spec.hyperparameters.len();
    let most = MAX_HYPERPARAMETERS - added;
    if count > most {
        let message = format!("{count} hyperparameters are too many: at most {most} are allowed");
        let hint = match added {
            0 => format!("the API takes {MAX_HYPERPARAMETERS}"),
            _ => format!("script mode sends {added} of its own beside them, and the API takes {MAX_HYPERPARAMETERS}"),
        };
        checks.refuse(&["hyperparameters"], message, &hint);
    }
}

/// Returns the length of a value as it is sent: as JSON with `[source]`, else a string as it is.
fn sent_length(checks: &Checks<'_>, value: &Json) -> usize {
    match value {
        Json::String(text) if checks.spec.source.is_none() => text.chars().count(),
        value => json_length(value),
    }
}

/// Returns the length of a value as Python's `json.dumps` writes it, in characters: a space follows `,` and `:`, and
/// other characters than ASCII are `\u` escapes.
fn json_length(value: &Json) -> usize {
    const BRACKETS: usize = 2;
    let separators = |count: usize| count.saturating_sub(1) * 2;
    match value {
        Json::String(text) => string_length(text),
        Json::Array(items) => BRACKETS + separators(items.len()) + items.iter().map(json_length).sum::<usize>(),
        Json::Object(table) => {
            let member = |(key, value): (&String, &Json)| string_length(key) + 2 + json_length(value);
            BRACKETS + separators(table.len()) + table.iter().map(member).sum::<usize>()
        }
        other => other.to_string().len(),
    }
}

fn string_length(text: &str) -> usize {
    const QUOTES: usize = 2;
    let length = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        ' '..='~' => 1,
        other => other.len_utf16() * 6,
    };
    QUOTES + text.chars().map(length).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::json_length;

    #[test]
    fn lengths_are_those_of_python() {
        let cases = [
            (json!({"a": [1, 2.5], "b": null}), r#"{"a": [1, 2.5], "b": null}"#),
            (json!("ü\n\u{7f}\u{1F600}"), r#""\u00fc\n\u007f\ud83d\ude00""#),
            (json!([true, {}, []]), "[true, {}, []]"),
        ];
        for (value, python) in cases {
            assert_eq!(json_length(&value), python.len(), "{python}");
        }
    }
}
