//! Finds bits at which a deflate block may begin, in the middle of a stream (RFC 1951).
//!
//! Only blocks with dynamic Huffman codes are found, and not the last one: the code lengths at its beginning obey so
//! many rules that hardly anything else looks like one. A guess is confirmed when everything before it has been
//! inflated.

/// Order of the lengths of the code of code lengths (RFC 1951, 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// Maximum number of codes of literals and lengths, and of distances.
const MAX_LITERALS: usize = 286;
const MAX_DISTANCES: usize = 30;
/// The code that ends a block.
const END_OF_BLOCK: usize = 256;
/// Maximum length of a code of code lengths, in bits.
const MAX_META_BITS: usize = 7;
/// Maximum length of any other code, in bits.
const MAX_CODE_BITS: usize = 15;
/// Bytes that must follow a bit for it to be examined: more than any block's code lengths take.
pub(super) const SLACK_BYTES: usize = 512;

/// Returns the first bit in `from..to` at which a block may begin. Bits are counted from the lowest one of each byte.
pub(super) fn find(data: &[u8], from: usize, to: usize) -> Option<usize> {
    let to = to.min(data.len().saturating_sub(SLACK_BYTES) * 8);
    (from..to).find(|at| may_begin(data, *at))
}

fn may_begin(data: &[u8], at: usize) -> bool {
    let head = peek(data, at);
    // Not the last block, and with codes of its own.
    if head & 0b111 != 0b100 {
        return false;
    }
    let literals = field(head, 3, 5) + 257;
    let distances = field(head, 8, 5) + 1;
    if literals > MAX_LITERALS || distances > MAX_DISTANCES {
        return false;
    }
    let Some(meta) = CodeLengthCode::parse(peek(data, at + 17), field(head, 13, 4) + 4) else { return false };
    let start = at + 17 + (field(head, 13, 4) + 4) * 3;
    let Some(lengths) = meta.lengths(data, start, literals + distances) else { return false };
    let (of_literals, of_distances) = lengths.split_at(literals);
    of_literals[END_OF_BLOCK] > 0 && is_complete(of_literals) && (is_complete(of_distances) || has_one(of_distances))
}

/// Returns at least 57 bits from bit `at` on, with zeros behind the end of the data.
fn peek(data: &[u8], at: usize) -> u64 {
    let bytes = data.get(at / 8..at / 8 + 8).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 8]);
    u64::from_le_bytes(bytes) >> (at % 8)
}

/// Returns the `width` bits from bit `at` on.
fn field(bits: u64, at: u32, width: u32) -> usize {
    usize::try_from(bits >> at & ((1 << width) - 1)).unwrap_or(0)
}

/// Returns whether the lengths of a code use each bit pattern exactly once.
fn is_complete(lengths: &[u8]) -> bool {
    let used: usize =
        lengths.iter().filter(|length| **length > 0).map(|length| 1 << (MAX_CODE_BITS - usize::from(*length))).sum();
    used == 1 << MAX_CODE_BITS
}

/// Returns whether a code has at most one symbol, of one bit: the distances of a block may be such an incomplete code.
fn has_one(lengths: &[u8]) -> bool {
    lengths.iter().map(|length| usize::from(*length)).sum::<usize>() <= 1
}

/// The code of code lengths: for each pattern of seven bits, the symbol and the length of its code in bits.
struct CodeLengthCode {
    symbols: [(u8, u8); 1 << MAX_META_BITS],
}

impl CodeLengthCode {
    /// Parses `count` lengths of three bits. `None` if they make no complete code.
    fn parse(bits: u64, count: usize) -> Option<Self> {
        let mut lengths = [0_u8; 19];
        for (number, place) in ORDER.iter().take(count).enumerate() {
            lengths[*place] = u8::try_from(bits >> (number * 3) & 7).unwrap_or(0);
        }
        let used: usize = lengths.iter().filter(|length| **length > 0).map(|length| 128 >> *length).sum();
        (used == 128).then(|| Self::from_lengths(&lengths))
    }

    /// Assigns codes in the order of their lengths, then of their symbols; the first bit of a code is its highest.
    fn from_lengths(lengths: &[u8; 19]) -> Self {
        let mut symbols = [(0, 0); 1 << MAX_META_BITS];
        let mut code = 0_usize;
        for length in 1..=MAX_META_BITS {
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

    /// Decodes the code lengths of `count` symbols from bit `at` on. `None` if they are invalid.
    fn lengths(&self, data: &[u8], mut at: usize, count: usize) -> Option<[u8; MAX_LITERALS + MAX_DISTANCES]> {
        let mut lengths = [0; MAX_LITERALS + MAX_DISTANCES];
        let mut filled = 0;
        while filled < count {
            let bits = peek(data, at);
            let (symbol, own) = self.symbols[field(bits, 0, 7)];
            let own = u32::from(own);
            let before = filled.checked_sub(1).map(|last| lengths[last]);
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
