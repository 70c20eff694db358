//! The only module that prints: data to stdout, messages to stderr.
//!
//! Messages for people go through [`Text`], which removes terminal control sequences from everything that comes from
//! outside: names of files and objects, replies of services, specs and settings, causes of errors. Bytes are written
//! unchanged only if they are data for a pipe: a log, the content of a file, a path.

mod out;
mod problems;
mod progress;
mod question;
mod streams;
mod style;
pub(crate) mod table;
mod terminal;
mod text;

use std::error::Error as StdError;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};

use crate::error::{Error, ErrorKind, Result};
use crate::job::diagnostics::problem::{InvalidSpec, Problem, SourceText};
use streams::is_styled;

pub(crate) use out::{DataOutput, file_bytes};
pub(crate) use progress::{Progress, bytes};
pub(crate) use question::ask;
pub(crate) use streams::{err_is_terminal, out_is_terminal};
pub(crate) use style::Style;
pub(crate) use terminal::log_text;
pub(crate) use text::Text;

/// Amount of output on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Handle for output; every command has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    color: ColorChoice,
    verbosity: Verbosity,
    progress: bool,
}

impl Ui {
    /// Creates a handle. Progress is shown if `progress` allows it, stderr is a terminal, and the verbosity is not
    /// quiet.
    pub(crate) fn new(color: ColorChoice, verbosity: Verbosity, progress: bool) -> Self {
        Self { color, verbosity, progress }
    }

    /// Returns a buffered writer for data on stdout.
    pub(crate) fn data(self) -> DataOutput {
        DataOutput::new(is_styled(self.color, AutoStream::choice(&io::stdout())))
    }

    /// Writes a line of data.
    pub(crate) fn line(self, text: impl Into<Text>) -> Result<()> {
        let mut line = text.into();
        line.push('\n');
        self.text(line)
    }

    /// Writes a line of data that is a path.
    pub(crate) fn path(self, path: &Path) -> Result<()> {
        let mut data = self.data();
        data.path(path)?;
        data.flush()
    }

    /// Writes text as the command's whole data.
    pub(crate) fn text(self, text: impl Into<Text>) -> Result<()> {
        let mut data = self.data();
        data.text(text)?;
        data.flush()
    }

    /// Writes a message, unless `--quiet`. Further lines are indented.
    pub(crate) fn note(self, text: impl Into<Text>) {
        if self.verbosity != Verbosity::Quiet {
            self.write_line(text.into().continued());
        }
    }

    /// Returns true with `-v`, which prints details.
    pub(crate) fn is_verbose(self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Writes a message only with `--verbose`.
    pub(crate) fn detail(self, text: impl Display) {
        if self.is_verbose() {
            self.write_line(Text::styled(Style::Faint, text).continued());
        }
    }

    /// Shows the number of bytes processed.
    pub(crate) fn progress_of_bytes(self, title: &str) -> Progress {
        Progress::of_bytes(title, self.shows_progress())
    }

    /// Shows the progress of a download, if `wanted`.
    pub(crate) fn progress_of_download(self, wanted: bool) -> Progress {
        Progress::of_download(wanted && self.shows_progress())
    }

    /// Shows the elapsed time of a wait.
    pub(crate) fn progress_of_time(self, title: &str) -> Progress {
        Progress::of_time(title, self.shows_progress())
    }

    fn shows_progress(self) -> bool {
        self.progress && self.verbosity != Verbosity::Quiet && err_is_terminal()
    }

    /// Writes a warning, also with `--quiet`.
    pub(crate) fn warning(self, text: impl Display) {
        self.write_labelled(Style::Warning, "warning", text);
    }

    /// Writes an error with its causes and hints; nothing for a closed pipe.
    pub(crate) fn error(self, error: &Error) {
        match error.kind() {
            ErrorKind::ClosedPipe => {}
            ErrorKind::InvalidSpec(specs) => specs.iter().for_each(|spec| self.invalid_spec(spec)),
            _ => self.plain_error(error),
        }
    }

    /// Writes the warnings about a usable spec.
    pub(crate) fn spec_warnings(self, sources: &[SourceText], warnings: &[Problem]) {
        self.write(&problems::render(sources, warnings));
    }

    fn invalid_spec(self, spec: &InvalidSpec) {
        self.write(&problems::render(&spec.sources, &spec.problems));
        let count = spec.problems.iter().filter(|problem| problem.is_error()).count();
        let noun = if count == 1 { "error" } else { "errors" };
        self.write_labelled(Style::Error, &spec.path.display().to_string(), format_args!("{count} {noun}"));
    }

    fn plain_error(self, error: &Error) {
        self.write_labelled(Style::Error, "error", error);
        let mut cause = error.source();
        while let Some(source) = cause {
            self.write_line(Text::from(format_args!("  cause: {source}")).continued());
            cause = source.source();
        }
        error.all_details().iter().for_each(|detail| self.detail(format_args!("  {detail}")));
        error.hints().iter().for_each(|hint| self.write_labelled(Style::Hint, "hint", hint));
    }

    /// Writes a line such as `error: what went wrong`.
    fn write_labelled(self, style: Style, label: &str, text: impl Display) {
        let mut line = Text::styled(style, label);
        line.push(format_args!(": {text}"));
        self.write_line(line.continued());
    }

    fn write_line(self, mut line: Text) {
        line.push('\n');
        self.write(&line);
    }

    fn write(self, text: &Text) {
        talk_bytes(text.shown(self.is_err_styled()).as_bytes());
    }

    fn is_err_styled(self) -> bool {
        is_styled(self.color, AutoStream::choice(&io::stderr()))
    }
}

/// Writes bytes to stderr unchanged: a job's log, which [`log_text`] has made harmless for a terminal.
pub(crate) fn talk_bytes(bytes: &[u8]) {
    // A closed stderr leaves nowhere to report that.
    let _closed = io::stderr().write_all(bytes);
}
