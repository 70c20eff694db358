//! SageMaker's training container contract: the files below `/opt/ml`, the arguments and the environment of a script.
//!
//! The service writes the files; arguments, variables and texts of failures are those of sagemaker-training 5.1.4, the
//! toolkit inside AWS's framework images. The [`driver`] provides the same in any other image. Pure: nothing here
//! accesses a disk or starts a process.

pub(crate) mod command;
pub(crate) mod config;
mod container;
pub(crate) mod driver;
mod entry_point;
mod environment;
mod error;
pub(crate) mod error_capture;
pub(crate) mod failure;
mod host;
pub(crate) mod layout;
mod local_environment;
mod torch_distributed;

pub(crate) use command::{ScriptCommand, command, pip_install_arguments};
pub(crate) use config::config_files;
pub(crate) use container::Container;
pub(crate) use entry_point::EntryPointKind;
pub(crate) use error::ContractError;
pub(crate) use error_capture::ErrorCapture;
pub(crate) use failure::{ToolkitError, failure_reason, failure_text};
pub(crate) use host::{HOST_NAME, Host};
pub(crate) use layout::Layout;

#[cfg(test)]
mod tests;
