//! Errors of running jobs on this computer.

#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("could not {doing}")]
    Io { doing: String, source: std::io::Error },
    /// The request can't be carried out here. `hint` says what to do.
    #[error("{what}")]
    Unusable { what: String, hint: String },
    /// A job exists, but its state can't be read. `hint` says what to do.
    #[error("{what}")]
    Damaged { what: String, hint: String },
    #[error("{0}")]
    Other(String),
}

pub(crate) type LocalResult<T> = Result<T, LocalError>;

impl LocalError {
    /// Returns a function for `map_err` on an I/O result, which adds what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
