//! The state folder: its layout, the files of jobs, and the objects that stand in for S3.

pub(crate) mod copies;
pub(crate) mod job_state;
pub(crate) mod layout;
pub(crate) mod metrics_file;
pub(crate) mod objects;
pub(crate) mod ownership;
pub(crate) mod private_file;
pub(crate) mod staging;
pub(crate) mod stop_request;
