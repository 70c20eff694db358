//! The interpreter of a local job, and its installed requirements.

pub(crate) mod installer;
pub(crate) mod interpreter;
mod pip_configuration;
mod requirement_list;
pub(crate) mod requirements;
