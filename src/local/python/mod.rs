//! The interpreter of a local job, and its installed requirements.

pub(crate) mod interpreter;
pub(crate) mod requirements;
