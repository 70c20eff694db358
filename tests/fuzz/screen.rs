//! What may be written to a terminal.

use crate::model::steers_terminals;

/// Returns the length of a colour or another style (SGR: `ESC [ 1 ; 31 m`) at the start, told by its grammar in ECMA-48.
pub(crate) fn style(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let length = parameters.bytes().take_while(|byte| matches!(byte, b'0'..=b';')).count();
    parameters.as_bytes().get(length).is_some_and(|byte| *byte == b'm').then_some(length + 3)
}

/// Removes all styles.
pub(crate) fn without_styles(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\u{1b}') {
        plain += &rest[..at];
        match style(&rest[at..]) {
            Some(length) => rest = &rest[at + length..],
            None => {
                plain.push('\u{1b}');
                rest = &rest[at + 1..];
            }
        }
    }
    plain + rest
}

/// Panics where a text for people has a control character that is no line end or tab, styles apart.
pub(crate) fn is_harmless(text: &str) {
    let plain = without_styles(text).replace("\r\n", "\n");
    assert!(!plain.contains(steers_terminals), "{text:?}");
}

/// Panics unless `shown` is `text` with nothing lost: character by character the same, but for those that steer a terminal.
pub(crate) fn is_whole(shown: &str, text: &str) {
    let mut shown_chars = shown.chars();
    for c in text.chars() {
        let same = shown_chars.next();
        let is_kept = same == Some(c) || steers_terminals(c) && same.is_some_and(|same| !steers_terminals(same));
        assert!(is_kept, "{c:?} of {text:?} became {same:?} in {shown:?}");
    }
    assert_eq!(shown_chars.next(), None, "{shown:?} has more than {text:?}");
}
