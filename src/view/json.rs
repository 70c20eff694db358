//! Serializes values as JSON that is harmless for a terminal.

use std::fmt::Write;

use serde::Serialize;

use crate::error::{Result, WithContext};
use crate::model::is_unprintable;

/// Serializes a value on one line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map(escaped).context("write JSON")
}

/// Serializes a value over several lines.
pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map(escaped).context("write JSON")
}

/// Escapes characters that JSON allows but a terminal acts on or does not show: DEL, C1 controls, direction overrides,
/// zero-width characters. All of them occur in strings only.
fn escaped(json: String) -> String {
    if !json.contains(is_unprintable) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unprintable(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _always = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_steers_no_terminal() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let text = "a\u{1b}[2J\u{9b}2J\u{7f}\u{85}\u{202e}\u{200b}\u{2028}\u{feff}\u{e0041}\u{e9}\r\n\t\u{1f600}";
        for json in [json_line(&[text])?, json(&[text])?] {
            assert!(!json.contains(is_unprintable), "{json:?}");
            assert_eq!(serde_json::from_str::<Vec<String>>(&json)?, [text]);
        }
        Ok(())
    }
}
