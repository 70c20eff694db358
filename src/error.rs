//! The error with which a command fails: a fact, its cause, hints at a fix, and a kind, which determines the exit code.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::cloud::{CloudError, FailureClass};
use crate::job::diagnostics::problem::InvalidSpec;
use crate::local::LocalError;
use crate::model::JobName;

/// The result of an operation that fails with an [`Error`].
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error, which determines the exit code.
#[derive(Debug)]
pub(crate) enum ErrorKind {
    /// A failure of the disk, the network or AWS: exit code 1.
    Failure,
    /// The command line, or something that it names, can't be used: exit code 2. Nothing was changed.
    Usage,
    /// Specs or settings with problems: exit code 2. Nothing was sent.
    InvalidSpec(Vec<InvalidSpec>),
    /// The awaited job ended Failed: exit code 3.
    JobFailed,
    /// The awaited job ended Stopped: exit code 4.
    JobStopped,
    /// The region or the credentials for AWS are missing: exit code 1.
    Unconfigured,
    /// AWS could not be reached, or throttles the requests: exit code 1. A retry may succeed.
    Transient,
    /// The caller lacks a permission: exit code 1.
    Denied,
    /// Ctrl-C: exit code 130.
    Interrupted,
    /// The reader of stdout has closed the pipe: exit code 0, without a message.
    ClosedPipe,
}

impl ErrorKind {
    /// Returns the kind of an I/O error of a write to stdout: a broken pipe means that the reader has gone.
    pub(crate) fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::ClosedPipe } else { Self::Failure }
    }
}

/// An error of a command.
#[derive(Debug)]
pub(crate) struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// Fixes, each naming something to run or to set.
    hints: Vec<String>,
    /// Facts that are only shown with `-v`, such as request IDs.
    details: Vec<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new(), details: Vec::new() }
    }

    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failure, message)
    }

    /// Returns the error of a write to stdout; a broken pipe is of kind [`ErrorKind::ClosedPipe`].
    pub(crate) fn output(source: io::Error) -> Self {
        Self::new(ErrorKind::of_output(&source), "could not write to stdout").caused_by(source)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub(crate) fn invalid_specs(specs: Vec<InvalidSpec>) -> Self {
        Self::new(ErrorKind::InvalidSpec(specs), "the job spec is not valid")
    }

    pub(crate) fn job_failed(job: &JobName, reason: &str) -> Self {
        let reason = reason.trim_end();
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        Self::new(ErrorKind::JobFailed, format!("job {job} failed{because}"))
    }

    /// Adds a hint, which names something to run or to set.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the facts that are only shown with `-v`.
    #[must_use]
    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Returns whether a retry may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Transient)
    }

    /// Returns whether AWS could not be asked: without an answer, or without credentials or a permission.
    pub(crate) fn is_about_asking(&self) -> bool {
        matches!(self.kind, ErrorKind::Unconfigured | ErrorKind::Transient | ErrorKind::Denied)
    }

    /// Returns whether the caller lacks a permission.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.kind, ErrorKind::Denied)
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    pub(crate) fn all_details(&self) -> &[String] {
        &self.details
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            ErrorKind::Failure | ErrorKind::Unconfigured | ErrorKind::Transient | ErrorKind::Denied => 1,
            ErrorKind::Usage | ErrorKind::InvalidSpec(_) => 2,
            ErrorKind::JobFailed => 3,
            ErrorKind::JobStopped => 4,
            ErrorKind::Interrupted => 130,
            ErrorKind::ClosedPipe => 0,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Adds to an error what was being done when it came: `could not read /x: permission denied`.
pub(crate) trait WithContext<T> {
    /// Turns the error into the cause of an [`ErrorKind::Failure`] that says "could not" and `what`.
    fn context(self, what: impl ContextText) -> Result<T>;
}

impl<T, E: StdError + Send + Sync + 'static> WithContext<T> for std::result::Result<T, E> {
    fn context(self, what: impl ContextText) -> Result<T> {
        self.map_err(|source| Error::failure(format!("could not {}", what.text())).caused_by(source))
    }
}

/// The text of a context: a literal, or a closure that is only called if there is an error.
pub(crate) trait ContextText {
    fn text(self) -> Cow<'static, str>;
}

impl ContextText for &'static str {
    fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(self)
    }
}

impl<F: FnOnce() -> String> ContextText for F {
    fn text(self) -> Cow<'static, str> {
        Cow::Owned(self())
    }
}

impl From<LocalError> for Error {
    fn from(error: LocalError) -> Self {
        CloudError::from(error).into()
    }
}

impl From<CloudError> for Error {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::Unusable { what, hint } | CloudError::Damaged { what, hint } => Self::failure(what).hint(hint),
            CloudError::Service(error) => {
                let kind = match error.class {
                    FailureClass::Unconfigured => ErrorKind::Unconfigured,
                    FailureClass::Transient => ErrorKind::Transient,
                    FailureClass::Denied => ErrorKind::Denied,
                    FailureClass::Missing | FailureClass::Other => ErrorKind::Failure,
                };
                let failure = Self::new(kind, error.message).details(error.details);
                error.hints.into_iter().fold(failure, Self::hint)
            }
            CloudError::Replaced(_) => {
                Self::failure(error.to_string()).hint("run the command again: it starts with what is there now")
            }
            CloudError::Io { doing, source } => Self::failure(format!("could not {doing}")).caused_by(source),
            error => Self::failure(error.to_string()),
        }
    }
}
