//! Writes data to stdout, for scripts and for people.

use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Text;
use super::terminal::Filter;
use crate::error::{Error, Result};

/// Size of the buffer of stdout, in bytes.
const STDOUT_BUFFER_BYTES: usize = 64 * 1024;

/// Buffered stdout, usable from any thread. A broken pipe becomes an error that ends the command silently.
pub(crate) struct DataOutput {
    out: BufWriter<io::Stdout>,
    styled: bool,
    is_terminal: bool,
}

impl DataOutput {
    pub(super) fn new(styled: bool) -> Self {
        let is_terminal = super::streams::out_is_terminal();
        Self { out: BufWriter::with_capacity(STDOUT_BUFFER_BYTES, io::stdout()), styled, is_terminal }
    }

    /// Returns true if styles are shown.
    pub(crate) fn is_styled(&self) -> bool {
        self.styled
    }

    /// Writes bytes unchanged. They must be harmless for a terminal: of a log after [`log_text`](super::log_text), or
    /// of smtrain itself.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(Error::output)
    }

    /// Writes text; without its styles unless they are shown.
    pub(crate) fn text(&mut self, text: impl Into<Text>) -> Result<()> {
        self.try_text(text).map_err(Error::output)
    }

    /// As [`Self::text`], with an I/O error.
    pub(crate) fn try_text(&mut self, text: impl Into<Text>) -> io::Result<()> {
        self.out.write_all(text.into().shown(self.styled).as_bytes())
    }

    /// Writes a line with a path: its exact bytes, unless stdout is a terminal.
    pub(crate) fn path(&mut self, path: &Path) -> Result<()> {
        if self.is_terminal {
            return self.text(format_args!("{}\n", path.display()));
        }
        self.bytes(path.as_os_str().as_bytes())?;
        self.bytes(b"\n")
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        self.try_flush().map_err(Error::output)
    }

    /// As [`Self::flush`], with an I/O error.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns stdout for the bytes of a file, usable from any thread. A terminal gets only what it can show.
pub(crate) fn file_bytes() -> Box<dyn Write + Send> {
    if super::streams::out_is_terminal() { Box::new(Filter::new(io::stdout())) } else { Box::new(io::stdout()) }
}
