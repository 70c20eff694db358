//! What smtrain does, without a word of how it was asked for or how it is shown.

pub(crate) mod download;
pub(crate) mod find_job;
pub(crate) mod follow;
pub(crate) mod history;
pub(crate) mod local_data;
pub(crate) mod provenance;
pub(crate) mod read_log;
pub(crate) mod submit;
pub(crate) mod wait;
