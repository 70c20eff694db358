//! The job spec: reading it, checking it, and the CreateTrainingJob request that it means.

pub(crate) mod problem;
pub(crate) mod request;
pub(crate) mod spec;
