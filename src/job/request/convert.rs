//! Conversions between the spec's values and the API's.

use std::collections::BTreeMap;

use crate::job::spec::InputMode;

pub(super) fn input_mode(mode: InputMode) -> &'static str {
    match mode {
        InputMode::File => "File",
        InputMode::Pipe => "Pipe",
        InputMode::FastFile => "FastFile",
    }
}

/// A list that is left out when it is empty.
pub(super) fn some_list<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// A map that is left out when it is empty.
pub(super) fn some_map(map: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    (!map.is_empty()).then_some(map)
}

pub(super) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
