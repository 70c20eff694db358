//! Questions that a user answers on a terminal.

use std::io::{self, IsTerminal, Write};

use super::streams::err_is_terminal;
use crate::model::one_line;

/// Asks a question on stderr and returns the line that is typed. Returns `None` if stdin or stderr is no terminal. Blocks.
pub(crate) fn ask(question: &str) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() || !err_is_terminal() {
        return Ok(None);
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{}", one_line(question))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(Some(answer))
}
