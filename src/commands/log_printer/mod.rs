//! Prints a log: as data on stdout, or as messages on stderr.

mod fold;
mod grep;

use self::fold::Fold;
use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;
use crate::ops::log::Watcher;
use crate::ui::{self, DataOutput, Progress, Style, Text, Ui};
use crate::view::log_lines::{self, LogFormat, LogLine, LogStyle};

pub(super) use self::grep::Grep;

/// Size of the output buffer, in bytes.
const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// Watcher that prints a log.
pub(super) struct LogPrinter {
    ui: Ui,
    format: LogFormat,
    has_prefix: bool,
    grep: Grep,
    fold: Option<Fold>,
    out: Option<DataOutput>,
    buffer: Vec<u8>,
    /// Progress of the current phase, until there is a line.
    wait_progress: Option<Progress>,
    has_lines: bool,
    /// Number of gap events, shown or not.
    gaps: usize,
}

impl LogPrinter {
    /// Creates a printer of data on stdout.
    pub(super) fn to_stdout(ui: Ui, format: LogFormat, grep: Grep) -> Self {
        let out = ui.data();
        let format = LogFormat { colored: out.is_styled() && format.style == LogStyle::Terminal, ..format };
        Self::new(ui, format, grep, Some(out))
    }

    /// Creates a printer of messages on stderr, with the defaults of `submit --follow`.
    pub(super) fn to_stderr(ui: Ui) -> Self {
        let style = if ui::err_is_terminal() { LogStyle::Terminal } else { LogStyle::Pipe };
        let format = LogFormat { style, timestamps: None, prefix: None, colored: false };
        Self::new(ui, format, Grep::default(), None)
    }

    fn new(ui: Ui, format: LogFormat, grep: Grep, out: Option<DataOutput>) -> Self {
        Self {
            ui,
            format,
            has_prefix: true,
            grep,
            fold: None,
            out,
            buffer: Vec::new(),
            wait_progress: None,
            has_lines: false,
            gaps: 0,
        }
    }

    /// Never prefixes lines with their node.
    pub(super) fn without_prefix(mut self) -> Self {
        self.has_prefix = false;
        self
    }

    /// Folds the same line of several nodes.
    pub(super) fn folded(mut self) -> Self {
        self.fold = Some(Fold::default());
        self
    }

    /// Returns the number of gap events so far.
    pub(super) fn gaps(&self) -> usize {
        self.gaps
    }

    /// Returns true if the output format shows an event: a pipe gets no overwritten lines.
    fn is_shown(&self, event: &LogEvent) -> bool {
        let (_, overwritten) = log_lines::visible_part(event);
        !overwritten || self.format.style != LogStyle::Pipe
    }

    fn print(&mut self, line: LogLine) -> Result<()> {
        let Some(fold) = &mut self.fold else { return self.write(&line) };
        for line in fold.push(line) {
            self.write(&line)?;
        }
        Ok(())
    }

    fn write(&mut self, line: &LogLine) -> Result<()> {
        self.format.write(line, &mut self.buffer)?;
        if self.buffer.len() >= WRITE_BUFFER_BYTES { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<()> {
        match &mut self.out {
            Some(out) => out.bytes(&self.buffer)?,
            None => ui::talk_bytes(&self.buffer),
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Watcher for LogPrinter {
    fn line(&mut self, stream: &LogStream, event: LogEvent, late: bool) -> Result<()> {
        self.has_lines = true;
        self.wait_progress = None;
        self.gaps += usize::from(event.is_gap);
        if !self.is_shown(&event) {
            return Ok(());
        }
        let line = LogLine { stream: stream.clone(), event, late, times: 1 };
        if self.grep.is_empty() {
            return self.print(line);
        }
        for line in self.grep.push(line) {
            match line {
                Some(line) => self.print(line)?,
                // Separates groups of context lines.
                None if self.format.style != LogStyle::Json => self.buffer.extend_from_slice(b"--\n"),
                None => {}
            }
        }
        Ok(())
    }

    fn shows(&self, event: &LogEvent) -> bool {
        self.is_shown(event) && self.grep.matches(event)
    }

    fn several_nodes(&mut self, name_width: usize) {
        if self.has_prefix {
            self.format.prefix = self.format.prefix.max(Some(name_width));
        }
    }

    fn flush(&mut self) -> Result<()> {
        let folded = self.fold.as_mut().map(Fold::take).unwrap_or_default();
        folded.iter().try_for_each(|line| self.write(line))?;
        self.write_out()?;
        self.out.as_mut().map_or(Ok(()), DataOutput::flush)
    }

    /// Shows a phase, after the lines before it.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()> {
        self.flush()?;
        self.wait_progress = None;
        self.ui.note(Text::styled(Style::Faint, format_args!("{phase}: {message}")));
        if !self.has_lines {
            self.wait_progress = Some(self.ui.progress_of_time(phase));
        }
        Ok(())
    }

    fn note(&mut self, text: &str) -> Result<()> {
        self.flush()?;
        match &self.wait_progress {
            Some(wait_progress) => wait_progress.suspend(|| self.ui.warning(text)),
            None => self.ui.warning(text),
        }
        Ok(())
    }
}
