//! Keeps the bytes of a script's output between its pipe and the log in a file.
//!
//! A supervisor that is killed between reading the pipe and writing the log would lose what it has read. On Linux,
//! `splice(2)` moves bytes from a pipe to a file inside the kernel: at any moment they are in one or the other. The
//! file starts with the log's length at the time when it had none of the file's bytes. A log line is a time of fixed
//! length and the message, so that the log's length tells how many lines of the file it has since received.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::file::{LogWriter, TIME_LEN, event_len};
use super::lines::LineSplitter;
use crate::local::store::{layout, private_file};

/// Length of the header: the log's length in 20 digits, and a line feed.
const HEADER_LEN: u64 = 21;
/// Size in bytes above which the file is emptied at the end of a line.
const MIN_EMPTY_BYTES: u64 = 64 * 1024;
/// Size in bytes above which the file is replaced by the start of the current line: twice the longest message, so that
/// a long line is not rewritten with every read.
const MAX_SPOOL_BYTES: u64 = 2 << 20;

/// Reads a pipe through a file, as long as the system supports it.
#[derive(Debug)]
pub(crate) struct PipeSpool {
    path: PathBuf,
    /// `None` if the file can't be created, or bytes can't be moved inside the kernel. A kill may then lose bytes.
    file: Option<File>,
    /// Length of the file in bytes.
    len: u64,
}

impl PipeSpool {
    /// Creates the file. `log_len` is the log's length before it receives anything from the pipe.
    pub(crate) fn create(path: &Path, log_len: u64) -> Self {
        // Without the file, the output is read directly, and a guard finds nothing to recover.
        let created = create_file(path, log_len, b"");
        let (file, len) = created.map_or_else(|_| (None, 0), |(file, len)| (Some(file), len));
        Self { path: path.to_owned(), file, len }
    }

    /// Reads the next bytes of the pipe and returns their number, 0 at its end. Blocks.
    pub(crate) fn read(&mut self, pipe: &mut PipeReader, into: &mut [u8]) -> io::Result<usize> {
        if let Some(file) = &self.file {
            match splice(pipe, file, self.len, into.len()) {
                // Bytes that can't be moved are still in the pipe.
                Err(error) if is_unsupported(&error) || is_full(&error) => self.give_up(),
                moved => {
                    let moved = moved?;
                    file.read_exact_at(
                        into.get_mut(..moved).expect("splice moves at most the length that it was given"),
                        self.len,
                    )?;
                    self.len += moved as u64;
                    return Ok(moved);
                }
            }
        }
        loop {
            match pipe.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Stops using the file. An empty file marks that bytes can't be recovered.
    pub(crate) fn give_up(&mut self) {
        if let Some(file) = self.file.take() {
            // A file that can't be emptied no longer matches the log, which recovery notices.
            let _unemptied = file.set_len(0);
        }
    }

    /// Notes that all bytes read are in the log, whose length is `log_len`, except the unfinished line in `lines`.
    /// Empties the file if it is large.
    pub(crate) fn logged(&mut self, log_len: u64, lines: &LineSplitter) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if self.len <= HEADER_LEN + MIN_EMPTY_BYTES {
            return Ok(());
        }
        let unfinished = lines.unfinished();
        if unfinished.is_empty() {
            file.set_len(HEADER_LEN)?;
            file.write_all_at(header(log_len).as_bytes(), 0)?;
            self.len = HEADER_LEN;
        } else if self.len > MAX_SPOOL_BYTES {
            let (file, len) = create_file(&self.path, log_len, &unfinished)?;
            self.file = Some(file);
            self.len = len;
        }
        Ok(())
    }

    /// Removes the file, once all bytes read are in the log.
    pub(crate) fn finish(self) {
        // If this fails, the file is removed at the job's end.
        let _left = std::fs::remove_file(self.path);
    }
}

fn header(log_len: u64) -> String {
    format!("{log_len:020}\n")
}

/// Replaces the file atomically, and opens it.
fn create_file(path: &Path, log_len: u64, unfinished: &[u8]) -> io::Result<(File, u64)> {
    let text = [header(log_len).as_bytes(), unfinished].concat();
    let file = layout::replace_unsynced(path, &text)?;
    Ok((file, text.len() as u64))
}

/// Moves bytes from the pipe to the end of the file, and returns their number. Blocks until there are any.
#[cfg(target_os = "linux")]
fn splice(pipe: &PipeReader, file: &File, at: u64, max_bytes: usize) -> io::Result<usize> {
    use nix::errno::Errno;
    use nix::fcntl::{SpliceFFlags, splice};

    let mut at = i64::try_from(at).map_err(io::Error::other)?;
    loop {
        match splice(pipe, None, file, Some(&mut at), max_bytes, SpliceFFlags::empty()) {
            Err(Errno::EINTR) => {}
            moved => return Ok(moved?),
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn splice(_pipe: &PipeReader, _file: &File, _at: u64, _most: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Not every file system supports `splice`.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Appends to the log what the file at `path` has and the log lacks. Returns the log and a splitter that continues at
/// the file's end, which may be in the middle of a line.
pub(crate) fn recover(path: &Path, log: &Path, now: jiff::Timestamp) -> io::Result<(LogWriter, LineSplitter)> {
    let bytes = private_file::read(path)?;
    let (start, body) = parse(&bytes).ok_or_else(|| damaged(path))?;
    let mut lines = LineSplitter::default();
    let mut missing = Vec::new();
    let mut known = start;
    let file = private_file::open(log, File::options().read(true).write(true))?;
    let len = file.metadata()?.len();
    lines.feed(body, |message| {
        let end = known + event_len(message);
        if missing.is_empty() && end <= len {
            known = end;
        } else {
            missing.push(message.to_vec());
        }
    });
    if !body.is_empty() {
        let cut_short =
            usize::try_from(len.checked_sub(known).ok_or_else(|| damaged(path))?).map_err(io::Error::other)?;
        if cut_short > 0 && !is_start(&file, known, cut_short, missing.first())? {
            return Err(damaged(path));
        }
        // A line that was cut short is written again.
        file.set_len(known)?;
    }
    let mut log = LogWriter::append(log)?;
    for message in &missing {
        log.event(now, message);
    }
    Ok((log, lines))
}

/// Returns whether the last `len` bytes of the log, from `at` on, are the start of a line with this message.
fn is_start(log: &File, at: u64, len: usize, message: Option<&Vec<u8>>) -> io::Result<bool> {
    let Some(message) = message.filter(|message| (len as u64) < event_len(message)) else { return Ok(false) };
    let mut bytes = vec![0; len];
    log.read_exact_at(&mut bytes, at)?;
    let start = bytes.get(TIME_LEN..).unwrap_or_default();
    Ok(message.starts_with(start))
}

fn parse(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (header, body) = bytes.split_at_checked(usize::try_from(HEADER_LEN).ok()?)?;
    let digits = header.strip_suffix(b"\n")?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, body))
}

fn damaged(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", path.display()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// The messages of the log at `path`.
    fn messages(path: &Path) -> io::Result<Vec<Vec<u8>>> {
        let text = std::fs::read(path)?;
        Ok(text.split_inclusive(|byte| *byte == b'\n').map(|line| line[25..line.len() - 1].to_vec()).collect())
    }

    proptest! {
        /// A kill at any moment: `written` of the bytes that the last batch adds to the log got there.
        #[test]
        fn every_line_is_there_once_wherever_the_kill_came(
            text in "[ab\n\r]{1,200}", batches in prop::collection::vec(1usize..40, 1..12), written in 0usize..2000
        ) {
            let root = tempfile::tempdir()?;
            let (path, log_path) = (root.path().join("spool"), root.path().join("log"));
            let mut log = LogWriter::append(&log_path)?;
            log.event(jiff::Timestamp::now(), b"before");
            log.flush()?;
            let (mut pipe, mut writer) = io::pipe()?;
            let mut spool = PipeSpool::create(&path, log.len());
            let mut lines = LineSplitter::default();
            let mut rest = text.as_bytes();
            let mut before_last = log.len();
            for batch in batches {
                let (now, later) = rest.split_at(batch.min(rest.len()));
                if now.is_empty() { break; }
                writer.write_all(now)?;
                rest = later;
                let mut chunk = [0; 64];
                let read = spool.read(&mut pipe, &mut chunk)?;
                before_last = log.len();
                lines.feed(&chunk[..read], |line| log.event(jiff::Timestamp::now(), line));
                log.flush()?;
                spool.logged(log.len(), &lines)?;
            }
            let end = log.len().min(before_last + written as u64);
            File::options().write(true).open(&log_path)?.set_len(end)?;
            let (mut log, mut lines) = recover(&path, &log_path, jiff::Timestamp::now())?;
            let now = jiff::Timestamp::now();
            lines.feed(rest, |line| log.event(now, line));
            lines.finish(|line| log.event(now, line));
            log.flush()?;
            let mut expected = vec![b"before".to_vec()];
            let mut whole = LineSplitter::default();
            whole.feed(text.as_bytes(), |line| expected.push(line.to_vec()));
            whole.finish(|line| expected.push(line.to_vec()));
            prop_assert_eq!(messages(&log_path)?, expected);
        }
    }

    #[test]
    fn the_file_stays_small() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let (mut pipe, mut writer) = io::pipe()?;
        let mut spool = PipeSpool::create(&root.path().join("spool"), 0);
        let mut lines = LineSplitter::default();
        let mut chunk = vec![0; 64 * 1024];
        for _ in 0..200 {
            writer.write_all(&vec![b'x'; 30_001])?;
            let read = spool.read(&mut pipe, &mut chunk)?;
            lines.feed(&chunk[..read], |_| {});
            spool.logged(0, &lines)?;
            assert!(spool.file.is_some() && spool.len <= MAX_SPOOL_BYTES + 64 * 1024 + HEADER_LEN, "{}", spool.len);
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_the_log_is_damaged() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let (path, log) = (root.path().join("spool"), root.path().join("log"));
        std::fs::write(&log, "2026-11-23T04:05:06.789Z one\n")?;
        for text in ["", "x", "00000000000000000099\na\n", "00000000000000000000\n", "00000000000000000000\nlong\n"] {
            std::fs::write(&path, text)?;
            let recovered = recover(&path, &log, jiff::Timestamp::now());
            assert_eq!(recovered.is_ok(), text.ends_with("0\n"), "{text}");
        }
        Ok(())
    }
}
