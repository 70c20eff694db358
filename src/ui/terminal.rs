//! Filters control sequences out of a script's output, so that it is harmless for a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::model::steers_terminals;

/// Appends a log's message to `out`. Colours are kept, and reset at the end; any other control character is replaced by
/// a visible one.
pub(crate) fn log_text(message: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(message);
    if !text.contains(steers_terminals) {
        return out.extend_from_slice(text.as_bytes());
    }
    let mut rest = &*text;
    while let Some(at) = rest.find(steers_terminals) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        // Anything but a colour: one character, made visible.
        let (shown, after) = color(from).map_or_else(|| first_visible(from), |length| split(from, length));
        out.extend_from_slice(shown.as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    if text.contains('\u{1b}') {
        out.extend_from_slice(b"\x1b[0m");
    }
}

/// Returns the length of a colour sequence (SGR: `ESC [ 1 ; 31 m`) at the start of a text.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters.get(end..)?.starts_with('m').then_some(end + 3)
}

fn split(text: &str, at: usize) -> (Cow<'_, str>, &str) {
    let (before, after) = text.split_at(at);
    (before.into(), after)
}

fn first_visible(text: &str) -> (Cow<'_, str>, &str) {
    let mut chars = text.chars();
    let shown: String = chars.next().map(visible).into_iter().collect();
    (shown.into(), chars.as_str())
}

/// Returns the visible replacement of a control character.
fn visible(c: char) -> char {
    match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// Writer that makes all control characters of a file visible, including colours.
pub(super) struct Filter<W: Write> {
    out: W,
    /// Incomplete character or line end at the end of the last write.
    pending: Vec<u8>,
}

impl<W: Write> Filter<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, pending: Vec::new() }
    }
}

impl<W: Write> Write for Filter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.pending);
        all.extend_from_slice(bytes);
        let end = all.len() - incomplete_len(&all);
        self.pending = all.split_off(end);
        self.out.write_all(file_text(&all).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Drop for Filter<W> {
    fn drop(&mut self) {
        let rest = file_text(&self.pending);
        // A closed stdout leaves nowhere to report that.
        let _closed = self.out.write_all(rest.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Returns a file's text with its control characters made visible, except line ends.
fn file_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = |(at, c): (usize, char)| {
        let is_line_end = c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
        if steers_terminals(c) && !is_line_end { visible(c) } else { c }
    };
    text.char_indices().map(shown).collect()
}

/// Returns the number of bytes at the end that are an incomplete character or line end.
fn incomplete_len(bytes: &[u8]) -> usize {
    if bytes.ends_with(b"\r") {
        return 1;
    }
    let last = bytes.utf8_chunks().last();
    let rest = last.map_or(&b""[..], |chunk| chunk.invalid());
    let is_begun = std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
    if is_begun { rest.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that are more often part of an escape sequence than others.
    fn messages() -> impl Strategy<Value = Vec<u8>> {
        let parts: Vec<&[u8]> =
            vec![b"\x1b[", b"\x1b]0;", b"31;1m", b"m", b"\xc2\x9b", b"\x9b", b"\xe2\x80\xae", b"\xe2\x80", b"a\r\n\t"];
        let part = prop::sample::select(parts).prop_map(<[u8]>::to_vec);
        let piece = prop_oneof![part, prop::collection::vec(any::<u8>(), 0..4)];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_but_colours_passes(message in messages()) {
            let mut out = Vec::new();
            log_text(&message, &mut out);
            let text = String::from_utf8(out)?;
            let mut rest = text.as_str();
            while let Some(at) = rest.find(steers_terminals) {
                let length = color(&rest[at..]);
                prop_assert!(length.is_some(), "{text:?}");
                rest = &rest[at + length.unwrap_or(1)..];
            }
        }

        #[test]
        fn nothing_of_a_file_passes(content in messages(), cut in 1_usize..8) {
            let mut out = Vec::new();
            let mut filter = Filter::new(&mut out);
            content.chunks(cut).try_for_each(|chunk| filter.write_all(chunk))?;
            drop(filter);
            let text = String::from_utf8(out)?;
            prop_assert!(!text.replace("\r\n", "").contains(steers_terminals), "{text:?}");
        }

        #[test]
        fn nothing_said_steers(message in messages()) {
            let said = crate::ui::Text::styled(crate::ui::Style::Error, String::from_utf8_lossy(&message));
            prop_assert!(!said.shown(false).replace("\r\n", "").contains(steers_terminals), "{said:?}");
        }
    }

    fn shown(message: &[u8]) -> String {
        let mut out = Vec::new();
        log_text(message, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn a_terminal_gets_colours_and_nothing_else_that_steers_it() {
        assert_eq!(shown("gr\u{fc}n\t1\n2".as_bytes()), "gr\u{fc}n\t1\n2");
        assert_eq!(shown(b"\x1b[1;31mred\x1b[0m"), "\x1b[1;31mred\x1b[0m\x1b[0m");
        assert_eq!(shown(b"a\x1b[2Jb\x1b]0;title\x07"), "a\u{241b}[2Jb\u{241b}]0;title\u{2407}\x1b[0m");
        assert_eq!(shown("a\u{9b}2Jb\0".as_bytes()), "a\u{fffd}2Jb\u{2400}");
        assert_eq!(shown("a\u{202e}b\u{2066}".as_bytes()), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut out = Vec::new();
        log_text(b"a\x9b2J\x85", &mut out);
        assert_eq!(out, "a\u{fffd}2J\u{fffd}".as_bytes());
    }

    #[test]
    fn a_file_is_shown_whole_however_it_is_cut() -> io::Result<()> {
        let text = "gr\u{fc}n \u{1f600}\x1b[31m\r\n\r\u{9b}2J".as_bytes();
        for size in 1..text.len() {
            let mut out = Vec::new();
            let mut filter = Filter::new(&mut out);
            text.chunks(size).try_for_each(|chunk| filter.write_all(chunk))?;
            filter.write_all(b"\xe2\x82")?;
            drop(filter);
            assert_eq!(
                String::from_utf8_lossy(&out),
                "gr\u{fc}n \u{1f600}\u{241b}[31m\r\n\u{240d}\u{fffd}2J\u{fffd}",
                "{size}"
            );
        }
        Ok(())
    }
}
