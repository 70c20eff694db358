//! Runs training jobs on this computer, without Docker.
//!
//! A job is a folder in the [`store`]. A [`supervisor`] process takes it through its phases: it stages the input, has
//! the requirements installed ([`python`]), starts a [`guard`], which runs the script in namespaces of its own, copies
//! the script's output into the [`log`], and stores the artifacts. Readers of a job's state detect by its lock whether
//! the supervisor is alive; [`process`] finds what a killed supervisor left running.
//! `docs/decisions/guard-and-supervisor.md` explains why there are two processes.

mod error;
pub(crate) mod guard;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod store;
pub(crate) mod supervisor;

use std::path::PathBuf;

pub(crate) use error::{LocalError, LocalResult};

/// Returns the path of a program in `PATH`.
pub(crate) type FindProgram = fn(&str) -> Option<PathBuf>;
