//! Builds empty deflate blocks of any number of bits modulo eight.
//!
//! Put before a stream that begins within a byte, they let it be read from a whole byte on, with all its bits where
//! they were (stored blocks begin at whole bytes).

/// A block with fixed codes, not the last, that holds only its end: value and length in bits.
const EMPTY_FIXED_BLOCK: (u128, usize) = (0b010, 10);

/// Returns empty blocks that end at bit `shift` of their last byte. No bytes for 0.
pub(super) fn empty_blocks(shift: usize) -> Vec<u8> {
    let mut bits = BitString::default();
    if shift % 2 == 1 {
        bits.push_odd_block();
    }
    while bits.length % 8 != shift {
        bits.push(EMPTY_FIXED_BLOCK.0, EMPTY_FIXED_BLOCK.1);
    }
    let bytes = bits.length.div_ceil(8);
    bits.value.to_le_bytes()[..bytes].to_vec()
}

#[derive(Default)]
struct BitString {
    value: u128,
    length: usize,
}

impl BitString {
    fn push(&mut self, value: u128, length: usize) {
        self.value |= value << self.length;
        self.length += length;
    }

    /// Appends an empty block with dynamic codes: 93 bits, which makes the number odd.
    fn push_odd_block(&mut self) {
        // Not the last; 257 literals, one distance, and the lengths of all 19 codes of code lengths.
        self.push(0b100, 3);
        self.push(0, 5 + 5);
        self.push(15, 4);
        // In the order of RFC 1951: 18, which repeats zeros, and 1 have one bit each.
        for index in 0..19 {
            self.push(u128::from(index == 2 || index == 17), 3);
        }
        // 138 and 118 zeros, then a length of one bit for the block's end, and one for the distance.
        for zeros in [138, 118] {
            self.push(1, 1);
            self.push(zeros - 11, 7);
        }
        self.push(0, 2);
        // The block's end.
        self.push(0, 1);
    }
}

#[cfg(test)]
mod tests {
    use zlib_rs::{Inflate, InflateFlush, Status};

    use super::*;

    #[test]
    fn empty_blocks_hold_nothing() {
        for shift in 0..8 {
            let mut bytes = empty_blocks(shift);
            let length = bytes.len();
            // A stored block of one byte, the last, follows.
            let stored = 1_u128 << shift;
            let rest = if shift == 0 { vec![1] } else { Vec::new() };
            if let Some(last) = bytes.last_mut().filter(|_| shift > 0) {
                *last |= stored.to_le_bytes()[0];
            }
            let padding = usize::from(shift > 5);
            let mut out = [0; 4];
            let input = [bytes, rest, vec![0; padding], vec![1, 0, 0xfe, 0xff, 7]].concat();
            let mut inflate = Inflate::new(false, 15);
            let status = inflate.decompress(&input, &mut out, InflateFlush::NoFlush);
            assert_eq!((status, inflate.total_out(), out[0]), (Ok(Status::StreamEnd), 1, 7), "{shift} {length}");
        }
    }
}
