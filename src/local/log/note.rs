//! A note beside a job's log that lines may be missing, for when the log itself can't be marked: the disk is full, or
//! the log was removed.
//!
//! The note's file is allocated before the script runs, and overwritten in place, which succeeds on a full disk. `logs`
//! shows the note as a gap at the end of the log.

use std::fs::File;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::local::store::layout::JobFolder;
use crate::local::store::{job_state, private_file};
use crate::model::LogEvent;

/// Size of the file in bytes: enough for two names and a reason.
const NOTE_BYTES: usize = 1024;
/// Maximum length of the reason in characters, so that its JSON fits the file.
const MAX_REASON_CHARS: usize = 120;

/// The stream whose lines may be missing, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogNote {
    /// The file name of the log stream.
    pub(crate) stream: String,
    at: Timestamp,
    why: String,
}

impl LogNote {
    pub(crate) fn new(stream: &str, why: &str) -> Self {
        let why = why.chars().take(MAX_REASON_CHARS).collect();
        Self { stream: stream.to_owned(), at: Timestamp::now(), why }
    }

    /// Returns the gap mark that the log would have.
    pub(crate) fn event(&self) -> LogEvent {
        let message = format!("smtrain: lines may be missing here: {}", self.why).into_bytes();
        LogEvent { timestamp: self.at, ingested: None, message, is_gap: true }
    }
}

impl JobFolder {
    /// Allocates the disk space of the note.
    pub(crate) fn reserve_log_note(&self) -> io::Result<()> {
        if self.read_log_note()?.is_some() {
            return Ok(());
        }
        private_file::open(&self.log_note(), File::options().create(true).write(true))?.write_all(&[b' '; NOTE_BYTES])
    }

    /// Overwrites the file with the note.
    pub(crate) fn write_log_note(&self, note: &LogNote) -> io::Result<()> {
        let mut text = serde_json::to_string(note).map_err(io::Error::other)?;
        text += &" ".repeat(NOTE_BYTES.saturating_sub(text.len()));
        private_file::open(&self.log_note(), File::options().create(true).write(true))?.write_all(text.as_bytes())
    }

    /// Reads the note; `None` if the log is complete as far as its supervisor knew.
    pub(crate) fn read_log_note(&self) -> io::Result<Option<LogNote>> {
        let text = match private_file::read(&self.log_note()) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            text => text?,
        };
        let text = text.trim_ascii();
        Ok(if text.is_empty() { None } else { Some(serde_json::from_slice(text)?) })
    }

    /// Removes the file if it has no note.
    pub(crate) fn remove_blank_log_note(&self) {
        if matches!(self.read_log_note(), Ok(None)) {
            // A blank file that can't be removed has no effect.
            let _left = job_state::remove_if_exists(&self.log_note());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_takes_no_more_space_than_was_kept_for_it() -> Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let folder = JobFolder::at(root.path().to_owned());
        assert_eq!(folder.read_log_note()?, None);
        folder.reserve_log_note()?;
        assert_eq!(folder.read_log_note()?, None);
        let note = LogNote::new("algo-1-1", &"\u{1}".repeat(1000));
        folder.write_log_note(&note)?;
        folder.reserve_log_note()?;
        assert_eq!(folder.read_log_note()?, Some(note));
        assert_eq!(std::fs::metadata(folder.log_note())?.len(), NOTE_BYTES as u64);
        folder.remove_blank_log_note();
        assert!(folder.log_note().exists());
        std::fs::write(folder.log_note(), "{damaged")?;
        assert!(folder.read_log_note().is_err());
        Ok(())
    }
}
