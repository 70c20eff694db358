//! Lists the images of the catalog, all or those of one name.

use super::ImageError;
use super::catalog::Catalog;
use super::query::ImageKind;
use super::tables::{ImageEntry, ImageFamily, Tables, VARIANTS};
use super::unknown_name::unknown_name;

/// The images of one version in one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedImage {
    pub(crate) name: String,
    pub(crate) kind: ImageKind,
    /// `training-compiler`, `neuron`, `neuronx` or `smp`: chosen by other settings of a job than the version.
    pub(crate) variant: Option<&'static str>,
    pub(crate) version: String,
    /// Other spellings of the version.
    pub(crate) aliases: Vec<String>,
    /// The framework below Hugging Face's libraries, with its version.
    pub(crate) base: Option<String>,
    pub(crate) py_versions: Vec<String>,
    /// `cpu`, `gpu` or `trn`; empty if one image is for all.
    pub(crate) processors: Vec<String>,
    pub(crate) repository: String,
    pub(crate) regions: Vec<String>,
}

/// Lists images by name, each with its newest version first. Fails for a name that isn't in the catalog.
pub(crate) fn list(catalog: &Catalog, name: Option<&str>) -> Result<Vec<ListedImage>, ImageError> {
    let tables = catalog.tables();
    let listed: Vec<ListedImage> = if let Some((stem, variant)) = name.and_then(|name| tables.variant(name)) {
        of_variant(tables, stem, variant)
    } else {
        let wanted = tables.names().filter(|(known, _)| name.is_none_or(|name| name == *known));
        wanted.flat_map(|(name, images)| of_name(tables, name, images)).collect()
    };
    match name {
        Some(name) if listed.is_empty() => Err(unknown_name(tables, name, None)),
        _ => Ok(listed),
    }
}

fn of_name(tables: &Tables, name: &str, images: &ImageFamily) -> Vec<ListedImage> {
    let mut all = of_table(tables, name, None, images);
    all.extend(VARIANTS.into_iter().flat_map(|variant| of_variant(tables, name, variant)));
    all
}

fn of_variant(tables: &Tables, name: &str, variant: &'static str) -> Vec<ListedImage> {
    let images = tables.get(&format!("{name}-{variant}"));
    images.map(|images| of_table(tables, name, Some(variant), images)).unwrap_or_default()
}

fn of_table(tables: &Tables, name: &str, variant: Option<&'static str>, images: &ImageFamily) -> Vec<ListedImage> {
    let versions = images.newest_first().into_iter();
    let entries = versions.flat_map(|version| images.entries(version).iter().map(move |entry| (version, entry)));
    entries.map(|(version, entry)| listed(tables, (name, variant), images, version, entry)).collect()
}

fn listed(
    tables: &Tables,
    (name, variant): (&str, Option<&'static str>),
    images: &ImageFamily,
    version: &str,
    entry: &ImageEntry,
) -> ListedImage {
    let processors = images.processors(entry);
    ListedImage {
        name: name.to_owned(),
        kind: if processors.is_empty() { ImageKind::Algorithm } else { ImageKind::Framework },
        variant,
        version: version.to_owned(),
        aliases: images.aliases.iter().filter(|(_, full)| *full == version).map(|(alias, _)| alias.clone()).collect(),
        base: entry.base.first().cloned(),
        py_versions: entry.py.clone(),
        processors: processors.to_vec(),
        repository: entry.repository.clone(),
        regions: tables.regions_of(entry).into_iter().map(str::to_owned).collect(),
    }
}
