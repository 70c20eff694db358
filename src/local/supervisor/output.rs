//! What a job prints: read as it comes, and kept as log events, metric values and the text of an error.

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

/// How much is read at a time, in bytes: what a pipe holds.
const CHUNK: usize = 64 * 1024;
/// How long the rest may take to be read, once the writer has ended.
const LAST_READING: Duration = Duration::from_secs(5);
/// How many of an installer's errors are kept: a FailureReason has room for 1024 characters.
const INSTALL_ERRORS: usize = 10;

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
            folder.make_room_for_log_note()?;
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

    /// What became of a reading whose writer has ended: the log, as far as it could be written. One that goes on, since a
    /// process that could not be ended holds the pipe open, is given up, and what it had found with it.
    pub(super) async fn of_reading(
        reading: JoinHandle<(Self, io::Result<()>)>,
        job: &RunningJob<'_>,
    ) -> LocalResult<(Self, io::Result<()>)> {
        match timeout(LAST_READING, reading).await {
            Ok(read) => read.map_err(|error| LocalError::Other(format!("the log's reader ended: {error}"))),
            Err(_) => Ok((Self::create(&job.folder, job.metric_definitions())?, Ok(()))),
        }
    }

    /// Reads until nobody can write any more. Where the log can't be written, `failing` is cancelled at once, so that the
    /// script can be stopped; reading goes on, so that it can save its work. Blocks.
    pub(super) fn pump(&mut self, pipe: PipeReader, failing: &CancellationToken) -> io::Result<()> {
        let pumped = self.drain(pipe, Some(failing), Self::take);
        self.note_dropped();
        pumped
    }

    /// Reads until nobody can write any more, or the log can't be written. No metrics are taken from these lines. Blocks.
    pub(super) fn pump_install(&mut self, pipe: PipeReader) -> io::Result<()> {
        let pumped = self.drain(pipe, None, |output, now, line| {
            output.log.event(now, line);
            output.install.line(line);
            Ok(())
        });
        self.note_dropped();
        pumped
    }

    /// Marks what could not be written: in the log or, where that is still impossible, in the note beside it.
    fn note_dropped(&mut self) {
        self.log.mark_dropped(Timestamp::now());
        // The note says it where the log can't.
        let _still_failing = self.log.flush();
        if let Some(why) = self.log.dropped() {
            self.note(why);
        }
    }

    fn note(&self, why: &str) {
        let stream = self.log_path.file_name().unwrap_or_default().to_string_lossy();
        // A job folder that is gone has no log to be incomplete.
        let _unwritten = self.folder.write_log_note(&LogNote::new(&stream, why));
    }

    /// Returns what has become of the log's file, which the note then says too: somebody may have removed it.
    pub(super) fn check_log(&self) -> Option<&'static str> {
        let damage = self.log.damage(&self.log_path)?;
        self.note(damage);
        Some(damage)
    }

    fn drain(
        &mut self,
        mut pipe: PipeReader,
        failing: Option<&CancellationToken>,
        mut each: impl FnMut(&mut Self, Timestamp, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut first_error = Ok(());
        let (mut lines, mut chunk) = (LineSplitter::default(), vec![0; CHUNK]);
        let mut spool = PipeSpool::create(&self.folder.spool(), self.log.len());
        loop {
            let read = spool.read(&mut pipe, &mut chunk)?;
            if let Err(error) = self.keep(&mut lines, chunk.get(..read).unwrap_or_default(), &mut each) {
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
                // What is lost should this process be killed is marked then.
                spool.give_up();
            }
        }
    }

    /// Takes the next bytes; none means that the stream has ended.
    fn keep(
        &mut self,
        lines: &mut LineSplitter,
        bytes: &[u8],
        each: &mut impl FnMut(&mut Self, Timestamp, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (now, mut outcome) = (Timestamp::now(), Ok(()));
        let mut take = |line: &[u8]| {
            if outcome.is_ok() {
                outcome = each(self, now, line);
            }
        };
        if bytes.is_empty() {
            lines.finish(&mut take);
        } else {
            lines.feed(bytes, &mut take);
        }
        outcome?;
        self.log.flush()?;
        self.metrics.flush()
    }

    fn take(&mut self, now: Timestamp, line: &[u8]) -> io::Result<()> {
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

    /// Why an installer failed, in its own words.
    pub(super) fn install_error(&self) -> String {
        self.install.message()
    }
}

/// What an installer says of its failure: pip's last lines with `ERROR:`, else the last line that is not blank.
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
            self.errors.truncate(INSTALL_ERRORS - 1);
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
