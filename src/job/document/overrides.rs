//! Merges values of the command line, `--set KEY=VALUE` and its short forms, into the tree before it is decoded.

use std::ops::Range;

use super::toml::{dotted_key, flag_value};
use super::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::job::diagnostics::problem::{Location, Problem, SourceText};
use crate::job::diagnostics::report::Report;

/// One value from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    /// Name in messages, before `:LINE:COLUMN`: `--set`, `--instance-type`, `-H`.
    flag: String,
    /// The flag's argument, to which the places of its problems refer.
    text: String,
    key: OverrideKey,
    /// True if the value is a string that is not parsed as TOML.
    literal: bool,
}

/// The key of an override: in its text, or fixed by its flag.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OverrideKey {
    /// The text is `KEY=VALUE`, the key dotted as in TOML.
    InText,
    /// The text is `NAME=VALUE`, of a hyperparameter. Its name may contain dots.
    Hyperparameter,
    /// The text is the value of this key.
    Fixed(Vec<String>),
}

impl Override {
    /// Creates `--set KEY=VALUE`. The key is dotted: `metrics."train:loss"`. The value is TOML if it parses as TOML,
    /// else a string.
    pub(crate) fn set(text: impl Into<String>) -> Self {
        Self { flag: "--set".to_owned(), text: text.into(), key: OverrideKey::InText, literal: false }
    }

    /// Creates `-H NAME=VALUE`.
    pub(crate) fn hyperparameter(text: impl Into<String>) -> Self {
        Self { flag: "-H".to_owned(), text: text.into(), key: OverrideKey::Hyperparameter, literal: false }
    }

    /// Creates a short form whose value is always a string: `--role NAME`.
    pub(crate) fn string(flag: impl Into<String>, key: &[&str], value: impl Into<String>) -> Self {
        Self { literal: true, ..Self::value(flag, key, value) }
    }

    /// Creates a short form whose value is TOML if it parses as TOML: `--instance-count 2`; `true` for `--spot`.
    pub(crate) fn value(flag: impl Into<String>, key: &[&str], value: impl Into<String>) -> Self {
        let key = OverrideKey::Fixed(key.iter().map(ToString::to_string).collect());
        Self { flag: flag.into(), text: value.into(), key, literal: false }
    }

    pub(crate) fn source_text(&self) -> SourceText {
        SourceText { name: self.flag.clone(), text: self.text.clone() }
    }

    /// Merges the value into the tree. `source` is the index of this flag's text among all source texts.
    pub(crate) fn apply(&self, tree: &mut TreeTable, source: usize, report: &Report) {
        let Some((key, value_at)) = self.key(source, report) else { return };
        let value = self.text.get(value_at..).unwrap_or_default();
        let node = self.node(value, source, value_at, report);
        insert(tree, &key, node, &mut Vec::new(), report);
    }

    fn node(&self, value: &str, source: usize, at: usize, report: &Report) -> TreeNode {
        let read = if self.literal { None } else { flag_value(value, source, at, report) };
        read.unwrap_or_else(|| TreeNode {
            value: Value::String(value.to_owned()),
            place: Location { source, bytes: at..at + value.len() },
            typed: None,
            written: None,
        })
    }

    /// Returns the key's parts and the byte at which the value starts; `None` if the text is malformed, which is
    /// reported.
    fn key(&self, source: usize, report: &Report) -> Option<(Vec<KeyPart>, usize)> {
        if let OverrideKey::Fixed(key) = &self.key {
            let place = Location { source, bytes: 0..self.text.len() };
            return Some((key.iter().map(|key| (key.clone(), place.clone())).collect(), 0));
        }
        let place = |bytes: Range<usize>| Location { source, bytes };
        let Some(equals) = equals_sign(&self.text) else {
            let problem = Problem::error("a value is missing").at(&place(0..self.text.len()));
            report.add(problem.label("expected `=` and a value").hint(format!("write {} {}", self.flag, self.form())));
            return None;
        };
        let text = self.text.get(..equals).unwrap_or_default();
        let Some(parts) = self.parts(text) else {
            let problem = Problem::error(format!("{text:?} is not a key")).at(&place(0..equals));
            report.add(problem.hint(self.key_hint()));
            return None;
        };
        let parts = parts.into_iter().map(|(part, bytes)| (part, place(bytes))).collect();
        Some((parts, equals + 1 + self.space_after(equals)))
    }

    fn form(&self) -> &'static str {
        if self.key == OverrideKey::Hyperparameter { "NAME=VALUE" } else { "KEY=VALUE" }
    }

    fn key_hint(&self) -> &'static str {
        if self.key == OverrideKey::Hyperparameter {
            "write the hyperparameter's name: -H epochs=10"
        } else {
            "quote parts with other characters: metrics.\"train:loss\"=..."
        }
    }

    /// Returns the number of spaces between `=` and the value. They belong to the value unless there is a space before
    /// `=` too.
    fn space_after(&self, equals: usize) -> usize {
        let (key, value) = self.text.split_at(equals);
        let value = value.strip_prefix('=').unwrap_or(value);
        if key.ends_with(' ') { value.len() - value.trim_start_matches(' ').len() } else { 0 }
    }

    fn parts(&self, text: &str) -> Option<Vec<(String, Range<usize>)>> {
        match self.key {
            OverrideKey::Hyperparameter if text.is_empty() => None,
            OverrideKey::Hyperparameter => {
                let mut parts = vec![("hyperparameters".to_owned(), 0..text.len())];
                if text.starts_with(['"', '\'']) {
                    parts.extend(dotted_key(text)?);
                } else {
                    parts.push((text.to_owned(), 0..text.len()));
                }
                Some(parts)
            }
            _ => dotted_key(text),
        }
    }
}

/// A part of a key with its place.
type KeyPart = (String, Location);

/// Returns the byte of the first `=` outside of quotes.
fn equals_sign(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            _ => {}
        }
        escaped = false;
    }
    None
}

/// Inserts a value at a key, and creates the tables above it. Reports a part of the key whose value is no table.
fn insert(table: &mut TreeTable, key: &[KeyPart], node: TreeNode, above: &mut Vec<String>, report: &Report) {
    let Some(((name, place), rest)) = key.split_first() else { return };
    let entry = |node| KeyValue { key: name.clone(), key_place: place.clone(), node };
    if rest.is_empty() {
        return table.merge(entry(node));
    }
    above.push(name.clone());
    if table.get(name).is_none() {
        let value = Value::Table(TreeTable::default());
        table.merge(entry(TreeNode { value, place: place.clone(), typed: None, written: None }));
    }
    let Some(next) = table.entries.iter_mut().find(|entry| entry.key == *name) else { return };
    match &mut next.node.value {
        Value::Table(inner) => insert(inner, rest, node, above, report),
        other => {
            let message = format!("`{}` is {}, and has no keys in it", above.join("."), other.kind());
            report.add(Problem::error(message).at(place).hint("set the whole value, or name another key"));
        }
    }
}
