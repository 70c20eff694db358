//! Values for what a spec leaves open.

use std::path::PathBuf;

use crate::images::Catalog;

/// What the settings say, where the spec says nothing.
#[derive(Clone, Debug)]
pub(crate) struct Defaults<'a> {
    /// The images that there are.
    pub(crate) catalog: &'a Catalog,
    /// In place of `sagemaker-{region}-{account}`.
    pub(crate) bucket: Option<String>,
    /// Before the keys of code, data and output; without slashes at its ends.
    pub(crate) prefix: String,
    /// Whether the tags tell where the code came from.
    pub(crate) provenance: bool,
    /// Where this computer keeps what must outlast a command.
    pub(crate) state: PathBuf,
}
