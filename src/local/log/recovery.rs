//! A job's output that its supervisor had not written to the log when it was killed: saved, and what may be lost marked.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use super::file::LogWriter;
use super::lines::LineSplitter;
use super::spool;
use crate::local::store::layout::JobFolder;
use crate::local::store::private_file;

/// Why lines may be missing.
const SUPERVISOR_KILLED: &str = "the supervisor of this job was killed";
const BOTH_KILLED: &str = "the processes that looked after this job were killed, or the computer was restarted";

/// Appends to the log what the supervisor had read, and what the pipe still holds. Where either can't be had, a mark.
pub(crate) fn save(folder: &JobFolder, log: &Path, pipe: Option<File>) -> io::Result<()> {
    let recovered = spool::recover(&folder.spool(), log, Timestamp::now());
    let is_whole = recovered.is_ok() && pipe.is_some();
    let (mut log, mut lines) = match recovered {
        Ok(recovered) => recovered,
        Err(_) => (LogWriter::append(log)?, LineSplitter::default()),
    };
    if !is_whole {
        log.gap(Timestamp::now(), SUPERVISOR_KILLED);
    }
    if let Some(pipe) = pipe {
        drain(pipe, &mut lines, &mut log)?;
    }
    lines.finish(|line| log.event(Timestamp::now(), line));
    log.flush()
}

/// Reads what a pipe holds, and doesn't wait for more.
fn drain(mut pipe: File, lines: &mut LineSplitter, log: &mut LogWriter) -> io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                lines.feed(chunk.get(..read).unwrap_or_default(), |line| log.event(Timestamp::now(), line));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same for a job whose guard is gone, too: what the pipe held is lost. Nothing where no output was on its way.
pub(crate) fn save_without_guard(folder: &JobFolder) -> io::Result<()> {
    if !private_file::is_there(&folder.spool())? {
        return Ok(());
    }
    let path = folder.stream()?;
    let (mut log, mut lines) = match spool::recover(&folder.spool(), &path, Timestamp::now()) {
        Ok(recovered) => recovered,
        Err(_) => (LogWriter::append(&path)?, LineSplitter::default()),
    };
    lines.finish(|line| log.event(Timestamp::now(), line));
    log.gap(Timestamp::now(), BOTH_KILLED);
    log.flush()?;
    fs::remove_file(folder.spool())
}
