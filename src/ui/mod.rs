//! The only place that prints. stdout is data, stderr is talk.
//!
//! What is said to people goes through [`Text`], which takes away from what it is made of whatever steers a terminal: names
//! of files and objects, services' answers, specs and settings, causes of errors. Bytes as they are go only where they are
//! data on a pipe: a log, a file's content, a path.

mod out;
mod problems;
mod progress;
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

pub(crate) use out::{Data, file_bytes};
pub(crate) use progress::{Progress, bytes};
pub(crate) use streams::{err_is_terminal, out_is_terminal};
pub(crate) use style::Style;
pub(crate) use terminal::log_text;
pub(crate) use text::Text;

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// How a command talks to its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    color: ColorChoice,
    talk: Verbosity,
    progress: bool,
}

impl Ui {
    /// Progress is shown where `progress` allows it, stderr is a terminal, and the talk is not quiet.
    pub(crate) fn new(color: ColorChoice, talk: Verbosity, progress: bool) -> Self {
        Self { color, talk, progress }
    }

    /// Where data goes: buffered, since a log has millions of lines.
    pub(crate) fn data(self) -> Data {
        Data::new(is_styled(self.color, AutoStream::choice(&io::stdout())))
    }

    /// One line of data.
    pub(crate) fn line(self, text: impl Into<Text>) -> Result<()> {
        let mut line = text.into();
        line.push('\n');
        self.text(line)
    }

    /// One line of data that is a path.
    pub(crate) fn path(self, path: &Path) -> Result<()> {
        let mut data = self.data();
        data.path(path)?;
        data.flush()
    }

    /// All the data that a command has, as text.
    pub(crate) fn text(self, text: impl Into<Text>) -> Result<()> {
        let mut data = self.data();
        data.text(text)?;
        data.flush()
    }

    /// Talk that `--quiet` silences: a line, and what continues it.
    pub(crate) fn note(self, text: impl Into<Text>) {
        if self.talk != Verbosity::Quiet {
            self.say_line(text.into().continued());
        }
    }

    /// Talk that only `--verbose` wants.
    pub(crate) fn detail(self, text: impl Display) {
        if self.talk == Verbosity::Verbose {
            self.say_line(Text::styled(Style::Faint, text).continued());
        }
    }

    /// Shows how many bytes have been worked on.
    pub(crate) fn progress_of_bytes(self, title: &str) -> Progress {
        Progress::of_bytes(title, self.shows_progress())
    }

    /// Shows how far a download has come.
    pub(crate) fn progress_of_download(self, wanted: bool) -> Progress {
        Progress::of_download(wanted && self.shows_progress())
    }

    /// Shows that, and how long, something is waited for.
    pub(crate) fn progress_of_time(self, title: &str) -> Progress {
        Progress::of_time(title, self.shows_progress())
    }

    fn shows_progress(self) -> bool {
        self.progress && self.talk != Verbosity::Quiet && err_is_terminal()
    }

    pub(crate) fn warning(self, text: impl Display) {
        self.labelled(Style::Warning, "warning", text);
    }

    pub(crate) fn error(self, error: &Error) {
        match error.kind() {
            ErrorKind::ClosedPipe => {}
            ErrorKind::InvalidSpec(specs) => specs.iter().for_each(|spec| self.invalid_spec(spec)),
            _ => self.plain_error(error),
        }
    }

    /// What is wrong with a spec that can be used all the same.
    pub(crate) fn spec_warnings(self, sources: &[SourceText], warnings: &[Problem]) {
        self.say(&problems::render(sources, warnings));
    }

    fn invalid_spec(self, spec: &InvalidSpec) {
        self.say(&problems::render(&spec.sources, &spec.problems));
        let count = spec.problems.iter().filter(|problem| problem.is_error()).count();
        let noun = if count == 1 { "error" } else { "errors" };
        self.labelled(Style::Error, &spec.path.display().to_string(), format_args!("{count} {noun}"));
    }

    fn plain_error(self, error: &Error) {
        self.labelled(Style::Error, "error", error);
        let mut cause = error.source();
        while let Some(source) = cause {
            self.say_line(Text::from(format_args!("  cause: {source}")).continued());
            cause = source.source();
        }
        error.all_details().iter().for_each(|detail| self.detail(format_args!("  {detail}")));
        error.hints().iter().for_each(|hint| self.labelled(Style::Hint, "hint", hint));
    }

    /// `error: what went wrong`.
    fn labelled(self, style: Style, label: &str, text: impl Display) {
        let mut line = Text::styled(style, label);
        line.push(format_args!(": {text}"));
        self.say_line(line.continued());
    }

    fn say_line(self, mut line: Text) {
        line.push('\n');
        self.say(&line);
    }

    fn say(self, text: &Text) {
        talk_bytes(text.shown(self.styled_err()).as_bytes());
    }

    fn styled_err(self) -> bool {
        is_styled(self.color, AutoStream::choice(&io::stderr()))
    }
}

/// Writes bytes to stderr as they are: a job's log, which [`log_text`] has made harmless for a terminal.
pub(crate) fn talk_bytes(bytes: &[u8]) {
    // Nobody can be told that stderr is closed.
    let _closed = io::stderr().write_all(bytes);
}
