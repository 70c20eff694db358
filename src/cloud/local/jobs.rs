//! Training jobs on this computer: created whole or not at all, looked after by a supervisor of their own.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use async_trait::async_trait;
use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};

use super::home::{self, Home, JobFolder, create_private_dir};
use super::processes::ProcessIdentity;
use super::state::{self, to_json};
use super::{notices, python};
use crate::cloud::{CloudError, CloudResult, Jobs, JobsQuery, Page, SortBy};
use crate::model::request::{CreateTrainingJobRequest, RequestDocument};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, LocalOptions};

/// The subcommand that supervises a job: smtrain starts itself with it.
const SUPERVISE: &str = "__supervise";

#[derive(Debug)]
pub(crate) struct LocalJobs {
    home: Home,
    executable: PathBuf,
}

impl LocalJobs {
    /// `executable` is smtrain itself.
    pub(crate) fn new(home: Home, executable: PathBuf) -> Self {
        Self { home, executable }
    }

    /// Makes the job's folder under a name of its own, then gives it the job's: whoever sees the job sees all of it, and
    /// of two that want the name one gets it. The lock is taken before, so that no reader takes the job for abandoned.
    fn lay_out(
        &self,
        name: &JobName,
        request: &RequestDocument,
        options: &LocalOptions,
    ) -> CloudResult<(JobFolder, File)> {
        let jobs = self.home.jobs();
        create_private_dir(&jobs)?;
        let staged = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&jobs)
            .map_err(CloudError::io(format!("create a folder in {}", jobs.display())))?;
        let folder = JobFolder::at(staged.path().to_owned());
        home::replace(&folder.request(), &to_json(request)?)?;
        home::replace(&folder.options(), &to_json(options)?)?;
        folder.write_state(&state::initial(request, &arn(name), Timestamp::now())?)?;
        create_private_dir(&folder.log())?;
        folder.keep_reserve()?;
        let lock = folder.try_lock()?.ok_or_else(|| CloudError::Other("a new job is locked already".into()))?;
        let job = self.home.job(name);
        rename_new(staged.path(), job.path(), name)?;
        let _renamed = staged.keep();
        Ok((job, lock))
    }

    /// The supervisor gets the lock as its standard input: it is held as long as that process lives, however it ends.
    fn start_supervisor(&self, folder: &JobFolder, lock: File) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(folder.supervisor_log())?;
        Command::new(&self.executable)
            .arg(SUPERVISE)
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::from(lock))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .process_group(0)
            .spawn()
            .map(drop)
    }

    fn all_names(&self) -> CloudResult<Vec<JobName>> {
        let jobs = self.home.jobs();
        let entries = match fs::read_dir(&jobs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(CloudError::io(format!("list {}", jobs.display())))?,
        };
        // Folders of jobs that are being created, or whose creation was killed, start with a dot: no job's name does.
        Ok(entries.flatten().filter_map(|entry| JobName::new(entry.file_name().into_string().ok()?).ok()).collect())
    }
}

#[async_trait]
impl Jobs for LocalJobs {
    async fn create(&self, request: &RequestDocument, options: &LocalOptions) -> CloudResult<String> {
        let typed = request.typed().map_err(|error| CloudError::Other(format!("the request is not valid: {error}")))?;
        let name = &typed.training_job_name;
        let (folder, lock) = self.lay_out(name, request, options)?;
        if let Err(error) = self.start_supervisor(&folder, lock) {
            // With nobody to look after it the job has failed: that is what every reader will find.
            return Err(CloudError::io(format!("start the supervisor of {name}"))(error));
        }
        Ok(arn(name))
    }

    async fn notices(&self, request: &CreateTrainingJobRequest, options: &LocalOptions) -> CloudResult<Vec<String>> {
        notices::check_channels(&self.home, request.input_data_config.as_deref().unwrap_or_default())?;
        python::find(options.python.as_deref())?;
        Ok(notices::about(request, &self.executable))
    }

    async fn describe(&self, job: &JobName) -> CloudResult<DescribeTrainingJobResponse> {
        self.home.job(job).true_state()
    }

    async fn list(&self, query: &JobsQuery, _token: Option<String>) -> CloudResult<Page<DescribeTrainingJobResponse>> {
        let mut listing = Listing { home: &self.home, names: self.all_names()?, query };
        Ok(Page { items: listing.jobs()?, next_token: None })
    }

    async fn names(&self) -> CloudResult<Vec<JobName>> {
        self.all_names()
    }

    async fn stop(&self, job: &JobName) -> CloudResult<()> {
        let folder = self.home.job(job);
        if folder.true_state()?.training_job_status.is_final() {
            return Ok(());
        }
        // First the file, then the signal: a supervisor that is only starting looks for the file once it can be signalled.
        home::replace(&folder.stop_request(), b"")?;
        let supervisor: Option<ProcessIdentity> =
            fs::read(folder.pid()).ok().and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(supervisor) = supervisor.filter(ProcessIdentity::is_not_reused) {
            // One that ended just now has written the job's end.
            let _gone = kill(supervisor.pid(), Signal::SIGTERM);
        }
        Ok(())
    }
}

/// The jobs that a query asks for. States are read in the order asked for, and no more of them than are needed.
struct Listing<'a> {
    home: &'a Home,
    names: Vec<JobName>,
    query: &'a JobsQuery,
}

impl Listing<'_> {
    fn jobs(&mut self) -> CloudResult<Vec<DescribeTrainingJobResponse>> {
        let wanted = self.query.name_contains.as_deref().unwrap_or_default();
        self.names.retain(|name| name.as_str().contains(wanted));
        if self.query.sort_by == SortBy::Status {
            return self.by_status();
        }
        self.order_names();
        self.read(self.query.limit.unwrap_or(usize::MAX))
    }

    /// By name, or by the time in the name: the time of creation, without a look at the job.
    fn order_names(&mut self) {
        match self.query.sort_by {
            SortBy::Name | SortBy::Status => self.names.sort_unstable(),
            SortBy::CreationTime => {
                let home = self.home;
                self.names.sort_by_cached_key(|name| (created(home, name), name.clone()));
            }
        }
        if !self.query.ascending {
            self.names.reverse();
        }
    }

    fn by_status(&self) -> CloudResult<Vec<DescribeTrainingJobResponse>> {
        let mut jobs = self.read(usize::MAX)?;
        jobs.sort_by_key(|job| (job.training_job_status.as_str(), std::cmp::Reverse(job.creation_time)));
        if !self.query.ascending {
            jobs.reverse();
        }
        jobs.truncate(self.query.limit.unwrap_or(usize::MAX));
        Ok(jobs)
    }

    fn read(&self, limit: usize) -> CloudResult<Vec<DescribeTrainingJobResponse>> {
        let mut jobs = Vec::new();
        for name in &self.names {
            if jobs.len() == limit {
                break;
            }
            match self.home.job(name).true_state() {
                Ok(job) if self.is_wanted(&job) => jobs.push(job),
                // Removed while the list was read.
                Ok(_) | Err(CloudError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(jobs)
    }

    fn is_wanted(&self, job: &DescribeTrainingJobResponse) -> bool {
        let query = self.query;
        query.status.is_none_or(|status| job.training_job_status == status)
            && query.created_after.is_none_or(|time| job.creation_time >= time)
            && query.created_before.is_none_or(|time| job.creation_time < time)
    }
}

fn created(home: &Home, name: &JobName) -> Timestamp {
    let read = || home.job(name).read_state().map(|job| job.creation_time).ok();
    name.stamp().or_else(read).unwrap_or(Timestamp::MIN)
}

/// A folder can be renamed to a name that is free, or onto an empty folder, which no job's is.
fn rename_new(from: &Path, to: &Path, name: &JobName) -> CloudResult<()> {
    fs::rename(from, to).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
            CloudError::AlreadyExists(format!("local job {name}"))
        }
        _ => CloudError::io(format!("create {}", to.display()))(error),
    })
}

fn arn(name: &JobName) -> String {
    format!("arn:aws:sagemaker:{}:{}:training-job/{name}", super::REGION, super::ACCOUNT)
}
