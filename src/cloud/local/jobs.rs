//! Training jobs on this computer. The folder of a job is created under a temporary name, locked, and renamed in one
//! step; then its supervisor is started.

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
use super::{differences, listing, versions};
use crate::cloud::{CloudError, CloudResult, Jobs, JobsQuery, ListedJob, Page};
use crate::local::process::survivors;
use crate::local::python::{installer, interpreter};
use crate::local::store::job_state::{self, to_json};
use crate::local::store::layout::{self, Home, JobFolder, create_private_dir};
use crate::local::store::{private_file, stop_request};
use crate::local::{FindProgram, LocalError};
use crate::model::request::{CreateTrainingJobRequest, Tag};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, LocalOptions, RequestDocument};

/// Prefix of a job's folder while it is being created. No job's name starts with a dot.
const TEMPORARY_PREFIX: &str = ".new-";
/// Age at which a temporary folder counts as left over by a killed process. Creating one takes milliseconds.
const STALE_AGE: Duration = Duration::from_hours(1);
/// Interval at which a new supervisor is polled for. It takes milliseconds to be ready.
const READY_POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Implements [`Jobs`] over the state folder.
#[derive(Debug)]
pub(crate) struct LocalJobs {
    home: Home,
    executable: PathBuf,
    find_program: FindProgram,
}

impl LocalJobs {
    /// Creates the service. `executable` is the path of the smtrain binary.
    pub(crate) fn new(home: Home, executable: PathBuf, find_program: FindProgram) -> Self {
        Self { home, executable, find_program }
    }

    /// Creates the job's folder and returns it with its lock. The atomic rename makes the job visible as a whole, and
    /// lets one of two processes have a name. The lock is taken before, so that no reader takes the job for abandoned.
    fn create_folder(
        &self,
        name: &JobName,
        request: &RequestDocument,
        options: &LocalOptions,
    ) -> CloudResult<(JobFolder, File)> {
        let jobs = self.home.jobs();
        self.home.check_writing()?;
        create_private_dir(&jobs)?;
        remove_stale(&jobs);
        let staged = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
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

    /// Starts the supervisor with the lock as its standard input, so that the lock is held until the process ends,
    /// however it ends. The supervisor calls setsid itself: the leader of a process group could not.
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
        // Temporary folders have names that no job can have.
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
        let (folder, lock) = self.create_folder(name, request, options)?;
        // Without a supervisor, readers settle the job as failed.
        let starting = || CloudError::io(format!("start the supervisor of {name}"));
        let supervisor = self.start_supervisor(&folder, lock).map_err(starting())?;
        wait_until_ready(&folder, supervisor).await.map_err(starting())?;
        Ok(arn(name))
    }

    async fn differences(
        &self,
        request: &CreateTrainingJobRequest,
        options: &LocalOptions,
    ) -> CloudResult<Vec<String>> {
        differences::check(&self.home, request, &options.copies)?;
        installer::check(options.installer, self.find_program)?;
        let packages = versions::packages(options.framework.as_ref(), request);
        let python = interpreter::find(options.python.as_deref(), self.find_program, &packages).await?;
        let mut notices = differences::unsimulated(request, &self.executable);
        notices.extend(options.framework.iter().flat_map(|framework| versions::differing(framework, &python)));
        notices.extend(versions::missing_launcher(request, &python));
        Ok(notices)
    }

    async fn describe(&self, job: &JobName) -> CloudResult<DescribeTrainingJobResponse> {
        Ok(self.home.job(job).current_state()?)
    }

    async fn tags(&self, job: &DescribeTrainingJobResponse) -> CloudResult<Vec<Tag>> {
        let request = self.home.job(&job.training_job_name).read_request()?.typed();
        let request = request.map_err(|error| CloudError::Other(format!("the job's request is damaged: {error}")))?;
        Ok(request.tags.unwrap_or_default())
    }

    async fn list(&self, query: &JobsQuery, _token: Option<String>) -> CloudResult<Page<ListedJob>> {
        let jobs = listing::jobs(&self.home, self.all_names()?, query);
        Ok(Page { items: jobs, next_token: None })
    }

    async fn statuses(&self, jobs: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>> {
        let mut statuses = HashMap::new();
        for job in jobs {
            match self.home.job(job).current_state() {
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

/// Waits until the supervisor has left the terminal, or has ended. Before that, Ctrl-C would end it too, after its job
/// was announced as created. The supervisor writes its process id once it is ready; at the job's end, the file is
/// removed.
async fn wait_until_ready(folder: &JobFolder, mut supervisor: Child) -> io::Result<()> {
    while !private_file::exists(&folder.pid())? {
        match supervisor.try_wait()? {
            None => tokio::time::sleep(READY_POLL_INTERVAL).await,
            Some(status) if status.signal().is_some() => return Err(io::Error::other("it was interrupted")),
            Some(_) => break,
        }
    }
    Ok(())
}

/// Removes temporary folders that killed processes left. Errors don't matter.
fn remove_stale(jobs: &Path) {
    let Ok(entries) = fs::read_dir(jobs) else { return };
    let temporary =
        entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()));
    let is_old = |entry: &DirEntry| entry.metadata()?.modified()?.elapsed().map_err(io::Error::other);
    for entry in temporary.filter(|entry| is_old(entry).is_ok_and(|age| age > STALE_AGE)) {
        let _left = fs::remove_dir_all(entry.path());
    }
}

/// Renames a folder to a free name. `rename(2)` would also replace an empty folder, but no job's is empty.
fn rename_new(from: &Path, to: &Path, name: &JobName) -> CloudResult<()> {
    fs::rename(from, to).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
            CloudError::AlreadyExists(format!("local job {name}"))
        }
        _ => CloudError::io(format!("create {}", to.display()))(error),
    })
}
