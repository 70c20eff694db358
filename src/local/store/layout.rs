//! Layout of the state folder: one folder per job, readable with `cat`, and a folder that stands in for S3.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::sys::stat::Mode;
use tempfile::NamedTempFile;

use super::{ownership, private_file};
use crate::contract::HOST_NAME;
use crate::local::{LocalError, LocalResult};
use crate::model::{JobName, S3Uri};

/// Folder of all local state: `$SMTRAIN_HOME`, else `$XDG_STATE_HOME/smtrain`.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
    doubt: Option<String>,
}

impl Home {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, doubt: None }
    }

    /// Returns the same folder. With a doubt that other users may have changed it, no job is created in it.
    pub(crate) fn doubted(self, doubt: Option<String>) -> Self {
        Self { doubt, ..self }
    }

    /// Fails if other users can change what a job runs, if the folders are another user's, or if the umask would keep a
    /// job from reading its own files.
    pub(crate) fn check_writing(&self) -> LocalResult<()> {
        if let Some(doubt) = &self.doubt {
            return Err(ownership::distrusted(doubt));
        }
        let folders = [self.root.clone(), self.jobs(), self.buckets(), self.staging()];
        folders.iter().try_for_each(|folder| ownership::check_writable(folder))?;
        let umask = private_file::umask();
        if !umask.intersects(Mode::S_IRWXU) {
            return Ok(());
        }
        let what = format!(
            "the umask {:04o} denies the owner access to new files: a job could not read its own",
            umask.bits()
        );
        Err(LocalError::Unusable { what, hint: "set another one before: umask 022".to_owned() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn jobs(&self) -> PathBuf {
        self.root.join("jobs")
    }

    pub(crate) fn job(&self, name: &JobName) -> JobFolder {
        JobFolder { path: self.jobs().join(name.as_str()) }
    }

    fn buckets(&self) -> PathBuf {
        self.root.join("s3")
    }

    /// Staging directory of objects. No bucket's name starts with a dot.
    pub(crate) fn staging(&self) -> PathBuf {
        self.buckets().join(".staging")
    }

    /// Returns the path of an object or prefix. Fails for a key that would lead out of its bucket's folder.
    pub(crate) fn object(&self, uri: &S3Uri) -> LocalResult<PathBuf> {
        let segments = || uri.key().split('/').filter(|part| !part.is_empty());
        if segments().any(|part| part == "." || part == "..") {
            return Err(LocalError::Other(format!("{uri} can't be kept as a file: its key has a `.` or `..` part")));
        }
        let bucket = self.buckets().join(uri.bucket());
        Ok(segments().fold(bucket, |path, part| path.join(part)))
    }

    /// Returns the path of an object or prefix that a job is given. Fails if another user owns it or a folder above it
    /// in the bucket, or may write there.
    pub(crate) fn trusted_object(&self, uri: &S3Uri) -> LocalResult<PathBuf> {
        let path = self.object(uri)?;
        path.ancestors().take_while(|above| *above != self.root).try_for_each(ownership::check)?;
        Ok(path)
    }
}

/// One job's folder.
#[derive(Clone, Debug)]
pub(crate) struct JobFolder {
    path: PathBuf,
}

impl JobFolder {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the job's name, which is the folder's.
    pub(crate) fn name(&self) -> std::borrow::Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }

    /// Request of CreateTrainingJob.
    pub(crate) fn request(&self) -> PathBuf {
        self.path.join("request.json")
    }

    /// State of the job, in the form of DescribeTrainingJob's response. Replaced atomically.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join("job.json")
    }

    /// Options without a field in the request: Python, the time between SIGTERM and SIGKILL.
    pub(crate) fn options(&self) -> PathBuf {
        self.path.join("local.json")
    }

    /// File that the supervisor and the guard keep locked while they live.
    pub(crate) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Process id of the supervisor. For people only: no signal is sent to it.
    pub(crate) fn pid(&self) -> PathBuf {
        self.path.join("pid")
    }

    /// Exists once the job was asked to stop.
    pub(crate) fn stop_request(&self) -> PathBuf {
        self.path.join("stop")
    }

    /// The stop request after the supervisor has acknowledged it.
    pub(crate) fn seen_stop_request(&self) -> PathBuf {
        self.path.join("stopping")
    }

    /// Folder of the log streams, one file each.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Returns the job's log stream, `algo-1-{epoch}` as on SageMaker: the existing one, or a name for one that starts
    /// now.
    pub(crate) fn stream(&self) -> io::Result<PathBuf> {
        match self.log().read_dir()?.next() {
            Some(existing) => Ok(existing?.path()),
            None => Ok(self.log().join(format!("{HOST_NAME}-{}", Timestamp::now().as_second()))),
        }
    }

    /// Output of the script between the pipe and the log.
    pub(crate) fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// Note that lines of the log may be missing, where the log itself has no mark. Blank if none are.
    pub(crate) fn log_note(&self) -> PathBuf {
        self.path.join("log-note")
    }

    /// Metric values, as rows of `timestamp,name,value`.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// Errors of the supervisor itself, such as why it could not start.
    pub(crate) fn supervisor_log(&self) -> PathBuf {
        self.path.join("supervisor.log")
    }

    /// Instructions for the guard.
    pub(crate) fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// Exit code of the script as in Python, negative for a signal. Blank until the script has ended.
    pub(crate) fn exit_code(&self) -> PathBuf {
        self.path.join("exit-code")
    }

    /// The script's `/opt/ml`.
    pub(crate) fn ml(&self) -> PathBuf {
        self.path.join("ml")
    }

    /// File with reserved disk space for the final state.
    pub(crate) fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }
}

/// Creates a folder with mode 0700, and its parents.
pub(crate) fn create_private_dir(path: &Path) -> LocalResult<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(LocalError::io(format!("create the folder {}", path.display())))
}

/// Replaces a file atomically and syncs it to disk: after a crash, it has the old text or the new one.
pub(crate) fn replace(path: &Path, text: &[u8]) -> LocalResult<()> {
    let write = || {
        let staged = stage(path, text)?;
        staged.as_file().sync_data()?;
        staged.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(LocalError::io(format!("write {}", path.display())))
}

/// Replaces a file atomically without syncing it, and returns it open for reading and writing.
pub(crate) fn replace_unsynced(path: &Path, text: &[u8]) -> io::Result<File> {
    stage(path, text)?.persist(path).map_err(|error| error.error)
}

/// Writes a temporary file with mode 0600 beside `path`.
fn stage(path: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(text)?;
    Ok(file)
}
