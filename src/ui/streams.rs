//! Tells whether the standard streams are terminals and styled.

use std::io::{self, IsTerminal};

use anstream::ColorChoice;

pub(crate) fn out_is_terminal() -> bool {
    io::stdout().is_terminal()
}

pub(crate) fn err_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Returns true if a stream gets styles, by `--color` or else by the automatic choice for the stream.
pub(super) fn is_styled(color: ColorChoice, stream: ColorChoice) -> bool {
    let choice = if color == ColorChoice::Auto { stream } else { color };
    choice != ColorChoice::Never
}
