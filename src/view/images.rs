//! Output of `image` and `images`.

use serde::Serialize;

use super::{VERSION, count};
use crate::images::{Choice, ImageKind, ListedImage};
use crate::ui::Text;
use crate::ui::table::Table;

/// An image, and the query that it answers.
#[derive(Debug, Serialize)]
pub(crate) struct ImageJson<'a> {
    version: u32,
    uri: &'a str,
    name: &'a str,
    /// Version as in the query.
    image_version: &'a str,
    /// `null` if the image's name does not have it.
    py_version: Option<&'a str>,
    region: &'a str,
}

impl<'a> ImageJson<'a> {
    pub(crate) fn new(choice: &'a Choice<'_>, region: &'a str, uri: &'a str) -> Self {
        Self {
            version: VERSION,
            uri,
            name: choice.name(),
            image_version: choice.version(),
            py_version: choice.py_version(),
            region,
        }
    }
}

/// Images of a version.
#[derive(Debug, Serialize)]
pub(crate) struct ListedJson<'a> {
    version: u32,
    name: &'a str,
    /// `framework` or `algorithm`.
    kind: &'static str,
    /// `training-compiler`, `neuron`, `neuronx` or `smp`; `null` for the default images of a version.
    variant: Option<&'static str>,
    image_version: &'a str,
    aliases: &'a [String],
    base: Option<&'a str>,
    py_versions: &'a [String],
    processors: &'a [String],
    repository: &'a str,
    regions: &'a [String],
}

impl<'a> ListedJson<'a> {
    pub(crate) fn of(listed: &'a ListedImage) -> Self {
        Self {
            version: VERSION,
            name: &listed.name,
            kind: kind(listed),
            variant: listed.variant,
            image_version: &listed.version,
            aliases: &listed.aliases,
            base: listed.base.as_deref(),
            py_versions: &listed.py_versions,
            processors: &listed.processors,
            repository: &listed.repository,
            regions: &listed.regions,
        }
    }
}

fn kind(listed: &ListedImage) -> &'static str {
    match listed.kind {
        ImageKind::Framework => "framework",
        ImageKind::Algorithm => "algorithm",
    }
}

/// Formats a row per name.
pub(crate) fn names_table(listed: &[ListedImage]) -> Text {
    let mut table = Table::new(vec!["NAME", "KIND", "NEWEST", "VERSIONS", "PROCESSORS"]);
    for images in listed.chunk_by(|one, other| one.name == other.name) {
        let Some(newest) = images.iter().find(|image| image.variant.is_none()).or(images.first()) else { continue };
        let mut versions: Vec<&str> = images.iter().map(|image| image.version.as_str()).collect();
        versions.dedup();
        let of_all: Vec<&String> = images.iter().flat_map(|image| &image.processors).collect();
        table.row(vec![
            newest.name.as_str().into(),
            kinds(images).into(),
            newest.version.as_str().into(),
            versions.len().to_string().into(),
            processors(&of_all).into(),
        ]);
    }
    table.render()
}

/// Returns the kinds of images that a name has.
fn kinds(images: &[ListedImage]) -> String {
    let mut kinds: Vec<&str> = images.iter().map(kind).collect();
    kinds.sort_unstable_by(|one, other| other.cmp(one));
    kinds.dedup();
    kinds.join(", ")
}

fn processors(all: &[&String]) -> String {
    let known = ["cpu", "gpu", "trn"].into_iter().filter(|known| all.iter().any(|processor| processor == known));
    let known: Vec<&str> = known.collect();
    if known.is_empty() { "any".to_owned() } else { known.join(", ") }
}

/// Formats a row per version of one name.
pub(crate) fn versions_table(listed: &[ListedImage]) -> Text {
    let mut table = Table::new(vec!["VERSION", "ALSO", "BASE", "PYTHON", "PROCESSORS", "REGIONS", "FOR"]);
    for image in listed {
        table.row(vec![
            image.version.as_str().into(),
            image.aliases.join(", ").into(),
            image.base.as_deref().unwrap_or("-").into(),
            if image.py_versions.is_empty() { "-".to_owned() } else { image.py_versions.join(", ") }.into(),
            processors(&image.processors.iter().collect::<Vec<_>>()).into(),
            count(image.regions.len(), "region").into(),
            purpose(image).into(),
        ]);
    }
    table.render()
}

fn purpose(image: &ListedImage) -> &'static str {
    match image.variant {
        Some("training-compiler") => "training_compiler",
        Some("smp") => "torch_distributed with modelparallel",
        Some(_) => "ml.trn instances",
        None => "",
    }
}
