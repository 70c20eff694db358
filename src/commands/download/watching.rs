//! Shows the progress of a download, and collects the files for JSON output.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result, WithContext};
use crate::model::IgnorePoison;
use crate::ops::download::{Watch, kept_hint};
use crate::ui::{self, Progress, Ui};
use crate::view;
use crate::view::download::FileJson;

/// Minimum number of fetched bytes for which the rate is reported.
const MIN_REPORTED_BYTES: u64 = 1024 * 1024;

/// Watch of a download.
pub(super) struct ProgressWatch {
    ui: Ui,
    progress: Progress,
    started: Instant,
    fetched: AtomicU64,
    /// Bytes that an earlier download fetched.
    present: AtomicU64,
    /// Staging directory, if fetched bytes are kept.
    kept_in: Mutex<Option<PathBuf>>,
    unpacked: AtomicU64,
    /// JSON lines of the files, in a temporary file, because there can be millions.
    files: Option<Mutex<BufWriter<File>>>,
}

impl ProgressWatch {
    pub(super) fn new(ui: Ui, collects_files: bool) -> Result<Self> {
        let file = || tempfile::tempfile().context("create a temporary file");
        let files = if collects_files { Some(Mutex::new(BufWriter::new(file()?))) } else { None };
        Ok(Self { files, ..Self::with(ui, true) })
    }

    /// Creates a watch for a download that writes to stdout: no progress if stdout is a terminal.
    pub(super) fn beside_data(ui: Ui) -> Self {
        Self::with(ui, !ui::out_is_terminal())
    }

    fn with(ui: Ui, shows_progress: bool) -> Self {
        Self {
            ui,
            progress: ui.progress_of_download(shows_progress),
            started: Instant::now(),
            fetched: AtomicU64::new(0),
            present: AtomicU64::new(0),
            kept_in: Mutex::default(),
            unpacked: AtomicU64::new(0),
            files: None,
        }
    }

    /// Removes the progress line.
    pub(super) fn end(&self) {
        self.progress.end();
    }

    /// Formats the rate: `fetched 476 MiB in 2.1 s: 227 MiB/s`. Returns `None` for small downloads.
    pub(super) fn rate(&self) -> Option<String> {
        let fetched = self.fetched.load(Ordering::Relaxed);
        let seconds = self.started.elapsed().as_secs_f64();
        if fetched < MIN_REPORTED_BYTES {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate to be read"
        )]
        let rate = (fetched as f64 / seconds.max(0.001)) as u64;
        Some(format!("fetched {} in {seconds:.1} s: {}/s", ui::bytes(fetched), ui::bytes(rate)))
    }

    /// Adds a hint to an interruption that says how to resume.
    pub(super) fn hint(&self, error: Error, again: &str) -> Error {
        let has_bytes = self.fetched.load(Ordering::Relaxed) + self.present.load(Ordering::Relaxed) > 0;
        let kept_in = self.kept_in.lock().ignore_poison();
        match kept_in.as_deref().filter(|_| has_bytes && matches!(error.kind(), ErrorKind::Interrupted)) {
            Some(folder) => error.hint(kept_hint(folder, again)),
            None => error,
        }
    }

    /// Prints a line of JSON for each saved file.
    pub(super) fn print_files(&self, ui: Ui) -> Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let reading = || "read what was noted of the files".to_owned();
        let mut lines = files.lock().ignore_poison();
        lines.flush().context(reading)?;
        let file = lines.get_mut();
        file.rewind().context(reading)?;
        let mut data = ui.data();
        for line in BufReader::new(file).split(b'\n') {
            data.bytes(&line.context(reading)?)?;
            data.bytes(b"\n")?;
        }
        data.flush()
    }
}

impl Watch for ProgressWatch {
    fn begin(&self, what: &str, size: u64, present: u64, kept_in: Option<&Path>) {
        *self.kept_in.lock().ignore_poison() = kept_in.map(Path::to_owned);
        self.present.store(present, Ordering::Relaxed);
        self.progress.begin(what, size, present);
        if present > 0 && present < size {
            self.note(&format!("{what}: resuming at {} of {}", ui::bytes(present), ui::bytes(size)));
        }
    }

    fn fetched(&self, bytes: u64) {
        self.fetched.fetch_add(bytes, Ordering::Relaxed);
        self.progress.advance(bytes);
    }

    fn unpacked(&self, bytes: u64) {
        let unpacked = self.unpacked.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.set_suffix(|| format!("{} unpacked", ui::bytes(unpacked)));
    }

    fn note(&self, text: &str) {
        self.progress.suspend(|| self.ui.note(text));
    }

    fn warning(&self, text: &str) {
        self.progress.suspend(|| self.ui.warning(text));
    }

    fn digests(&self) -> bool {
        self.files.is_some()
    }

    fn file_saved(&self, what: &str, path: &Path, size: u64, sha256: Option<[u8; 32]>) -> io::Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let line = view::json_line(&FileJson::saved(what, path, size, sha256)).map_err(io::Error::other)?;
        writeln!(files.lock().ignore_poison(), "{line}")
    }
}
