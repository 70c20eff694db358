//! Layers of settings: files and variables whose values apply where neither the spec nor a flag has one.
//!
//! A layer is a tree like the spec's. It is checked by itself when it is read ([`check`]), and its tree is merged below
//! the spec's before that is decoded. Every value keeps its place, by which problems are shown and [`origins`] told.
//! The SDK's `config.yaml` is a layer as well ([`sdk_config`]).

mod check;
mod origins;
mod sdk_config;
mod volume;

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
use crate::model::InstanceType;

/// Environment variables and the keys that they set.
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

/// The settings of one file or variable, valid by themselves.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    source: SourceText,
    table: TreeTable,
    /// The file's folder; `None` for a variable.
    folder: Option<PathBuf>,
}

impl Layer {
    /// Reads a file of smtrain's settings. `name` is the file's name in messages.
    pub(crate) fn toml(path: &Path, name: String) -> Result<Self, InvalidSpec> {
        let decode = |text: &str, report: &Report| toml::document(text, Wanted::Settings, report).unwrap_or_default();
        Self::read(path, name, Wanted::Settings, decode)
    }

    /// Reads the SageMaker SDK's `config.yaml`. `name` is the file's name in messages.
    pub(crate) fn sdk(path: &Path, name: String) -> Result<Self, InvalidSpec> {
        Self::read(path, name, Wanted::SdkConfig, sdk_config::settings)
    }

    /// Creates the layer of one of the [`VARIABLES`].
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
                .map_err(|invalid| quotable_only(path, invalid, wanted)),
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

/// Withholds the lines of a file that may not be quoted, as a link can lead to any file.
fn quotable_only(path: &Path, invalid: InvalidSpec, wanted: Wanted) -> InvalidSpec {
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
    /// The built-in container images and those of the user's `images.toml`.
    pub(crate) catalog: Catalog,
    /// Warnings about files that were found but not read.
    pub(crate) warnings: Vec<String>,
}

static NONE: Layers = Layers { layers: Vec::new(), catalog: Catalog::built_in(), warnings: Vec::new() };

impl Default for &Layers {
    fn default() -> Self {
        &NONE
    }
}

/// A setting and its origin: `~/.config/smtrain/config.toml:3`, `SMTRAIN_REGION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: String,
}

impl Layers {
    /// Combines layers, which are given from the lowest to the highest.
    pub(crate) fn new(mut layers: Vec<Layer>, warnings: Vec<String>) -> Self {
        // Source 0 is the spec's text.
        layers.iter_mut().zip(1..).for_each(|(layer, source)| layer.table.set_source(source));
        Self { layers, warnings, catalog: Catalog::built_in() }
    }

    pub(crate) fn region(&self) -> Option<Setting<&str>> {
        self.text("region")
    }

    pub(crate) fn profile(&self) -> Option<Setting<&str>> {
        self.text("profile")
    }

    /// Returns the bucket for code, data and models that have no other destination.
    pub(crate) fn default_bucket(&self) -> Option<Setting<&str>> {
        self.text("default_bucket")
    }

    /// Returns the prefix of keys in the default bucket, without leading and trailing slashes.
    pub(crate) fn default_bucket_prefix(&self) -> Option<Setting<&str>> {
        let Setting { value, origin } = self.text("default_bucket_prefix")?;
        let value = value.trim_matches('/');
        (!value.is_empty()).then_some(Setting { value, origin })
    }

    /// Returns whether jobs get provenance tags; the default is true.
    pub(crate) fn provenance(&self) -> bool {
        !matches!(self.highest("provenance"), Some((_, TreeNode { value: Value::Boolean(false), .. })))
    }

    /// Returns the path of the user's file of images, and the folder of the settings file that names it; for a
    /// variable, the folder of the images themselves.
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

    /// Returns the value of a top-level key in the highest layer that has it.
    fn highest(&self, key: &str) -> Option<(&Layer, &TreeNode)> {
        self.layers.iter().rev().find_map(|layer| Some((layer, layer.table.get(key)?)))
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = SourceText> {
        self.layers.iter().map(|layer| layer.source.clone())
    }

    /// Merges the layers below a spec. A spec's own values take precedence.
    pub(super) fn underlay(&self, spec: &mut TreeTable, is_local: bool) {
        // `[source]` of settings has only defaults: it doesn't give a job code.
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
            remove_incomplete_network(spec, 1..=self.layers.len());
        }
    }

    /// Removes a volume's key that settings alone have if no instance of the spec takes one, and warns of it: the
    /// settings hold for specs with other instances too. The SageMaker SDK leaves it out as well (sagemaker 2.257.7,
    /// `estimator.py`).
    pub(super) fn leave_out_volume_key(&self, spec: &mut TreeTable, report: &Report) {
        let types = volume::instance_types(spec);
        let Some(first) = types.first().filter(|_| types.iter().all(InstanceType::has_local_storage)) else { return };
        let layers = 1..=self.layers.len();
        let is_of_settings = |entry: &KeyValue| layers.contains(&entry.node.place.source);
        if let Some(entry) = volume::remove_key(spec, is_of_settings) {
            let message = format!("the settings' `volume_kms_key_id` is left out: the storage of `{first}` is local");
            report.add(Problem::warning(message).at(&entry.node.place));
        }
    }
}

/// Removes subnets without security groups, or the reverse, that settings alone have: a local job doesn't use them.
fn remove_incomplete_network(spec: &mut TreeTable, layers: RangeInclusive<usize>) {
    let network = spec.entries.iter_mut().find(|entry| entry.key == "network").map(|entry| &mut entry.node.value);
    let Some(Value::Table(network)) = network else { return };
    let halves = ["subnets", "security_group_ids"];
    if halves.iter().any(|key| network.get(key).is_none()) {
        let is_half =
            |entry: &KeyValue| halves.contains(&entry.key.as_str()) && layers.contains(&entry.node.place.source);
        network.entries.retain(|entry| !is_half(entry));
    }
}
