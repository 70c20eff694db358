//! The tables of training images, as catalog.json has them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::query::ImageKind;
use super::versions;

/// Ends of the names of tables that are another name's images under a condition.
pub(super) const COMPILER: &str = "training-compiler";

pub(super) const NEURONX: &str = "neuronx";

pub(super) const NEURON: &str = "neuron";

pub(super) const MODEL_PARALLEL: &str = "smp";

pub(super) const VARIANTS: [&str; 4] = [COMPILER, NEURONX, NEURON, MODEL_PARALLEL];

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Tables {
    /// DNS suffixes by the start of a region's name; the empty start is every other region's.
    suffixes: BTreeMap<String, String>,
    /// Accounts and their regions, separated by spaces.
    pub(super) registries: Vec<BTreeMap<String, String>>,
    rules: RulesImage,
    pub(super) images: BTreeMap<String, ImageFamily>,
}

/// The image that evaluates the debugger's and the profiler's built-in rules.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct RulesImage {
    repository: String,
    registry: usize,
    tag: String,
}

/// What one framework or algorithm has.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ImageFamily {
    /// Of all versions; without it, each entry has its own, or none.
    #[serde(default)]
    pub(super) processors: Vec<String>,
    /// What may be written for a version.
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, String>,
    /// Several entries where the repository depends on the Python version or on the base framework.
    pub(super) versions: BTreeMap<String, Vec<ImageEntry>>,
}

/// A repository's images of one version.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ImageEntry {
    pub(super) repository: String,
    pub(super) registry: usize,
    #[serde(default)]
    pub(super) processors: Vec<String>,
    /// Python versions.
    #[serde(default)]
    pub(super) py: Vec<String>,
    /// Stands in the tag for the version.
    pub(super) prefix: Option<String>,
    /// The tag doesn't name the processor.
    #[serde(default)]
    pub(super) bare: bool,
    /// The end of the tag, by processor.
    #[serde(default)]
    pub(super) suffix: BTreeMap<String, String>,
    /// The framework below Hugging Face's with its version, then other names of that.
    #[serde(default)]
    pub(super) base: Vec<String>,
}

impl Tables {
    pub(super) fn get(&self, name: &str) -> Option<&ImageFamily> {
        self.images.get(name)
    }

    /// Everything that can be asked for by its name.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &ImageFamily)> {
        self.images.iter().map(|(name, images)| (name.as_str(), images)).filter(|(name, _)| !self.is_variant(name))
    }

    /// Whether it is a table that is looked into under another name.
    pub(super) fn is_variant(&self, name: &str) -> bool {
        let stem = |variant: &str| name.strip_suffix(variant)?.strip_suffix('-');
        VARIANTS.iter().any(|variant| stem(variant).is_some_and(|stem| self.images.contains_key(stem)))
    }

    /// The account that has an entry's images in a region.
    pub(super) fn account(&self, entry: &ImageEntry, region: &str) -> Option<&str> {
        self.account_of(entry.registry, region)
    }

    pub(super) fn rules_image(&self, region: &str) -> Option<String> {
        let RulesImage { repository, registry, tag } = &self.rules;
        let (account, suffix) = (self.account_of(*registry, region)?, self.suffix(region));
        Some(format!("{account}.dkr.ecr.{region}.{suffix}/{repository}:{tag}"))
    }

    fn account_of(&self, registry: usize, region: &str) -> Option<&str> {
        let has = |regions: &str| regions.split(' ').any(|known| known == region);
        let accounts = self.registries.get(registry)?;
        accounts.iter().find(|(_, regions)| has(regions)).map(|(account, _)| account.as_str())
    }

    /// The end of the registry's host name: that of the region's partition.
    pub(super) fn suffix(&self, region: &str) -> &str {
        let known = self.suffixes.iter().filter(|(start, _)| region.starts_with(start.as_str()));
        known.max_by_key(|(start, _)| start.len()).map_or("", |(_, suffix)| suffix)
    }

    /// The regions that have an entry's images, in order.
    pub(super) fn regions_of(&self, entry: &ImageEntry) -> Vec<&str> {
        let accounts = self.registries.get(entry.registry).into_iter().flat_map(BTreeMap::values);
        let mut regions: Vec<&str> = accounts.flat_map(|regions| regions.split(' ')).collect();
        regions.sort_unstable();
        regions
    }

    /// Every region that any image is in.
    pub(super) fn regions(&self) -> impl Iterator<Item = &str> {
        self.registries.iter().flat_map(BTreeMap::values).flat_map(|regions| regions.split(' '))
    }
}

impl ImageFamily {
    /// None at all means that one image is for every processor.
    pub(super) fn processors<'a>(&'a self, entry: &'a ImageEntry) -> &'a [String] {
        if self.processors.is_empty() { &entry.processors } else { &self.processors }
    }

    /// Everything that can be written as a version.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().chain(self.versions.keys()).map(String::as_str)
    }

    /// The version's name in the table, for the version as written.
    pub(super) fn known(&self, written: &str) -> Option<&str> {
        let full = self.aliases.get(written).map_or(written, String::as_str);
        self.versions.get_key_value(full).map(|(full, _)| full.as_str())
    }

    pub(super) fn entries(&self, version: &str) -> &[ImageEntry] {
        self.versions.get(version).map_or(&[], Vec::as_slice)
    }

    /// Versions, the newest first.
    pub(super) fn newest_first(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.versions.keys().map(String::as_str).collect();
        all.sort_by_key(|version| std::cmp::Reverse(versions::key(version)));
        all
    }

    /// Whether there are such images: those that run a script come for a processor, those that run by themselves are the
    /// same for every one.
    pub(super) fn is_of(&self, kind: ImageKind) -> bool {
        let is_script_mode = |entry: &ImageEntry| !self.processors(entry).is_empty();
        self.versions.values().flatten().any(|entry| is_script_mode(entry) == (kind == ImageKind::Framework))
    }
}
