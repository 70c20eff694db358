//! Last output of a script whose supervisor was killed before it read it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::local::log::recovery;
use crate::local::store::layout::JobFolder;

/// The read end of this process's own standard output: the pipe that the supervisor reads. It is opened while the
/// supervisor lives, so that the script never writes to a pipe without reader.
#[derive(Debug)]
pub(crate) struct LastOutput {
    pipe: Option<File>,
    log: PathBuf,
}

impl LastOutput {
    pub(crate) fn open(log: &Path) -> Self {
        // Only Linux can open a pipe by its descriptor; elsewhere the pipe's content is lost with the supervisor.
        let pipe = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open("/proc/self/fd/1").ok();
        Self { pipe, log: log.to_owned() }
    }

    /// Appends to the log what the supervisor had read and what the pipe holds. Where either is unavailable, appends a
    /// gap mark.
    pub(crate) fn save(self, folder: &JobFolder) -> io::Result<()> {
        recovery::save(folder, &self.log, self.pipe)
    }
}
