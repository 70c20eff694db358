//! Why a call to a service failed.

use std::fmt;

use crate::local::LocalError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CloudError {
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// An object that is no longer what it was when it was found.
    #[error("{0} was replaced or removed while it was fetched")]
    Replaced(String),
    #[error("could not {doing}")]
    Io { doing: String, source: std::io::Error },
    /// What was asked for can't be done here, and what to do about it.
    #[error("{what}")]
    Unusable { what: String, hint: String },
    /// A local job that is there and whose state can't be read, and what to do about it.
    #[error("{what}")]
    Damaged { what: String, hint: String },
    #[error("{0}")]
    Service(Box<ServiceError>),
    #[error("{0}")]
    Other(String),
}

pub(crate) type CloudResult<T> = Result<T, CloudError>;

impl CloudError {
    /// For `map_err` on an I/O result: says what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Whether the caller lacks the permission.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Service(error) if error.refusal == FailureClass::Denied)
    }
}

impl From<LocalError> for CloudError {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::NotFound(what) => Self::NotFound(what),
            LocalError::Io { doing, source } => Self::Io { doing, source },
            LocalError::Unusable { what, hint } => Self::Unusable { what, hint },
            LocalError::Damaged { what, hint } => Self::Damaged { what, hint },
            LocalError::Other(message) => Self::Other(message),
        }
    }
}

/// A call that a service did not carry out.
#[derive(Debug)]
pub(crate) struct ServiceError {
    pub(crate) refusal: FailureClass,
    /// What could not be done, and why.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
    /// For who wants to know more: the code, the request's id, what caused it.
    pub(crate) details: Vec<String>,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why a service refuses, as far as it makes a difference to what is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureClass {
    /// Not permitted.
    Denied,
    /// The region or the credentials that a call needs are missing or no longer good.
    Unconfigured,
    /// The service could not be reached, or is asked too often: later it may well answer.
    Transient,
    Other,
}
