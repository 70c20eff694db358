//! Helpers for text in programs and configuration: ranges, escapes, base64.

/// Returns the bytes of a range, cut to the text.
pub(super) fn around(text: &[u8], start: usize, end: usize) -> &[u8] {
    text.get(start.min(text.len())..end.min(text.len())).unwrap_or_default()
}

/// Returns the bytes of a range, extended at both ends by the rest of a word that it cuts, up to a limit: 40 characters
/// may be the end of a longer word.
pub(super) fn whole_words(text: &[u8], start: usize, end: usize) -> &[u8] {
    const MAX_WORD_BYTES: usize = 64;
    let is_of_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
    let before = around(text, start.saturating_sub(MAX_WORD_BYTES), start).iter().rev().take_while(is_of_word).count();
    let after = around(text, end, end + MAX_WORD_BYTES).iter().take_while(is_of_word).count();
    around(text, start - before, end + after)
}

/// Removes the escapes of JSON, of strings in programs, and of URLs, at any depth: `\\\"` is a quote, `\n` a line feed,
/// `\/` and `%2F` a slash.
pub(super) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let (byte, length) = match first {
            b'\\' => escape(after),
            b'%' => percent(after),
            byte => (Some(*byte), 0),
        };
        plain.extend(byte);
        rest = after.get(length..).unwrap_or_default();
    }
    plain
}

/// Returns the byte that a backslash with `after` encodes, and the number of bytes of `after` that belong to it.
fn escape(after: &[u8]) -> (Option<u8>, usize) {
    match after {
        // An escape of a deeper level, or one that is cut.
        [b'\\', ..] | [] => (None, 0),
        [b'n' | b'r', ..] => (Some(b'\n'), 1),
        [b't', ..] => (Some(b'\t'), 1),
        [b'u', b'0', b'0', high, low, ..] => (hex(*high, *low), 5),
        [b'\n', ..] => (None, 1),
        [byte, ..] => (Some(*byte), 1),
    }
}

fn percent(after: &[u8]) -> (Option<u8>, usize) {
    match after {
        [high, low, ..] if hex(*high, *low).is_some_and(|byte| byte.is_ascii_punctuation()) => (hex(*high, *low), 2),
        _ => (Some(b'%'), 0),
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

/// Decodes base64, with or without its padding, as far as whole bytes go.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let sextets: Option<Vec<u32>> = text.get(..end)?.iter().map(|byte| sextet(*byte)).collect();
    let decode = |group: &[u32]| {
        let bits = group.iter().fold(0, |bits, sextet| bits << 6 | sextet) << (6 * (4 - group.len()));
        let bytes = bits.to_be_bytes();
        bytes.into_iter().skip(1).take(group.len() * 6 / 8)
    };
    Some(sextets?.chunks(4).flat_map(decode).collect())
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_at_any_depth() {
        for (escaped, plain) in [
            (r#"a\\\"b\/c\nd"#.to_owned(), "a\"b/c\nd"),
            (r#"k = \"v\""#.to_owned(), "k = \"v\""),
            (r#"k = \\\"v\\\""#.to_owned(), "k = \"v\""),
            (r"a\u002Bb\u002fc".to_owned(), "a+b/c"),
            ("a%2Fb%2bc%20d%".to_owned(), "a/b+c%20d%"),
        ] {
            assert_eq!(String::from_utf8_lossy(&unescaped(escaped.as_bytes())), plain, "{escaped}");
        }
    }

    #[test]
    fn base64_with_and_without_padding() {
        assert_eq!(base64(b"dXNlcjpwYXNz"), Some(b"user:pass".to_vec()));
        assert_eq!(base64(b"dXNlcjpwYXNzMQ=="), Some(b"user:pass1".to_vec()));
        assert_eq!(base64(b"dXNlcjpwYXNzMQ"), Some(b"user:pass1".to_vec()));
        assert_eq!(base64(b"not base64"), None);
    }
}
