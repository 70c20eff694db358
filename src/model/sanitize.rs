//! Makes text from outside safe to show.
//!
//! A terminal acts on control characters: C0 (below U+0020), DEL, and C1 (U+0080 to U+009F, each the same as ESC and a
//! letter). The characters that embed, override and isolate directions of text (U+202A to U+202E, U+2066 to U+2069)
//! make a terminal show other text than the file has ("Trojan Source", CVE-2021-42574), and some programs end a line at
//! U+2028 and U+2029. None of these is shown as it is, not even in a script's output.
//!
//! In names and messages, characters that can't be seen are replaced as well, since two names that look alike may
//! differ in them: the code points that Unicode calls default ignorable, among them zero-width spaces, direction marks,
//! the byte order mark and tags. Kept are variation selectors, and joiners between letters of scripts and emoji that
//! need them.
//!
//! Each becomes U+FFFD, as in the compiler's own messages; JSON has the exact text, escaped. Line feeds, with or
//! without a carriage return before them, and tabs stay.

use std::borrow::Cow;
use std::fmt::Display;

/// Returns the text without what steers a terminal or can't be seen.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if is_printable(text) {
        return text.into();
    }
    replaced(text).map(|(_, c)| c).collect::<String>().into()
}

/// Returns the text without what steers a terminal or can't be seen, on one line.
pub(crate) fn one_line(text: impl Display) -> String {
    printable(&text.to_string()).replace('\n', "\\n").replace(['\r', '\t'], " ")
}

/// Returns the offset in [`printable`]'s text of the byte `at`.
pub(crate) fn printable_offset(text: &str, at: usize) -> usize {
    replaced(text).take_while(|(start, _)| *start < at).map(|(_, c)| c.len_utf8()).sum()
}

/// Returns whether a terminal would do anything but show the character.
pub(crate) fn steers_terminals(c: char) -> bool {
    is_control(c) && !matches!(c, '\n' | '\t')
}

/// Returns whether the character steers a terminal or can't be seen.
pub(crate) fn is_unprintable(c: char) -> bool {
    steers_terminals(c) || is_invisible(c)
}

/// Returns whether it is a control character, a separator of lines, or one that overrides the direction of text.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether it is default ignorable (Unicode's `DerivedCoreProperties.txt`), and no variation selector.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}'
    )
}

/// Returns whether the text is shown as it is. Most text is ASCII, and decided by its bytes.
fn is_printable(text: &str) -> bool {
    let may_hide = |byte: u8| byte < b' ' && !matches!(byte, b'\n' | b'\t') || byte >= 0x7f;
    !text.bytes().any(may_hide) || !text.contains(is_unprintable)
}

/// Yields each character, replaced where it has to be, with the byte that it stood at.
fn replaced(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().map(|(at, c)| {
        let is_line_end = c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
        let is_kept = is_line_end || !is_unprintable(c) || is_joiner(text, at, c);
        (at, if is_kept { c } else { char::REPLACEMENT_CHARACTER })
    })
}

/// Returns whether `c` is a zero-width joiner or non-joiner between two characters whose shape it decides: Arabic and
/// Indic letters, and parts of emoji. The scripts before Arabic in Unicode don't use any.
fn is_joiner(text: &str, at: usize, c: char) -> bool {
    let is_shaped = |c: char| c >= '\u{600}' && !is_unprintable(c);
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let after = text.get(at + c.len_utf8()..).and_then(|text| text.chars().next());
    matches!(c, '\u{200c}' | '\u{200d}') && before.is_some_and(is_shaped) && after.is_some_and(is_shaped)
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
        let ranges = [0..=8, 0xb..=0x1f, 0x7f..=0x9f, 0x2028..=0x202e, 0x2066..=0x2069];
        assert_eq!(steering, ranges.into_iter().flatten().collect::<Vec<u32>>());
    }

    #[test]
    fn invisible_characters_are_those_of_unicode() -> Result<(), regex::Error> {
        let ignorable = regex::Regex::new(r"^[\p{Default_Ignorable_Code_Point}--\p{Variation_Selector}]$")?;
        for c in '\0'..=char::MAX {
            assert_eq!(is_invisible(c), ignorable.is_match(c.encode_utf8(&mut [0; 4])), "U+{:04X}", u32::from(c));
        }
        Ok(())
    }

    #[test]
    fn what_cannot_be_seen_is_replaced() {
        for c in
            "\u{ad}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{2060}\u{feff}\u{e0041}".chars()
        {
            assert_eq!(printable(&format!("a{c}b")), "a\u{fffd}b", "U+{:04X}", u32::from(c));
        }
        assert_eq!(one_line("\u{feff}a\r\nb"), "\u{fffd}a \\nb");
        assert_eq!(printable("\u{5d0}\u{200d}\u{5d1}\u{200d}"), "\u{5d0}\u{fffd}\u{5d1}\u{fffd}");
    }

    #[test]
    fn joiners_stay_where_a_script_needs_them() {
        for text in [
            "\u{645}\u{6cc}\u{200c}\u{62e}",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f4bb}",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
        ] {
            assert_eq!(printable(text), text);
        }
        assert_eq!(printable("\u{645}\u{200c}\u{200c}\u{62e}"), "\u{645}\u{fffd}\u{fffd}\u{62e}");
    }

    #[test]
    fn offsets_follow_the_text() {
        let text = "a\u{1b}b\u{9b}\r\n\u{200b}c";
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
            assert_eq!(printable(text)[printable_offset(text, at)..].chars().next(), Some(c));
        }
        assert_eq!(printable_offset(text, text.len()), printable(text).len());
    }
}
