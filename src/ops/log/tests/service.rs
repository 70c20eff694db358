//! CloudWatch Logs and a job in memory, at the mercy of tokio's clock.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::cloud::{
    ByteStream, Capabilities, Cloud, CloudError, CloudResult, ContentMatch, EventsPage, EventsQuery, FailureClass,
    Fallbacks, Identity, JobEvent, JobEventsPage, Jobs, JobsQuery, ListedJob, LogStream, Logs, MetricHistory, Metrics,
    Object, ObjectContent, ObjectSummary, Objects, Page, PollIntervals, Region, ServiceError,
};
use crate::model::LogEvent;
use crate::model::checksum::ContentDigest;
use crate::model::request::{CreateTrainingJobRequest, Tag};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, LocalOptions, RequestDocument, S3Uri};

/// A line that is printed `at` milliseconds after the job's start, and can be read `lag` milliseconds later.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) node: u32,
    /// The number of the node's stream.
    pub(super) stream: u32,
    pub(super) at: u64,
    pub(super) lag: u64,
    pub(super) text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Behaviour {
    pub(super) nodes: u32,
    pub(super) arrivals: Vec<Arrival>,
    /// When the job ends, in seconds.
    pub(super) seconds: u64,
    /// How long the job has run when it is first looked at, in seconds.
    pub(super) started: u64,
    /// Events on a page.
    pub(super) page: usize,
    /// Every other page is empty, and no end.
    pub(super) empty_pages: bool,
    /// Whether FilterLogEvents is allowed.
    pub(super) may_filter: bool,
    /// Of a hundred calls, about so many are throttled.
    pub(super) failing: u32,
    /// From when to when nothing answers, in seconds.
    pub(super) outage: Option<(u64, u64)>,
    pub(super) calls: Arc<AtomicU32>,
    /// Which calls of GetLogEvents get the first page again, with two tokens in turn.
    pub(super) circles: fn(&EventsQuery) -> bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            nodes: 1,
            arrivals: Vec::new(),
            seconds: 60,
            started: 0,
            page: 10_000,
            empty_pages: false,
            may_filter: true,
            failing: 0,
            outage: None,
            calls: Arc::default(),
            circles: |_| false,
        }
    }
}

/// Where the job's time starts.
pub(super) fn start() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap_or_default()
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    behaviour: Behaviour,
    clock: Instant,
}

impl Service {
    pub(super) fn cloud(behaviour: Behaviour) -> Cloud {
        let service = Self { behaviour, clock: Instant::now() };
        let second = Duration::from_secs(1);
        Cloud {
            region: Region::Aws("eu-west-1".to_owned()),
            capabilities: Capabilities {
                runs_images: true,
                reads_s3: true,
                default_role: None,
                default_bucket_is_configurable: true,
                nodes_per_job: None,
                always_stores_model: true,
                has_rate_quotas: true,
                has_network_latency: true,
                logs_arrive_late: true,
                filters_job_events: true,
            },
            poll_intervals: PollIntervals { job_initial: second, job_max: second * 5, log: second * 2 },
            own_folders: Vec::new(),
            fallbacks: Fallbacks::default(),
            jobs: Box::new(service.clone()),
            objects: Box::new(Nothing),
            logs: Box::new(service),
            metrics: Box::new(Nothing),
            identity: Box::new(Nothing),
        }
    }

    /// Milliseconds since the job's start.
    fn now(&self) -> u64 {
        self.behaviour.started * 1000 + u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn call(&self) -> CloudResult<()> {
        let call = self.behaviour.calls.fetch_add(1, Ordering::Relaxed);
        let is_out = self.behaviour.outage.is_some_and(|(from, to)| (from..to).contains(&(self.now() / 1000)));
        let is_throttled = (call.wrapping_mul(2_654_435_761) >> 16) % 100 < self.behaviour.failing;
        if is_out || is_throttled { Err(refusal(FailureClass::Transient)) } else { Ok(()) }
    }

    /// What can be read by now, in the service's order.
    fn events(&self, query: &EventsQuery, wanted: impl Fn(&LogStream) -> bool) -> Vec<(LogStream, LogEvent)> {
        let now = self.now();
        let there = self.behaviour.arrivals.iter().filter(|arrival| arrival.at + arrival.lag <= now);
        let mut all: Vec<(LogStream, LogEvent)> = there.map(log_event).collect();
        all.retain(|(stream, event)| {
            wanted(stream)
                && query.start.is_none_or(|start| event.timestamp >= start)
                && query.end.is_none_or(|end| event.timestamp < end)
        });
        all.sort_by_key(|(_, event)| (event.timestamp, event.ingested));
        all
    }

    /// The same line may be printed twice in the same millisecond, and arrive in the same: told apart by the text
    /// alone, which the tests take care of.
    fn identified(&self, stream: LogStream, event: LogEvent) -> JobEvent {
        let is_same = |arrival: &&Arrival| log_event(arrival) == (stream.clone(), event.clone());
        let id = self.behaviour.arrivals.iter().position(|arrival| is_same(&arrival)).unwrap_or_default() as u64;
        JobEvent { stream, event, id }
    }

    /// `all` from the `at`th on, as a page; where the next starts. With empty pages, those at odd tokens hold nothing.
    fn page<T>(&self, all: Vec<T>, at: usize, is_odd: bool) -> (Vec<T>, usize) {
        if self.behaviour.empty_pages && is_odd {
            return (Vec::new(), at);
        }
        let page: Vec<T> = all.into_iter().skip(at).take(self.behaviour.page).collect();
        let next = at + page.len();
        (page, next)
    }
}

fn log_event(arrival: &Arrival) -> (LogStream, LogEvent) {
    let time = |millisecond: u64| {
        let since = SignedDuration::from_millis(i64::try_from(millisecond).unwrap_or(i64::MAX));
        start() + since
    };
    let stream = LogStream { name: format!("job/algo-{}-{}", arrival.node, arrival.stream).into() };
    let ingested = Some(time(arrival.at + arrival.lag));
    (
        stream,
        LogEvent { timestamp: time(arrival.at), ingested, message: arrival.text.clone().into_bytes(), is_gap: false },
    )
}

fn refusal(class: FailureClass) -> CloudError {
    let (hints, details) = (Vec::new(), Vec::new());
    CloudError::Service(Box::new(ServiceError { class, message: "no answer".to_owned(), hints, details }))
}

/// What no follower needs.
fn not_here<T>() -> CloudResult<T> {
    Err(CloudError::Other("not here".to_owned()))
}

/// A forward token names the newest event before it: what comes later with an older time is behind it, and never on its
/// pages.
fn token(newest: Option<&LogEvent>, before: &str, count: u32) -> String {
    newest.map_or_else(
        || format!("{}/{count}", before.split('/').next().unwrap_or_default()),
        |event| format!("{}/{count}", position(event)),
    )
}

fn position(event: &LogEvent) -> String {
    format!("{:020}-{:020}", event.timestamp.as_millisecond(), event.ingested.map_or(0, Timestamp::as_millisecond))
}

#[async_trait]
impl Logs for Service {
    async fn streams(&self, _: &JobName) -> CloudResult<Vec<LogStream>> {
        self.call()?;
        let all = self.events(&EventsQuery::default(), |_| true);
        let streams: BTreeMap<_, _> = all.into_iter().map(|(stream, _)| (stream.name.clone(), stream)).collect();
        Ok(streams.into_values().collect())
    }

    async fn job_events(&self, _: &JobName, query: &EventsQuery) -> CloudResult<JobEventsPage> {
        self.call()?;
        if !self.behaviour.may_filter {
            return Err(refusal(FailureClass::Denied));
        }
        // The token has the place in the log, and the number of the page.
        let parts = query.token.as_deref().and_then(|token| token.split_once('/')).unwrap_or(("0", "0"));
        let (at, page): (usize, usize) = (parts.0.parse().unwrap_or(0), parts.1.parse().unwrap_or(0));
        let all = self.events(query, |_| true);
        let count = all.len();
        let (events, next) = self.page(all, at, page % 2 == 1);
        let events = events.into_iter().map(|(stream, event)| self.identified(stream, event)).collect();
        Ok(JobEventsPage { events, next_token: (next < count).then(|| format!("{next}/{}", page + 1)) })
    }

    async fn events(&self, stream: &LogStream, query: &EventsQuery) -> CloudResult<EventsPage> {
        self.call()?;
        let all = Service::events(self, query, |other| other == stream);
        let all: Vec<LogEvent> = all.into_iter().map(|(_, event)| event).collect();
        if !query.from_head {
            // One page holds all: the tests of the tail are about following.
            let forward = token(all.last(), "", 0);
            return Ok(EventsPage { events: all, next_forward_token: forward, next_backward_token: "b".to_owned() });
        }
        if (self.behaviour.circles)(query) {
            // A follower that never ends is to fail, not to hang.
            if self.behaviour.calls.load(Ordering::Relaxed) > 1000 {
                return Err(CloudError::Other("asked without end".to_owned()));
            }
            let next = if query.token.as_deref() == Some("one") { "other" } else { "one" };
            let (next_forward_token, next_backward_token) = (next.to_owned(), "b".to_owned());
            return Ok(EventsPage { events: all, next_forward_token, next_backward_token });
        }
        let given = query.token.clone().unwrap_or_default();
        let (behind, pages) = given.split_once('/').unwrap_or(("", "0"));
        let rest: Vec<LogEvent> = all.into_iter().filter(|event| *position(event) > *behind).collect();
        let pages: u32 = pages.parse().unwrap_or(0);
        let is_end = rest.is_empty();
        let (events, _) = self.page(rest, 0, pages % 2 == 1);
        let next =
            if is_end && query.token.is_some() { given.clone() } else { token(events.last(), behind, pages + 1) };
        Ok(EventsPage { events, next_forward_token: next, next_backward_token: "b".to_owned() })
    }
}

#[async_trait]
impl Jobs for Service {
    async fn describe(&self, _: &JobName) -> CloudResult<DescribeTrainingJobResponse> {
        self.call()?;
        let is_over = self.now() >= self.behaviour.seconds * 1000;
        let start = start();
        let end = start + SignedDuration::from_secs(i64::try_from(self.behaviour.seconds).unwrap_or(0));
        let phase = |status: &str, start: Timestamp| json!({ "Status": status, "StartTime": start });
        let mut phases = vec![phase("Starting", start), phase("Training", start)];
        phases.extend(is_over.then(|| phase("Completed", end)));
        let job = json!({
            "TrainingJobName": "job", "TrainingJobArn": "arn", "CreationTime": start, "StoppingCondition": {},
            "TrainingJobStatus": if is_over { "Completed" } else { "InProgress" },
            "SecondaryStatus": if is_over { "Completed" } else { "Training" },
            "SecondaryStatusTransitions": phases,
            "TrainingEndTime": is_over.then_some(end),
            "ResourceConfig": { "InstanceType": "ml.m5.large", "InstanceCount": self.behaviour.nodes },
        });
        serde_json::from_value(job).map_err(|error| CloudError::Other(error.to_string()))
    }

    async fn create(&self, _: &RequestDocument, _: &LocalOptions) -> CloudResult<String> {
        not_here()
    }

    async fn differences(&self, _: &CreateTrainingJobRequest, _: &LocalOptions) -> CloudResult<Vec<String>> {
        not_here()
    }

    async fn tags(&self, _: &DescribeTrainingJobResponse) -> CloudResult<Vec<Tag>> {
        not_here()
    }

    async fn list(&self, _: &JobsQuery, _: Option<String>) -> CloudResult<Page<ListedJob>> {
        not_here()
    }

    async fn statuses(&self, _: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>> {
        not_here()
    }

    async fn names(&self, _: &str) -> CloudResult<Vec<JobName>> {
        not_here()
    }

    async fn stop(&self, _: &JobName) -> CloudResult<()> {
        not_here()
    }
}

struct Nothing;

#[async_trait]
impl Objects for Nothing {
    async fn head(&self, _: &S3Uri) -> CloudResult<Option<u64>> {
        not_here()
    }

    async fn verify(&self, _: &S3Uri, _: &ContentDigest, _: Option<&str>) -> CloudResult<ContentMatch> {
        not_here()
    }

    async fn put(&self, _: &S3Uri, _: ObjectContent) -> CloudResult<()> {
        not_here()
    }

    async fn get(&self, _: &S3Uri) -> CloudResult<Box<dyn std::io::Read + Send>> {
        not_here()
    }

    async fn stat(&self, _: &S3Uri) -> CloudResult<Option<Object>> {
        not_here()
    }

    fn range(&self, _: &Object, _: std::ops::Range<u64>) -> ByteStream {
        Box::pin(futures_util::stream::once(async { not_here() }))
    }

    fn pages(&self, _: S3Uri) -> BoxStream<'_, CloudResult<Vec<ObjectSummary>>> {
        Box::pin(futures_util::stream::once(async { not_here() }))
    }

    async fn ensure_bucket(&self, _: &str) -> CloudResult<()> {
        not_here()
    }

    async fn abort_uploads(&self) -> Vec<CloudError> {
        Vec::new()
    }
}

#[async_trait]
impl Metrics for Nothing {
    async fn training_metrics(&self, _: &DescribeTrainingJobResponse) -> CloudResult<MetricHistory> {
        not_here()
    }
}

#[async_trait]
impl Identity for Nothing {
    async fn account(&self) -> CloudResult<String> {
        not_here()
    }

    async fn role_arn(&self, _: &str) -> CloudResult<String> {
        not_here()
    }
}
