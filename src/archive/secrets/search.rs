//! Finds any of some hundred words in a text, at the speed at which memory is read.
//!
//! A library's automaton (Aho-Corasick) takes a step for every byte, each after the one before: measured, 0.5 GB/s, where
//! SHA-256 makes 1.4. Here two independent steps are made for every four bytes: the three bytes at every second place are
//! looked up in a table of bits. A word of four bytes has either its first or its second three at such a place, and where
//! the table has neither, no word begins. Where it has one, the words that begin so are compared.

use std::collections::HashMap;

/// Bits of the table, as a power of two.
const BITS: u32 = 16;
const WORDS_OF_BITS: usize = 1 << (BITS - 6);
/// Bytes that are looked up at once.
const GRAM: usize = 3;

/// Bytes that may follow a word of three bytes: a credential goes on.
const FOLLOWING: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_-/+.%=~";
/// Bytes that may follow a name of three bytes, too.
const FOLLOWING_NAME: &[u8] = b" \t:\"'`\\])>,";

/// The words, in any case of ASCII letters.
pub(super) struct WordSearch {
    table: Box<[u64; WORDS_OF_BITS]>,
    /// The words by their first bytes.
    by_start: HashMap<u32, Vec<usize>>,
    words: Vec<&'static [u8]>,
}

impl WordSearch {
    /// Each word has at least three bytes.
    pub(super) fn new(words: impl IntoIterator<Item = &'static str>) -> Self {
        let words: Vec<&[u8]> = words.into_iter().map(str::as_bytes).collect();
        let mut search = Self { table: Box::new([0; WORDS_OF_BITS]), by_start: HashMap::new(), words };
        for (index, word) in search.words.clone().into_iter().enumerate() {
            let Some(&[a, b, c]) = word.first_chunk::<GRAM>() else { continue };
            search.by_start.entry(gram([a, b, c])).or_default().push(index);
            search.mark([a, b, c]);
            match word.get(GRAM) {
                Some(d) => search.mark([b, c, *d]),
                None => following(&[a, b, c]).for_each(|d| search.mark([b, c, d])),
            }
        }
        search
    }

    fn mark(&mut self, bytes: [u8; GRAM]) {
        let bit = bit(gram(bytes));
        self.table[bit >> 6] |= 1 << (bit & 63);
    }

    /// Returns 1 where a word may begin so, else 0.
    fn marked(&self, gram: u32) -> u64 {
        let bit = bit(gram);
        self.table[bit >> 6] >> (bit & 63) & 1
    }

    /// Calls `visit` with the index and the start of every word that begins in `from..to`, until it returns something.
    pub(super) fn find<T>(
        &self,
        text: &[u8],
        from: usize,
        to: usize,
        mut visit: impl FnMut(usize, usize) -> Option<T>,
    ) -> Option<T> {
        const LOADED: usize = size_of::<u64>();
        /// Places of two bytes.
        const LOOKED_UP: usize = 6;
        let mut at = from;
        while at < to {
            let Some(loaded) = text.get(at..).and_then(|rest| rest.first_chunk::<LOADED>()) else {
                return (at.saturating_sub(1)..to).find_map(|start| self.at(text, start, from, to, &mut visit));
            };
            if self.may_begin(u64::from_le_bytes(*loaded)) {
                let starts = at.saturating_sub(1)..at + LOOKED_UP;
                let found = starts.into_iter().find_map(|start| self.at(text, start, from, to, &mut visit));
                if found.is_some() {
                    return found;
                }
            }
            at += LOOKED_UP;
        }
        None
    }

    /// Returns whether a word may begin at the first six of eight bytes, or one before them. All three lookups are made, since none
    /// waits for another.
    fn may_begin(&self, loaded: u64) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "the lower bytes are meant")]
        let marked = |place: u64| self.marked(folded((loaded >> (16 * place)) as u32));
        marked(0) | marked(1) | marked(2) != 0
    }

    /// Visits the words that begin at `start`.
    fn at<T>(
        &self,
        text: &[u8],
        start: usize,
        from: usize,
        to: usize,
        visit: &mut impl FnMut(usize, usize) -> Option<T>,
    ) -> Option<T> {
        if !(from..to).contains(&start) {
            return None;
        }
        let rest = text.get(start..)?;
        let gram = gram(*rest.first_chunk::<GRAM>()?);
        let indices = if self.marked(gram) == 0 { None } else { self.by_start.get(&gram) }?;
        indices.iter().find_map(|index| {
            let word = self.words.get(*index)?;
            let is_word = rest.get(..word.len())?.eq_ignore_ascii_case(word);
            is_word.then(|| visit(*index, start)).flatten()
        })
    }
}

/// Yields the bytes that may follow a word of three bytes.
fn following(word: &[u8; GRAM]) -> impl Iterator<Item = u8> {
    let is_name = word.iter().all(u8::is_ascii_alphabetic);
    let of_name = if is_name { FOLLOWING_NAME } else { b"" };
    FOLLOWING.iter().chain(of_name).copied()
}

/// Three bytes as a number, letters without their case. Some other bytes become one, too: the words are compared after.
fn gram([a, b, c]: [u8; GRAM]) -> u32 {
    folded(u32::from_le_bytes([a, b, c, 0]))
}

fn folded(bytes: u32) -> u32 {
    (bytes | 0x20_20_20) & 0xff_ff_ff
}

fn bit(gram: u32) -> usize {
    /// Knuth's multiplicative hashing.
    const FACTOR: u32 = 2_654_435_769;
    (gram.wrapping_mul(FACTOR) >> (32 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let search = WordSearch::new(["secret", "hf_", "key", "_key"]);
        search.find(text.as_bytes(), 0, text.len(), |index, start| {
            found.push((index, start));
            None::<()>
        });
        found.sort_unstable_by_key(|(index, start)| (*start, *index));
        found.dedup();
        found
    }

    #[test]
    fn words_are_found_wherever_they_stand() {
        for lead in 0..20 {
            for tail in 0..20 {
                let (lead, tail) = ("x".repeat(lead), ".".repeat(tail));
                let text = format!("{lead}SeCret{tail}");
                assert_eq!(found(&text), [(0, lead.len())], "{text}");
                let text = format!("{lead}HF_{tail}");
                assert_eq!(found(&text), [(1, lead.len())], "{text}");
            }
        }
        for lead in 0..6 {
            for tail in ["", " = 1", ": 1 ", "\": 1", "'] =", "\\\"] "] {
                let text = format!("{}key{tail}", "x".repeat(lead));
                assert_eq!(found(&text), [(2, lead)], "{text}");
            }
        }
        assert_eq!(found("a_keyhf_"), [(3, 1), (2, 2), (1, 5)], "words in words, and side by side");
        assert_eq!(found("secre"), []);
        assert_eq!(found(""), []);
    }
}
