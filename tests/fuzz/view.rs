//! Stands in for `src/view`: JSON and the lines of a log.

#[path = "../../src/view/json.rs"]
mod json;
#[path = "../../src/view/log_lines.rs"]
pub(crate) mod log_lines;

pub(crate) use json::{json, json_line};

const VERSION: u32 = 1;
