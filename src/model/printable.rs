//! Text from outside, made safe to show.
//!
//! A terminal acts on control characters: C0 (below U+0020), DEL, and C1 (U+0080 to U+009F, each the same as ESC and a
//! letter). The characters that override the direction of text (U+202A to U+202E, U+2066 to U+2069) make a terminal show
//! other text than there is. All of them become U+FFFD; line feeds, with or without a carriage return before them, and
//! tabs stay.

use std::borrow::Cow;

/// Returns the text without what steers a terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return text.into();
    }
    replaced(text).map(|(_, c)| c).collect::<String>().into()
}

/// Returns the text without what steers a terminal, on one line.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace(['\r', '\t'], " ")
}

/// Returns where the byte `at` of the text stands in [`printable`]'s.
pub(crate) fn printable_offset(text: &str, at: usize) -> usize {
    replaced(text).take_while(|(start, _)| *start < at).map(|(_, c)| c.len_utf8()).sum()
}

/// Tells whether a terminal would do anything but show the character.
pub(crate) fn steers_terminals(c: char) -> bool {
    is_invisible_control(c) && !matches!(c, '\n' | '\t')
}

/// Tells whether it is a control character, or one that overrides the direction of text.
fn is_invisible_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Most text is ASCII, and decided by its bytes.
fn is_printable(text: &str) -> bool {
    let may_steer = |byte: u8| byte < b' ' && !matches!(byte, b'\n' | b'\t') || matches!(byte, 0x7f | 0xc2 | 0xe2);
    !text.bytes().any(may_steer) || !text.contains(steers_terminals)
}

/// Yields each character, replaced where it has to be, with the byte that it stood at.
fn replaced(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().map(|(at, c)| {
        let is_line_end = c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
        let is_kept = is_line_end || !steers_terminals(c);
        (at, if is_kept { c } else { char::REPLACEMENT_CHARACTER })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced_and_lines_are_kept() {
        assert_eq!(printable("a\x1b[2Jb\n\tc\u{9b}d\r"), "a\u{fffd}[2Jb\n\tc\u{fffd}d\u{fffd}");
        assert_eq!(printable("a\r\nb\rc\u{7f}\u{202e}d\u{2066}"), "a\r\nb\u{fffd}c\u{fffd}\u{fffd}d\u{fffd}");
        assert_eq!(printable("gr\u{fc}n \u{e9} \u{2014} \u{5d0}"), "gr\u{fc}n \u{e9} \u{2014} \u{5d0}");
        assert_eq!(one_line("a\nb\tc\u{1b}"), "a\\nb c\u{fffd}");
    }

    #[test]
    fn every_character_is_decided() {
        let steering: Vec<u32> =
            (0..=u32::from(char::MAX)).filter(|code| char::from_u32(*code).is_some_and(steers_terminals)).collect();
        let ranges = [0..=8, 0xb..=0x1f, 0x7f..=0x9f, 0x202a..=0x202e, 0x2066..=0x2069];
        assert_eq!(steering, ranges.into_iter().flatten().collect::<Vec<u32>>());
    }

    #[test]
    fn offsets_follow_the_text() {
        let text = "a\u{1b}b\u{9b}\r\nc";
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
            assert_eq!(printable(text)[printable_offset(text, at)..].chars().next(), Some(c));
        }
        assert_eq!(printable_offset(text, text.len()), printable(text).len());
    }
}
