//! Settings below the job spec, in layers: files and variables whose keys hold wherever the spec and the flags say nothing.
//!
//! A layer is a tree as the spec's is, so that a problem is shown, and a value's origin told, by its place.

mod check;
mod origins;
mod sdk_config;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(crate) use origins::Origin;

use super::diagnostics::problem::{InvalidSpec, Problem, SourceText};
use super::diagnostics::report::Report;
use super::document::overrides::Override;
use super::document::read::{self, Wanted};
use super::document::toml;
use super::document::tree::{KeyValue, TreeNode, TreeTable, Value};
use super::schema::is_for_settings_only;
use crate::images::Catalog;

/// The variables that set something, and their keys.
pub(crate) const VARIABLES: [(&str, &[&str]); 8] = [
    ("SMTRAIN_ROLE", &["role"]),
    ("SMTRAIN_REGION", &["region"]),
    ("SMTRAIN_PROFILE", &["profile"]),
    ("SMTRAIN_DEFAULT_BUCKET", &["default_bucket"]),
    ("SMTRAIN_DEFAULT_BUCKET_PREFIX", &["default_bucket_prefix"]),
    ("SMTRAIN_OUTPUT_S3_URI", &["output", "s3_uri"]),
    ("SMTRAIN_PROVENANCE", PROVENANCE),
    ("SMTRAIN_IMAGES", &["images"]),
];
const PROVENANCE: &[&str] = &["provenance"];

/// One text of settings, valid by itself.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    source: SourceText,
    table: TreeTable,
    /// The folder of its file, where there is one: a place in it is then told by its line.
    folder: Option<PathBuf>,
}

impl Layer {
    /// smtrain's own settings. `name` is how the file is shown.
    pub(crate) fn toml(path: &Path, name: String) -> Result<Self, InvalidSpec> {
        let decode = |text: &str, report: &Report| toml::document(text, Wanted::Settings, report).unwrap_or_default();
        Self::read(path, name, Wanted::Settings, decode)
    }

    /// The SageMaker SDK's `config.yaml`.
    pub(crate) fn sdk(path: &Path, name: String) -> Result<Self, InvalidSpec> {
        Self::read(path, name, Wanted::SdkConfig, sdk_config::settings)
    }

    /// A variable of [`VARIABLES`].
    pub(crate) fn variable(name: &str, key: &[&str], value: &str) -> Result<Self, InvalidSpec> {
        let value =
            if key == PROVENANCE { Override::value(name, key, value) } else { Override::string(name, key, value) };
        Self::checked(value.source_text(), None, |_, report| {
            let mut table = TreeTable::default();
            value.apply(&mut table, 0, report);
            table
        })
    }

    fn read(
        path: &Path,
        name: String,
        wanted: Wanted,
        decode: impl FnOnce(&str, &Report) -> TreeTable,
    ) -> Result<Self, InvalidSpec> {
        match read::read(path, wanted) {
            Ok(text) => Self::checked(SourceText { name, text }, path.parent().map(Path::to_owned), decode)
                .map_err(|invalid| shown(path, invalid, wanted)),
            Err(problem) => Err(invalid(SourceText { name, text: String::new() }, vec![problem])),
        }
    }

    fn checked(
        source: SourceText,
        folder: Option<PathBuf>,
        decode: impl FnOnce(&str, &Report) -> TreeTable,
    ) -> Result<Self, InvalidSpec> {
        let report = Report::default();
        let mut table = decode(&source.text, &report);
        check::check(&mut table, &report);
        if report.has_errors() {
            return Err(invalid(source, report.into_problems()));
        }
        Ok(Self { source, table, folder })
    }
}

/// Shows lines of settings alone: a link may lead to any file.
fn shown(path: &Path, invalid: InvalidSpec, wanted: Wanted) -> InvalidSpec {
    let is_quotable = read::is_quotable(path, read::folder_of(path), wanted);
    if is_quotable { invalid } else { invalid.withhold(wanted.name()) }
}

fn invalid(source: SourceText, problems: Vec<Problem>) -> InvalidSpec {
    InvalidSpec { path: PathBuf::from(&source.name), sources: vec![source], problems }
}

/// All layers, from the lowest to the highest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    layers: Vec<Layer>,
    /// The images that there are.
    pub(crate) catalog: Catalog,
    /// What there is to say about them all the same.
    pub(crate) warnings: Vec<String>,
}

static NONE: Layers = Layers { layers: Vec::new(), catalog: Catalog::built_in(), warnings: Vec::new() };

impl Default for &Layers {
    fn default() -> Self {
        &NONE
    }
}

/// A setting, and where it was made: `~/.config/smtrain/config.toml:3`, `SMTRAIN_REGION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: String,
}

impl Layers {
    pub(crate) fn new(mut layers: Vec<Layer>, warnings: Vec<String>) -> Self {
        // The first text is the spec's.
        layers.iter_mut().zip(1..).for_each(|(layer, source)| layer.table.set_source(source));
        Self { layers, warnings, catalog: Catalog::built_in() }
    }

    pub(crate) fn region(&self) -> Option<Setting<&str>> {
        self.text("region")
    }

    pub(crate) fn profile(&self) -> Option<Setting<&str>> {
        self.text("profile")
    }

    /// The bucket for what has no other place: code, data, models.
    pub(crate) fn default_bucket(&self) -> Option<Setting<&str>> {
        self.text("default_bucket")
    }

    /// What keys in that bucket start with, without slashes at its ends.
    pub(crate) fn default_bucket_prefix(&self) -> Option<Setting<&str>> {
        let Setting { value, origin } = self.text("default_bucket_prefix")?;
        let value = value.trim_matches('/');
        (!value.is_empty()).then_some(Setting { value, origin })
    }

    /// Whether jobs are tagged with what they were made from.
    pub(crate) fn provenance(&self) -> bool {
        !matches!(self.highest("provenance"), Some((_, TreeNode { value: Value::Boolean(false), .. })))
    }

    /// Returns a file of images of the user's own, and the folder of the settings that name it; a variable's is the file's.
    pub(crate) fn images(&self) -> Option<(PathBuf, PathBuf)> {
        let (layer, node) = self.highest("images")?;
        let file = Path::new(node.text()?);
        Some(match &layer.folder {
            Some(folder) => (folder.join(file), folder.clone()),
            None => (file.to_owned(), read::folder_of(file).to_owned()),
        })
    }

    fn text(&self, key: &str) -> Option<Setting<&str>> {
        let (layer, node) = self.highest(key)?;
        Some(Setting { value: node.text()?, origin: layer.origin(&node.place) })
    }

    fn highest(&self, key: &str) -> Option<(&Layer, &TreeNode)> {
        self.layers.iter().rev().find_map(|layer| Some((layer, layer.table.get(key)?)))
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = SourceText> {
        self.layers.iter().map(|layer| layer.source.clone())
    }

    /// Puts what settings say about a spec below it.
    pub(super) fn underlay(&self, spec: &mut TreeTable, is_local: bool) {
        // A job has code when its spec says so.
        let has_source = spec.get("source").is_some();
        let is_of_spec = |entry: &&KeyValue| match entry.key.as_str() {
            "source" => has_source,
            key => !is_for_settings_only(key),
        };
        for layer in self.layers.iter().rev() {
            let entries = layer.table.entries.iter().filter(is_of_spec).cloned().collect();
            spec.underlay(&TreeTable { entries });
        }
        if is_local {
            forget_half_a_network(spec, 1..=self.layers.len());
        }
    }
}

/// Subnets without security groups, or the other way round, in settings: not a local job's matter.
fn forget_half_a_network(spec: &mut TreeTable, layers: RangeInclusive<usize>) {
    let network = spec.entries.iter_mut().find(|entry| entry.key == "network").map(|entry| &mut entry.node.value);
    let Some(Value::Table(network)) = network else { return };
    let halves = ["subnets", "security_group_ids"];
    if halves.iter().any(|key| network.get(key).is_none()) {
        let is_half =
            |entry: &KeyValue| halves.contains(&entry.key.as_str()) && layers.contains(&entry.node.place.source);
        network.entries.retain(|entry| !is_half(entry));
    }
}
