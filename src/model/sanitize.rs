//! Makes text from outside safe to show.
//!
//! A terminal acts on control characters: C0 (below U+0020), DEL, and C1 (U+0080 to U+009F, each the same as ESC and a
//! letter). The characters that embed, override, isolate and mark directions of text (U+061C, U+200E to U+200F, U+202A to
//! U+202E, U+2066 to U+2069) make a terminal show other text than there is ("Trojan Source", CVE-2021-42574), and some
//! programs end a line at U+2028 and U+2029. None of these is shown as it is, not even in a script's output.
//!
//! In names and messages, characters that can't be seen, or told from a space, are replaced as well, since two names that
//! look alike may differ in them: the code points that Unicode calls default ignorable, among them zero-width spaces, the byte
//! order mark, variation selectors and tags; all spaces but U+0020; the blank of Braille; the marks of annotations; and
//! noncharacters. Kept are joiners and variation selectors behind letters and emoji whose shape they decide, and private use,
//! which fonts show as glyphs.
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

/// Returns whether it is a control character, a separator of lines, or one that sets the direction of text.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether it can't be seen, or told from a space.
fn is_invisible(c: char) -> bool {
    is_ignorable(c) || is_blank(c) || is_noncharacter(c)
}

/// Returns whether it is default ignorable (Unicode's `DerivedCoreProperties.txt`).
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns whether it is a space other than U+0020, the blank of Braille, or a mark of annotations.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' | '\u{3000}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// Returns whether it is a code point that never stands for a character.
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
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
        let is_kept = is_line_end || !is_unprintable(c) || is_joiner(text, at, c) || selects_variation(text, at, c);
        (at, if is_kept { c } else { char::REPLACEMENT_CHARACTER })
    })
}

/// Returns whether `c` is a zero-width joiner or non-joiner between two characters whose shape it decides: Arabic and
/// Indic letters, and parts of emoji. The scripts before Arabic in Unicode don't use any.
fn is_joiner(text: &str, at: usize, c: char) -> bool {
    let is_shaped = |c: char| c >= '\u{600}' && (!is_unprintable(c) || c == EMOJI_STYLE);
    let before = before(text, at);
    let after = text.get(at + c.len_utf8()..).and_then(|text| text.chars().next());
    matches!(c, '\u{200c}' | '\u{200d}') && before.is_some_and(is_shaped) && after.is_some_and(is_shaped)
}

/// Selects the emoji where the character before has a style of text as well.
const EMOJI_STYLE: char = '\u{fe0f}';

/// Returns whether `c` is a variation selector directly behind a character that has variations: an emoji or another
/// symbol, a digit of a keycap, a letter of Mongolian, or an ideograph. The selectors from U+E0100 are never kept: their
/// variations of ideographs are rare, and any text can be hidden in a row of them.
fn selects_variation(text: &str, at: usize, c: char) -> bool {
    let Some(base) = before(text, at) else { return false };
    let is_keycap = || text.get(at + c.len_utf8()..).is_some_and(|after| after.starts_with('\u{20e3}'));
    match c {
        '\u{fe00}'..='\u{fe0f}' if base.is_ascii() => is_keycap() && (base.is_ascii_digit() || "#*".contains(base)),
        '\u{fe00}'..='\u{fe0f}' => has_variations(base),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(base, '\u{1820}'..='\u{18aa}'),
        _ => false,
    }
}

/// Returns whether a character may have variations: it is in a block of `emoji-variation-sequences.txt` or
/// `StandardizedVariants.txt`.
fn has_variations(base: char) -> bool {
    matches!(
        base,
        '\u{a9}' | '\u{ae}' | '\u{1000}'..='\u{109f}' | '\u{203c}' | '\u{2049}' | '\u{2100}'..='\u{27bf}'
            | '\u{2900}'..='\u{2bff}' | '\u{3001}'..='\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{3400}'..='\u{9fff}'
            | '\u{a840}'..='\u{aa7f}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff1f}' | '\u{1f000}'..='\u{1faff}'
            | '\u{20000}'..='\u{3ffff}'
    ) && !is_invisible(base)
}

/// Returns the character before the byte `at`.
fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at).and_then(|text| text.chars().next_back())
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
        let ranges = [0..=8, 0xb..=0x1f, 0x7f..=0x9f, 0x61c..=0x61c, 0x200e..=0x200f, 0x2028..=0x202e, 0x2066..=0x2069];
        assert_eq!(steering, ranges.into_iter().flatten().collect::<Vec<u32>>());
    }

    #[test]
    fn invisible_characters_are_those_of_unicode() -> Result<(), regex::Error> {
        let of_unicode = r"\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Space_Separator}";
        let hidden = regex::Regex::new(&format!(r"^[{of_unicode}\u{{2800}}\u{{FFF9}}-\u{{FFFB}}--\x20]$"))?;
        for c in '\0'..=char::MAX {
            assert_eq!(is_invisible(c), hidden.is_match(c.encode_utf8(&mut [0; 4])), "U+{:04X}", u32::from(c));
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
    fn variation_selectors_stay_behind_what_has_variations_only() -> Result<(), regex::Error> {
        for text in [
            "x\u{fe0f}y",
            "x\u{e0100}y",
            "1\u{fe0f}",
            "\u{2764}\u{fe0f}\u{fe0f}",
            "\u{4e00}\u{e0100}",
            "\u{fe0f}",
            "a\u{180b}",
            "\u{3000}\u{fe0f}",
        ] {
            let shown = printable(text);
            assert!(shown.ends_with("\u{fffd}") || shown.contains("\u{fffd}y"), "{text:?}: {shown:?}");
        }
        for text in
            ["1\u{fe0f}\u{20e3}", "\u{1820}\u{180b}", "\u{4e00}\u{fe00}", "\u{2229}\u{fe00}", "\u{e0b0}\u{f8ff}"]
        {
            assert_eq!(printable(text), text);
        }
        let emoji = regex::Regex::new(r"^[\p{Emoji}--\p{ASCII}]$")?;
        for c in ('\0'..=char::MAX).filter(|c| emoji.is_match(c.encode_utf8(&mut [0; 4]))) {
            let text = format!("{c}\u{fe0f}");
            assert_eq!(printable(&text), text, "U+{:04X}", u32::from(c));
        }
        Ok(())
    }

    #[test]
    fn spaces_and_blanks_are_told_from_a_space() {
        for c in "\u{a0}\u{1680}\u{2003}\u{202f}\u{205f}\u{2800}\u{3000}\u{fff9}\u{fffe}\u{fdd0}\u{10ffff}".chars() {
            assert_eq!(printable(&format!("a{c}b")), "a\u{fffd}b", "U+{:04X}", u32::from(c));
        }
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
