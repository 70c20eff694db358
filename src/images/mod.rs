//! The catalog of AWS's training images, and the rules of an image's URI. Pure.
//!
//! [`resolve()`] finds the catalog entry that an [`ImageQuery`] means. The resulting [`Choice`] gives the image's tag
//! and, for a region, its URI. An [`ImageError`] suggests what exists instead. The rules are those of the SageMaker
//! Python SDK (2.257.7, and `sagemaker-core` 2.27.0 of version 3, `image_uris`), except where the SDK names an image
//! that doesn't exist, or that is not in the lists of images that AWS publishes: the tests list each such case.

mod catalog;
mod error;
mod list;
mod processor;
mod query;
mod resolve;
mod tables;
mod tag;
#[cfg(test)]
mod tests;
mod unknown_name;
mod user_catalog;
mod version_hint;
mod versions;

pub(crate) use catalog::Catalog;
pub(crate) use error::{ImageError, Subject};
pub(crate) use list::{ListedImage, list};
pub(crate) use query::{BaseFramework, ImageKind, ImageQuery, Library};
pub(crate) use resolve::{Choice, resolve};
pub(crate) use tables::COMPILER as TRAINING_COMPILER;
use unknown_name::unknown_name;
pub(crate) use user_catalog::{UserEntry, UserImages};

/// Returns the names of all built-in frameworks or algorithms, sorted.
pub(crate) fn names(kind: ImageKind) -> Vec<String> {
    let catalog = Catalog::built_in();
    let of_kind = catalog.tables().names().filter(|(_, images)| images.is_of(kind));
    of_kind.map(|(name, _)| name.to_owned()).collect()
}

/// Splits the name of a built-in variant, such as `pytorch-smp`, into the framework's and the variant's.
pub(crate) fn variant(name: &str) -> Option<(&str, &'static str)> {
    Catalog::built_in().tables().variant(name)
}

/// Returns the kind of a name's images: script mode if it has any such images. Fails for a name that isn't in the
/// catalog.
pub(crate) fn kind(catalog: &Catalog, name: &str) -> Result<ImageKind, ImageError> {
    let tables = catalog.tables();
    let Some(images) = tables.get(name) else { return Err(unknown_name(tables, name, None)) };
    Ok(if images.is_of(ImageKind::Framework) { ImageKind::Framework } else { ImageKind::Algorithm })
}
