//! The spec as a tree of our own: every value and every key with its place, tables in the order written.

use std::collections::HashMap;

use crate::job::diagnostics::problem::Location;

#[derive(Clone, Debug)]
pub(crate) struct TreeNode {
    pub(crate) value: Value,
    pub(crate) place: Location,
    /// A flag's value as it was typed, when it reads as a TOML number or boolean: `--set framework.version=2.3` means
    /// the text wherever a string is wanted. Likewise a boolean of YAML.
    pub(crate) typed: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    String(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<TreeNode>),
    Table(TreeTable),
}

impl Value {
    /// `an integer`: with its article, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date or time",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// Keys in the order written. Tables are small but for hostile ones, so that a key is looked for from the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct TreeTable {
    pub(crate) entries: Vec<KeyValue>,
}

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

    /// The value at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&TreeNode> {
        let (first, rest) = path.split_first()?;
        let node = self.get(first)?;
        match (&node.value, rest) {
            (_, []) => Some(node),
            (Value::Table(table), rest) => table.at(rest),
            _ => None,
        }
    }

    /// Tables are merged key by key, everything else is replaced.
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
    /// Adds what a lower layer has and this table lacks; its own values and places stay.
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

    /// Makes every place one of the `source`-th text.
    pub(crate) fn set_source(&mut self, source: usize) {
        for entry in &mut self.entries {
            entry.key_place.source = source;
            entry.node.set_source(source);
        }
    }
}

impl TreeNode {
    /// Its text, where it is one or may stand for one.
    pub(crate) fn text(&self) -> Option<&str> {
        match (&self.value, &self.typed) {
            (Value::String(text), _) | (_, Some(text)) => Some(text),
            _ => None,
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
