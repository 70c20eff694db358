//! Tells which layer, flag or spec each value comes from for which there is a setting (`-v`).

use std::fmt;

use super::{Layer, Layers};
use crate::job::diagnostics::problem::{Location, SourceText, line_and_column};
use crate::job::document::tree::{TreeNode, TreeTable, Value};
use crate::job::schema::is_for_settings_only;

/// Tables whose values aren't shown: they may be secrets.
const WITHOUT_VALUES: [&str; 2] = ["environment", "tags"];

/// Keys that say where code, data and output go, and as whom the job runs.
const DESTINATION: [&[&str]; 3] = [&["output", "s3_uri"], &["source", "s3_uri"], &["role"]];

/// The origin of a key's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Path of the key: `role`, `tags.team`.
    pub(crate) key: String,
    /// `None` for a value that may be a secret.
    pub(crate) value: Option<String>,
    /// Place of the value: `SMTRAIN_ROLE`, `--role`, `~/.config/smtrain/config.toml:3`.
    pub(crate) from: String,
    /// Places of the overridden values, from the highest layer to the lowest.
    pub(crate) over: Vec<String>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, from, over } = self;
        f.write_str(key)?;
        if let Some(value) = value {
            write!(f, ": {value}")?;
        }
        let over = if over.is_empty() { String::new() } else { format!(", over {}", over.join(", ")) };
        write!(f, " (from {from}{over})")
    }
}

impl Layer {
    /// Returns the name of a place in this layer: with a line for a file.
    pub(super) fn origin(&self, place: &Location) -> String {
        if self.folder.is_some() { in_file(&self.source, place) } else { self.source.name.clone() }
    }
}

fn in_file(source: &SourceText, place: &Location) -> String {
    let (line, _) = line_and_column(&source.text, place.bytes.start);
    format!("{}:{line}", source.name)
}

impl Layers {
    /// Returns the origin of every key that a layer has, in the order of the layers from the highest to the lowest.
    /// `spec` is the tree with the layers merged below it, and `sources` are its texts.
    pub(crate) fn origins(&self, spec: &TreeTable, sources: &[SourceText]) -> Vec<Origin> {
        let mut found: Vec<(Vec<&str>, Origin)> = Vec::new();
        for layer in self.layers.iter().rev() {
            for (path, node) in leaves(&layer.table) {
                let here = layer.origin(&node.place);
                if let Some((_, origin)) = found.iter_mut().find(|(other, _)| *other == path) {
                    origin.over.push(here);
                    continue;
                }
                let is_setting = path.first().is_some_and(|key| is_for_settings_only(key));
                let holds = if is_setting { Some(node) } else { spec.at(&path) };
                let Some(holds) = holds else { continue };
                let origin = self.origin(&path, holds, sources);
                let over = if holds.place == node.place { Vec::new() } else { vec![here] };
                found.push((path, Origin { over, ..origin }));
            }
        }
        found.into_iter().map(|(_, origin)| origin).collect()
    }

    /// Returns the origins of the keys that say where code, data and output go and as whom the job runs, if they are
    /// set.
    pub(crate) fn destination(&self, spec: &TreeTable, sources: &[SourceText]) -> Vec<Origin> {
        let found = DESTINATION.iter().filter_map(|path| Some(self.origin(path, spec.at(path)?, sources)));
        found.collect()
    }

    fn origin(&self, path: &[&str], node: &TreeNode, sources: &[SourceText]) -> Origin {
        let layer = node.place.source.checked_sub(1).and_then(|index| self.layers.get(index));
        let from = match (layer, sources.get(node.place.source)) {
            (Some(layer), _) => layer.origin(&node.place),
            (None, Some(source)) if node.place.source == 0 => in_file(source, &node.place),
            (None, source) => source.map(|flag| flag.name.clone()).expect("the sources have every flag"),
        };
        let is_shown = path.first().is_some_and(|key| !WITHOUT_VALUES.contains(key));
        let value = if is_shown { Some(show(node)) } else { None };
        Origin { key: path.join("."), value, from, over: Vec::new() }
    }
}

/// Returns every value that is no table, with its path of keys.
fn leaves(table: &TreeTable) -> Vec<(Vec<&str>, &TreeNode)> {
    let mut found = Vec::new();
    for entry in &table.entries {
        match &entry.node.value {
            Value::Table(inner) => found.extend(leaves(inner).into_iter().map(|(mut path, node)| {
                path.insert(0, entry.key.as_str());
                (path, node)
            })),
            _ => found.push((vec![entry.key.as_str()], &entry.node)),
        }
    }
    found
}

fn show(node: &TreeNode) -> String {
    match &node.value {
        Value::Array(items) => items.iter().map(show).collect::<Vec<_>>().join(", "),
        _ => node.scalar_text().unwrap_or_default(),
    }
}
