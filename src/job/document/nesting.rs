//! Bounds how deeply a TOML text nests before it is parsed: parsing and dropping a deep tree would overflow the stack.
//!
//! The parser limits the nesting of brackets only; dotted keys nest as well. The check reads the tokens of the parser's
//! own lexer, also in a text that is not valid TOML, and takes linear time.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Maximum depth of tables and arrays; the parser's own limit is 80, for brackets alone.
pub(crate) const MAX_DEPTH: usize = 64;

/// Returns the bytes of the first token that nests more than [`MAX_DEPTH`] levels deep, if there is one.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut depth = Depth::default();
    let mut tokens = Source::new(text).lex();
    let token = tokens.find(|token| {
        depth.add(token.kind());
        depth.total() > MAX_DEPTH
    });
    token.map(|token| token.span().start()..token.span().end())
}

/// The depth at one token of a text.
#[derive(Default)]
struct Depth {
    /// Dots of the key outside of all brackets.
    dots: usize,
    /// Dots of the key before each open bracket.
    open: Vec<usize>,
    /// Sum of `open`.
    open_dots: usize,
}

impl Depth {
    fn total(&self) -> usize {
        self.open.len() + self.open_dots + self.dots
    }

    fn add(&mut self, token: TokenKind) {
        match token {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                let dots = std::mem::take(&mut self.dots);
                self.open.push(dots);
                self.open_dots += dots;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                if let Some(dots) = self.open.pop() {
                    self.open_dots -= dots;
                    self.dots = dots;
                }
            }
            TokenKind::Dot => self.dots += 1,
            TokenKind::Comma | TokenKind::Newline => self.dots = 0,
            _ => {}
        }
    }
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
