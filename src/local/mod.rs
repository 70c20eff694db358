//! How a training job runs on this computer, without Docker.
//!
//! A job is a folder ([`store`]). A [`supervisor`] process looks after it: it stages the input, has the packages installed
//! ([`python`]), starts a [`guard`] which runs the script in namespaces of its own, reads its output into the [`log`], and
//! stores the artifacts. Whoever reads a job's state finds out whether the supervisor lives, by its lock; [`process`] finds
//! what a killed supervisor left running. `docs/decisions/guard-and-supervisor.md` tells why there are two processes.

mod error;
pub(crate) mod guard;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod store;
pub(crate) mod supervisor;

pub(crate) use error::{LocalError, LocalResult};
