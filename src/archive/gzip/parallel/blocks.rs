//! Finds where a deflate block may begin, in the middle of a stream (RFC 1951).
//!
//! Only blocks with Huffman codes of their own are found, and not the last one: what such a block begins with is so much
//! bound by rules that hardly anything else looks like it. Whether it is one is seen when what comes before has been inflated.

/// The order in which the lengths of the code of code lengths are given.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// Codes of literals and lengths, of which 256 ends the block, and of distances.
const MOST_LITERALS: usize = 286;
const MOST_DISTANCES: usize = 30;
const END_OF_BLOCK: usize = 256;
/// Bits of the longest code of code lengths, and of any other.
const LONGEST_META: usize = 7;
const LONGEST: usize = 15;
/// What is looked at from a bit on must be there, in bytes.
pub(super) const SLACK: usize = 512;

/// The first bit, of those given, at which a block may begin. Bytes are counted from their lowest bits on.
pub(super) fn find(data: &[u8], from: usize, to: usize) -> Option<usize> {
    let to = to.min(data.len().saturating_sub(SLACK) * 8);
    (from..to).find(|at| may_begin(data, *at))
}

fn may_begin(data: &[u8], at: usize) -> bool {
    let head = peek(data, at);
    // Not the last block, and with codes of its own.
    if head & 0b111 != 0b100 {
        return false;
    }
    let (literals, distances) = (field(head, 3, 5) + 257, field(head, 8, 5) + 1);
    if literals > MOST_LITERALS || distances > MOST_DISTANCES {
        return false;
    }
    let Some(meta) = CodeLengthCode::read(peek(data, at + 17), field(head, 13, 4) + 4) else { return false };
    let start = at + 17 + (field(head, 13, 4) + 4) * 3;
    let Some(lengths) = meta.lengths(data, start, literals + distances) else { return false };
    let (of_literals, of_distances) = lengths.split_at(literals);
    of_literals[END_OF_BLOCK] > 0 && is_complete(of_literals) && (is_complete(of_distances) || has_one(of_distances))
}

/// At least 57 bits from there on; zeros behind the end.
fn peek(data: &[u8], at: usize) -> u64 {
    let bytes = data.get(at / 8..at / 8 + 8).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 8]);
    u64::from_le_bytes(bytes) >> (at % 8)
}

fn field(bits: u64, at: u32, width: u32) -> usize {
    usize::try_from(bits >> at & ((1 << width) - 1)).unwrap_or(0)
}

/// A code's lengths use up all bit patterns, and none twice.
fn is_complete(lengths: &[u8]) -> bool {
    let used: usize =
        lengths.iter().filter(|length| **length > 0).map(|length| 1 << (LONGEST - usize::from(*length))).sum();
    used == 1 << LONGEST
}

/// A block without distances, or with one of them, has a code that is not complete.
fn has_one(lengths: &[u8]) -> bool {
    lengths.iter().map(|length| usize::from(*length)).sum::<usize>() <= 1
}

/// The code of code lengths: for each pattern of seven bits, its symbol and how many of the bits are its own.
struct CodeLengthCode {
    symbols: [(u8, u8); 1 << LONGEST_META],
}

impl CodeLengthCode {
    /// None where the lengths make no complete code.
    fn read(bits: u64, count: usize) -> Option<Self> {
        let mut lengths = [0_u8; 19];
        for (number, place) in ORDER.iter().take(count).enumerate() {
            lengths[*place] = u8::try_from(bits >> (number * 3) & 7).unwrap_or(0);
        }
        let used: usize = lengths.iter().filter(|length| **length > 0).map(|length| 128 >> *length).sum();
        (used == 128).then(|| Self::of(&lengths))
    }

    /// Codes are given in the order of their lengths, then of their symbols; the first bit of a code is its highest.
    fn of(lengths: &[u8; 19]) -> Self {
        let mut symbols = [(0, 0); 1 << LONGEST_META];
        let mut code = 0_usize;
        for length in 1..=LONGEST_META {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, of)| usize::from(**of) == length) {
                let reversed = code.reverse_bits() >> (usize::BITS as usize - length);
                let entry = (u8::try_from(symbol).unwrap_or(0), u8::try_from(length).unwrap_or(0));
                symbols.iter_mut().skip(reversed).step_by(1 << length).for_each(|place| *place = entry);
                code += 1;
            }
            code <<= 1;
        }
        Self { symbols }
    }

    /// The code lengths of so many symbols, which begin at that bit.
    fn lengths(&self, data: &[u8], mut at: usize, count: usize) -> Option<[u8; MOST_LITERALS + MOST_DISTANCES]> {
        let (mut lengths, mut filled) = ([0; MOST_LITERALS + MOST_DISTANCES], 0);
        while filled < count {
            let bits = peek(data, at);
            let (symbol, own) = self.symbols[field(bits, 0, 7)];
            let (own, before) = (u32::from(own), filled.checked_sub(1).map(|last| lengths[last]));
            let (value, times, extra) = match symbol {
                16 => (before?, field(bits, own, 2) + 3, 2),
                17 => (0, field(bits, own, 3) + 3, 3),
                18 => (0, field(bits, own, 7) + 11, 7),
                length => (length, 1, 0),
            };
            if filled + times > count {
                return None;
            }
            lengths[filled..filled + times].fill(value);
            filled += times;
            at += usize::try_from(own + extra).unwrap_or(0);
        }
        Some(lengths)
    }
}
