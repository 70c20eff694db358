//! Detects the encoding of a file by its first bytes, and converts UTF-16.

/// Number of bytes at the beginning of a file that decide its encoding.
pub(super) const SNIFFED_BYTES: usize = 4 * 1024;

/// Encodings that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// ASCII, UTF-8, Latin-1 and the like: ASCII letters are themselves.
    Bytes,
    Utf16 {
        big_endian: bool,
    },
    Binary,
}

impl Encoding {
    /// Detects the encoding by the first [`SNIFFED_BYTES`] bytes of a file, or by all of a smaller one.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => Self::Utf16 { big_endian: false },
            [0xfe, 0xff, ..] => Self::Utf16 { big_endian: true },
            _ if memchr::memchr(0, head).is_none() => Self::Bytes,
            _ => Self::without_mark(head),
        }
    }

    /// Detects the encoding of bytes with zeros and no byte order mark: UTF-16 of mostly ASCII text has a zero in
    /// nearly every second byte, and hardly any in the others.
    fn without_mark(head: &[u8]) -> Self {
        let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
        let even = zeros(0);
        let odd = zeros(1);
        let pairs = head.len() / 2;
        let most = pairs * 3 / 4;
        let hardly_any = pairs / 20;
        if even >= most && odd <= hardly_any {
            Self::Utf16 { big_endian: true }
        } else if odd >= most && even <= hardly_any {
            Self::Utf16 { big_endian: false }
        } else {
            Self::Binary
        }
    }
}

/// Appends UTF-16 to `text` as ASCII; all other characters become `\x80`. `half` keeps the first byte of a pair whose
/// second is in the next call.
pub(super) fn append_utf16(text: &mut Vec<u8>, half: &mut Option<u8>, bytes: &[u8], big_endian: bool) {
    const NOT_ASCII: u8 = 0x80;
    for byte in bytes {
        let Some(first) = half.take() else {
            *half = Some(*byte);
            continue;
        };
        let (high, low) = if big_endian { (first, *byte) } else { (*byte, first) };
        text.push(if high == 0 && low.is_ascii() { low } else { NOT_ASCII });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encodings_are_known_by_their_first_bytes() {
        assert_eq!(Encoding::of("größe = 1".as_bytes()), Encoding::Bytes);
        assert_eq!(Encoding::of(b""), Encoding::Bytes);
        assert_eq!(Encoding::of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Encoding::Binary);
        for big_endian in [false, true] {
            assert_eq!(Encoding::of(&utf16("key = \"value\"", big_endian)), Encoding::Utf16 { big_endian });
            assert_eq!(Encoding::of(&utf16("\u{feff}größe ☃", big_endian)), Encoding::Utf16 { big_endian });
        }
    }

    #[test]
    fn a_pair_may_be_cut_in_two() {
        let (mut text, mut half) = (Vec::new(), None);
        for byte in utf16("aü☃z", false) {
            append_utf16(&mut text, &mut half, &[byte], false);
        }
        assert_eq!((text, half), (b"a\x80\x80z".to_vec(), None));
    }
}
