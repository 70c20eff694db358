//! The operations of smtrain, independent of the command line and of output.

pub(crate) mod content;
pub(crate) mod download;
mod entry_point;
pub(crate) mod failure;
pub(crate) mod find_job;
pub(crate) mod history;
pub(crate) mod local_copies;
pub(crate) mod local_data;
pub(crate) mod local_inputs;
pub(crate) mod log;
mod project;
pub(crate) mod provenance;
pub(crate) mod submit;
pub(crate) mod submitted;
pub(crate) mod wait;

use crate::error::{Result, WithContext};

/// Runs blocking work on a thread of its own. Dropping the future does not stop the work.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("finish the work")?
}
