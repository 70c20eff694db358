//! Prints a log: on stdout as data, or on stderr as talk.

mod fold;
mod grep;

use self::fold::Fold;
use crate::cloud::LogStream;
use crate::error::Result;
use crate::model::LogEvent;
use crate::ops::log::Watcher;
use crate::ui::{self, Data, Progress, Style, Text, Ui};
use crate::view::log_lines::{self, Kind, LogFormat, LogLine};

pub(super) use self::grep::Grep;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 64 * 1024;

pub(super) struct LogPrinter {
    ui: Ui,
    format: LogFormat,
    has_prefix: bool,
    grep: Grep,
    fold: Option<Fold>,
    out: Option<Data>,
    buffer: Vec<u8>,
    /// What is waited for, until there is a line.
    waiting: Option<Progress>,
    has_lines: bool,
    /// Marks that lines may be missing, shown or not.
    gaps: usize,
}

impl LogPrinter {
    pub(super) fn to_stdout(ui: Ui, format: LogFormat, grep: Grep) -> Self {
        let out = ui.data();
        let format = LogFormat { colored: out.is_styled() && format.kind == Kind::Terminal, ..format };
        Self::new(ui, format, grep, Some(out))
    }

    pub(super) fn to_stderr(ui: Ui) -> Self {
        let kind = if ui::err_is_terminal() { Kind::Terminal } else { Kind::Pipe };
        let format = LogFormat { kind, stamp: None, prefix: None, colored: false };
        Self::new(ui, format, Grep::default(), None)
    }

    fn new(ui: Ui, format: LogFormat, grep: Grep, out: Option<Data>) -> Self {
        let (fold, buffer, waiting, has_lines) = (None, Vec::new(), None, false);
        Self { ui, format, has_prefix: true, grep, fold, out, buffer, waiting, has_lines, gaps: 0 }
    }

    /// Lines don't start with their node, however many there are.
    pub(super) fn without_prefix(mut self) -> Self {
        self.has_prefix = false;
        self
    }

    /// The same line of several nodes is shown once.
    pub(super) fn folded(mut self) -> Self {
        self.fold = Some(Fold::default());
        self
    }

    /// How many marks of missing lines there were so far.
    pub(super) fn gaps(&self) -> usize {
        self.gaps
    }

    fn is_seen(&self, event: &LogEvent) -> bool {
        let (_, overwritten) = log_lines::parts(&event.message);
        !overwritten || self.format.kind != Kind::Pipe
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
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
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
        self.waiting = None;
        self.gaps += usize::from(event.is_gap);
        if !self.is_seen(&event) {
            return Ok(());
        }
        let line = LogLine { stream: stream.clone(), event, late, times: 1 };
        if self.grep.is_empty() {
            return self.print(line);
        }
        for line in self.grep.push(line) {
            match line {
                Some(line) => self.print(line)?,
                // Lines are left out between those before and those after.
                None if self.format.kind != Kind::Json => self.buffer.extend_from_slice(b"--\n"),
                None => {}
            }
        }
        Ok(())
    }

    fn shows(&self, event: &LogEvent) -> bool {
        self.is_seen(event) && self.grep.matches(event)
    }

    fn several_nodes(&mut self, widest: usize) {
        if self.has_prefix {
            self.format.prefix = self.format.prefix.max(Some(widest));
        }
    }

    fn flush(&mut self) -> Result<()> {
        let folded = self.fold.as_mut().map(Fold::take).unwrap_or_default();
        folded.iter().try_for_each(|line| self.write(line))?;
        self.write_out()?;
        self.out.as_mut().map_or(Ok(()), Data::flush)
    }

    /// After the lines that came before it.
    fn phase(&mut self, phase: &str, message: &str) -> Result<()> {
        self.flush()?;
        self.waiting = None;
        self.ui.note(Text::styled(Style::Faint, format_args!("{phase}: {message}")));
        if !self.has_lines {
            self.waiting = Some(self.ui.progress_of_time(phase));
        }
        Ok(())
    }

    fn note(&mut self, text: &str) -> Result<()> {
        self.flush()?;
        match &self.waiting {
            Some(waiting) => waiting.suspend(|| self.ui.warning(text)),
            None => self.ui.warning(text),
        }
        Ok(())
    }
}
