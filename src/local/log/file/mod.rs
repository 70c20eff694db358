//! A log stream as a file: a line an event, its time in front, so that `cat` shows it and a reader can bisect it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use memchr::{memchr, memrchr, memrchr_iter};

use crate::local::store::private_file;
use crate::model::LogEvent;

/// `2026-11-23T04:05:06.789Z `: what stands before every message.
pub(crate) const STAMP_LEN: usize = 25;
/// What ends the time of a line that no script has printed, in place of a space: lines may be missing where it stands.
const GAP: u8 = b'!';
/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;
/// The most bytes on a page, as GetLogEvents has it (1 MB).
const PAGE_BYTES: usize = 1 << 20;
/// The most events on a page, as GetLogEvents has it.
pub(crate) const PAGE_EVENTS: usize = 10_000;

/// Appends events. What one call of [`LogWriter::flush`] writes is on disk whole or, on a full disk, not at all.
#[derive(Debug)]
pub(crate) struct LogWriter {
    file: File,
    /// Bytes of the file that are known to be whole.
    good: u64,
    buffer: Vec<u8>,
    last: Timestamp,
    stamp: String,
    /// Why events were dropped that no mark stands for yet.
    dropped: Option<String>,
}

impl LogWriter {
    /// Opens for appending. A line that a crash cut short is ended first.
    pub(crate) fn append(path: &Path) -> io::Result<Self> {
        let file = private_file::open(path, File::options().create(true).read(true).append(true))?;
        let good = file.metadata()?.len();
        let mut writer =
            Self { file, good, buffer: Vec::new(), last: Timestamp::MIN, stamp: String::new(), dropped: None };
        if good > 0 && last_byte(&writer.file, good)? != b'\n' {
            writer.buffer.push(b'\n');
        }
        Ok(writer)
    }

    /// The file's length once all is written.
    pub(crate) fn len(&self) -> u64 {
        self.good + self.buffer.len() as u64
    }

    /// Adds an event. Times never go back, even when the computer's clock does: readers bisect by them.
    pub(crate) fn event(&mut self, now: Timestamp, message: &[u8]) {
        self.mark_dropped(now);
        self.push(now, message);
    }

    fn push(&mut self, now: Timestamp, message: &[u8]) {
        if now > self.last {
            self.last = now;
            self.stamp = stamp(now);
        }
        self.buffer.extend_from_slice(self.stamp.as_bytes());
        self.buffer.extend_from_slice(message);
        self.buffer.push(b'\n');
    }

    /// Adds a mark: lines may be missing here. It can't be mistaken for anything that a script printed.
    pub(crate) fn gap(&mut self, now: Timestamp, why: &str) {
        let start = self.buffer.len();
        self.push(now, format!(" smtrain: lines may be missing here: {why}").as_bytes());
        if let Some(end_of_stamp) = self.buffer.get_mut(start + STAMP_LEN - 1) {
            *end_of_stamp = GAP;
        }
    }

    /// Drops the events that could not be written. A mark takes their place once the log can be written again.
    pub(crate) fn drop_unwritten(&mut self, why: &str) {
        if !self.buffer.is_empty() {
            self.buffer.clear();
            self.dropped.get_or_insert_with(|| why.to_owned());
        }
    }

    /// Adds the mark for events that were dropped, if any were.
    pub(crate) fn mark_dropped(&mut self, now: Timestamp) {
        if let (Some(why), true) = (self.dropped.clone(), self.buffer.is_empty()) {
            self.gap(now, &why);
        }
    }

    /// Returns why events are missing that no mark in the file stands for.
    pub(crate) fn dropped(&self) -> Option<&str> {
        self.dropped.as_deref()
    }

    /// Returns what has become of the file since it was opened at `path`; none where it is there as it was written.
    pub(crate) fn damage(&self, path: &Path) -> Option<&'static str> {
        let Ok(written) = self.file.metadata() else { return None };
        let named = std::fs::symlink_metadata(path);
        match named {
            Ok(named) if (named.dev(), named.ino()) != (written.dev(), written.ino()) => {
                Some("the log was replaced by another file while the job ran")
            }
            Ok(_) if written.len() < self.good => Some("the log was cut short by somebody while the job ran"),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Some("the log was removed while the job ran")
            }
            _ => None,
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.buffer) {
            self.file.set_len(self.good)?;
            return Err(error);
        }
        self.good += self.buffer.len() as u64;
        self.buffer.clear();
        self.dropped = None;
        Ok(())
    }
}

/// Returns the number of bytes that an event takes in the file.
pub(crate) fn event_len(message: &[u8]) -> u64 {
    (STAMP_LEN + message.len() + 1) as u64
}

fn stamp(at: Timestamp) -> String {
    format!("{at:.3} ")
}

fn last_byte(mut file: &File, len: u64) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(len.saturating_sub(1)))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// Reads a stream's file, from any event on, forwards or backwards.
#[derive(Debug)]
pub(crate) struct LogReader {
    file: File,
}

/// A run of events and the bytes of the file that it covers.
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

    /// The length up to which the file holds whole lines, now.
    pub(crate) fn whole_len(&mut self) -> io::Result<u64> {
        let len = self.file.metadata()?.len();
        self.line_start(len, 0)
    }

    /// Up to `limit` events that lie whole within `from..to`, which are starts of lines.
    pub(crate) fn forwards(&mut self, from: u64, to: u64, limit: usize) -> io::Result<Events> {
        let (mut events, mut at) = (Vec::new(), from);
        while at < to && events.len() < limit && at - from < PAGE_BYTES as u64 {
            let chunk = self.whole_lines(at, to)?;
            if chunk.is_empty() {
                break;
            }
            at += parse_lines(&chunk, limit, &mut events);
        }
        Ok(Events { events, start: from, end: at })
    }

    /// The last `limit` events that lie whole within `from..to`, oldest first.
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

    /// The first line in `0..to` that is not older than `time`.
    pub(crate) fn first_since(&mut self, time: Timestamp, to: u64) -> io::Result<u64> {
        let wanted = stamp(time);
        let (mut low, mut high) = (0, to);
        while low < high {
            let line = self.line_start(low + (high - low) / 2, low)?;
            let mut head = [0; STAMP_LEN];
            self.read_at(line, &mut head)?;
            if head.as_slice() < wanted.as_bytes() {
                low = self.next_line(line, to)?;
            } else {
                high = line;
            }
        }
        Ok(low)
    }

    /// Bytes of whole lines from `at` on, at least one line where there is one.
    fn whole_lines(&mut self, at: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut size = CHUNK;
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

    /// Where the line that holds byte `at` starts, or `floor` if it starts before.
    fn line_start(&mut self, at: u64, floor: u64) -> io::Result<u64> {
        let mut end = at;
        while end > floor {
            let start = end.saturating_sub(CHUNK as u64).max(floor);
            let mut chunk = vec![0; usize::try_from(end - start).unwrap_or(CHUNK)];
            let read = self.read_at(start, &mut chunk)?;
            if let Some(feed) = memrchr(b'\n', chunk.get(..read).unwrap_or_default()) {
                return Ok(start + feed as u64 + 1);
            }
            end = start;
        }
        Ok(floor)
    }

    fn next_line(&mut self, line: u64, to: u64) -> io::Result<u64> {
        let mut at = line;
        while at < to {
            let mut chunk = vec![0; CHUNK.min(usize::try_from(to - at).unwrap_or(CHUNK))];
            let read = self.read_at(at, &mut chunk)?;
            match memchr(b'\n', chunk.get(..read).unwrap_or_default()) {
                Some(feed) => return Ok(at + feed as u64 + 1),
                None if read == 0 => return Ok(to),
                None => at += read as u64,
            }
        }
        Ok(to)
    }

    fn start_of_last_lines(&mut self, from: u64, to: u64, limit: usize) -> io::Result<u64> {
        let (mut end, mut lines) = (to.saturating_sub(1), 0);
        while end > from {
            let start = end.saturating_sub(CHUNK as u64).max(from);
            let mut chunk = vec![0; usize::try_from(end - start).unwrap_or(CHUNK)];
            let read = self.read_at(start, &mut chunk)?;
            for feed in memrchr_iter(b'\n', chunk.get(..read).unwrap_or_default()) {
                let line = start + feed as u64 + 1;
                lines += 1;
                if lines >= limit || to - line >= PAGE_BYTES as u64 {
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

/// Parses lines until `events` holds `limit`; returns how many bytes it took.
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

/// A line that has no time in front was cut short by a crash: its bytes stay, with the epoch as their time.
fn parse_line(line: &[u8]) -> Option<LogEvent> {
    let parsed = line.split_at_checked(STAMP_LEN).and_then(|(stamp, message)| {
        let (end, time) = stamp.split_last()?;
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
