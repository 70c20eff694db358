//! Report of where the inputs of a local job are read from.

use jiff::Timestamp;

/// Source of an input of a local job, for the user.
#[derive(Debug)]
pub(crate) struct InputReport {
    /// `channel train`, or `checkpoints`.
    pub(crate) input: String,
    pub(crate) uri: String,
    pub(crate) source: InputSource,
}

/// Source of an input.
#[derive(Debug)]
pub(crate) enum InputSource {
    /// A copy of what S3 has now.
    Copied(CopyChanges),
    /// A copy that may be old, because S3 could not be asked.
    Kept { checked: Timestamp, reason: String },
    /// Objects that local jobs stored. `reason` says why S3 could not be asked; without one, S3 has nothing there.
    Local { reason: Option<String> },
}

/// Differences between a copy and the one before.
#[derive(Debug, Default)]
pub(crate) struct CopyChanges {
    /// Number of objects in the copy.
    pub(crate) objects: usize,
    pub(crate) fetched: usize,
    pub(crate) fetched_bytes: u64,
    /// Number of objects that S3 no longer has.
    pub(crate) dropped: usize,
    /// Number of objects that only local jobs stored below the prefix, and that the channel does not have.
    pub(crate) unread: usize,
}
