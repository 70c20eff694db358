//! Searches a file for secrets as it is read, in bounded memory.
//!
//! Text is gathered in blocks and searched with an overlap, so that a secret on the border of two blocks is found.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::LazyLock;

use super::encoding::{Encoding, SNIFFED_BYTES, append_utf16};
use super::finding::Finding;
use super::search::WordSearch;
use super::words::{Word, words};
use super::{content, filter};

/// Context that is kept before a word, in bytes.
const CONTEXT_BEFORE: usize = 512;
/// Context that is waited for behind a word, in bytes.
const CONTEXT_BEHIND: usize = 1024;
/// Size up to which a file may be configuration, in bytes. Behind it, only values that look random are searched for, to
/// be fast.
const MAX_CONFIGURATION_BYTES: u64 = 1024 * 1024;
/// Size of the text that is searched at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// The words, and the search for all of them in one pass.
static WORDS: LazyLock<(WordSearch, Vec<Word>)> = LazyLock::new(|| {
    let words = words();
    (WordSearch::new(words.iter().map(Word::text)), words)
});

/// The search of one file, whose bytes are added in order.
#[derive(Debug, Default)]
pub(crate) struct SecretScan {
    /// `None` until [`SNIFFED_BYTES`] have arrived.
    encoding: Option<Encoding>,
    /// The first byte of a pair, in UTF-16.
    half: Option<u8>,
    text: Vec<u8>,
    /// Position in `text` up to which words have been judged.
    judged: usize,
    /// Bytes of the file before `text`.
    dropped: u64,
    /// Line feeds before `text`.
    lines: u64,
    found: Option<Finding>,
}

impl SecretScan {
    /// Adds the next bytes of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self.encoding {
            _ if self.found.is_some() => {}
            Some(encoding) => self.append(encoding, bytes),
            None => {
                self.text.extend_from_slice(bytes);
                if self.text.len() >= SNIFFED_BYTES {
                    self.sniff();
                }
            }
        }
    }

    /// Returns the first secret, after the last byte.
    pub(crate) fn finish(mut self) -> Option<Finding> {
        if self.encoding.is_none() {
            self.sniff();
        }
        if self.found.is_none() {
            self.search(self.text.len());
        }
        self.found
    }

    fn sniff(&mut self) {
        let head = std::mem::take(&mut self.text);
        let encoding = Encoding::of(head.get(..SNIFFED_BYTES).unwrap_or(&head));
        self.encoding = Some(encoding);
        self.append(encoding, &head);
    }

    fn append(&mut self, encoding: Encoding, bytes: &[u8]) {
        match encoding {
            Encoding::Binary => return,
            Encoding::Bytes => self.text.extend_from_slice(bytes),
            Encoding::Utf16 { big_endian } => append_utf16(&mut self.text, &mut self.half, bytes, big_endian),
        }
        if self.text.len() >= BLOCK_BYTES {
            self.search(self.text.len() - CONTEXT_BEHIND);
            self.drop_judged();
        }
    }

    /// Judges the words that begin before `end`.
    fn search(&mut self, end: usize) {
        let unjudged = self.judged..end;
        let ranges =
            if self.dropped < MAX_CONFIGURATION_BYTES { vec![unjudged] } else { filter::ranges(&self.text, unjudged) };
        let found = ranges.into_iter().find_map(|range| self.search_in(range));
        self.found = found.map(|(start, kind)| {
            let line = self.lines + line_feeds(self.text.get(..start)) + 1;
            Finding { line, kind }
        });
        self.judged = end;
    }

    fn search_in(&self, range: Range<usize>) -> Option<(usize, &'static str)> {
        let (search, words) = &*WORDS;
        search.find(&self.text, range.start, range.end, |index, start| {
            let word = words.get(index)?;
            let kind = content::judge(word, &self.text, start..start + word.text().len())?;
            Some((start, kind))
        })
    }

    /// Drops text that isn't needed as context any more.
    fn drop_judged(&mut self) {
        let kept_from = self.judged.saturating_sub(CONTEXT_BEFORE);
        self.dropped += kept_from as u64;
        self.lines += line_feeds(self.text.get(..kept_from));
        self.text.drain(..kept_from);
        self.judged -= kept_from;
    }
}

/// A reader that feeds a [`SecretScan`] with everything it reads.
#[derive(Debug)]
pub(crate) struct ScanningReader<R> {
    from: R,
    scan: SecretScan,
}

impl<R> ScanningReader<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, scan: SecretScan::default() }
    }

    /// Returns the first secret in what was read.
    pub(crate) fn finish(self) -> Option<Finding> {
        self.scan.finish()
    }
}

impl<R: Read> Read for ScanningReader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(to)?;
        self.scan.update(to.get(..count).expect("a read returns at most the length of its buffer"));
        Ok(count)
    }
}

fn line_feeds(text: Option<&[u8]>) -> u64 {
    memchr::memchr_iter(b'\n', text.unwrap_or_default()).count() as u64
}
