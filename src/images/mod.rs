//! Which image of AWS's registries runs a framework or an algorithm: the catalog and the rules of a URI. Pure.
//!
//! [`choose`] finds the entry that an [`ImageQuery`] means ([`Choice`]), which gives the image's tag and, for a region, its
//! URI. An [`ImageError`] says what there is instead. The rules are those of the SageMaker Python SDK (2.257.7 and 3's
//! `sagemaker-core` 2.27.0, `image_uris`), except where that names an image that isn't there: the tests list each such case.

mod catalog;
mod error;
mod list;
mod processor;
mod resolve;
mod tag;
#[cfg(test)]
mod tests;
mod user_catalog;
mod versions;

use crate::model::InstanceType;

pub(crate) use catalog::Catalog;
pub(crate) use error::{ImageError, Subject};
pub(crate) use list::{Listed, list};
pub(crate) use resolve::{Choice, choose};
pub(crate) use user_catalog::{OwnEntry, OwnImages};

/// Every built-in framework or algorithm, by name.
pub(crate) fn names(kind: Kind) -> Vec<String> {
    let catalog = Catalog::built_in();
    let of_kind = catalog.tables().names().filter(|(_, images)| images.is_of(kind));
    of_kind.map(|(name, _)| name.to_owned()).collect()
}

/// What a name's images are asked for as: its script-mode images, where it has any. Fails for a name that isn't in the
/// catalog.
pub(crate) fn kind(catalog: &Catalog, name: &str) -> Result<Kind, ImageError> {
    let tables = catalog.tables();
    let Some((_, images)) = tables.names().find(|(known, _)| *known == name) else {
        return Err(resolve::unknown_name(tables, name, None));
    };
    Ok(if images.is_of(Kind::Framework) { Kind::Framework } else { Kind::Algorithm })
}

/// What is asked of the catalog, in the words of a job spec.
#[derive(Clone, Debug)]
pub(crate) struct ImageQuery<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    /// `None` means the only one.
    pub(crate) version: Option<&'a str>,
    /// `None` means the only one, else the newest.
    pub(crate) py_version: Option<&'a str>,
    /// Of Hugging Face's images.
    pub(crate) base: Option<Base<'a>>,
    /// `None` where it isn't known, or doesn't matter.
    pub(crate) instance_type: Option<&'a InstanceType>,
    pub(crate) training_compiler: bool,
    pub(crate) library: Library,
    /// A version that the catalog doesn't have gets the pattern of the newest that it has.
    pub(crate) allow_unknown_version: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its image runs a script.
    Framework,
    /// Its image runs by itself.
    Algorithm,
}

/// The framework that Hugging Face's libraries stand on, and its version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'a> {
    /// `pytorch` or `tensorflow`.
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

/// The library of the distribution, as far as images differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// None, or one that all images have.
    Any,
    /// smdistributed: data parallel, or model parallel in its first version.
    Smdistributed,
    /// Model parallel in its second version, below `torch_distributed`: it has images of its own.
    ModelParallel,
}
