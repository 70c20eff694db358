//! What smtrain needs of a cloud, as traits in the shape of the real services. Their types are smtrain's own: no SDK type
//! crosses this line. [`aws`] implements them over AWS, [`local`] on this computer.

pub(crate) mod aws;
mod error;
mod fallbacks;
pub(crate) mod local;
mod pages;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio_util::bytes::Bytes;

use crate::model::checksum::{Checksum, ContentDigest};
use crate::model::request::CreateTrainingJobRequest;
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, LocalOptions, LogEvent, RequestDocument, S3Uri};

pub(crate) use error::{CloudError, CloudResult, FailureClass, ServiceError};
pub(crate) use fallbacks::{Cost, Fallbacks, OnFallback};
pub(crate) use pages::PageTokens;

/// Region and profile that the user asked for. `None` leaves the choice to the SDK's default chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AwsTarget {
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    /// Forbids all calls. Values that only AWS can return become placeholders in angle brackets.
    pub(crate) offline: bool,
}

/// Placeholders in the request of a dry run for values that only AWS can return. A dry run calls no service.
pub(crate) mod placeholder {
    pub(crate) const ACCOUNT: &str = "<account>";
    pub(crate) const ROLE_PATH: &str = "<path>";
    pub(crate) const REGION: &str = "<region>";
}

/// Region that a cloud's jobs run in. Displayed as it appears in ARNs and bucket names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// An AWS region.
    Aws(String),
    /// An AWS region that no setting names, in a dry run. Displayed as a placeholder.
    Unknown,
    /// This computer.
    Local,
}

impl Region {
    /// Returns the name of the AWS region, if it is known.
    pub(crate) fn aws_name(&self) -> Option<&str> {
        match self {
            Self::Aws(name) => Some(name),
            Self::Unknown | Self::Local => None,
        }
    }

    /// Returns the text that stands for the region in ARNs and bucket names.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Aws(name) => name,
            Self::Unknown => placeholder::REGION,
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Pauses between polls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollIntervals {
    /// First pause between two polls of a job's status.
    pub(crate) job_initial: Duration,
    /// Longest pause between two polls of a job's status, after backoff.
    pub(crate) job_max: Duration,
    /// Pause between two polls of a log, without backoff.
    pub(crate) log: Duration,
}

/// Abilities of a cloud that decide what an operation does. Each cloud sets them when it is created.
#[expect(clippy::struct_excessive_bools, reason = "each is independent of the others")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capabilities {
    /// Jobs run in container images. Otherwise a script runs in the user's own Python.
    pub(crate) runs_images: bool,
    /// Jobs read their channels from S3. Otherwise channels in S3 must be downloaded before the job.
    pub(crate) reads_s3: bool,
    /// Role of a job whose spec names none. `None` where a role is required.
    pub(crate) default_role: Option<&'static str>,
    /// The settings may replace the default bucket.
    pub(crate) default_bucket_is_configurable: bool,
    /// Every completed job has a model artifact, even an empty one.
    pub(crate) always_stores_model: bool,
    /// Calls count against rate quotas: polls are limited, and back off while a log is idle.
    pub(crate) has_rate_quotas: bool,
    /// Calls are network round trips: independent ones are worth making at the same time.
    pub(crate) has_network_latency: bool,
    /// Log lines may arrive out of order, and after the job has ended. Otherwise the log is complete at the job's end.
    pub(crate) logs_arrive_late: bool,
    /// [`Logs::job_events`] is supported.
    pub(crate) filters_job_events: bool,
}

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

/// Training jobs: SageMaker's CreateTrainingJob and its kin.
#[async_trait]
pub(crate) trait Jobs: Send + Sync {
    /// Refuses, before anything is stored, what no job of this place can be created under.
    fn check_creation(&self) -> CloudResult<()> {
        Ok(())
    }

    /// Creates the job and returns its ARN. A name that is taken is [`CloudError::AlreadyExists`]. The options are only for
    /// a place that runs the job itself.
    async fn create(&self, request: &RequestDocument, options: &LocalOptions) -> CloudResult<String>;
    /// What this place will do otherwise than SageMaker does, to be said before the job is created; an error if it can't
    /// run the job at all.
    async fn differences(&self, request: &CreateTrainingJobRequest, options: &LocalOptions)
    -> CloudResult<Vec<String>>;
    async fn describe(&self, job: &JobName) -> CloudResult<DescribeTrainingJobResponse>;
    /// One page of jobs, in the order asked for. A page may be short or empty and still have a token.
    async fn list(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>>;
    /// Where each of some jobs stands, in a few calls however many they are. Jobs that aren't there are left out.
    async fn statuses(&self, jobs: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>>;
    /// The names of jobs that contain `part`, newest first: all of them, or as many as a few calls bring.
    async fn names(&self, part: &str) -> CloudResult<Vec<JobName>>;
    /// Asks a job to stop; returns at once. Stopping an ended job changes nothing.
    async fn stop(&self, job: &JobName) -> CloudResult<()>;
}

/// A job of a list: what ListTrainingJobs tells of it, and the whole of it where that was to be had.
#[derive(Clone, Debug)]
pub(crate) struct ListedJob {
    pub(crate) name: JobName,
    /// The status, or why it can't be told: the job is there, but its state can't be read.
    pub(crate) status: Result<JobStatus, String>,
    pub(crate) created: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    /// May lag behind: the fields beside it are fresher.
    pub(crate) details: Option<DescribeTrainingJobResponse>,
}

impl From<DescribeTrainingJobResponse> for ListedJob {
    fn from(job: DescribeTrainingJobResponse) -> Self {
        Self {
            name: job.training_job_name.clone(),
            status: Ok(job.training_job_status),
            created: job.creation_time,
            ended: job.training_end_time,
            details: Some(job),
        }
    }
}

/// ListTrainingJobs' filters and order.
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
    /// The most jobs that the caller will use, over all pages.
    pub(crate) limit: Option<usize>,
    /// The whole jobs are wanted, where they are to be had.
    pub(crate) details: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SortBy {
    #[default]
    CreationTime,
    Name,
    Status,
}

#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// `None` on the last page.
    pub(crate) next_token: Option<String>,
}

/// Objects: S3.
#[async_trait]
pub(crate) trait Objects: Send + Sync {
    /// The object's size in bytes, or `None` when there is none.
    async fn head(&self, uri: &S3Uri) -> CloudResult<Option<u64>>;
    /// Holds a stored object's digest, as the service itself computed it, against that of the content that its name promises.
    /// The object's size and metadata prove nothing: whoever may write to the bucket sets them.
    async fn verify(&self, uri: &S3Uri, expected: &ContentDigest) -> CloudResult<ContentMatch>;
    /// Stores what a file holds. The object appears whole, with the content that was expected, or not at all.
    async fn put(&self, uri: &S3Uri, content: ObjectContent) -> CloudResult<()>;
    /// The object's bytes, as a reader for a blocking thread.
    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn std::io::Read + Send>>;
    /// What is known of an object before it is fetched.
    async fn stat(&self, uri: &S3Uri) -> CloudResult<Option<Object>>;
    /// A stretch of an object's bytes, piece by piece as they are asked for. What breaks off is taken up again; what was
    /// replaced meanwhile is [`CloudError::Replaced`].
    fn range(&self, object: &Object, range: Range<u64>) -> ByteStream;
    /// Every object below a prefix, page by page as they are asked for: there can be millions.
    fn pages(&self, prefix: S3Uri) -> BoxStream<'_, CloudResult<Vec<ObjectSummary>>>;
    /// Every object below a prefix, where there are few, or all are needed at once.
    async fn list(&self, prefix: &S3Uri) -> CloudResult<Vec<ObjectSummary>> {
        self.pages(prefix.clone()).try_concat().await
    }

    /// Makes sure that the place's own bucket is there: in the region, of the account, closed to the public.
    async fn ensure_bucket(&self, bucket: &str) -> CloudResult<()>;
    /// Puts away what an interrupted upload has left half done; returns what could not be.
    async fn abort_uploads(&self) -> Vec<CloudError>;
}

/// The content of an object that is to be stored.
pub(crate) struct ObjectContent {
    /// Read from its start.
    pub(crate) file: File,
    /// Where it is known: a file that has changed since is not stored.
    pub(crate) digest: Option<ContentDigest>,
    /// The key that encrypts it, where not the bucket's own settings decide.
    pub(crate) kms_key_id: Option<String>,
    /// Told of every byte that has been stored.
    pub(crate) progress: ByteProgress,
}

impl ObjectContent {
    /// A file whose storing nobody watches.
    pub(crate) fn of(file: File) -> Self {
        Self { file, digest: None, kms_key_id: None, progress: Arc::new(|_| {}) }
    }
}

/// The state of the object at the place of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentMatch {
    /// No object.
    Nothing,
    /// The very content.
    Expected,
    /// An object with other content, or with none that the service has a digest of.
    Other,
}

/// Told how many bytes have been worked on, as they are.
pub(crate) type ByteProgress = Arc<dyn Fn(u64) + Send + Sync>;

/// An object that can be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) uri: S3Uri,
    /// Bytes.
    pub(crate) size: u64,
    /// Tag that changes with the content: S3's ETag, or one computed from a local file's metadata. `None` if the service
    /// returned none.
    pub(crate) version: Option<String>,
    /// S3's version id, in a bucket with versioning.
    pub(crate) version_id: Option<String>,
    pub(crate) checksum: Option<Checksum>,
    /// The opened file, if the object is on this computer.
    pub(crate) file: Option<Arc<File>>,
}

/// An object's bytes on their way.
pub(crate) type ByteStream = BoxStream<'static, CloudResult<Bytes>>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ObjectSummary {
    pub(crate) uri: S3Uri,
    /// Bytes.
    pub(crate) size: u64,
    /// See [`Object::version`].
    pub(crate) version: Option<String>,
}

/// Log streams: CloudWatch Logs' DescribeLogStreams and GetLogEvents on SageMaker's group.
#[async_trait]
pub(crate) trait Logs: Send + Sync {
    /// The streams of exactly this job, one a node and start.
    async fn streams(&self, job: &JobName) -> CloudResult<Vec<LogStream>>;
    /// A page of the events of all of a job's streams, oldest first: FilterLogEvents, which not every caller may call. Pages
    /// may be empty in the middle.
    async fn job_events(&self, job: &JobName, query: &EventsQuery) -> CloudResult<JobEventsPage>;
    /// A page of a stream's events. Reading forwards, the end is where `next_forward_token` is the token that was given.
    async fn events(&self, stream: &LogStream, query: &EventsQuery) -> CloudResult<EventsPage>;
    /// Returns the present end of a stream, for a place whose logs can grow faster than they are read; none for any other.
    async fn end(&self, _stream: &LogStream) -> CloudResult<Option<String>> {
        Ok(None)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LogStream {
    /// `{job}/algo-{N}-{epoch}`.
    pub(crate) name: Arc<str>,
}

impl LogStream {
    /// `algo-1` of `{job}/algo-1-1732334455`.
    pub(crate) fn node(&self) -> &str {
        let stream = self.name.rsplit('/').next().unwrap_or(&self.name);
        stream.rsplit_once('-').map_or(stream, |(node, _)| node)
    }

    /// The node's number: 2 of `algo-2`.
    pub(crate) fn number(&self) -> u32 {
        self.node().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct EventsQuery {
    /// Inclusive, by the millisecond.
    pub(crate) start: Option<Timestamp>,
    /// Exclusive, by the millisecond.
    pub(crate) end: Option<Timestamp>,
    /// From the first event on; else from the last one back.
    pub(crate) from_head: bool,
    pub(crate) token: Option<String>,
    /// The most events on the page.
    pub(crate) limit: Option<usize>,
    /// What [`Logs::end`] returned: no events behind it are wanted.
    pub(crate) up_to: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct EventsPage {
    /// Oldest first, in either direction.
    pub(crate) events: Vec<LogEvent>,
    pub(crate) next_forward_token: String,
    pub(crate) next_backward_token: String,
}

#[derive(Clone, Debug)]
pub(crate) struct JobEventsPage {
    pub(crate) events: Vec<JobEvent>,
    /// `None` on the last page.
    pub(crate) next_token: Option<String>,
}

/// An event that has an identity, which is the same whenever it is read.
#[derive(Clone, Debug)]
pub(crate) struct JobEvent {
    pub(crate) stream: LogStream,
    pub(crate) event: LogEvent,
    /// A digest of the service's own.
    pub(crate) id: u64,
}

/// Training metrics, as `[metrics]` picked them out of the log.
#[async_trait]
pub(crate) trait Metrics: Send + Sync {
    /// Every value of every metric of a job, oldest first.
    async fn training_metrics(&self, job: &JobName) -> CloudResult<Vec<MetricPoint>>;
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricPoint {
    pub(crate) name: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) value: f64,
}

/// Who is calling: STS and IAM.
#[async_trait]
pub(crate) trait Identity: Send + Sync {
    /// The account's 12 digits.
    async fn account(&self) -> CloudResult<String>;
    /// The ARN of a role given by name, with or without its path, or by ARN.
    async fn role_arn(&self, role: &str) -> CloudResult<String>;
}
