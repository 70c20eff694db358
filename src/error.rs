//! The error that every command ends with: a fact, its cause, what to do, and the exit code that its kind decides.

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;

use crate::cloud::{CloudError, Refusal};
use crate::job::diagnostics::problem::InvalidSpec;
use crate::local::LocalError;
use crate::model::JobName;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as the exit code is concerned.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Disk, network, AWS: exit code 1.
    Failure,
    /// The command line or what it names can't be used: exit code 2, nothing was done.
    Usage,
    /// Specs with problems: exit code 2, nothing was sent.
    InvalidSpec(Vec<InvalidSpec>),
    /// The awaited job ended Failed: exit code 3.
    JobFailed,
    /// The awaited job ended Stopped: exit code 4.
    JobStopped,
    /// AWS lacks the region or the credentials to be asked at all: exit code 1.
    NotSetUp,
    /// AWS could not be reached, or is asked too often: exit code 1.
    Passing,
    /// The caller lacks a permission: exit code 1.
    Denied,
    /// Ctrl-C: exit code 130.
    Interrupted,
    /// The reader of our output has gone: nothing is said.
    ClosedPipe,
}

#[derive(Debug)]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
    details: Vec<String>,
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new(), details: Vec::new() }
    }

    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(Kind::Failure, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn invalid_specs(specs: Vec<InvalidSpec>) -> Self {
        Self::new(Kind::InvalidSpec(specs), "the job spec is not valid")
    }

    pub(crate) fn job_failed(job: &JobName, reason: &str) -> Self {
        let reason = reason.trim_end();
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        Self::new(Kind::JobFailed, format!("job {job} failed{because}"))
    }

    /// What to do about it: names something to run or to set.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// For who asks for more with `-v`.
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

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether the same may well work later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.kind, Kind::Passing)
    }

    /// Tells whether the caller lacks a permission.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.kind, Kind::Denied)
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    pub(crate) fn all_details(&self) -> &[String] {
        &self.details
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failure | Kind::NotSetUp | Kind::Passing | Kind::Denied => 1,
            Kind::Usage | Kind::InvalidSpec(_) => 2,
            Kind::JobFailed => 3,
            Kind::JobStopped => 4,
            Kind::Interrupted => 130,
            Kind::ClosedPipe => 0,
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

/// Says what was being done when an I/O error came: `could not read /x: permission denied`.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: StdError + Send + Sync + 'static> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::failure(format!("could not {}", what())).caused_by(source))
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
                let kind = match error.refusal {
                    Refusal::NotSetUp => Kind::NotSetUp,
                    Refusal::Passing => Kind::Passing,
                    Refusal::Denied => Kind::Denied,
                    Refusal::Other => Kind::Failure,
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
