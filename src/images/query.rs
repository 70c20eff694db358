//! The question to the catalog, in the terms of a job spec.

use crate::model::InstanceType;

/// What is asked of the catalog, in the words of a job spec.
#[derive(Clone, Debug)]
pub(crate) struct ImageQuery<'a> {
    pub(crate) kind: ImageKind,
    pub(crate) name: &'a str,
    /// `None` means the only one.
    pub(crate) version: Option<&'a str>,
    /// `None` means the only one, else the newest.
    pub(crate) py_version: Option<&'a str>,
    /// Of Hugging Face's images.
    pub(crate) base: Option<BaseFramework<'a>>,
    /// `None` where it isn't known, or doesn't matter.
    pub(crate) instance_type: Option<&'a InstanceType>,
    pub(crate) training_compiler: bool,
    pub(crate) library: Library,
    /// A version that the catalog doesn't have gets the pattern of the newest that it has.
    pub(crate) allow_unknown_version: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageKind {
    /// Its image runs a script.
    Framework,
    /// Its image runs by itself.
    Algorithm,
}

/// The framework that Hugging Face's libraries stand on, and its version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BaseFramework<'a> {
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
