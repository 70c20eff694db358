//! Errors of a request that can't be run under the container contract.

/// Reason for which a request can't be run under the contract. The toolkit fails such a job as well.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ContractError {
    #[error("no entry point is given: the hyperparameter sagemaker_program names it")]
    NoEntryPoint,
    #[error(
        "the entry point {0:?} is not a plain path inside the source folder: letters, digits and . _ + - /, \
         no leading - or /, no . or .. segments"
    )]
    EntryPoint(String),
    #[error("torch_distributed starts Python scripts only, and the entry point is {0}")]
    TorchDistributed(&'static str),
    #[error("the environment variable {0:?} can't be set: a name is not empty and has neither = nor a NUL character")]
    VariableName(String),
    #[error("the environment variable {0} can't be set: its value has a NUL character")]
    VariableValue(String),
    #[error("the argument {0:?} can't be given to a program: it has a NUL character")]
    Argument(String),
}
