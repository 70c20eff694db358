//! Tells quickly where in a large text a credential may stand at all, so that only the text around is searched.
//!
//! A credential that is drawn at random has sixteen characters or more in a row, so that at least one of the eight-byte lanes
//! of the text is full of them. Prose, numbers and most code have few lanes of letters and digits, or of small letters and
//! capitals. The loops are written for the compiler to make vector instructions of them.

use std::ops::Range;

/// Distance between a word and the credential that it leads to, at most, in bytes.
const REACH: usize = 192;
const BLOCK: usize = 64;

const OF_VALUE: u8 = 1;
const DIGIT: u8 = 2;
const SMALL: u8 = 4;
const CAPITAL: u8 = 8;

/// Returns the ranges of `text` that are to be searched, in order, none touching the next.
pub(super) fn ranges(text: &[u8], within: Range<usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    // Credentials behind the range count, too: their words may stand in it.
    let last = text.len().min(within.end + REACH);
    let blocks = text.get(within.start..last).unwrap_or_default().chunks(BLOCK).enumerate();
    for (index, _) in blocks.filter(|(_, block)| may_hold_credential(block)) {
        let block = within.start + index * BLOCK;
        let (start, end) = (block.saturating_sub(REACH).max(within.start), (block + BLOCK).min(within.end));
        match ranges.last_mut() {
            Some(range) if start <= range.end => range.end = end.max(range.end),
            _ if start < end => ranges.push(start..end),
            _ => {}
        }
    }
    ranges
}

fn may_hold_credential(block: &[u8]) -> bool {
    let Some(block) = block.first_chunk::<BLOCK>() else { return true };
    let mut classes = [0; BLOCK];
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

/// A lane of letters and digits; or of letters alone, more of them capitals than a name like `DataFrame` has.
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
            let whole = 0..text.len() - text.len() % BLOCK;
            assert!(ranges(text.as_bytes(), 0..whole.end - REACH).is_empty());
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
