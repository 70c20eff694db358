//! The `smtrain` binary. The library crate holds the program: see [`smtrain::main`].

use std::process::ExitCode;

fn main() -> ExitCode {
    smtrain::main()
}
