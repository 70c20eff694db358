//! The services that smtrain calls, as traits in the shape of the AWS APIs: [`Jobs`] (SageMaker), [`Objects`] (S3),
//! [`Logs`] (CloudWatch Logs), [`Metrics`] (CloudWatch) and [`Identity`] (STS, IAM).
//!
//! [`aws`] implements them over the AWS SDK, [`local`] on this computer, so that operations have one code path. All
//! types of the traits are smtrain's own. Differences that operations must know are data: [`Capabilities`].

pub(crate) mod aws;
mod capabilities;
mod error;
mod fallbacks;
pub(crate) mod local;
mod pages;
mod region;

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use tokio_util::bytes::Bytes;

use crate::model::checksum::{Checksum, ContentDigest};
use crate::model::request::{CreateTrainingJobRequest, Tag};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, LocalOptions, LogEvent, RequestDocument, S3Uri};

pub(crate) use capabilities::{Capabilities, PollIntervals};
pub(crate) use error::{CloudError, CloudResult, FailureClass, ServiceError};
pub(crate) use fallbacks::{Cost, Fallbacks, OnFallback};
pub(crate) use pages::PageTokens;
pub(crate) use region::{AwsTarget, Region, placeholder};

/// Services that a command works with: those of one AWS account in one region, or those of this computer.
pub(crate) struct Cloud {
    pub(crate) region: Region,
    pub(crate) capabilities: Capabilities,
    pub(crate) poll_intervals: PollIntervals,
    /// Folders that hold the cloud's own files. Source code that contains one of them is not packed.
    pub(crate) own_folders: Vec<PathBuf>,
    /// Reports of failed calls that other calls replaced.
    pub(crate) fallbacks: Fallbacks,
    pub(crate) jobs: Box<dyn Jobs>,
    pub(crate) objects: Box<dyn Objects>,
    pub(crate) logs: Box<dyn Logs>,
    pub(crate) metrics: Box<dyn Metrics>,
    pub(crate) identity: Box<dyn Identity>,
}

impl Cloud {
    /// Returns whether this is the user's computer. For messages; operations depend on [`Capabilities`].
    pub(crate) fn is_local(&self) -> bool {
        self.region == Region::Local
    }
}

/// Training jobs: CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, Search and StopTrainingJob.
#[async_trait]
pub(crate) trait Jobs: Send + Sync {
    /// Checks, before anything is stored, that jobs can be created at all.
    fn check_creation(&self) -> CloudResult<()> {
        Ok(())
    }

    /// Creates the job and returns its ARN. Fails with [`CloudError::AlreadyExists`] if the name is taken. Only a cloud
    /// that runs jobs itself uses the options.
    async fn create(&self, request: &RequestDocument, options: &LocalOptions) -> CloudResult<String>;
    /// Returns what the job will do differently from SageMaker, one sentence per difference. Fails if the job can't run
    /// at all.
    async fn differences(&self, request: &CreateTrainingJobRequest, options: &LocalOptions)
    -> CloudResult<Vec<String>>;
    /// Describes a job. Fails with [`CloudError::NotFound`] if it doesn't exist.
    async fn describe(&self, job: &JobName) -> CloudResult<DescribeTrainingJobResponse>;
    /// Returns a job's tags, which its description lacks.
    async fn tags(&self, job: &DescribeTrainingJobResponse) -> CloudResult<Vec<Tag>>;
    /// Returns one page of jobs, in the query's order. A page may be short or empty and still have a next token.
    async fn list(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>>;
    /// Returns the statuses of jobs, in a few calls for any number of jobs. Jobs that don't exist are left out.
    async fn statuses(&self, jobs: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>>;
    /// Returns names of jobs that contain `part`, newest first: all of them, or as many as a few calls return.
    async fn names(&self, part: &str) -> CloudResult<Vec<JobName>>;
    /// Returns the newest job that bears a tag, where jobs of several callers are found by their tags. A job that was
    /// just created may be missing.
    async fn newest_tagged(&self, _tag: &Tag) -> CloudResult<Option<JobName>> {
        Ok(None)
    }

    /// Requests that a job stops, without waiting for its end. Does nothing if the job has ended.
    async fn stop(&self, job: &JobName) -> CloudResult<()>;
}

/// A job of a list: the fields of ListTrainingJobs, and the full description if it was available.
#[derive(Clone, Debug)]
pub(crate) struct ListedJob {
    pub(crate) name: JobName,
    /// The status, or why it is unknown: the job exists, but its state can't be read.
    pub(crate) status: Result<JobStatus, String>,
    pub(crate) created: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    /// May be older than the other fields.
    pub(crate) details: Option<DescribeTrainingJobResponse>,
}

impl From<DescribeTrainingJobResponse> for ListedJob {
    fn from(job: DescribeTrainingJobResponse) -> Self {
        Self {
            name: job.training_job_name.clone(),
            status: Ok(job.training_job_status.clone()),
            created: job.creation_time,
            ended: job.ended(),
            details: Some(job),
        }
    }
}

/// Filters and order of [`Jobs::list`], as ListTrainingJobs has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobsQuery {
    pub(crate) name_contains: Option<String>,
    pub(crate) status: Option<JobStatus>,
    /// Inclusive.
    pub(crate) created_after: Option<Timestamp>,
    /// Exclusive.
    pub(crate) created_before: Option<Timestamp>,
    pub(crate) sort_by: SortBy,
    pub(crate) ascending: bool,
    /// Maximum number of jobs that the caller uses, over all pages.
    pub(crate) limit: Option<usize>,
    /// Requests full descriptions, where they are available.
    pub(crate) details: bool,
}

/// Sort key of a list of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SortBy {
    #[default]
    CreationTime,
    Name,
    Status,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// `None` on the last page.
    pub(crate) next_token: Option<String>,
}

/// Objects in S3.
#[async_trait]
pub(crate) trait Objects: Send + Sync {
    /// Returns the object's size in bytes, or `None` if it doesn't exist.
    async fn head(&self, uri: &S3Uri) -> CloudResult<Option<u64>>;
    /// Compares a stored object's digest, as the service computed it, with the digest of the expected content. Size and
    /// metadata are no proof: anyone who may write to the bucket sets them. Compares also how the object is stored with
    /// how [`put`](Self::put) would store it with the key.
    async fn verify(
        &self,
        uri: &S3Uri,
        expected: &ContentDigest,
        kms_key_id: Option<&str>,
    ) -> CloudResult<ContentMatch>;
    /// Stores a file's content. The object appears whole and with the expected content, or not at all.
    async fn put(&self, uri: &S3Uri, content: ObjectContent) -> CloudResult<()>;
    /// Returns a reader of the object's bytes, for a blocking thread.
    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn std::io::Read + Send>>;
    /// Returns size, version and checksum of an object, or `None` if it doesn't exist.
    async fn stat(&self, uri: &S3Uri) -> CloudResult<Option<Object>>;
    /// Streams a byte range of an object. A transfer that breaks off is resumed. Fails with [`CloudError::Replaced`] if
    /// the object has changed since `object` was returned.
    fn range(&self, object: &Object, range: Range<u64>) -> ByteStream;
    /// Streams the objects below a prefix, page by page: there can be millions.
    fn pages(&self, prefix: S3Uri) -> BoxStream<'_, CloudResult<Vec<ObjectSummary>>>;
    /// Returns all objects below a prefix.
    async fn list(&self, prefix: &S3Uri) -> CloudResult<Vec<ObjectSummary>> {
        self.pages(prefix.clone()).try_concat().await
    }

    /// Creates the default bucket, without public access, unless it exists in the cloud's region and account.
    /// Idempotent.
    async fn ensure_bucket(&self, bucket: &str) -> CloudResult<()>;
    /// Aborts unfinished multipart uploads of this process. Returns the errors of those that could not be aborted.
    async fn abort_uploads(&self) -> Vec<CloudError>;
}

/// Content of an object to store.
pub(crate) struct ObjectContent {
    /// Read from its start.
    pub(crate) file: File,
    /// Expected digest. A file that no longer matches it is not stored.
    pub(crate) digest: Option<ContentDigest>,
    /// KMS key for encryption. `None` leaves encryption to the bucket's settings.
    pub(crate) kms_key_id: Option<String>,
    /// Called with the number of bytes after each part is stored.
    pub(crate) progress: ByteProgress,
}

impl ObjectContent {
    /// Creates content without digest, key and progress callback.
    pub(crate) fn of(file: File) -> Self {
        Self { file, digest: None, kms_key_id: None, progress: Arc::new(|_| {}) }
    }
}

/// Result of comparing a stored object with expected content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentMatch {
    /// The object doesn't exist.
    Nothing,
    /// The object has the expected content.
    Expected,
    /// The object has the expected content, but is encrypted otherwise, or archived where no job can read it.
    StoredOtherwise,
    /// The object has other content, or no digest of the service's.
    Other,
}

/// Progress callback: receives the number of bytes processed since its last call.
pub(crate) type ByteProgress = Arc<dyn Fn(u64) + Send + Sync>;

/// An object that can be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) uri: S3Uri,
    /// Size in bytes.
    pub(crate) size: u64,
    /// Tag that changes with the content: S3's ETag, or one computed from a local file's metadata. `None` if the
    /// service returned none.
    pub(crate) version: Option<String>,
    /// S3's version id, in a bucket with versioning.
    pub(crate) version_id: Option<String>,
    pub(crate) checksum: Option<Checksum>,
    /// The opened file, if the object is on this computer.
    pub(crate) file: Option<Arc<File>>,
}

/// Stream of an object's bytes.
pub(crate) type ByteStream = BoxStream<'static, CloudResult<Bytes>>;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ObjectSummary {
    pub(crate) uri: S3Uri,
    /// Size in bytes.
    pub(crate) size: u64,
    /// See [`Object::version`].
    pub(crate) version: Option<String>,
}

/// Log streams and their events, in SageMaker's log group: DescribeLogStreams, GetLogEvents and FilterLogEvents.
#[async_trait]
pub(crate) trait Logs: Send + Sync {
    /// Returns the streams of this job: one for each start of a node.
    async fn streams(&self, job: &JobName) -> CloudResult<Vec<LogStream>>;
    /// Returns a page of events of all streams of a job, oldest first (FilterLogEvents, a permission of its own). Pages
    /// in the middle may be empty. Requires [`Capabilities::filters_job_events`].
    async fn job_events(&self, job: &JobName, query: &EventsQuery) -> CloudResult<JobEventsPage>;
    /// Returns a page of one stream's events (GetLogEvents). Reading forwards, the end is reached when
    /// `next_forward_token` equals the query's token.
    async fn events(&self, stream: &LogStream, query: &EventsQuery) -> CloudResult<EventsPage>;
    /// Returns a token for the current end of a stream, where logs can grow faster than they are read. `None`
    /// otherwise.
    async fn end(&self, _stream: &LogStream) -> CloudResult<Option<String>> {
        Ok(None)
    }
}

/// A log stream: the events of one start of a node, or of what else writes below the job's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LogStream {
    /// `{job}/algo-{N}-{epoch}`; of sessions, `{job}/algo-{N}-{epoch}/ssm`.
    pub(crate) name: Arc<str>,
}

impl LogStream {
    /// Returns the node's name: `algo-1` for `{job}/algo-1-1732334455` and what is below it.
    pub(crate) fn node(&self) -> &str {
        let stream = self.name.split('/').nth(1).unwrap_or(&self.name);
        stream.rsplit_once('-').map_or(stream, |(node, _)| node)
    }

    /// Returns whether it is the output of a node: `{job}/algo-{N}-{epoch}`. Others are the logs of sessions that
    /// `[remote_debug]` allows, which stand below such a stream (SageMaker developer guide, "Access a training container
    /// through AWS Systems Manager"), and what other programs write there.
    pub(crate) fn is_of_node(&self) -> bool {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let below = self.name.split_once('/').and_then(|(_, below)| below.strip_prefix("algo-"));
        let numbers = below.and_then(|numbers| numbers.split_once('-'));
        numbers.is_some_and(|(number, epoch)| is_number(number) && is_number(epoch))
    }

    /// Returns the node's number: 2 for `algo-2`. 0 if the name has none.
    pub(crate) fn number(&self) -> u32 {
        self.node().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// Range, direction and position of a page of events.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventsQuery {
    /// Inclusive, by the millisecond.
    pub(crate) start: Option<Timestamp>,
    /// Exclusive, by the millisecond.
    pub(crate) end: Option<Timestamp>,
    /// Reads forwards from the first event; otherwise backwards from the last one.
    pub(crate) from_head: bool,
    pub(crate) token: Option<String>,
    /// Maximum number of events on the page.
    pub(crate) limit: Option<usize>,
    /// Token of [`Logs::end`]. Later events are left out.
    pub(crate) up_to: Option<String>,
}

/// A page of one stream's events.
#[derive(Clone, Debug)]
pub(crate) struct EventsPage {
    /// Oldest first, in both directions.
    pub(crate) events: Vec<LogEvent>,
    pub(crate) next_forward_token: String,
    pub(crate) next_backward_token: String,
}

/// A page of the events of all of a job's streams.
#[derive(Clone, Debug)]
pub(crate) struct JobEventsPage {
    pub(crate) events: Vec<JobEvent>,
    /// `None` on the last page.
    pub(crate) next_token: Option<String>,
}

/// An event with an id, which is the same each time the event is read.
#[derive(Clone, Debug)]
pub(crate) struct JobEvent {
    pub(crate) stream: LogStream,
    pub(crate) event: LogEvent,
    /// Digest of the service's event id.
    pub(crate) id: u64,
}

/// Training metrics that SageMaker extracts from the log by the expressions in `[metrics]`.
#[async_trait]
pub(crate) trait Metrics: Send + Sync {
    /// Returns the values of all metrics of a job, as exactly as the service still has them.
    async fn training_metrics(&self, job: &DescribeTrainingJobResponse) -> CloudResult<MetricHistory>;
}

/// Values of a job's metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricHistory {
    /// Oldest first.
    pub(crate) points: Vec<MetricPoint>,
    /// Time that a point stands for; `None` if each point is one value.
    pub(crate) period: Option<SignedDuration>,
    /// True if the job is so old that the service has no value any more.
    pub(crate) is_expired: bool,
}

/// A value of a metric, or those of one period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricPoint {
    pub(crate) name: String,
    /// Start of the period.
    pub(crate) timestamp: Timestamp,
    pub(crate) average: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
    /// Number of values.
    pub(crate) values: u64,
}

/// The caller, their account and its roles: STS and IAM.
#[async_trait]
pub(crate) trait Identity: Send + Sync {
    /// Returns the account id: 12 digits.
    async fn account(&self) -> CloudResult<String>;
    /// Returns the caller's ARN, with the session of an assumed role; `None` where no credentials are used.
    async fn caller_arn(&self) -> CloudResult<Option<String>> {
        Ok(None)
    }

    /// Returns the ARN of a role, which is named with or without its path, or by its ARN.
    async fn role_arn(&self, role: &str) -> CloudResult<String>;
}
