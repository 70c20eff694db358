//! Types of the domain: names, statuses, URIs, checksums, and the API's own request and response. No I/O of its own.

pub(crate) mod artifacts;
pub(crate) mod checksum;
pub(crate) mod copies;
mod digest;
pub(crate) mod downloaded;
pub(crate) mod duration;
pub(crate) mod instance_type;
pub(crate) mod job_name;
pub(crate) mod job_status;
pub(crate) mod local_options;
mod lock;
mod log_event;
mod owner;
pub(crate) mod request;
mod request_document;
pub(crate) mod request_shape;
pub(crate) mod s3_uri;
mod sanitize;
pub(crate) mod secrets;
mod shell;
pub(crate) mod size;
pub(crate) mod time;
pub(crate) mod training_job;

pub(crate) use digest::{hex, sha256};
pub(crate) use instance_type::InstanceType;
pub(crate) use job_name::JobName;
pub(crate) use job_status::JobStatus;
pub(crate) use local_options::{FrameworkVersion, InstallerChoice, LocalOptions};
pub(crate) use lock::IgnorePoison;
pub(crate) use log_event::LogEvent;
pub(crate) use owner::is_own;
pub(crate) use request_document::RequestDocument;
pub(crate) use s3_uri::S3Uri;
pub(crate) use sanitize::{is_unprintable, one_line, printable, printable_offset, steers_terminals};
pub(crate) use shell::shell_quote;
