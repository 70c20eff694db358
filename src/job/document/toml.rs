//! Parses TOML into a tree with places.
//!
//! The parser recovers from errors: all syntax errors are reported together. Duplicate keys are reported too, and the
//! tree is still returned.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::nesting::too_deep;
use super::read::{Wanted, other_format};
use super::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::job::diagnostics::problem::{Location, Problem, char_boundary, line_and_column};
use crate::job::diagnostics::report::Report;

const DUPLICATE_KEY: &str = "duplicate key";
/// Number of duplicate keys for which the first place is searched: each search parses the text again.
const MAX_DUPLICATES: usize = 20;

/// Parses a file's text; `None` if it has syntax errors or is nested too deeply, which is reported.
pub(crate) fn document(text: &str, wanted: Wanted, report: &Report) -> Option<TreeTable> {
    if let Some(bytes) = too_deep(text) {
        report.add(nested_too_deeply(&Location { source: 0, bytes }));
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let (duplicates, syntax): (Vec<_>, Vec<_>) =
        errors.into_iter().partition(|error| error.message().starts_with(DUPLICATE_KEY));
    if !syntax.is_empty() {
        match other_format(text, wanted) {
            Some(problem) => report.add(problem),
            None => syntax.iter().for_each(|error| report.add(syntax_error(text, error))),
        }
        return None;
    }
    for (index, error) in duplicates.iter().enumerate() {
        report.add(duplicate_key(text, error.span().unwrap_or_default(), index < MAX_DUPLICATES));
    }
    Some(Convert { source: 0, text, offset: 0, report }.table(table.get_ref()))
}

/// Parses a flag's value as TOML; `None` if it is no TOML, and so a plain string.
pub(crate) fn flag_value(text: &str, source: usize, offset: usize, report: &Report) -> Option<TreeNode> {
    if too_deep(text).is_some() {
        return None;
    }
    let value = DeValue::parse(text).ok()?;
    let mut node = Convert { source, text, offset, report }.node(&value);
    match &node.value {
        // A date is taken for text: no key has a date as its value, and quotes are awkward in a shell.
        Value::Datetime => node.value = Value::String(text.to_owned()),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => node.typed = Some(text.to_owned()),
        _ => {}
    }
    Some(node)
}

/// Splits a flag's dotted key into its parts, each with its span in the text; `None` if the text is no key.
pub(crate) fn dotted_key(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let assignment = format!("{text}=0");
    if text.contains(char::is_control) || too_deep(&assignment).is_some() {
        return None;
    }
    let document = DeTable::parse(&assignment).ok()?;
    let mut parts = Vec::new();
    let mut table = document.get_ref();
    loop {
        let (key, value) = table.iter().next()?;
        parts.push((key.get_ref().to_string(), key.span()));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(parts),
        }
    }
}

/// Returns the error for a text that is nested more than [`MAX_DEPTH`](super::nesting::MAX_DEPTH) levels deep.
pub(crate) fn nested_too_deeply(place: &Location) -> Problem {
    Problem::error("tables and arrays are nested more than 64 levels deep").at(place)
}

fn syntax_error(text: &str, error: &toml::de::Error) -> Problem {
    let bytes = error.span().unwrap_or_default();
    let start = char_boundary(text, bytes.start);
    let end = char_boundary(text, bytes.end).max(start);
    let problem = Problem::error(format!("invalid TOML: {}", corrected_message(error.message(), text.get(start..end))));
    problem.at(&Location { source: 0, bytes: start..end })
}

/// Returns the parser's message, or a better one where the parser takes a missing value for a string without quotes.
fn corrected_message<'m>(message: &'m str, at: Option<&str>) -> &'m str {
    const UNQUOTED: &str = "string values must be quoted";
    match message.strip_prefix(UNQUOTED) {
        Some(_) if at.is_none_or(|text| text.trim().is_empty()) => "a value is missing",
        Some(_) => UNQUOTED,
        None => message,
    }
}

fn duplicate_key(text: &str, bytes: Range<usize>, look_for_first: bool) -> Problem {
    let key = text.get(bytes.clone()).unwrap_or_default();
    let problem = Problem::error(format!("duplicate key `{key}`"));
    let first = if look_for_first { first_place(text, &bytes) } else { None };
    let problem = match first {
        Some(first) => {
            let (line, column) = line_and_column(text, first);
            problem.label("given again").hint(format!("it is first given at line {line}, column {column}"))
        }
        None => problem.label("given again"),
    };
    problem.at(&Location { source: 0, bytes })
}

/// Returns the byte of a duplicate key's first occurrence, which the parser doesn't tell: parses the text up to the
/// duplicate, with a unique key in its place, and looks for the key in the table that has the unique one.
fn first_place(text: &str, again: &Range<usize>) -> Option<usize> {
    const PROBE: &str = "smtrain-duplicate-key-probe";
    let key = dotted_key(text.get(again.clone())?)?.pop()?.0;
    let line_end = text.get(again.end..)?.find('\n').map_or(text.len(), |length| again.end + length);
    let probe = format!("{}{PROBE}{}", text.get(..again.start)?, text.get(again.end..line_end)?);
    let (document, _) = DeTable::parse_recoverable(&probe);
    let table = table_with(document.get_ref(), PROBE)?;
    let (first, _) = table.get_key_value(key.as_str())?;
    Some(first.span().start)
}

fn table_with<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    if table.contains_key(key) {
        return Some(table);
    }
    table.values().find_map(|value| table_inside(value.get_ref(), key))
}

fn table_inside<'t, 'i>(value: &'t DeValue<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    match value {
        DeValue::Table(table) => table_with(table, key),
        DeValue::Array(array) => array.iter().find_map(|item| table_inside(item.get_ref(), key)),
        _ => None,
    }
}

/// Converts the parser's tree to a tree with places.
struct Convert<'r> {
    source: usize,
    text: &'r str,
    /// The byte at which the parsed text starts in its source.
    offset: usize,
    report: &'r Report,
}

impl Convert<'_> {
    fn place(&self, bytes: &Range<usize>) -> Location {
        Location { source: self.source, bytes: bytes.start + self.offset..bytes.end + self.offset }
    }

    /// Converts a table. The parser sorts tables by key; the entries are put into the order written again.
    fn table(&self, table: &DeTable<'_>) -> TreeTable {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| KeyValue {
            key: ToString::to_string(key.get_ref()),
            key_place: self.place(&key.span()),
            node: self.node(value),
        };
        let mut entries: Vec<KeyValue> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.key_place.bytes.start);
        TreeTable { entries }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> TreeNode {
        let span = value.span();
        let place = self.place(&span);
        let value = match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(integer) => self.integer(integer, &place),
            DeValue::Float(float) => self.float(float.as_str(), &place),
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(_) => Value::Datetime,
            DeValue::Array(array) => self.array(array),
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        let is_written = matches!(value, Value::Integer(_) | Value::Float(_) | Value::Datetime);
        let written = if is_written { self.text.get(span).map(str::to_owned) } else { None };
        TreeNode { value, place, typed: None, written }
    }

    fn array(&self, array: &DeArray<'_>) -> Value {
        Value::Array(array.iter().map(|item| self.node(item)).collect())
    }

    fn integer(&self, integer: &DeInteger<'_>, place: &Location) -> Value {
        let value = i128::from_str_radix(integer.as_str(), integer.radix());
        Value::Integer(value.unwrap_or_else(|_| {
            self.out_of_range(place);
            0
        }))
    }

    fn float(&self, text: &str, place: &Location) -> Value {
        let value: f64 = text.parse().unwrap_or(f64::NAN);
        if value.is_infinite() && !text.contains("inf") {
            self.out_of_range(place);
            return Value::Float(0.0);
        }
        Value::Float(value)
    }

    fn out_of_range(&self, place: &Location) {
        let hint = "write it in quotes to send it as text";
        self.report.add(Problem::error("this number is too large").at(place).hint(hint));
    }
}
