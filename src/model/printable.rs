//! Text from outside, made safe to show: what a script wrote must not steer the terminal.

/// The text with control characters, but for line feeds and tabs, replaced.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_are_replaced_and_lines_are_kept() {
        assert_eq!(super::printable("a\x1b[2Jb\n\tc\u{9b}d\r"), "a\u{fffd}[2Jb\n\tc\u{fffd}d\u{fffd}");
    }
}
