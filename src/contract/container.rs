//! The container of a local job, or what takes its place.

use super::Layout;
use super::host::Host;

/// The surroundings in which a request is run.
#[derive(Clone, Debug)]
pub(crate) struct Container<'a> {
    pub(crate) job_arn: &'a str,
    pub(crate) layout: &'a Layout,
    /// AWS region of the job. `None` if nothing names one.
    pub(crate) region: Option<&'a str>,
    pub(crate) host: &'a Host,
    /// Path of the Python interpreter.
    pub(crate) python: &'a str,
    /// `setup.py` is at the root of the source archive.
    pub(crate) has_setup_py: bool,
}
