//! Decodes `images.toml`, the user's file of container images that are added to the built-in catalog.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::constraints::{self, ConstraintResult};
use super::section::SectionReader;
use crate::images::{UserEntry, UserImages};
use crate::job::diagnostics::problem::{InvalidSpec, Problem, SourceText};
use crate::job::diagnostics::report::Report;
use crate::job::document::read::{self, Wanted};
use crate::job::document::toml::document;
use crate::job::document::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::job::schema::{IMAGES, IMAGES_OF_VERSION};

const MAX_NAME_BYTES: usize = 128;
const ACCOUNT_DIGITS: usize = 12;
const PROCESSORS: [&str; 3] = ["cpu", "gpu", "trn"];

/// Reads and checks the file at `path`, which messages call `name`. `folder` is that of the settings that name the
/// file: problems of a file outside of it don't quote its lines.
pub(crate) fn read(path: &Path, name: String, folder: &Path) -> Result<Vec<UserImages>, InvalidSpec> {
    let is_quotable = || read::is_quotable(path, folder, Wanted::Images);
    parse(path, name).map_err(|invalid| if is_quotable() { invalid } else { invalid.withhold(Wanted::Images.name()) })
}

fn parse(path: &Path, name: String) -> Result<Vec<UserImages>, InvalidSpec> {
    let invalid = |text: String, problems: Vec<Problem>| {
        let sources = vec![SourceText { name: name.clone(), text }];
        InvalidSpec { path: PathBuf::from(&name), sources, problems }
    };
    let text = read::read(path, Wanted::Images).map_err(|problem| invalid(String::new(), vec![problem]))?;
    let report = Report::default();
    let tree = document(&text, Wanted::Images, &report).unwrap_or_default();
    let images = tree.entries.iter().map(|entry| images(&tree, entry, &report)).collect();
    if report.has_errors() { Err(invalid(text, report.into_problems())) } else { Ok(images) }
}

fn images(root: &TreeTable, entry: &KeyValue, report: &Report) -> UserImages {
    check_name(entry, report);
    let section = SectionReader::free(root, report).nested(&entry.key, &entry.node, IMAGES);
    UserImages {
        name: entry.key.clone(),
        aliases: texts(&section, "version_aliases", constraints::not_empty).unwrap_or_default(),
        versions: versions(&section),
    }
}

fn check_name(entry: &KeyValue, report: &Report) {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if entry.key.is_empty() || entry.key.len() > MAX_NAME_BYTES || !entry.key.chars().all(is_name) {
        let message = "a framework's or an algorithm's name is of small letters, digits and hyphens";
        report.add(Problem::error(message).at(&entry.key_place));
    }
}

fn versions(section: &SectionReader<'_>) -> BTreeMap<String, Vec<UserEntry>> {
    let Some(node) = section.get("versions") else { return BTreeMap::new() };
    let Value::Table(table) = &node.value else {
        section.refuse("versions", "`versions` should be a table of tables, one for each version", None);
        return BTreeMap::new();
    };
    table.entries.iter().map(|entry| (entry.key.clone(), entries_of_version(section, entry))).collect()
}

/// Decodes the images of a version: one table, or a list of tables.
fn entries_of_version(section: &SectionReader<'_>, version: &KeyValue) -> Vec<UserEntry> {
    let nodes: Vec<&TreeNode> = match &version.node.value {
        Value::Array(items) => items.iter().collect(),
        _ => vec![&version.node],
    };
    let name = format!("versions.{}", version.key);
    nodes.into_iter().map(|node| own_entry(&section.nested(&name, node, IMAGES_OF_VERSION))).collect()
}

fn own_entry(section: &SectionReader<'_>) -> UserEntry {
    let list = |key| section.has(key).then(|| section.strings(key, constraints::not_empty));
    UserEntry {
        repository: section.checked("repository", constraints::not_empty),
        registries: texts(section, "registries", account),
        processors: section.has("processors").then(|| section.strings("processors", processor)),
        py_versions: list("py_versions"),
        tag_prefix: section.checked("tag_prefix", constraints::not_empty),
        processor_in_tag: section.boolean("processor_in_tag"),
        container_version: texts(section, "container_version", constraints::not_empty),
        base: list("base").unwrap_or_default(),
    }
}

fn account(text: &str) -> ConstraintResult {
    let is_account = text.len() == ACCOUNT_DIGITS && text.chars().all(|c| c.is_ascii_digit());
    if is_account { Ok(()) } else { Err("is not an account: twelve digits".to_owned()) }
}

fn processor(text: &str) -> ConstraintResult {
    if PROCESSORS.contains(&text) { Ok(()) } else { Err(format!("is none of {}", PROCESSORS.join(", "))) }
}

/// Returns a table of texts. A value that is no text or doesn't pass `check` is reported.
fn texts(
    section: &SectionReader<'_>,
    key: &str,
    check: fn(&str) -> ConstraintResult,
) -> Option<BTreeMap<String, String>> {
    let Value::Table(table) = &section.get(key)?.value else {
        section.refuse(key, format!("`{key}` should be a table"), None);
        return None;
    };
    let text = |entry: &KeyValue| {
        let text = entry.node.text().unwrap_or_default();
        let checked = if entry.node.text().is_some() { check(text) } else { Err("is not a string".to_owned()) };
        if let Err(why) = checked {
            section.report.add(Problem::error(format!("`{}` {why}", entry.key)).at(&entry.node.place));
        }
        (entry.key.clone(), text.to_owned())
    };
    Some(table.entries.iter().map(text).collect())
}
