//! What a script printed last, when the supervisor that should have read it was killed.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::local::log::recovery;
use crate::local::store::layout::JobFolder;

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

    /// Appends to the log what the supervisor had read and what the pipe still holds, or marks that it may be missing.
    pub(crate) fn save(self, folder: &JobFolder) -> io::Result<()> {
        recovery::save(folder, &self.log, self.pipe)
    }
}
