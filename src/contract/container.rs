//! The container that a request is run in.

use super::Layout;
use super::host::Host;

/// Where a request is run.
#[derive(Clone, Debug)]
pub(crate) struct Container<'a> {
    pub(crate) job_arn: &'a str,
    pub(crate) layout: &'a Layout,
    pub(crate) host: &'a Host,
    /// The interpreter's path.
    pub(crate) python: &'a str,
    /// Whether `setup.py` lies at the root of the source archive.
    pub(crate) has_setup_py: bool,
}
