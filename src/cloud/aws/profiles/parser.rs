//! Parses files of profiles as the AWS CLI does.
//!
//! The rules are those of Python's `configparser`, with which botocore 1.44.5 reads them (`configloader.py`): keys may be
//! indented, `:` separates as `=` does, and lines that are indented deeper than their key belong to its value. Where
//! botocore refuses a file that the AWS SDK for Rust reads (a section or key that appears twice, spaces around a
//! section's name, a comment after a value), the file is read as the SDK does.

/// Characters at the start of a line that is a comment.
const COMMENT: [char; 2] = ['#', ';'];
const SEPARATORS: [char; 2] = ['=', ':'];

/// A section of a file: its header and its keys in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// The text between the brackets.
    pub(super) header: String,
    /// Number of the header's line, from 1.
    pub(super) line: usize,
    pub(super) entries: Vec<Entry>,
}

/// A key of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// In lower case.
    pub(super) key: String,
    /// The value's lines. The first one is empty if the value is a block of nested keys.
    pub(super) lines: Vec<String>,
    /// Number of the key's line, from 1.
    pub(super) line: usize,
}

impl Entry {
    /// Returns the value of a key that has one line.
    pub(super) fn value(&self) -> Option<&str> {
        match self.lines.as_slice() {
            [value] if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

/// A line that can't be parsed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(super) struct SyntaxError {
    line: usize,
    why: &'static str,
}

/// Parses a file's text into its sections. Sections with the same header are one.
pub(super) fn parse(text: &str) -> Result<Vec<Section>, SyntaxError> {
    if text.starts_with('\u{feff}') {
        return Err(SyntaxError { line: 1, why: "the file begins with a byte order mark, which is not supported" });
    }
    let mut parser = Parser::default();
    // Python's text files know these ends of lines.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (index, line) in text.split('\n').enumerate() {
        parser.read(line, index + 1)?;
    }
    Ok(parser.sections)
}

#[derive(Default)]
struct Parser {
    sections: Vec<Section>,
    /// Index of the section that is being read.
    current: Option<usize>,
    /// Indentation of the last key or header, in characters.
    indent: usize,
    /// True if the last line may be continued.
    is_in_value: bool,
}

impl Parser {
    fn read(&mut self, line: &str, number: usize) -> Result<(), SyntaxError> {
        let text = line.trim();
        if text.is_empty() || text.starts_with(COMMENT) {
            return Ok(());
        }
        let indent = line.chars().take_while(|next| next.is_whitespace()).count();
        let is_deeper = indent > self.indent;
        if let Some(entry) = self.last_entry().filter(|_| is_deeper) {
            return proceed(entry, text, number);
        }
        self.indent = indent;
        match header(text) {
            Some(header) => self.open(header, number),
            None => self.add(entry(text, number)?)?,
        }
        Ok(())
    }

    /// Returns the entry that a deeper line belongs to.
    fn last_entry(&mut self) -> Option<&mut Entry> {
        let section = self.current.filter(|_| self.is_in_value).and_then(|index| self.sections.get_mut(index));
        section.and_then(|section| section.entries.last_mut())
    }

    fn open(&mut self, header: &str, line: usize) {
        let known = self.sections.iter().position(|section| section.header == header);
        let section = || Section { header: header.to_owned(), line, entries: Vec::new() };
        if known.is_none() {
            self.sections.push(section());
        }
        self.current = Some(known.unwrap_or(self.sections.len() - 1));
        self.is_in_value = false;
    }

    fn add(&mut self, entry: Entry) -> Result<(), SyntaxError> {
        let Some(section) = self.current.and_then(|index| self.sections.get_mut(index)) else {
            return Err(SyntaxError { line: entry.line, why: "a key stands before the first [section]" });
        };
        section.entries.retain(|known| known.key != entry.key);
        section.entries.push(entry);
        self.is_in_value = true;
        Ok(())
    }
}

/// Returns the header of a section: what is between the first bracket and the last.
fn header(text: &str) -> Option<&str> {
    let (header, _) = text.strip_prefix('[')?.rsplit_once(']')?;
    (!header.is_empty()).then_some(header)
}

fn entry(text: &str, line: usize) -> Result<Entry, SyntaxError> {
    if text.starts_with('[') && !text.contains(SEPARATORS) {
        return Err(SyntaxError { line, why: "the section's name must be followed by ']'" });
    }
    let Some((key, value)) = text.split_once(SEPARATORS) else {
        return Err(SyntaxError { line, why: "a key must be followed by '=' and a value" });
    };
    if key.trim().is_empty() {
        return Err(SyntaxError { line, why: "no key stands before the '='" });
    }
    let value = without_comment(value).to_owned();
    Ok(Entry { key: key.trim().to_lowercase(), lines: vec![value], line })
}

/// Adds a line to a value. A block's lines are keys of their own.
fn proceed(entry: &mut Entry, text: &str, line: usize) -> Result<(), SyntaxError> {
    let is_block = entry.lines.first().is_some_and(String::is_empty);
    if is_block && !text.contains('=') {
        return Err(SyntaxError { line, why: "a key of a nested block must be followed by '=' and a value" });
    }
    entry.lines.push(without_comment(text).to_owned());
    Ok(())
}

/// Returns a value without a comment after it, which begins with a space.
fn without_comment(value: &str) -> &str {
    let begins = |(index, _): &(usize, &str)| value.get(..*index).is_some_and(|before| before.ends_with([' ', '\t']));
    let found = value.match_indices(COMMENT).find(begins);
    found.and_then(|(index, _)| value.get(..index)).unwrap_or(value).trim()
}
