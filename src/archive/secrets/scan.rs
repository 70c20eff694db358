//! Searches a file for secrets while it streams by, in bounded memory.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::LazyLock;

use super::encoding::{Encoding, SNIFFED, append_utf16};
use super::finding::Finding;
use super::search::WordSearch;
use super::words::{Word, words};
use super::{content, filter};

/// Bytes around a word that its judgement needs, before and behind.
const BEFORE: usize = 512;
const BEHIND: usize = 1024;
/// Configuration is smaller, in bytes. In more, only values that look drawn at random are found, for speed.
const LARGE: u64 = 1024 * 1024;
/// Bytes that are gathered before they are searched.
const BLOCK: usize = 64 * 1024;

/// The words, and what finds them: one pass over the text, however many they are.
static WORDS: LazyLock<(WordSearch, Vec<Word>)> = LazyLock::new(|| {
    let words = words();
    (WordSearch::new(words.iter().map(Word::text)), words)
});

/// The search of one file, which is told its bytes in order.
#[derive(Debug, Default)]
pub(crate) struct SecretScan {
    /// `None` until enough bytes have come to tell.
    encoding: Option<Encoding>,
    /// The first byte of a pair, in UTF-16.
    half: Option<u8>,
    text: Vec<u8>,
    /// Words before this place in `text` have been judged.
    judged: usize,
    /// Bytes and line feeds before `text`.
    passed: u64,
    lines: u64,
    found: Option<Finding>,
}

impl SecretScan {
    /// Takes the next bytes of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self.encoding {
            _ if self.found.is_some() => {}
            Some(encoding) => self.append(encoding, bytes),
            None => {
                self.text.extend_from_slice(bytes);
                if self.text.len() >= SNIFFED {
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
        let encoding = Encoding::of(head.get(..SNIFFED).unwrap_or(&head));
        self.encoding = Some(encoding);
        self.append(encoding, &head);
    }

    fn append(&mut self, encoding: Encoding, bytes: &[u8]) {
        match encoding {
            Encoding::Binary => return,
            Encoding::Bytes => self.text.extend_from_slice(bytes),
            Encoding::Utf16 { big_endian } => append_utf16(&mut self.text, &mut self.half, bytes, big_endian),
        }
        if self.text.len() >= BLOCK {
            self.search(self.text.len() - BEHIND);
            self.forget();
        }
    }

    /// Judges the words that begin before `end`.
    fn search(&mut self, end: usize) {
        let unjudged = self.judged..end;
        let ranges = if self.passed < LARGE { vec![unjudged] } else { filter::ranges(&self.text, unjudged) };
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

    fn forget(&mut self) {
        let kept_from = self.judged.saturating_sub(BEFORE);
        self.passed += kept_from as u64;
        self.lines += line_feeds(self.text.get(..kept_from));
        self.text.drain(..kept_from);
        self.judged -= kept_from;
    }
}

/// A reader that shows a [`SecretScan`] what it reads.
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
        self.scan.update(to.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn line_feeds(text: Option<&[u8]>) -> u64 {
    memchr::memchr_iter(b'\n', text.unwrap_or_default()).count() as u64
}
