//! The harness: the binary, run from outside in a sandbox of its own, and what it said.

mod emulator;
mod gateway;
mod output;
mod poll;
mod process;
mod project;
pub(crate) mod python;
mod sandbox;

pub(crate) use emulator::{Injected, TestAccount};
pub(crate) use gateway::Gateway;
pub(crate) use output::{CommandOutput, Transcript, normalised};
pub(crate) use poll::poll;
pub(crate) use process::Command;
pub(crate) use project::Project;
pub(crate) use sandbox::Sandbox;

/// What a test returns: any error fails it.
pub(crate) type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;
