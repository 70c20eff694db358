//! SageMaker's training container contract: what a script finds under `/opt/ml`, in its arguments and its environment.
//!
//! The files are the service's part; the arguments, the variables and the texts of failures are those of sagemaker-training
//! 5.1.4, the toolkit inside AWS's framework images. The [`driver`] brings the same to any other image. Pure: nothing here
//! touches a disk or starts a process.

pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod driver;
mod environment;
pub(crate) mod error_capture;
pub(crate) mod failure;
pub(crate) mod layout;
mod local_environment;

pub(crate) use command::{Command, Container, EntryPointKind, command, to_install};
pub(crate) use config::config_files;
pub(crate) use error_capture::ErrorCapture;
pub(crate) use failure::{Failure, failure_reason, failure_text};
pub(crate) use layout::Layout;

/// The name of the only host of a local job, in the service's own words.
pub(crate) const HOST_NAME: &str = "algo-1";

/// What the service and the toolkit say of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) cpus: usize,
    pub(crate) gpus: usize,
    /// AWS Neuron cores.
    pub(crate) neurons: usize,
    /// `eth0` on SageMaker.
    pub(crate) network_interface: String,
    pub(crate) instance_type: String,
}

/// Why a request can't be run under the contract. The toolkit fails such a job as well.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ContractError {
    #[error("no entry point is given: the hyperparameter sagemaker_program names it")]
    NoEntryPoint,
    #[error(
        "the entry point {0:?} is not a plain path inside the source folder: letters, digits and . _ + - /, \
         no leading - or /, no . or .. segments"
    )]
    EntryPoint(String),
    #[error("the environment variable {0:?} can't be set: a name is not empty and has neither = nor a NUL character")]
    VariableName(String),
    #[error("the environment variable {0} can't be set: its value has a NUL character")]
    VariableValue(String),
    #[error("the argument {0:?} can't be given to a program: it has a NUL character")]
    Argument(String),
}

#[cfg(test)]
mod tests;
