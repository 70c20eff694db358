//! What a script printed last, when the supervisor that should have read it was killed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cloud::local::lines::LineSplitter;
use crate::cloud::local::log::LogWriter;

/// The other end of this process's own standard output: the pipe that the supervisor reads. It is opened while the
/// supervisor lives, so that the script never writes to a pipe which nobody reads.
#[derive(Debug)]
pub(crate) struct LastOutput {
    pipe: Option<File>,
    log: PathBuf,
}

impl LastOutput {
    pub(crate) fn open(log: &Path) -> Self {
        // Only Linux lets a pipe be opened by its descriptor; elsewhere what the pipe holds is lost with the supervisor.
        let pipe = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open("/proc/self/fd/1").ok();
        Self { pipe, log: log.to_owned() }
    }

    /// Appends what the pipe still holds to the log.
    pub(crate) fn save(self) -> io::Result<()> {
        let Some(mut pipe) = self.pipe else { return Ok(()) };
        let (mut log, mut lines) = (LogWriter::append(&self.log)?, LineSplitter::default());
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    lines.feed(chunk.get(..read).unwrap_or_default(), |line| log.event(Timestamp::now(), line));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        lines.finish(|line| log.event(Timestamp::now(), line));
        log.flush()
    }
}
