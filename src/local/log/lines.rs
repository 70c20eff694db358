//! Splits a script's output into messages as it arrives: any bytes, any length, including progress bars.

/// Maximum length of a message in bytes: an event of CloudWatch Logs may have 1 MiB, including 26 bytes of overhead
/// (CloudWatch Logs quotas; PutLogEvents). A longer line is continued in the next event.
pub(crate) const MAX_MESSAGE: usize = (1 << 20) - 26;
/// Maximum length of a character in UTF-8, in bytes.
const MAX_CHAR_BYTES: usize = 4;

/// Splits a stream of bytes into messages.
///
/// A line feed, or a carriage return before one, ends a message and is removed. A lone carriage return, with which a
/// progress bar overwrites itself, ends a message and stays at its end, so that the viewer can tell.
#[derive(Debug, Default)]
pub(crate) struct LineSplitter {
    pending: Vec<u8>,
    /// The last byte was a carriage return, whose meaning depends on the next byte.
    held_return: bool,
}

impl LineSplitter {
    /// Consumes bytes and calls `each` for every message that they complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(&first) = bytes.first() {
            if self.held_return {
                self.held_return = false;
                if first == b'\n' {
                    bytes = bytes.get(1..).unwrap_or_default();
                    self.emit(&mut each);
                    continue;
                }
                self.emit_overwritten(&mut each);
            }
            bytes = self.take_until_end(bytes, &mut each);
        }
    }

    /// Returns the bytes of the current line so far. A new splitter that is fed with them is in the same state.
    pub(crate) fn unfinished(&self) -> Vec<u8> {
        let held_return: &[u8] = if self.held_return { b"\r" } else { b"" };
        [&self.pending, held_return].concat()
    }

    /// Emits the rest after the stream's end.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        self.held_return = false;
        if !self.pending.is_empty() {
            self.emit(&mut each);
        }
    }

    /// Consumes the bytes up to the next line end, and returns those after it.
    fn take_until_end<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let room = MAX_MESSAGE - self.pending.len();
        let window = bytes.get(..room).unwrap_or(bytes);
        let Some(end) = memchr::memchr2(b'\n', b'\r', window) else {
            self.pending.extend_from_slice(window);
            if window.len() == room {
                self.emit_part(each);
            }
            return bytes.get(window.len()..).unwrap_or_default();
        };
        let (line, rest) = bytes.split_at(end);
        match rest.split_first() {
            Some((b'\n', rest)) if self.pending.is_empty() => {
                each(line);
                rest
            }
            Some((b'\n', rest)) => {
                self.pending.extend_from_slice(line);
                self.emit(each);
                rest
            }
            rest => {
                self.pending.extend_from_slice(line);
                self.held_return = true;
                rest.map(|(_, rest)| rest).unwrap_or_default()
            }
        }
    }

    /// Emits the first part of a line that is longer than a message, without a character of UTF-8 that continues in the
    /// next part.
    fn emit_part(&mut self, each: &mut impl FnMut(&[u8])) {
        let rest = self.pending.split_off(complete_length(&self.pending));
        self.emit(each);
        self.pending = rest;
    }

    fn emit(&mut self, each: &mut impl FnMut(&[u8])) {
        each(&self.pending);
        self.pending.clear();
    }

    /// Emits a line that is overwritten. An empty one, from a bar that starts with a carriage return, is no message.
    fn emit_overwritten(&mut self, each: &mut impl FnMut(&[u8])) {
        if !self.pending.is_empty() {
            self.pending.push(b'\r');
            self.emit(each);
        }
    }
}

/// Returns the length of the bytes without a character of UTF-8 at their end that is incomplete. Bytes that are no
/// UTF-8 count as complete.
fn complete_length(bytes: &[u8]) -> usize {
    let mut last_bytes = bytes.iter().enumerate().rev().take(MAX_CHAR_BYTES);
    let Some((start, lead)) = last_bytes.find(|(_, byte)| **byte & 0xc0 != 0x80) else { return bytes.len() };
    let length = match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if bytes.len() - start < length { start } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut splitter, mut lines) = (LineSplitter::default(), Vec::new());
        for chunk in chunks {
            splitter.feed(chunk, |line| lines.push(line.to_vec()));
        }
        splitter.finish(|line| lines.push(line.to_vec()));
        lines
    }

    #[test]
    fn ends_of_lines() {
        assert_eq!(split(&[b"a\nb\r\n\nc"]), [&b"a"[..], b"b", b"", b"c"]);
        assert_eq!(split(&[b"b\r", b"\nc"]), [&b"b"[..], b"c"]);
        assert_eq!(split(&[b"\x00\xff\n"]), [&b"\x00\xff"[..]]);
    }

    #[test]
    fn a_progress_bar_is_one_message_an_update() {
        assert_eq!(split(&[b"\r 1%\r 2%", b"\r 3%\ndone\n"]), [&b" 1%\r"[..], b" 2%\r", b" 3%", b"done"]);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let line = vec![b'x'; MAX_MESSAGE * 2 + 1];
        let lengths: Vec<usize> = split(&[&line]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [MAX_MESSAGE, MAX_MESSAGE, 1]);
    }

    #[test]
    fn a_character_is_not_cut() {
        for (text, offset) in [("\u{1f600}", 0), ("\u{1f600}", 1), ("\u{20ac}", 2), ("\u{e9}", 1)] {
            let line = ["x".repeat(offset), text.repeat(MAX_MESSAGE)].concat();
            let parts = split(&[line.as_bytes()]);
            assert!(parts.iter().all(|part| std::str::from_utf8(part).is_ok()), "{text} {offset}");
            assert!(parts.iter().all(|part| part.len() <= MAX_MESSAGE), "{text} {offset}");
            assert!(parts.concat() == line.as_bytes(), "{text} {offset}");
        }
        for bytes in [[0x80; 9], [0xff; 9], [0xf0; 9]] {
            let line = bytes.repeat(MAX_MESSAGE / 4);
            assert!(split(&[&line]).concat() == line, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_wherever_the_stream_is_cut(text in "[ab\r\n]{0,60}", at in 0usize..60) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(at.min(bytes.len()));
            let whole = split(&[bytes]);
            prop_assert_eq!(&whole, &split(&[head, tail]));
            let kept: usize = whole.iter().flatten().filter(|byte| !b"\r\n".contains(byte)).count();
            prop_assert_eq!(kept, bytes.iter().filter(|byte| !b"\r\n".contains(byte)).count());
        }
    }
}
