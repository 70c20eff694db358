//! The tree of a spec or of settings: every key and value has its place, and tables keep the order written.
//!
//! TOML and YAML are parsed into the same tree, so that layers of settings can be merged below a spec.

use std::collections::HashMap;

use crate::job::diagnostics::problem::Location;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct TreeNode {
    pub(crate) value: Value,
    pub(crate) place: Location,
    /// The text of a flag's value that is a TOML number or boolean. Where a string is expected, the text is the value:
    /// `--set framework.version=2.3`. Likewise for booleans of YAML.
    pub(crate) typed: Option<String>,
    /// The text of a number or a date of TOML, as it is written: `3.10`, `1e-5`.
    pub(crate) written: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    String(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<TreeNode>),
    Table(TreeTable),
}

impl Value {
    /// Returns the name of the value's type with its article, for messages: `an integer`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date or time",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// A table in the order written. Tables are small, except hostile ones: a key is found by a linear search.
#[derive(Clone, Debug, Default)]
pub(crate) struct TreeTable {
    pub(crate) entries: Vec<KeyValue>,
}

/// A key and its value, each with its place.
#[derive(Clone, Debug)]
pub(crate) struct KeyValue {
    pub(crate) key: String,
    pub(crate) key_place: Location,
    pub(crate) node: TreeNode,
}

impl TreeTable {
    pub(crate) fn entry(&self, key: &str) -> Option<&KeyValue> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&TreeNode> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// Returns the value at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&TreeNode> {
        let (first, rest) = path.split_first()?;
        let node = self.get(first)?;
        match (&node.value, rest) {
            (_, []) => Some(node),
            (Value::Table(table), rest) => table.at(rest),
            _ => None,
        }
    }

    /// Returns the place of the value at a path, or of the nearest table above it that is written.
    pub(crate) fn nearest(&self, path: &[&str]) -> Option<&Location> {
        let paths = (1..=path.len()).rev().filter_map(|length| path.get(..length));
        paths.into_iter().find_map(|path| self.at(path)).map(|node| &node.place)
    }

    /// Adds an entry. If both the old and the new value are tables, they are merged key by key; else the new value
    /// replaces the old one.
    pub(crate) fn merge(&mut self, new: KeyValue) {
        let Some(old) = self.entries.iter_mut().find(|entry| entry.key == new.key) else {
            self.entries.push(new);
            return;
        };
        match (&mut old.node.value, new.node.value) {
            (Value::Table(into), Value::Table(from)) => from.entries.into_iter().for_each(|entry| into.merge(entry)),
            (_, value) => *old = KeyValue { node: TreeNode { value, ..new.node }, ..new },
        }
    }

    /// Adds the entries of a lower layer that this table lacks. Values that are here already stay, with their places.
    pub(crate) fn underlay(&mut self, lower: &TreeTable) {
        let keys = self.entries.iter().enumerate().map(|(index, entry)| (entry.key.clone(), index));
        let index_of: HashMap<String, usize> = keys.collect();
        for entry in &lower.entries {
            match index_of.get(&entry.key).and_then(|index| self.entries.get_mut(*index)) {
                None => self.entries.push(entry.clone()),
                Some(own) => {
                    if let (Value::Table(own), Value::Table(lower)) = (&mut own.node.value, &entry.node.value) {
                        own.underlay(lower);
                    }
                }
            }
        }
    }

    /// Sets the source text of every place.
    pub(crate) fn set_source(&mut self, source: usize) {
        for entry in &mut self.entries {
            entry.key_place.source = source;
            entry.node.set_source(source);
        }
    }
}

impl TreeNode {
    /// Returns the text of a string, or of a value that stands for its text.
    pub(crate) fn text(&self) -> Option<&str> {
        match (&self.value, &self.typed) {
            (Value::String(text), _) | (_, Some(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the text that a scalar is sent as where the API takes text: as it is written, with the underscores that
    /// group a number's digits. `None` for arrays and tables.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match &self.value {
            _ if self.typed.is_some() => self.typed.clone(),
            Value::String(text) => Some(text.clone()),
            Value::Boolean(boolean) => Some(boolean.to_string()),
            Value::Integer(_) | Value::Float(_) | Value::Datetime => self.written.clone(),
            Value::Array(_) | Value::Table(_) => None,
        }
    }

    fn set_source(&mut self, source: usize) {
        self.place.source = source;
        match &mut self.value {
            Value::Array(items) => items.iter_mut().for_each(|item| item.set_source(source)),
            Value::Table(table) => table.set_source(source),
            _ => {}
        }
    }
}
