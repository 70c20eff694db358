//! The standard streams, and whether a person reads them.

use std::io::{self, IsTerminal};

use anstream::ColorChoice;

pub(crate) fn out_is_terminal() -> bool {
    io::stdout().is_terminal()
}

pub(crate) fn err_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// `--color` decides, or what is known of the stream and the environment.
pub(super) fn is_styled(color: ColorChoice, stream: ColorChoice) -> bool {
    let choice = if color == ColorChoice::Auto { stream } else { color };
    choice != ColorChoice::Never
}
