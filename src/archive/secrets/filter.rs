//! Finds quickly where in a large text a credential may be, so that only the text around is searched.
//!
//! A random credential has sixteen characters or more in a row, so that at least one aligned lane of eight bytes is
//! full of them. Prose, numbers and most code have few lanes that mix letters and digits, or lower and upper case. The
//! loops are written so that the compiler vectorizes them.

use std::ops::Range;

/// Maximum distance between a word and the credential that it leads to, in bytes.
const MAX_DISTANCE: usize = 192;
/// Bytes that are examined at a time.
const BLOCK_BYTES: usize = 64;

// Classes of bytes, as bits.
const OF_VALUE: u8 = 1;
const DIGIT: u8 = 2;
const SMALL: u8 = 4;
const CAPITAL: u8 = 8;

/// Returns the ranges of `text` that are to be searched, in order, none touching the next.
pub(super) fn ranges(text: &[u8], within: Range<usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    // Credentials behind the range count as well: their words may be in it.
    let last = text.len().min(within.end + MAX_DISTANCE);
    let blocks = text.get(within.start..last).unwrap_or_default().chunks(BLOCK_BYTES).enumerate();
    for (index, _) in blocks.filter(|(_, block)| may_hold_credential(block)) {
        let block = within.start + index * BLOCK_BYTES;
        let start = block.saturating_sub(MAX_DISTANCE).max(within.start);
        let end = (block + BLOCK_BYTES).min(within.end);
        match ranges.last_mut() {
            Some(range) if start <= range.end => range.end = end.max(range.end),
            _ if start < end => ranges.push(start..end),
            _ => {}
        }
    }
    ranges
}

/// Returns whether a lane of the block is part of a credential. An incomplete block may always be.
fn may_hold_credential(block: &[u8]) -> bool {
    let Some(block) = block.first_chunk::<BLOCK_BYTES>() else { return true };
    let mut classes = [0; BLOCK_BYTES];
    for (class, byte) in classes.iter_mut().zip(block) {
        *class = class_of(*byte);
    }
    let (lanes, _) = classes.as_chunks::<8>();
    lanes.iter().fold(false, |found, lane| found | is_of_credential(u64::from_ne_bytes(*lane)))
}

fn class_of(byte: u8) -> u8 {
    let is = |first: u8, last: u8, class: u8| if byte.wrapping_sub(first) <= last - first { class } else { 0 };
    is(b'a', b'z', OF_VALUE | SMALL)
        | is(b'A', b'Z', OF_VALUE | CAPITAL)
        | is(b'0', b'9', OF_VALUE | DIGIT)
        | is(b'-', b'/', OF_VALUE)
        | is(b'_', b'_', OF_VALUE)
        | is(b'+', b'+', OF_VALUE)
}

/// Returns whether a lane has letters and digits, or letters alone of which more are capitals than in a name like
/// `DataFrame`.
fn is_of_credential(lane: u64) -> bool {
    const MIN_CAPITALS: u64 = 3;
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let all = |class: u8| ONES * u64::from(class);
    let has = |class: u8| lane & all(class) != 0;
    let capitals = ((lane / u64::from(CAPITAL)) & ONES).wrapping_mul(ONES) >> 56;
    let is_full = lane & all(OF_VALUE) == all(OF_VALUE);
    let has_digits = has(DIGIT) && (has(SMALL) || has(CAPITAL));
    is_full && (has_digits || (has(SMALL) && capitals >= MIN_CAPITALS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_numbers_are_passed_over() {
        let prose = "It was the best of times, it was the worst of times; 1775. ".repeat(100);
        let numbers = "0.8474337369372327,763774618976614,25.5069\n".repeat(100);
        for text in [prose, numbers] {
            let whole = 0..text.len() - text.len() % BLOCK_BYTES;
            assert!(ranges(text.as_bytes(), 0..whole.end - MAX_DISTANCE).is_empty());
        }
    }

    #[test]
    fn the_text_around_a_credential_is_searched_wherever_it_stands() {
        let value = "a1B2c3D4e5F6g7H8";
        for at in 0..200 {
            let text = format!("{}{value}{}", " ".repeat(1000 + at), " ".repeat(2000));
            let found = ranges(text.as_bytes(), 0..2048);
            assert!(
                matches!(&found[..], [range] if range.start + 170 < 1000 + at && range.end > 1000 + at),
                "{at}: {found:?}"
            );
        }
    }
}
