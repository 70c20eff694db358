//! Problems of a spec: each with its span in the text, collected so that all are reported together, with suggestions.

pub(crate) mod problem;
pub(super) mod report;
pub(super) mod suggest;
