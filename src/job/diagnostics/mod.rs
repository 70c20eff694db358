//! Collects the problems of a spec, each with its place in the text, so that one run reports all of them.

pub(crate) mod problem;
pub(super) mod report;
pub(super) mod suggest;
