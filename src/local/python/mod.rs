//! The Python that a local job runs with, and its installed requirements.

pub(crate) mod interpreter;
pub(crate) mod requirements;
