//! Training jobs on this computer: created whole or not at all, looked after by a supervisor of their own.

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::identity::arn;
use super::{differences, listing};
use crate::cloud::{CloudError, CloudResult, Jobs, JobsQuery, ListedJob, Page};
use crate::local::LocalError;
use crate::local::process::survivors;
use crate::local::python::interpreter;
use crate::local::store::job_state::{self, to_json};
use crate::local::store::layout::{self, Home, JobFolder, create_private_dir};
use crate::local::store::{private_file, stop_request};
use crate::model::request::CreateTrainingJobRequest;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, LocalOptions, RequestDocument};

/// What the folder of a job that is still being made is called, before some random letters. No job's name starts with a dot.
const HALF_MADE: &str = ".new-";
/// How long a job may be in the making. It takes milliseconds.
const MAKING: Duration = Duration::from_hours(1);
/// The pause between two looks whether a supervisor is ready. It takes milliseconds.
const LOOK: Duration = Duration::from_millis(1);

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
        self.home.check_writing()?;
        create_private_dir(&jobs)?;
        remove_half_made(&jobs);
        let staged = tempfile::Builder::new()
            .prefix(HALF_MADE)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&jobs)
            .map_err(CloudError::io(format!("create a folder in {}", jobs.display())))?;
        let folder = JobFolder::at(staged.path().to_owned());
        layout::replace(&folder.request(), &to_json(request)?)?;
        layout::replace(&folder.options(), &to_json(options)?)?;
        folder.write_first_state(&job_state::initial(request, &arn(name), Timestamp::now())?)?;
        create_private_dir(&folder.log())?;
        let lock = folder.try_lock()?.ok_or_else(|| CloudError::Other("a new job is locked already".into()))?;
        let job = self.home.job(name);
        rename_new(staged.path(), job.path(), name)?;
        let _renamed = staged.keep();
        Ok((job, lock))
    }

    /// The supervisor gets the lock as its standard input: it is held as long as that process lives, however it ends.
    /// It leaves the terminal by itself: one that led a process group could not.
    fn start_supervisor(&self, folder: &JobFolder, lock: File) -> io::Result<Child> {
        let log = private_file::open(&folder.supervisor_log(), File::options().create(true).append(true))?;
        Command::new(&self.executable)
            .arg(survivors::SUPERVISE)
            .arg(folder.path())
            .env(survivors::VARIABLE, survivors::mark(folder))
            .stdin(Stdio::from(lock))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log))
            .spawn()
    }

    fn all_names(&self) -> CloudResult<Vec<JobName>> {
        let jobs = self.home.jobs();
        let entries = match fs::read_dir(&jobs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(CloudError::io(format!("list {}", jobs.display())))?,
        };
        // What is half made has no job's name.
        let names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
        let names = names.map_err(CloudError::io(format!("list {}", jobs.display())))?;
        Ok(names.into_iter().filter_map(|name| JobName::new(name.into_string().ok()?).ok()).collect())
    }
}

#[async_trait]
impl Jobs for LocalJobs {
    fn check_creation(&self) -> CloudResult<()> {
        Ok(self.home.check_writing()?)
    }

    async fn create(&self, request: &RequestDocument, options: &LocalOptions) -> CloudResult<String> {
        let typed = request.typed().map_err(|error| CloudError::Other(format!("the request is not valid: {error}")))?;
        let name = &typed.training_job_name;
        let (folder, lock) = self.lay_out(name, request, options)?;
        // With nobody to look after it the job has failed: that is what every reader will find.
        let starting = || CloudError::io(format!("start the supervisor of {name}"));
        let supervisor = self.start_supervisor(&folder, lock).map_err(starting())?;
        until_ready(&folder, supervisor).await.map_err(starting())?;
        Ok(arn(name))
    }

    async fn differences(
        &self,
        request: &CreateTrainingJobRequest,
        options: &LocalOptions,
    ) -> CloudResult<Vec<String>> {
        differences::check(&self.home, request)?;
        interpreter::find(options.python.as_deref()).await?;
        Ok(differences::about(request, &self.executable))
    }

    async fn describe(&self, job: &JobName) -> CloudResult<DescribeTrainingJobResponse> {
        Ok(self.home.job(job).true_state()?)
    }

    async fn list(&self, query: &JobsQuery, _token: Option<String>) -> CloudResult<Page<ListedJob>> {
        let jobs = listing::jobs(&self.home, self.all_names()?, query);
        Ok(Page { items: jobs, next_token: None })
    }

    async fn statuses(&self, jobs: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>> {
        let mut statuses = HashMap::new();
        for job in jobs {
            match self.home.job(job).true_state() {
                Ok(state) => _ = statuses.insert(job.clone(), state.training_job_status),
                Err(LocalError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(statuses)
    }

    async fn names(&self, part: &str) -> CloudResult<Vec<JobName>> {
        let query = JobsQuery { name_contains: Some(part.to_owned()), ..JobsQuery::default() };
        Ok(listing::names(&self.home, self.all_names()?, &query))
    }

    async fn stop(&self, job: &JobName) -> CloudResult<()> {
        Ok(stop_request::stop(&self.home.job(job)).await?)
    }
}

/// Waits until the supervisor has left the terminal, or has ended: before that, a Ctrl-C would end it too, and nobody is to
/// be told of a job that is gone. Its process id, which it writes then, is removed when the job ends.
async fn until_ready(folder: &JobFolder, mut supervisor: Child) -> io::Result<()> {
    while !private_file::is_there(&folder.pid())? {
        match supervisor.try_wait()? {
            None => tokio::time::sleep(LOOK).await,
            Some(status) if status.signal().is_some() => return Err(io::Error::other("it was interrupted")),
            Some(_) => break,
        }
    }
    Ok(())
}

/// Removes what a `submit` that was killed has left. Whatever can't be removed does no harm.
fn remove_half_made(jobs: &Path) {
    let Ok(entries) = fs::read_dir(jobs) else { return };
    let half_made =
        entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(HALF_MADE.as_bytes()));
    let is_old = |entry: &DirEntry| entry.metadata()?.modified()?.elapsed().map_err(io::Error::other);
    for entry in half_made.filter(|entry| is_old(entry).is_ok_and(|age| age > MAKING)) {
        let _left = fs::remove_dir_all(entry.path());
    }
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
