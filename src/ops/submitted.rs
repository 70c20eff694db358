//! The record of the jobs that this user submitted from this computer to AWS, by which `-` finds the newest.
//!
//! The newest job of the account may be somebody else's. The record is one file in the state folder, replaced as a whole
//! under a lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::{Result, WithContext};
use crate::model::{JobName, is_own};

/// Number of jobs that are kept, the newest.
const MAX_JOBS: usize = 1000;
/// Maximum size of the file that is read. A thousand jobs have some 200 KiB.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Mode of the files: only their owner may read and write them.
const MODE: u32 = 0o600;

/// A job that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubmittedJob {
    pub(crate) name: JobName,
    pub(crate) region: String,
    /// Account id, if the job's ARN has one.
    pub(crate) account: Option<String>,
    /// The profile that was named, by a flag, a setting or a variable.
    pub(crate) profile: Option<String>,
    pub(crate) time: Timestamp,
}

/// The file of submitted jobs.
#[derive(Clone, Debug)]
pub(crate) struct SubmissionRecord {
    folder: PathBuf,
}

impl SubmissionRecord {
    /// Creates the record in the state folder.
    pub(crate) fn new(state: &Path) -> Self {
        Self { folder: state.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("submitted.jsonl")
    }

    /// Adds a job.
    pub(crate) fn add(&self, job: &SubmittedJob) -> Result<()> {
        let replaced = self.replace_with(job);
        replaced.context(|| format!("note the job in {}", self.file().display()))
    }

    fn replace_with(&self, job: &SubmittedJob) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let lock = open(OpenOptions::new().write(true).create(true), &self.folder.join("submitted.lock"))?;
        lock.lock()?;
        let mut jobs = self.read()?;
        jobs.push(job.clone());
        let mut file = NamedTempFile::new_in(&self.folder)?;
        for job in jobs.iter().skip(jobs.len().saturating_sub(MAX_JOBS)) {
            writeln!(file, "{}", serde_json::to_string(job)?)?;
        }
        file.persist(self.file())?;
        Ok(())
    }

    /// Returns the jobs in the order in which they were submitted.
    pub(crate) fn jobs(&self) -> Result<Vec<SubmittedJob>> {
        self.read().context(|| format!("read {}", self.file().display()))
    }

    /// Reads the file. Skips lines of other versions.
    fn read(&self) -> io::Result<Vec<SubmittedJob>> {
        let file = match open(OpenOptions::new().read(true), &self.file()) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            file => file?,
        };
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text)?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

/// Opens a regular file of this user's without following a link.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = options.mode(MODE).custom_flags(flags.bits()).open(path)?;
    let about = file.metadata()?;
    if about.is_file() && is_own(&about) {
        Ok(file)
    } else {
        Err(io::Error::new(ErrorKind::PermissionDenied, "it is not a file of this user's"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: usize) -> SubmittedJob {
        SubmittedJob {
            name: JobName::new(format!("job-{number}")).expect("a valid name"),
            region: "eu-west-1".to_owned(),
            account: None,
            profile: None,
            time: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_newest_jobs_are_kept() -> Result<()> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let record = SubmissionRecord::new(&folder.path().join("state"));
        assert_eq!(record.jobs()?, []);
        (0..3).try_for_each(|number| record.add(&job(number)))?;
        let old: String = (0..MAX_JOBS).map(|_| serde_json::to_string(&job(7)).expect("JSON") + "\nother\n").collect();
        assert_eq!(record.jobs()?, [job(0), job(1), job(2)]);
        fs::write(record.file(), old).context("write")?;
        record.add(&job(8))?;
        let jobs = record.jobs()?;
        assert_eq!((jobs.len(), jobs.last()), (MAX_JOBS, Some(&job(8))));
        Ok(())
    }

    #[test]
    fn jobs_that_are_added_at_once_are_all_kept() -> Result<()> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let record = SubmissionRecord::new(folder.path());
        std::thread::scope(|scope| {
            for number in 0..20 {
                let record = &record;
                scope.spawn(move || record.add(&job(number)));
            }
        });
        assert_eq!(record.jobs()?.len(), 20);
        Ok(())
    }

    #[test]
    fn a_link_in_the_file_s_place_is_not_followed() -> Result<()> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let record = SubmissionRecord::new(folder.path());
        fs::write(folder.path().join("other"), "").context("write")?;
        std::os::unix::fs::symlink("other", record.file()).context("link")?;
        assert!(record.jobs().is_err());
        Ok(())
    }
}
