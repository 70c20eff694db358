//! Reads a job's output as it arrives, and records it as log events, metric values and the text of an error.

use std::collections::VecDeque;
use std::io::{self, PipeReader};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::running_job::RunningJob;
use crate::contract::ErrorCapture;
use crate::local::log::file::LogWriter;
use crate::local::log::lines::LineSplitter;
use crate::local::log::note::LogNote;
use crate::local::log::spool::PipeSpool;
use crate::local::store::layout::JobFolder;
use crate::local::store::metrics_file::MetricsWriter;
use crate::local::{LocalError, LocalResult};
use crate::model::request::MetricDefinition;
use crate::model::training_job::MetricData;

/// Read size in bytes: the capacity of a pipe.
const READ_CHUNK_BYTES: usize = 64 * 1024;
/// Time for reading the rest, after the writer has ended.
const FINAL_READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of an installer's errors that are kept: a FailureReason has at most 1024 characters.
const MAX_INSTALL_ERRORS: usize = 10;

/// Destinations of a job's output: the log, the metrics, and the text of an error.
pub(super) struct JobOutput {
    log: LogWriter,
    log_path: PathBuf,
    folder: JobFolder,
    metrics: MetricsWriter,
    errors: ErrorCapture,
    install: InstallErrors,
}

impl JobOutput {
    pub(super) fn create(folder: &JobFolder, metrics: &[MetricDefinition]) -> LocalResult<Self> {
        let create = || {
            let log_path = folder.stream()?;
            let log = LogWriter::append(&log_path)?;
            folder.reserve_log_note()?;
            Ok(Self {
                log,
                log_path,
                folder: folder.clone(),
                metrics: MetricsWriter::append(&folder.metrics(), metrics)?,
                errors: ErrorCapture::default(),
                install: InstallErrors::default(),
            })
        };
        create().map_err(LocalError::io("create the job's log"))
    }

    /// Waits for the reader, after the writer has ended. Returns the output and the error of the log, if any. If a
    /// process that can't be killed holds the pipe open, the reader is abandoned after [`FINAL_READ_TIMEOUT`], and what
    /// it had captured is lost.
    pub(super) async fn join_reader(
        reading: JoinHandle<(Self, io::Result<()>)>,
        job: &RunningJob<'_>,
    ) -> LocalResult<(Self, io::Result<()>)> {
        match timeout(FINAL_READ_TIMEOUT, reading).await {
            Ok(read) => read.map_err(|error| LocalError::Other(format!("the log's reader ended: {error}"))),
            Err(_) => Ok((Self::create(&job.folder, job.metric_definitions())?, Ok(()))),
        }
    }

    /// Reads the script's output to its end. If the log can't be written, cancels `failing` at once, so that the script
    /// can be stopped, and reads on, so that the script can save its work. Blocks.
    pub(super) fn read_script(&mut self, pipe: PipeReader, failing: &CancellationToken) -> io::Result<()> {
        let outcome = self.read_to_end(pipe, Some(failing), Self::record_line);
        self.note_dropped();
        outcome
    }

    /// Reads an installer's output to its end, or until the log can't be written. Extracts no metrics. Blocks.
    pub(super) fn read_installer(&mut self, pipe: PipeReader) -> io::Result<()> {
        let outcome = self.read_to_end(pipe, None, |output, now, line| {
            output.log.event(now, line);
            output.install.line(line);
            Ok(())
        });
        self.note_dropped();
        outcome
    }

    /// Marks dropped events in the log or, if that is still impossible, in the note beside it.
    fn note_dropped(&mut self) {
        self.log.mark_dropped(Timestamp::now());
        // If the log still can't be written, the note says so.
        let _still_failing = self.log.flush();
        if let Some(why) = self.log.dropped() {
            self.write_note(why);
        }
    }

    fn write_note(&self, why: &str) {
        let stream = self.log_path.file_name().unwrap_or_default().to_string_lossy();
        // The job's folder may have been removed, with its log.
        let _unwritten = self.folder.write_log_note(&LogNote::new(&stream, why));
    }

    /// Returns how the log's file was damaged, if it was, and writes it to the note.
    pub(super) fn check_log(&self) -> Option<&'static str> {
        let damage = self.log.damage(&self.log_path)?;
        self.write_note(damage);
        Some(damage)
    }

    fn read_to_end(
        &mut self,
        mut pipe: PipeReader,
        failing: Option<&CancellationToken>,
        mut each: impl FnMut(&mut Self, Timestamp, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut first_error = Ok(());
        let mut lines = LineSplitter::default();
        let mut chunk = vec![0; READ_CHUNK_BYTES];
        let mut spool = PipeSpool::create(&self.folder.spool(), self.log.len());
        loop {
            let read = spool.read(&mut pipe, &mut chunk)?;
            if let Err(error) = self.record(
                &mut lines,
                chunk.get(..read).expect("a read returns at most the length of its buffer"),
                &mut each,
            ) {
                self.log.drop_unwritten(&format!("the log could not be written: {error}"));
                spool.give_up();
                let Some(failing) = failing else { return Err(error) };
                first_error = first_error.and(Err(error));
                failing.cancel();
            }
            if read == 0 {
                spool.finish();
                return first_error;
            }
            if spool.logged(self.log.len(), &lines).is_err() {
                // A gap mark is written if this process is killed.
                spool.give_up();
            }
        }
    }

    /// Records the next bytes. Empty `bytes` mean the end of the stream.
    fn record(
        &mut self,
        lines: &mut LineSplitter,
        bytes: &[u8],
        each: &mut impl FnMut(&mut Self, Timestamp, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let now = Timestamp::now();
        let mut outcome = Ok(());
        let mut record_line = |line: &[u8]| {
            if outcome.is_ok() {
                outcome = each(self, now, line);
            }
        };
        if bytes.is_empty() {
            lines.finish(&mut record_line);
        } else {
            lines.feed(bytes, &mut record_line);
        }
        outcome?;
        self.log.flush()?;
        self.metrics.flush()
    }

    fn record_line(&mut self, now: Timestamp, line: &[u8]) -> io::Result<()> {
        self.log.event(now, line);
        self.errors.line(line);
        self.metrics.line(now, line)
    }

    pub(super) fn final_metrics(&self) -> Vec<MetricData> {
        self.metrics.final_values()
    }

    pub(super) fn error_message(&self) -> String {
        self.errors.message()
    }

    /// Returns why an installer failed, from its own output.
    pub(super) fn install_error(&self) -> String {
        self.install.message()
    }
}

/// The errors in an installer's output: pip's last lines with `ERROR:`, else the last line that is not blank.
#[derive(Default)]
struct InstallErrors {
    errors: VecDeque<String>,
    last: String,
}

impl InstallErrors {
    fn line(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.starts_with("ERROR:") {
            self.errors.truncate(MAX_INSTALL_ERRORS - 1);
            self.errors.push_front(line.to_owned());
        } else if !line.is_empty() {
            line.clone_into(&mut self.last);
        }
    }

    fn message(&self) -> String {
        let errors: Vec<&str> = self.errors.iter().rev().map(String::as_str).collect();
        if errors.is_empty() { self.last.clone() } else { errors.join("\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lines: &[&str]) -> String {
        let mut errors = InstallErrors::default();
        for line in lines {
            errors.line(line.as_bytes());
        }
        errors.message()
    }

    #[test]
    fn why_an_installer_failed() {
        assert_eq!(
            message(&["Collecting a", "  ERROR: no a", "ERROR: give up", "", "a hint"]),
            "ERROR: no a\nERROR: give up"
        );
        assert_eq!(message(&["Using Python", "error: no a", " "]), "error: no a");
        assert_eq!(message(&[]), "");
        let many: Vec<String> = (0..30).map(|number| format!("ERROR: {number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(message(&many).starts_with("ERROR: 20\n") && message(&many).ends_with("\nERROR: 29"));
    }
}
