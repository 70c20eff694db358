//! Converts the spec's values to the API's.

use std::collections::BTreeMap;

use crate::job::spec::InputMode;

pub(super) fn input_mode(mode: InputMode) -> &'static str {
    match mode {
        InputMode::File => "File",
        InputMode::Pipe => "Pipe",
        InputMode::FastFile => "FastFile",
    }
}

/// Returns the list; `None` if it is empty, so that the field is left out.
pub(super) fn some_list<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Returns the map; `None` if it is empty, so that the field is left out.
pub(super) fn some_map(map: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    (!map.is_empty()).then_some(map)
}

/// Converts a number; one past the API's range becomes the largest. A valid spec has none.
pub(super) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
