//! Log stream as a file: one line per event, with its time in front, so that `cat` shows it and a reader can bisect it.
//!
//! Times never decrease within a file, which makes the bisection valid. A gap mark, written by smtrain where lines may
//! be missing, ends its time in `!` instead of a space, so that no script's output can look like one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use memchr::{memchr, memrchr, memrchr_iter};

use crate::local::store::private_file;
use crate::model::LogEvent;

/// Length of the time in front of each message: `2026-11-23T04:05:06.789Z `.
pub(crate) const TIME_LEN: usize = 25;
/// Ends the time of a gap mark, in place of a space.
const GAP: u8 = b'!';
/// Read size, in bytes.
const READ_CHUNK_BYTES: usize = 256 * 1024;
/// Maximum size of a page in bytes, as in GetLogEvents (1 MB).
const MAX_PAGE_BYTES: usize = 1 << 20;
/// Maximum number of events on a page, as in GetLogEvents.
pub(crate) const MAX_PAGE_EVENTS: usize = 10_000;

/// Appends events. One call of [`LogWriter::flush`] writes all buffered events or, on a full disk, none.
#[derive(Debug)]
pub(crate) struct LogWriter {
    file: File,
    /// Length of the file up to the last complete flush.
    flushed_len: u64,
    buffer: Vec<u8>,
    last: Timestamp,
    time_text: String,
    /// Why events were dropped, until a gap mark is written for them.
    dropped: Option<String>,
}

impl LogWriter {
    /// Opens a file for appending. A line that a crash cut short is ended first.
    pub(crate) fn append(path: &Path) -> io::Result<Self> {
        let file = private_file::open(path, File::options().create(true).read(true).append(true))?;
        let flushed_len = file.metadata()?.len();
        let mut writer = Self {
            file,
            flushed_len,
            buffer: Vec::new(),
            last: Timestamp::MIN,
            time_text: String::new(),
            dropped: None,
        };
        if flushed_len > 0 && last_byte(&writer.file, flushed_len)? != b'\n' {
            writer.buffer.push(b'\n');
        }
        Ok(writer)
    }

    /// Returns the file's length after the next flush.
    pub(crate) fn len(&self) -> u64 {
        self.flushed_len + self.buffer.len() as u64
    }

    /// Buffers an event. If the computer's clock goes back, the last time is used again: readers bisect by time.
    pub(crate) fn event(&mut self, now: Timestamp, message: &[u8]) {
        self.mark_dropped(now);
        self.push(now, message);
    }

    fn push(&mut self, now: Timestamp, message: &[u8]) {
        if now > self.last {
            self.last = now;
            self.time_text = time_text(now);
        }
        self.buffer.extend_from_slice(self.time_text.as_bytes());
        self.buffer.extend_from_slice(message);
        self.buffer.push(b'\n');
    }

    /// Buffers a gap mark.
    pub(crate) fn push_gap(&mut self, now: Timestamp, why: &str) {
        let start = self.buffer.len();
        self.push(now, format!(" smtrain: lines may be missing here: {why}").as_bytes());
        if let Some(end_of_stamp) = self.buffer.get_mut(start + TIME_LEN - 1) {
            *end_of_stamp = GAP;
        }
    }

    /// Drops the events that could not be written. A gap mark takes their place once the log can be written again.
    pub(crate) fn drop_unwritten(&mut self, why: &str) {
        if !self.buffer.is_empty() {
            self.buffer.clear();
            self.dropped.get_or_insert_with(|| why.to_owned());
        }
    }

    /// Buffers the gap mark for dropped events, if any.
    pub(crate) fn mark_dropped(&mut self, now: Timestamp) {
        if let (Some(why), true) = (self.dropped.clone(), self.buffer.is_empty()) {
            self.push_gap(now, &why);
        }
    }

    /// Returns why events were dropped, if no gap mark has been written for them.
    pub(crate) fn dropped(&self) -> Option<&str> {
        self.dropped.as_deref()
    }

    /// Returns how the file at `path` was damaged since it was opened, or `None` if it is intact.
    pub(crate) fn damage(&self, path: &Path) -> Option<&'static str> {
        let Ok(written) = self.file.metadata() else { return None };
        let named = std::fs::symlink_metadata(path);
        match named {
            Ok(named) if (named.dev(), named.ino()) != (written.dev(), written.ino()) => {
                Some("the log was replaced by another file while the job ran")
            }
            Ok(_) if written.len() < self.flushed_len => {
                Some("the log was truncated by another process while the job ran")
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Some("the log was removed while the job ran")
            }
            _ => None,
        }
    }

    /// Writes the buffered events. On an error, truncates the file to its length before.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.buffer) {
            self.file.set_len(self.flushed_len)?;
            return Err(error);
        }
        self.flushed_len += self.buffer.len() as u64;
        self.buffer.clear();
        self.dropped = None;
        Ok(())
    }
}

/// Returns the number of bytes that an event takes in the file.
pub(crate) fn event_len(message: &[u8]) -> u64 {
    (TIME_LEN + message.len() + 1) as u64
}

fn time_text(at: Timestamp) -> String {
    format!("{at:.3} ")
}

fn last_byte(mut file: &File, len: u64) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(len.saturating_sub(1)))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// Reads a log file from any event on, forwards or backwards.
#[derive(Debug)]
pub(crate) struct LogReader {
    file: File,
}

/// Consecutive events and the byte range of the file that they occupy.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) events: Vec<LogEvent>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl LogReader {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: private_file::open(path, File::options().read(true))? })
    }

    /// Returns the current length up to the last complete line.
    pub(crate) fn whole_len(&mut self) -> io::Result<u64> {
        let len = self.file.metadata()?.len();
        self.line_start(len, 0)
    }

    /// Reads up to `limit` events within `from..to`, which are starts of lines.
    pub(crate) fn forwards(&mut self, from: u64, to: u64, limit: usize) -> io::Result<Events> {
        let mut events = Vec::new();
        let mut at = from;
        while at < to && events.len() < limit && at - from < MAX_PAGE_BYTES as u64 {
            let chunk = self.whole_lines(at, to)?;
            if chunk.is_empty() {
                break;
            }
            at += parse_lines(&chunk, limit, &mut events);
        }
        Ok(Events { events, start: from, end: at })
    }

    /// Reads the last `limit` events within `from..to`, oldest first.
    pub(crate) fn backwards(&mut self, from: u64, to: u64, limit: usize) -> io::Result<Events> {
        let start = self.start_of_last_lines(from, to, limit)?;
        let mut run = Events { events: Vec::new(), start, end: start };
        while run.end < to {
            let chunk = self.whole_lines(run.end, to)?;
            if chunk.is_empty() {
                break;
            }
            run.end += parse_lines(&chunk, usize::MAX, &mut run.events);
        }
        Ok(run)
    }

    /// Returns the start of the first line in `0..to` that is not older than `time`.
    pub(crate) fn first_since(&mut self, time: Timestamp, to: u64) -> io::Result<u64> {
        let wanted = time_text(time);
        let mut low = 0;
        let mut high = to;
        while low < high {
            let line = self.line_start(low + (high - low) / 2, low)?;
            let mut head = [0; TIME_LEN];
            self.read_at(line, &mut head)?;
            if head.as_slice() < wanted.as_bytes() {
                low = self.next_line(line, to)?;
            } else {
                high = line;
            }
        }
        Ok(low)
    }

    /// Reads complete lines from `at` on: at least one line, if there is one.
    fn whole_lines(&mut self, at: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut size = READ_CHUNK_BYTES;
        loop {
            let mut chunk = vec![0; size.min(usize::try_from(to - at).unwrap_or(size))];
            let read = self.read_at(at, &mut chunk)?;
            chunk.truncate(read);
            if let Some(end) = memrchr(b'\n', &chunk) {
                chunk.truncate(end + 1);
                return Ok(chunk);
            }
            if read < size {
                return Ok(Vec::new());
            }
            size *= 2;
        }
    }

    /// Returns the start of the line that contains byte `at`, or `floor` if it starts before.
    fn line_start(&mut self, at: u64, floor: u64) -> io::Result<u64> {
        let mut end = at;
        while end > floor {
            let start = end.saturating_sub(READ_CHUNK_BYTES as u64).max(floor);
            let mut chunk = vec![0; usize::try_from(end - start).unwrap_or(READ_CHUNK_BYTES)];
            let read = self.read_at(start, &mut chunk)?;
            if let Some(feed) =
                memrchr(b'\n', chunk.get(..read).expect("a read returns at most the length of its buffer"))
            {
                return Ok(start + feed as u64 + 1);
            }
            end = start;
        }
        Ok(floor)
    }

    fn next_line(&mut self, line: u64, to: u64) -> io::Result<u64> {
        let mut at = line;
        while at < to {
            let mut chunk = vec![0; READ_CHUNK_BYTES.min(usize::try_from(to - at).unwrap_or(READ_CHUNK_BYTES))];
            let read = self.read_at(at, &mut chunk)?;
            match memchr(b'\n', chunk.get(..read).expect("a read returns at most the length of its buffer")) {
                Some(feed) => return Ok(at + feed as u64 + 1),
                None if read == 0 => return Ok(to),
                None => at += read as u64,
            }
        }
        Ok(to)
    }

    fn start_of_last_lines(&mut self, from: u64, to: u64, limit: usize) -> io::Result<u64> {
        let mut end = to.saturating_sub(1);
        let mut lines = 0;
        while end > from {
            let start = end.saturating_sub(READ_CHUNK_BYTES as u64).max(from);
            let mut chunk = vec![0; usize::try_from(end - start).unwrap_or(READ_CHUNK_BYTES)];
            let read = self.read_at(start, &mut chunk)?;
            for feed in memrchr_iter(b'\n', chunk.get(..read).expect("a read returns at most the length of its buffer"))
            {
                let line = start + feed as u64 + 1;
                lines += 1;
                if lines >= limit || to - line >= MAX_PAGE_BYTES as u64 {
                    return Ok(line);
                }
            }
            end = start;
        }
        Ok(from)
    }

    fn read_at(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(at))?;
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// Parses lines until `events` has `limit`; returns the number of bytes parsed.
fn parse_lines(chunk: &[u8], limit: usize, events: &mut Vec<LogEvent>) -> u64 {
    let mut taken = 0;
    for line in chunk.split_inclusive(|byte| *byte == b'\n') {
        if events.len() >= limit {
            break;
        }
        taken += line.len() as u64;
        events.extend(parse_line(line.strip_suffix(b"\n").unwrap_or(line)));
    }
    taken
}

/// Parses a line. One without a time was cut short by a crash: it is kept, with the epoch as its time.
fn parse_line(line: &[u8]) -> Option<LogEvent> {
    let parsed = line.split_at_checked(TIME_LEN).and_then(|(time_text, message)| {
        let (end, time) = time_text.split_last()?;
        let timestamp = std::str::from_utf8(time).ok()?.parse().ok()?;
        let is_gap = *end == GAP;
        let message = if is_gap { message.trim_ascii_start() } else { message };
        (is_gap || *end == b' ').then(|| LogEvent { timestamp, ingested: None, message: message.to_vec(), is_gap })
    });
    parsed.or_else(|| {
        (!line.is_empty()).then(|| LogEvent {
            timestamp: Timestamp::UNIX_EPOCH,
            ingested: None,
            message: line.to_vec(),
            is_gap: false,
        })
    })
}

#[cfg(test)]
mod tests;
