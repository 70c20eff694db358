//! The only place that prints. stdout is data, stderr is talk.

mod problems;
mod progress;
mod style;
pub(crate) mod table;

use std::error::Error as StdError;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};

use crate::error::{Error, Kind, Result};
use crate::job::problem::{InvalidSpec, Problem, SourceText};

pub(crate) use progress::{Progress, bytes};
pub(crate) use style::Style;

/// Bytes of stdout that are gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Talk {
    Quiet,
    Normal,
    Verbose,
}

/// How a command talks to its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    color: ColorChoice,
    talk: Talk,
    progress: bool,
}

impl Ui {
    /// Progress is shown where `progress` allows it, stderr is a terminal, and the talk is not quiet.
    pub(crate) fn new(color: ColorChoice, talk: Talk, progress: bool) -> Self {
        Self { color, talk, progress }
    }

    /// Where data goes: buffered, since a log has millions of lines.
    pub(crate) fn data(self) -> Data {
        let styled = is_styled(self.color, AutoStream::choice(&io::stdout()));
        Data { out: BufWriter::with_capacity(BUFFER, io::stdout().lock()), styled }
    }

    /// One line of data.
    pub(crate) fn line(self, text: impl Display) -> Result<()> {
        self.text(&format!("{text}\n"))
    }

    /// All the data that a command has, as text.
    pub(crate) fn text(self, text: &str) -> Result<()> {
        let mut data = self.data();
        data.text(text)?;
        data.flush()
    }

    /// Talk that `--quiet` silences.
    pub(crate) fn note(self, text: impl Display) {
        if self.talk != Talk::Quiet {
            self.say(format_args!("{text}\n"));
        }
    }

    /// Talk that only `--verbose` wants.
    pub(crate) fn detail(self, text: impl Display) {
        if self.talk == Talk::Verbose {
            let style = Style::Faint;
            self.say(format_args!("{style}{text}{style:#}\n"));
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
        self.progress && self.talk != Talk::Quiet && err_is_terminal()
    }

    pub(crate) fn warning(self, text: impl Display) {
        let style = Style::Warning;
        self.say(format_args!("{style}warning{style:#}: {text}\n"));
    }

    pub(crate) fn error(self, error: &Error) {
        match error.kind() {
            Kind::ClosedPipe => {}
            Kind::InvalidSpec(specs) => specs.iter().for_each(|spec| self.invalid_spec(spec)),
            _ => self.plain_error(error),
        }
    }

    /// What is wrong with a spec that can be used all the same.
    pub(crate) fn spec_warnings(self, sources: &[SourceText], warnings: &[Problem]) {
        self.say(format_args!("{}", problems::render(sources, warnings, self.styled_err())));
    }

    fn invalid_spec(self, spec: &InvalidSpec) {
        self.say(format_args!("{}", problems::render(&spec.sources, &spec.problems, self.styled_err())));
        let count = spec.problems.iter().filter(|problem| problem.is_error()).count();
        let (style, noun) = (Style::Error, if count == 1 { "error" } else { "errors" });
        self.say(format_args!("{style}{}{style:#}: {count} {noun}\n", spec.path.display()));
    }

    fn plain_error(self, error: &Error) {
        let style = Style::Error;
        self.say(format_args!("{style}error{style:#}: {error}\n"));
        let mut cause = error.source();
        while let Some(source) = cause {
            self.say(format_args!("  cause: {source}\n"));
            cause = source.source();
        }
        error.all_details().iter().for_each(|detail| self.detail(format_args!("  {detail}")));
        for hint in error.hints() {
            let style = Style::Hint;
            self.say(format_args!("{style}hint{style:#}: {hint}\n"));
        }
    }

    fn say(self, text: impl Display) {
        let text = text.to_string();
        if self.styled_err() {
            talk_bytes(text.as_bytes());
        } else {
            talk_bytes(strip_str(&text).to_string().as_bytes());
        }
    }

    fn styled_err(self) -> bool {
        is_styled(self.color, AutoStream::choice(&io::stderr()))
    }
}

/// stdout, for data that is written from any thread.
pub(crate) fn sink() -> io::Stdout {
    io::stdout()
}

pub(crate) fn out_is_terminal() -> bool {
    io::stdout().is_terminal()
}

pub(crate) fn err_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Bytes for stderr as they are: a job's log while it is followed.
pub(crate) fn talk_bytes(bytes: &[u8]) {
    // Nobody can be told that stderr is closed.
    let _closed = io::stderr().write_all(bytes);
}

/// `--color` decides, or what is known of the stream and the environment.
fn is_styled(color: ColorChoice, stream: ColorChoice) -> bool {
    let choice = if color == ColorChoice::Auto { stream } else { color };
    choice != ColorChoice::Never
}

/// stdout. A reader that has gone ends the command quietly.
pub(crate) struct Data {
    out: BufWriter<StdoutLock<'static>>,
    styled: bool,
}

impl Data {
    /// Whether styles are shown.
    pub(crate) fn is_styled(&self) -> bool {
        self.styled
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(cannot_write)
    }

    /// Text whose styles are left out where nobody sees them.
    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        let written = if self.styled { write!(self.out, "{text}") } else { write!(self.out, "{}", strip_str(text)) };
        written.map_err(cannot_write)
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(cannot_write)
    }
}

/// Of stdout. A reader that has gone is no reason to complain.
pub(crate) fn cannot_write(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::new(Kind::ClosedPipe, "the reader has gone"),
        _ => Error::failure("could not write to stdout").caused_by(error),
    }
}
