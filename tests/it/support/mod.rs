//! The harness: the binary, run from outside in a sandbox of its own, and what it said.

mod emulator;
mod poll;
mod process;
mod project;
pub(crate) mod python;
mod said;
mod sandbox;

pub(crate) use emulator::{Injected, Tenant};
pub(crate) use poll::poll;
pub(crate) use project::Project;
pub(crate) use said::Said;
pub(crate) use sandbox::Sandbox;

/// What a test returns: any error fails it.
pub(crate) type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;
