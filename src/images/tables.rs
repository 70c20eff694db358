//! The tables of training images, in the format of `catalog.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::query::ImageKind;
use super::versions;

// Suffixes of families that are variants of another one, selected by other settings than the name.

pub(crate) const COMPILER: &str = "training-compiler";

pub(super) const NEURONX: &str = "neuronx";

pub(super) const NEURON: &str = "neuron";

pub(super) const MODEL_PARALLEL: &str = "smp";

pub(super) const VARIANTS: [&str; 4] = [COMPILER, NEURONX, NEURON, MODEL_PARALLEL];

/// All tables.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Tables {
    /// DNS suffixes by the prefix of a region's name; the empty prefix is for all others.
    suffixes: BTreeMap<String, String>,
    /// Registries: accounts, each with its regions, separated by spaces.
    pub(super) registries: Vec<BTreeMap<String, String>>,
    rules: RulesImage,
    /// Names of the SDK that have no images for training jobs, with what their images are for.
    others: BTreeMap<String, String>,
    /// Families by name.
    pub(super) images: BTreeMap<String, ImageFamily>,
}

/// The image that evaluates the debugger's and the profiler's built-in rules.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct RulesImage {
    repository: String,
    registry: usize,
    tag: String,
}

/// The images of one framework or algorithm.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ImageFamily {
    /// Processors of all versions; if empty, each entry has its own.
    #[serde(default)]
    pub(super) processors: Vec<String>,
    /// Other spellings of versions, with the version in the table.
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, String>,
    /// Entries by version: several if the repository depends on the Python version or on the base framework.
    pub(super) versions: BTreeMap<String, Vec<ImageEntry>>,
}

/// The images of one version in one repository.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ImageEntry {
    pub(super) repository: String,
    /// Index into [`Tables::registries`].
    pub(super) registry: usize,
    #[serde(default)]
    pub(super) processors: Vec<String>,
    /// Python versions.
    #[serde(default)]
    pub(super) py: Vec<String>,
    /// Replaces the version in the tag.
    pub(super) prefix: Option<String>,
    /// The tag doesn't name the processor.
    #[serde(default)]
    pub(super) bare: bool,
    /// Suffix of the tag, by processor.
    #[serde(default)]
    pub(super) suffix: BTreeMap<String, String>,
    /// The framework below Hugging Face's libraries with its version, then other spellings of it.
    #[serde(default)]
    pub(super) base: Vec<String>,
}

impl Tables {
    pub(super) fn get(&self, name: &str) -> Option<&ImageFamily> {
        self.images.get(name)
    }

    /// Returns what the images of a name are for that has none for training jobs.
    pub(super) fn other_purpose(&self, name: &str) -> Option<&str> {
        self.others.get(name).map(String::as_str)
    }

    /// Yields the families that other settings than the name don't select, sorted by name.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &ImageFamily)> {
        self.images.iter().map(|(name, images)| (name.as_str(), images)).filter(|(name, _)| !self.is_variant(name))
    }

    /// Splits the name of a variant, such as `pytorch-smp`, into the framework's and the variant's.
    pub(super) fn variant<'a>(&self, name: &'a str) -> Option<(&'a str, &'static str)> {
        let known = |(stem, _): &(&str, &str)| self.images.contains_key(*stem) && self.images.contains_key(name);
        let split = |variant: &'static str| Some((name.strip_suffix(variant)?.strip_suffix('-')?, variant));
        VARIANTS.into_iter().filter_map(split).find(known)
    }

    fn is_variant(&self, name: &str) -> bool {
        self.variant(name).is_some()
    }

    /// Returns the account that has an entry's images in a region.
    pub(super) fn account(&self, entry: &ImageEntry, region: &str) -> Option<&str> {
        self.account_of(entry.registry, region)
    }

    pub(super) fn rules_image(&self, region: &str) -> Option<String> {
        let RulesImage { repository, registry, tag } = &self.rules;
        let account = self.account_of(*registry, region)?;
        let suffix = self.suffix(region);
        Some(format!("{account}.dkr.ecr.{region}.{suffix}/{repository}:{tag}"))
    }

    fn account_of(&self, registry: usize, region: &str) -> Option<&str> {
        let has = |regions: &str| regions.split(' ').any(|known| known == region);
        let accounts = self.registries.get(registry)?;
        accounts.iter().find(|(_, regions)| has(regions)).map(|(account, _)| account.as_str())
    }

    /// Returns the DNS suffix of a region's partition.
    pub(super) fn suffix(&self, region: &str) -> &str {
        let known = self.suffixes.iter().filter(|(start, _)| region.starts_with(start.as_str()));
        known.max_by_key(|(start, _)| start.len()).map_or("", |(_, suffix)| suffix)
    }

    /// Returns the regions that have an entry's images, sorted.
    pub(super) fn regions_of(&self, entry: &ImageEntry) -> Vec<&str> {
        let accounts = self.registries.get(entry.registry).into_iter().flat_map(BTreeMap::values);
        let mut regions: Vec<&str> = accounts.flat_map(|regions| regions.split(' ')).collect();
        regions.sort_unstable();
        regions
    }

    /// Yields the regions of all images, with repetitions.
    pub(super) fn regions(&self) -> impl Iterator<Item = &str> {
        self.registries.iter().flat_map(BTreeMap::values).flat_map(|regions| regions.split(' '))
    }
}

impl ImageFamily {
    /// Returns the processors of an entry: empty if one image is for all.
    pub(super) fn processors<'a>(&'a self, entry: &'a ImageEntry) -> &'a [String] {
        if self.processors.is_empty() { &entry.processors } else { &self.processors }
    }

    /// Yields all spellings of versions.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().chain(self.versions.keys()).map(String::as_str)
    }

    /// Returns the version in the table for a version as written.
    pub(super) fn known(&self, written: &str) -> Option<&str> {
        let full = self.aliases.get(written).map_or(written, String::as_str);
        self.versions.get_key_value(full).map(|(full, _)| full.as_str())
    }

    pub(super) fn entries(&self, version: &str) -> &[ImageEntry] {
        self.versions.get(version).map_or(&[], Vec::as_slice)
    }

    /// Returns the versions, the newest first.
    pub(super) fn newest_first(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.versions.keys().map(String::as_str).collect();
        all.sort_by_key(|version| std::cmp::Reverse(versions::key(version)));
        all
    }

    /// Returns whether the family has images of a kind: those of frameworks are for one processor each, those of
    /// algorithms for all.
    pub(super) fn is_of(&self, kind: ImageKind) -> bool {
        let is_script_mode = |entry: &ImageEntry| !self.processors(entry).is_empty();
        self.versions.values().flatten().any(|entry| is_script_mode(entry) == (kind == ImageKind::Framework))
    }
}
