//! Stands in for `src/ui`: its modules that make text, without those that print it.

#[path = "../../src/ui/problems.rs"]
mod problems;
#[path = "../../src/ui/style.rs"]
#[expect(dead_code, reason = "a part of the module is under test")]
mod style;
#[path = "../../src/ui/table.rs"]
pub(crate) mod table;
#[path = "../../src/ui/terminal.rs"]
mod terminal;
#[path = "../../src/ui/text.rs"]
#[expect(dead_code, reason = "a part of the module is under test")]
mod text;

use std::io::Write;

use crate::job::diagnostics::problem::{Problem, SourceText};

pub(crate) use style::Style;
pub(crate) use terminal::log_text;
pub(crate) use text::Text;

pub(crate) fn problems(sources: &[SourceText], problems: &[Problem]) -> Text {
    problems::render(sources, problems)
}

/// A file's bytes as a terminal gets them, written in these pieces.
pub(crate) fn filtered<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut filter = terminal::Filter::new(&mut out);
    pieces.for_each(|piece| filter.write_all(piece).expect("a vector takes all"));
    drop(filter);
    out
}
