//! stdout: data for scripts and for people.

use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Text;
use super::terminal::Filter;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of stdout that are gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// stdout, from any thread. A reader that has gone ends the command quietly.
pub(crate) struct Data {
    out: BufWriter<io::Stdout>,
    styled: bool,
    is_terminal: bool,
}

impl Data {
    pub(super) fn new(styled: bool) -> Self {
        let is_terminal = super::streams::out_is_terminal();
        Self { out: BufWriter::with_capacity(BUFFER, io::stdout()), styled, is_terminal }
    }

    /// Whether styles are shown.
    pub(crate) fn is_styled(&self) -> bool {
        self.styled
    }

    /// Writes bytes as they are: of a log, which [`log_text`](super::log_text) has made harmless for a terminal, or made by
    /// smtrain itself.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(cannot_write)
    }

    /// Text whose styles are left out where nobody sees them.
    pub(crate) fn text(&mut self, text: impl Into<Text>) -> Result<()> {
        self.try_text(text).map_err(cannot_write)
    }

    /// As [`Self::text`], for a caller who passes I/O errors on.
    pub(crate) fn try_text(&mut self, text: impl Into<Text>) -> io::Result<()> {
        self.out.write_all(text.into().shown(self.styled).as_bytes())
    }

    /// One line with a path: for a script the very bytes.
    pub(crate) fn path(&mut self, path: &Path) -> Result<()> {
        if self.is_terminal {
            return self.text(format_args!("{}\n", path.display()));
        }
        self.bytes(path.as_os_str().as_bytes())?;
        self.bytes(b"\n")
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        self.try_flush().map_err(cannot_write)
    }

    /// As [`Self::flush`], for a caller who passes I/O errors on.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns the error of a write to stdout. A reader that has gone is no reason to complain.
fn cannot_write(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::new(ErrorKind::ClosedPipe, "the reader has gone"),
        _ => Error::failure("could not write to stdout").caused_by(error),
    }
}

/// Returns stdout for the bytes of a file, from any thread: a pipe gets them as they are, a terminal what it can show.
pub(crate) fn file_bytes() -> Box<dyn Write + Send> {
    if super::streams::out_is_terminal() { Box::new(Filter::new(io::stdout())) } else { Box::new(io::stdout()) }
}
