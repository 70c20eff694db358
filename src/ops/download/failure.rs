//! Failures of unpacking or keeping an object: what they say about the fetched bytes, and the hints for the user.
//!
//! A damaged archive may be damaged in S3 or on the way. If S3 keeps no checksum of the object, only a second fetch
//! tells the two apart; [`Proof`] is the result of that comparison. [`FetchedState`] decides whether the bytes are
//! kept.

use std::error::Error as StdError;
use std::{fmt, io};

use crate::archive::UnpackError;
use crate::cloud::Object;
use crate::error::{Error, ErrorKind};
use crate::model::checksum::ChecksumMismatch;

/// SHA-256 digest.
pub(super) type Digest = [u8; 32];

/// State of the fetched bytes after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchedState {
    /// Intact: the same command resumes.
    Sound,
    /// Intact, but the same command would fail again. Names the commands that would not.
    Refused(&'static str),
    /// Damaged, and not proven to be what is stored, because S3 keeps no checksum. The digest, if all bytes were read.
    Unproven(Option<Digest>),
    /// Different from the stored object.
    Wrong,
}

/// An error with the state of the fetched bytes.
pub(super) struct SaveFailure {
    pub(super) error: Box<Error>,
    pub(super) fetched: FetchedState,
}

impl From<Error> for SaveFailure {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), fetched: FetchedState::Sound }
    }
}

/// Result of comparing the fetched bytes with the stored object.
pub(super) enum Proof {
    /// Equal, by this evidence.
    Same(&'static str),
    /// Different, by this evidence.
    Other(String),
    /// Unknown. The digest of the fetched bytes, if they were all read.
    Missing(Option<Digest>),
}

/// Evidence for [`Proof::Same`].
pub(super) const BY_CHECKSUM: &str = "the bytes match S3's checksum";
pub(super) const BY_OBJECT: &str = "the bytes are those of the object";
pub(super) const BY_SECOND_FETCH: &str = "two fetches gave the same bytes";

/// Error of an archive that is damaged in S3: its bytes are proven equal to the stored ones.
#[derive(Debug)]
pub(super) struct AsStored {
    pub(super) proof: &'static str,
    pub(super) error: UnpackError,
}

impl fmt::Display for AsStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, but {}", self.proof, self.error)
    }
}

impl StdError for AsStored {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// Returns an error and its causes on one line.
pub(super) fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

const BY_ARCHIVE: &str = "`smtrain download` with --archive";
const BY_ARCHIVE_OR_ONLY: &str = "`smtrain download` with --archive, or with --only,";

/// Returns true if the bytes are no complete gzip, so that they may differ from the stored ones.
pub(super) fn is_unsound(error: &UnpackError) -> bool {
    matches!(error, UnpackError::Damaged { .. } | UnpackError::TrailingData) && !error.is_malformed()
}

/// Returns true for a checksum mismatch.
pub(super) fn is_mismatch(error: &UnpackError) -> bool {
    error.input_error().is_some_and(ChecksumMismatch::is)
}

/// Builds the failure of an error that by itself shows the state of the bytes.
pub(super) fn of_error(doing: &str, object: &Object, error: UnpackError) -> SaveFailure {
    use UnpackError as E;
    let fetched = match &error {
        E::DamagedFile(_) => FetchedState::Wrong,
        error if is_mismatch(error) => FetchedState::Wrong,
        E::Damaged { .. } if error.is_malformed() => FetchedState::Refused(BY_ARCHIVE),
        E::Damaged { .. } | E::TrailingData => FetchedState::Unproven(None),
        E::OtherFormat(_) | E::Outside(_) | E::Name(_) | E::Unsupported { .. } | E::TooMany(_) => {
            FetchedState::Refused(BY_ARCHIVE)
        }
        E::ThroughLink(_) | E::LinkOutside { .. } | E::LinkMissing { .. } | E::Clash(_) => {
            FetchedState::Refused(BY_ARCHIVE_OR_ONLY)
        }
        E::Linked { .. } | E::NoFile(_) | E::TooLarge(_) | E::Write { .. } | E::Output(_) => FetchedState::Sound,
    };
    SaveFailure { error: Box::new(could_not(doing, object, error)), fetched }
}

/// Builds the failure of a damaged archive, by the proof about its bytes.
pub(super) fn of_proof(doing: &str, object: &Object, error: UnpackError, proof: Proof) -> SaveFailure {
    let uri = &object.uri;
    match proof {
        Proof::Same(_) if error.is_malformed() => of_error(doing, object, error),
        Proof::Same(proof) => {
            let error = Error::failure(format!("could not {doing} {uri}")).caused_by(AsStored { proof, error });
            let error = error.hint("--archive keeps it as it is; for a sound one, train again, or ask who made it");
            SaveFailure { error: Box::new(error), fetched: FetchedState::Refused(BY_ARCHIVE) }
        }
        Proof::Other(evidence) => {
            let error = Error::failure(format!("could not {doing} {uri}: {evidence}")).hint(TRY_AGAIN);
            SaveFailure { error: Box::new(error), fetched: FetchedState::Wrong }
        }
        Proof::Missing(digest) => {
            SaveFailure { error: Box::new(could_not(doing, object, error)), fetched: FetchedState::Unproven(digest) }
        }
    }
}

/// Command that keeps bytes in the state [`FetchedState::Unproven`].
pub(super) const HOW_TO_KEEP_UNPROVEN: &str = BY_ARCHIVE;

const TRY_AGAIN: &str =
    "run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it";

/// Builds the error of an archive, with hints.
pub(super) fn could_not(doing: &str, object: &Object, error: UnpackError) -> Error {
    let hints = hints(&error, object);
    let kind = match &error {
        UnpackError::Output(source) => ErrorKind::of_output(source),
        _ => ErrorKind::Failure,
    };
    let failed = Error::new(kind, format!("could not {doing} {}", object.uri));
    let failed = if is_mismatch(&error) { failed.caused_by(ChecksumMismatch) } else { failed.caused_by(error) };
    hints.iter().fold(failed, |failed, hint| failed.hint(*hint))
}

/// Returns the hints for an archive's error.
fn hints(error: &UnpackError, object: &Object) -> &'static [&'static str] {
    match error {
        error if is_mismatch(error) => &[TRY_AGAIN],
        UnpackError::TooLarge(_) => &["allow more by --max-size SIZE, on a disk that has the room"],
        error if error.is_malformed() => {
            &["the decompressed data is no valid tar archive: --archive keeps it as it is"]
        }
        UnpackError::Damaged { .. } | UnpackError::TrailingData if object.checksum.is_some() => &[
            "--archive keeps it as it is, if it matches S3's checksum; for a sound one, train again, or ask who made it",
        ],
        UnpackError::Damaged { .. } | UnpackError::TrailingData => &[
            "S3 keeps no checksum of it: --archive compares it with a second fetch, and keeps it as it is",
            "for a sound one, train again, or ask who made it",
        ],
        UnpackError::DamagedFile(_) => &["run the same command again"],
        UnpackError::Write { source, .. } if is_full(source) => &["make room, or choose another folder with -d DIR"],
        UnpackError::Write { .. } => &["choose another folder, on another file system, with -d DIR"],
        UnpackError::Linked { .. } => &["ask for that one"],
        UnpackError::NoFile(_) | UnpackError::Output(_) => &["see what is inside with --list"],
        UnpackError::ThroughLink(_)
        | UnpackError::LinkOutside { .. }
        | UnpackError::LinkMissing { .. }
        | UnpackError::Clash(_) => &["--only PATTERN unpacks the other files, and --archive keeps it as it is"],
        UnpackError::Outside(_) => {
            &["smtrain unpacks no archive that could do harm: --list shows its entries, --archive keeps it as it is"]
        }
        UnpackError::OtherFormat(_)
        | UnpackError::Name(_)
        | UnpackError::Unsupported { .. }
        | UnpackError::TooMany(_) => &["--archive keeps it as it is, for another program to unpack"],
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}
