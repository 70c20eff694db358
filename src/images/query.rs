//! Queries to the catalog, in the terms of a job spec.

use crate::model::InstanceType;

/// The settings of a job that decide its image.
#[derive(Clone, Debug)]
pub(crate) struct ImageQuery<'a> {
    pub(crate) kind: ImageKind,
    pub(crate) name: &'a str,
    /// `None` selects the only version.
    pub(crate) version: Option<&'a str>,
    /// `None` selects the newest.
    pub(crate) py_version: Option<&'a str>,
    /// For Hugging Face's images, the framework below.
    pub(crate) base: Option<BaseFramework<'a>>,
    /// `None` if it isn't known or doesn't matter.
    pub(crate) instance_type: Option<&'a InstanceType>,
    pub(crate) training_compiler: bool,
    pub(crate) library: Library,
    /// Resolve a version that the catalog doesn't have by the pattern of the newest one.
    pub(crate) allow_unknown_version: bool,
}

/// Kinds of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageKind {
    /// Runs the user's script (script mode).
    Framework,
    /// Runs by itself.
    Algorithm,
}

/// The framework below Hugging Face's libraries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BaseFramework<'a> {
    /// `pytorch` or `tensorflow`.
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

/// The library of a distributed job, as far as images differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// No library, or one that all images have.
    Any,
    /// smdistributed: data parallel, or model parallel in its first version.
    Smdistributed,
    /// Model parallel in its second version, below `torch_distributed`: it has images of its own.
    ModelParallel,
}
