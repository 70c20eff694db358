//! Recovers output that a killed supervisor had not written to the log, and marks what may be lost.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use super::file::LogWriter;
use super::lines::LineSplitter;
use super::spool;
use crate::local::store::layout::JobFolder;
use crate::local::store::private_file;

/// Reasons in gap marks.
const SUPERVISOR_KILLED: &str = "the supervisor of this job was killed";
const BOTH_KILLED: &str = "the processes that looked after this job were killed, or the computer was restarted";

/// Appends to the log what the supervisor had read and what the pipe holds. Where either is unavailable, appends a gap
/// mark.
pub(crate) fn save(folder: &JobFolder, log: &Path, pipe: Option<File>) -> io::Result<()> {
    let recovered = spool::recover(&folder.spool(), log, Timestamp::now());
    let is_whole = recovered.is_ok() && pipe.is_some();
    let (mut log, mut lines) = match recovered {
        Ok(recovered) => recovered,
        Err(_) => (LogWriter::append(log)?, LineSplitter::default()),
    };
    if !is_whole {
        log.push_gap(Timestamp::now(), SUPERVISOR_KILLED);
    }
    if let Some(pipe) = pipe {
        drain(pipe, &mut lines, &mut log)?;
    }
    lines.finish(|line| log.event(Timestamp::now(), line));
    log.flush()
}

/// Reads a pipe's current content, without blocking.
fn drain(mut pipe: File, lines: &mut LineSplitter, log: &mut LogWriter) -> io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                lines.feed(chunk.get(..read).expect("a read returns at most the length of its buffer"), |line| {
                    log.event(Timestamp::now(), line);
                });
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Recovers the output of a job whose guard was killed as well: the pipe's content is lost. Does nothing if no output
/// was in flight.
pub(crate) fn save_without_guard(folder: &JobFolder) -> io::Result<()> {
    if !private_file::exists(&folder.spool())? {
        return Ok(());
    }
    let path = folder.stream()?;
    let (mut log, mut lines) = match spool::recover(&folder.spool(), &path, Timestamp::now()) {
        Ok(recovered) => recovered,
        Err(_) => (LogWriter::append(&path)?, LineSplitter::default()),
    };
    lines.finish(|line| log.event(Timestamp::now(), line));
    log.push_gap(Timestamp::now(), BOTH_KILLED);
    log.flush()?;
    fs::remove_file(folder.spool())
}
