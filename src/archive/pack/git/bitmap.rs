//! Reads the compressed bitmaps of a split index (git 2.47, `ewah/ewah_io.c` and gitformat-bitmap(5), "Appendix A").

use super::malformed::MalformedIndex;

/// Maximum number of bits: the entries of an index.
const MAX_BITS: u64 = 1 << 28;

/// Reads the bitmap at the start of `bytes` and returns the positions of its set bits.
///
/// It is a number of bits, a number of 64-bit words, the words, and the position of the last marker word. A marker has
/// a bit, the number of words full of that bit that follow (32 bits), and the number of literal words after those
/// (31 bits).
pub(super) fn set_bits(bytes: &[u8]) -> Result<Vec<u64>, MalformedIndex> {
    let (bits, rest) = bytes.split_first_chunk::<4>().ok_or(MalformedIndex("a bitmap is cut off"))?;
    let (words, rest) = rest.split_first_chunk::<4>().ok_or(MalformedIndex("a bitmap is cut off"))?;
    let bits = u64::from(u32::from_be_bytes(*bits));
    let words = u32::from_be_bytes(*words) as usize;
    let words =
        words.checked_mul(8).and_then(|length| rest.get(..length)).ok_or(MalformedIndex("a bitmap is cut off"))?;
    if bits > MAX_BITS {
        return Err(MalformedIndex("a bitmap is too large"));
    }
    let mut words = words.chunks_exact(8).map(|word| word.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte)));
    let mut set = Vec::new();
    let mut position = 0_u64;
    while let Some(marker) = words.next() {
        let full_bits = (marker >> 1 & 0xffff_ffff) * 64;
        let literal_words = marker >> 33;
        if marker & 1 == 1 {
            set.extend(position..position.saturating_add(full_bits).min(bits));
        }
        position = position.saturating_add(full_bits);
        for _ in 0..literal_words {
            let word = words.next().ok_or(MalformedIndex("a bitmap is cut off"))?;
            set.extend((0..64).filter(|bit| word >> bit & 1 == 1).map(|bit| position + bit));
            position = position.saturating_add(64);
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bitmap(bits: u32, words: &[u64]) -> Vec<u8> {
        let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
        let mut bytes = [bits.to_be_bytes(), count.to_be_bytes()].concat();
        bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        bytes
    }

    #[test]
    fn runs_and_literal_words_are_read() {
        // One word of ones, then a literal word with bits 0 and 2.
        let marker = 1 | 1 << 1 | 1 << 33;
        let expected: Vec<u64> = (0..64).chain([64, 66]).collect();
        assert_eq!(set_bits(&bitmap(70, &[marker, 0b101])), Ok(expected));
    }

    #[test]
    fn a_cut_or_endless_bitmap_is_an_error_or_bounded() {
        assert!(set_bits(&[0; 5]).is_err());
        assert!(set_bits(&bitmap(70, &[5 << 33])).is_err());
        assert!(set_bits(&bitmap(u32::MAX, &[])).is_err());
        let endless = 1 | 0xffff_ffff << 1;
        assert_eq!(set_bits(&bitmap(3, &[endless; 4])), Ok(vec![0, 1, 2]));
    }
}
