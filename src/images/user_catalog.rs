//! Merges a user's own images over the built-in ones.

use std::collections::BTreeMap;

use super::tables::{ImageEntry, ImageFamily, Tables};

/// A user's images of one framework or algorithm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserImages {
    pub(crate) name: String,
    pub(crate) aliases: BTreeMap<String, String>,
    /// Entries by version, in place of the catalog's.
    pub(crate) versions: BTreeMap<String, Vec<UserEntry>>,
}

/// An entry of a user's `images.toml`. What is `None` is taken from the catalog's entry of the version, or of the
/// newest one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserEntry {
    pub(crate) repository: Option<String>,
    /// Accounts by region.
    pub(crate) registries: Option<BTreeMap<String, String>>,
    pub(crate) processors: Option<Vec<String>>,
    pub(crate) py_versions: Option<Vec<String>>,
    pub(crate) tag_prefix: Option<String>,
    pub(crate) processor_in_tag: Option<bool>,
    /// Suffixes of the tag, by processor.
    pub(crate) container_version: Option<BTreeMap<String, String>>,
    pub(crate) base: Vec<String>,
}

/// Returns the built-in tables with a user's images in place of those of the same name and version.
pub(super) fn merge(built_in: &Tables, own: &[UserImages]) -> Tables {
    let mut tables = built_in.clone();
    for images in own {
        let mut merged = tables.images.get(&images.name).cloned().unwrap_or_default();
        spread_processors(&mut merged);
        let model = newest(&merged);
        for (version, entries) in &images.versions {
            // The catalog's entry of the same version is the best model.
            let model = merged.entries(version).last().cloned().or_else(|| model.clone()).unwrap_or_default();
            let entries = entries.iter().map(|entry| entry.over(&model, &mut tables.registries)).collect();
            merged.versions.insert(version.clone(), entries);
            // The version is not an alias of another one any more.
            merged.aliases.remove(version);
        }
        merged.aliases.extend(images.aliases.clone());
        tables.images.insert(images.name.clone(), merged);
    }
    tables
}

/// Moves the processors of the family into its entries, so that versions may differ.
fn spread_processors(images: &mut ImageFamily) {
    let of_all = std::mem::take(&mut images.processors);
    if !of_all.is_empty() {
        images.versions.values_mut().flatten().for_each(|entry| entry.processors.clone_from(&of_all));
    }
}

fn newest(images: &ImageFamily) -> Option<ImageEntry> {
    let newest = images.newest_first().first().copied()?;
    images.entries(newest).last().cloned()
}

impl UserEntry {
    /// Returns a catalog entry with `None` fields taken from `model`.
    fn over(&self, model: &ImageEntry, registries: &mut Vec<BTreeMap<String, String>>) -> ImageEntry {
        let registry = self.registries.as_ref().map(|accounts| {
            registries.push(by_account(accounts));
            registries.len() - 1
        });
        ImageEntry {
            repository: self.repository.clone().unwrap_or_else(|| model.repository.clone()),
            registry: registry.unwrap_or(model.registry),
            processors: self.processors.clone().unwrap_or_else(|| model.processors.clone()),
            py: self.py_versions.clone().unwrap_or_else(|| model.py.clone()),
            prefix: self.tag_prefix.clone(),
            bare: self.processor_in_tag.map_or(model.bare, |in_tag| !in_tag),
            suffix: self.container_version.clone().unwrap_or_else(|| model.suffix.clone()),
            base: self.base.clone(),
        }
    }
}

/// Groups regions by account, separated by spaces, as the catalog has them.
fn by_account(accounts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut table: BTreeMap<String, String> = BTreeMap::new();
    for (region, account) in accounts {
        let regions = table.entry(account.clone()).or_default();
        if !regions.is_empty() {
            regions.push(' ');
        }
        regions.push_str(region);
    }
    table
}
