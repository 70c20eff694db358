//! Defaults for values that a spec leaves open.

use std::path::PathBuf;

use crate::images::Catalog;

/// Defaults from the settings.
#[derive(Clone, Debug)]
pub(crate) struct Defaults<'a> {
    /// Catalog of container images.
    pub(crate) catalog: &'a Catalog,
    /// AWS region that a flag, the spec or the settings name.
    pub(crate) region: Option<String>,
    /// Bucket in place of `sagemaker-{region}-{account}`.
    pub(crate) bucket: Option<String>,
    /// Prefix of the keys of code, data and output, without slashes at its ends; may be empty.
    pub(crate) prefix: String,
    /// Adds provenance tags.
    pub(crate) provenance: bool,
    /// Folder of this user's state.
    pub(crate) state: PathBuf,
}
