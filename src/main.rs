//! `smtrain`: parse, build the services, run.

use std::process::ExitCode;

fn main() -> ExitCode {
    smtrain::main()
}
