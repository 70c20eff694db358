//! Bounds how deeply a TOML text nests before it is parsed: parsing and dropping a deep tree would overflow the stack.
//!
//! Brackets and dotted keys both nest. The scan follows toml_parser's own lexer, which decides what is a string and what
//! is a comment, also in text that is not valid TOML.

use std::ops::Range;

/// Deeper than any spec; toml's own limit of 80 holds for brackets alone.
pub(crate) const MAX_DEPTH: usize = 64;

/// The bytes at which the text nests too deeply, if it does.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    Scan { text: text.as_bytes(), at: 0, dots: vec![0], nested: 0 }.run()
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// Dots of the key that is being read, at each level of brackets.
    dots: Vec<usize>,
    /// Sum of `dots`, and a level for each bracket.
    nested: usize,
}

impl Scan<'_> {
    fn run(mut self) -> Option<Range<usize>> {
        while let Some(byte) = self.text.get(self.at).copied() {
            match byte {
                b'[' | b'{' => self.open(),
                b']' | b'}' => self.close(),
                b'.' => self.dot(),
                b',' | b'\n' | b'\r' => self.end_of_key(),
                _ => {}
            }
            if self.nested > MAX_DEPTH {
                return Some(self.at..self.at + 1);
            }
            self.at = self.end_of_token(byte);
        }
        None
    }

    fn open(&mut self) {
        self.dots.push(0);
        self.nested += 1;
    }

    fn close(&mut self) {
        if self.dots.len() > 1 {
            self.nested -= self.dots.pop().unwrap_or(0) + 1;
        }
    }

    fn dot(&mut self) {
        if let Some(dots) = self.dots.last_mut() {
            *dots += 1;
            self.nested += 1;
        }
    }

    fn end_of_key(&mut self) {
        if let Some(dots) = self.dots.last_mut() {
            self.nested -= std::mem::take(dots);
        }
    }

    fn end_of_token(&self, first: u8) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = match first {
            b'.' | b'=' | b',' | b'[' | b']' | b'{' | b'}' | b' ' | b'\t' | b'\r' | b'\n' => 1,
            b'#' => rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len()),
            b'\'' if rest.starts_with(b"'''") => multi_line(rest, b'\'', false),
            b'\'' => one_line(rest, b'\'', false),
            b'"' if rest.starts_with(b"\"\"\"") => multi_line(rest, b'"', true),
            b'"' => one_line(rest, b'"', true),
            _ => rest.iter().position(|byte| b".=,[]{} \t#\r\n".contains(byte)).unwrap_or(rest.len()),
        };
        self.at + length.max(1)
    }
}

/// Length of a string that ends at its quote, or without it at the line's end.
fn one_line(text: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if escapes && matches!(text.get(at + 1), Some(b'\\' | b'"')) => at += 2,
            byte if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Length of a string in triple quotes; up to two more quotes before the last three belong to it.
fn multi_line(string: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 3;
    while at < string.len() {
        let rest = string.get(at..).unwrap_or_default();
        if rest.starts_with(&[quote; 3]) {
            return at + rest.iter().take(5).take_while(|other| **other == quote).count();
        }
        let is_escape = escapes && rest.first() == Some(&b'\\') && matches!(rest.get(1), Some(b'\\' | b'"'));
        at += if is_escape { 2 } else { 1 };
    }
    string.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_bounded_in_brackets_and_in_dotted_keys() {
        for deep in ["[".repeat(65), "a = ".to_owned() + &"{a=".repeat(65), "a.".repeat(65), "[a.b".repeat(40)] {
            assert!(too_deep(&deep).is_some(), "{deep}");
        }
    }

    #[test]
    fn strings_comments_and_many_shallow_keys_do_not_nest() {
        let dots = ".".repeat(200);
        for text in [
            format!("a = \"{dots}\""),
            format!("a = '{dots}'"),
            format!("a = \"\"\"\n{dots}\\\"\"\"\""),
            format!("# {dots}[[["),
            "a.b = 1.5\n".repeat(100),
            format!("a = [{}]", "1.5, ".repeat(100)),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
    }
}
