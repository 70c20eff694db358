//! Recognizes tables with a column of passwords: CSV with commas, semicolons or tabs, and Markdown.

use std::ops::Range;

use super::passwords::is_made_up;
use super::text::around;

/// Maximum distance between the name of a column and the start of its line or a value, in bytes.
const REACH: usize = 400;

/// Returns whether a name is that of a column, and a password is in one of the rows below it.
pub(super) fn heads_passwords(text: &[u8], name: &Range<usize>) -> bool {
    let before = around(text, name.start.saturating_sub(REACH), name.start);
    let columns_before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let from_header = around(text, name.start - columns_before.len(), name.end + REACH);
    let mut lines = from_header.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let header = lines.next().unwrap_or_default();
    let rows: Vec<&[u8]> = lines.collect();
    b",;\t|".iter().any(|separator| {
        let column = memchr::memchr_iter(*separator, columns_before).count();
        let value = |row: &&[u8]| field(row, *separator, column).is_some_and(is_made_up);
        is_header(header, *separator) && rows.iter().any(value)
    })
}

fn field(row: &[u8], separator: u8, column: usize) -> Option<&[u8]> {
    row.split(|byte| *byte == separator).nth(column).map(without_quotes)
}

/// Returns whether a line has nothing but names of columns.
fn is_header(line: &[u8], separator: u8) -> bool {
    const LONGEST_NAME: usize = 40;
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(byte);
    // A line of Markdown begins and ends with a separator.
    let line = line.trim_ascii_end();
    let line = line.strip_prefix(b"|").and_then(|line| line.strip_suffix(b"|")).unwrap_or(line);
    let is_name = |name: &[u8]| (1..=LONGEST_NAME).contains(&name.len()) && name.iter().all(is_of_name);
    line.contains(&separator) && line.split(|byte| *byte == separator).map(without_quotes).all(is_name)
}

fn without_quotes(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}
