//! Python's text formats of values: `repr` and `json.dumps`, by which hyperparameters and environment variables are
//! written, and `json.loads`, by which the toolkit reads them. Pure.

pub(crate) mod json;
pub(crate) mod repr;
