//! Errors of the cloud traits.

use std::fmt;

use crate::local::LocalError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CloudError {
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The object has changed since it was found.
    #[error("{0} was replaced or removed while it was fetched")]
    Replaced(String),
    #[error("could not {doing}")]
    Io { doing: String, source: std::io::Error },
    /// The operation is impossible here. `hint` says what to do.
    #[error("{what}")]
    Unusable { what: String, hint: String },
    /// A local job exists, but its state can't be read. `hint` says what to do.
    #[error("{what}")]
    Damaged { what: String, hint: String },
    #[error("{0}")]
    Service(Box<ServiceError>),
    #[error("{0}")]
    Other(String),
}

pub(crate) type CloudResult<T> = Result<T, CloudError>;

impl CloudError {
    /// Returns a function for `map_err` on an I/O result, which adds what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Returns whether the caller lacks a permission.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Service(error) if error.class == FailureClass::Denied)
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

/// A failed call to a service.
#[derive(Debug)]
pub(crate) struct ServiceError {
    pub(crate) class: FailureClass,
    /// The operation that failed, and the service's reason.
    pub(crate) message: String,
    /// Suggestions for the user.
    pub(crate) hints: Vec<String>,
    /// Shown with `-v`: error code, request id, causes.
    pub(crate) details: Vec<String>,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Class of a failed call, as far as callers react differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureClass {
    /// The caller lacks a permission.
    Denied,
    /// Region or credentials are missing, invalid or expired.
    Unconfigured,
    /// The service is unreachable, failing or throttling: a later call may succeed.
    Transient,
    /// The bucket doesn't exist.
    Missing,
    Other,
}
