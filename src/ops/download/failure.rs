//! Why something could not be made of an object's bytes, what that says about the bytes, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::archive::UnpackError;
use crate::cloud::Object;
use crate::error::{Error, ErrorKind};
use crate::model::checksum::ChecksumMismatch;

/// A SHA-256.
pub(super) type Digest = [u8; 32];

/// The state of what was fetched, after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// Nothing is wrong with it: the same command goes on.
    Sound,
    /// It is what is stored, and the same command would refuse it again. Names the commands that don't.
    Refused(&'static str),
    /// It is no sound archive, and nothing has proved yet that it is what is stored: S3 keeps no checksum. Its digest, where
    /// all of it was read.
    Unproven(Option<Digest>),
    /// It is not what is stored.
    Wrong,
}

pub(super) struct Failure {
    pub(super) error: Box<Error>,
    pub(super) fetched: Fetched,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), fetched: Fetched::Sound }
    }
}

/// The relation between what was fetched and what is stored.
pub(super) enum Proof {
    /// They are the same, by this evidence.
    Same(&'static str),
    /// They differ, by this evidence.
    Other(String),
    /// Nothing tells.
    Missing(Option<Digest>),
}

/// The evidence for [`Proof::Same`].
pub(super) const BY_CHECKSUM: &str = "the bytes match S3's checksum";
pub(super) const BY_OBJECT: &str = "the bytes are those of the object";
pub(super) const BY_SECOND_FETCH: &str = "two fetches gave the same bytes";

/// An archive's error, although the archive is what is stored.
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

/// Returns an error on one line, with what caused it.
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

/// Returns whether the compressed bytes are no whole gzip: they may be others than those that are stored.
pub(super) fn is_unsound(error: &UnpackError) -> bool {
    matches!(error, UnpackError::Damaged { .. } | UnpackError::TrailingData) && !error.is_malformed()
}

/// Returns whether the bytes are others than S3 has a checksum of.
pub(super) fn is_mismatch(error: &UnpackError) -> bool {
    matches!(error, UnpackError::Damaged { source, .. } | UnpackError::DamagedFile(source) if ChecksumMismatch::is(source))
}

/// Returns the failure of an error that says enough about the bytes.
pub(super) fn of_error(doing: &str, object: &Object, error: UnpackError) -> Failure {
    use UnpackError as E;
    let fetched = match &error {
        E::DamagedFile(_) => Fetched::Wrong,
        error if is_mismatch(error) => Fetched::Wrong,
        E::Damaged { .. } if error.is_malformed() => Fetched::Refused(BY_ARCHIVE),
        E::Damaged { .. } | E::TrailingData => Fetched::Unproven(None),
        E::Outside(_) | E::Name(_) | E::Unsupported { .. } | E::TooMany(_) => Fetched::Refused(BY_ARCHIVE),
        E::ThroughLink(_) | E::LinkOutside { .. } | E::LinkMissing { .. } | E::Clash(_) => {
            Fetched::Refused(BY_ARCHIVE_OR_ONLY)
        }
        E::Linked { .. } | E::NoFile(_) | E::TooLarge(_) | E::Write { .. } | E::Told(_) => Fetched::Sound,
    };
    Failure { error: Box::new(could_not(doing, object, error)), fetched }
}

/// Returns the failure of an archive that is no sound one, by what is known of its bytes.
pub(super) fn of_proof(doing: &str, object: &Object, error: UnpackError, proof: Proof) -> Failure {
    let uri = &object.uri;
    match proof {
        Proof::Same(_) if error.is_malformed() => of_error(doing, object, error),
        Proof::Same(proof) => {
            let error = Error::failure(format!("could not {doing} {uri}")).caused_by(AsStored { proof, error });
            let error = error.hint("--archive keeps it as it is; for a sound one, train again, or ask who made it");
            Failure { error: Box::new(error), fetched: Fetched::Refused(BY_ARCHIVE) }
        }
        Proof::Other(evidence) => {
            let error = Error::failure(format!("could not {doing} {uri}: {evidence}")).hint(TRY_AGAIN);
            Failure { error: Box::new(error), fetched: Fetched::Wrong }
        }
        Proof::Missing(digest) => {
            Failure { error: Box::new(could_not(doing, object, error)), fetched: Fetched::Unproven(digest) }
        }
    }
}

/// How those bytes are had that [`Fetched::Unproven`] is about.
pub(super) const UNPROVEN_BY: &str = BY_ARCHIVE;

const TRY_AGAIN: &str =
    "run the same command again; if it ends the same way, the object or its checksum is wrong: ask who made it";

/// Returns an archive's error, with what to do about it.
pub(super) fn could_not(doing: &str, object: &Object, error: UnpackError) -> Error {
    let hints = hints(&error, object);
    let kind = match &error {
        UnpackError::Told(source) if source.kind() == io::ErrorKind::BrokenPipe => ErrorKind::ClosedPipe,
        _ => ErrorKind::Failure,
    };
    let told = Error::new(kind, format!("could not {doing} {}", object.uri));
    let told = if is_mismatch(&error) { told.caused_by(ChecksumMismatch) } else { told.caused_by(error) };
    hints.iter().fold(told, |told, hint| told.hint(*hint))
}

/// Returns what works where the error stands in the way.
fn hints(error: &UnpackError, object: &Object) -> &'static [&'static str] {
    match error {
        error if is_mismatch(error) => &[TRY_AGAIN],
        UnpackError::TooLarge(_) => &["allow more by --max-size SIZE, on a disk that has the room"],
        error if error.is_malformed() => &["what was compressed is no sound tar archive: --archive keeps it as it is"],
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
        UnpackError::NoFile(_) | UnpackError::Told(_) => &["see what is inside with --list"],
        UnpackError::ThroughLink(_)
        | UnpackError::LinkOutside { .. }
        | UnpackError::LinkMissing { .. }
        | UnpackError::Clash(_) => &["--only PATTERN unpacks the other files, and --archive keeps it as it is"],
        UnpackError::Outside(_) => {
            &["smtrain unpacks no archive that could do harm: --list shows its entries, --archive keeps it as it is"]
        }
        UnpackError::Name(_) | UnpackError::Unsupported { .. } | UnpackError::TooMany(_) => {
            &["--archive keeps it as it is, for another program to unpack"]
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}
