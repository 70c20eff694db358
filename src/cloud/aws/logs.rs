//! Log streams of a job in SageMaker's log group, and their events.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::OutputLogEvent;
use jiff::Timestamp;

use super::arn;
use super::config::{AwsConfig, client};
use super::error::{answer, service_error};
use crate::cloud::{
    CloudError, CloudResult, EventsPage, EventsQuery, JobEvent, JobEventsPage, LogStream, Logs, PageTokens,
};
use crate::model::{JobName, LogEvent};

/// Log group of all training jobs.
const GROUP: &str = "/aws/sagemaker/TrainingJobs";

/// Maximum backoff between attempts of a call. A followed log polls again anyway.
const MAX_BACKOFF: Duration = Duration::from_secs(3);

/// Implements [`Logs`] with CloudWatch Logs.
#[derive(Debug)]
pub(super) struct AwsLogs {
    client: Client,
    region: String,
}

impl AwsLogs {
    pub(super) fn new(config: &AwsConfig) -> Self {
        // A poll of a followed log should not wait long for a single call.
        let retries = config.sdk().retry_config().cloned().map(|retries| retries.with_max_backoff(MAX_BACKOFF));
        let mut builder = aws_sdk_cloudwatchlogs::config::Builder::from(config.sdk());
        builder.set_retry_config(retries);
        let client = client!(aws_sdk_cloudwatchlogs, config, builder);
        Self { client, region: config.region().to_string() }
    }

    /// Returns the ARN of a resource below the log group.
    fn arn(&self, below: &str) -> String {
        arn::regional("logs", &self.region, &format!("log-group:{GROUP}:{below}"))
    }
}

#[async_trait]
impl Logs for AwsLogs {
    /// Lists by the prefix `NAME/`: without the `/`, it would match longer job names.
    async fn streams(&self, job: &JobName) -> CloudResult<Vec<LogStream>> {
        let prefix = format!("{job}/");
        let mut streams = Vec::new();
        let mut token = None;
        let mut tokens = PageTokens::default();
        loop {
            let call = self.client.describe_log_streams().log_group_name(GROUP).log_stream_name_prefix(&prefix);
            let page = match call.set_next_token(token).send().await {
                Ok(page) => page,
                // No job of this account has logged yet.
                Err(error) if answer(&error).is_some_and(|answer| answer.is_one_of(&["ResourceNotFound"])) => {
                    return Ok(Vec::new());
                }
                Err(error) => {
                    return Err(service_error(&format!("list the log streams of {job}"), &self.arn("*"), &error));
                }
            };
            let names = page.log_streams.into_iter().flatten().filter_map(|stream| stream.log_stream_name);
            let before = streams.len();
            streams.extend(names.map(|name| LogStream { name: name.into() }));
            token =
                tokens.after(streams.len() == before).next(page.next_token, &format!("the log streams of {job}"))?;
            if token.is_none() {
                return Ok(streams);
            }
        }
    }

    async fn job_events(&self, job: &JobName, query: &EventsQuery) -> CloudResult<JobEventsPage> {
        let EventsQuery { start, end, token, .. } = query;
        let call = self
            .client
            .filter_log_events()
            .log_group_name(GROUP)
            .log_stream_name_prefix(format!("{job}/"))
            .set_start_time(start.map(Timestamp::as_millisecond))
            // FilterLogEvents includes the end time.
            .set_end_time(end.map(|end| end.as_millisecond() - 1))
            .set_next_token(token.clone());
        match call.send().await {
            Ok(page) => {
                let mut names = StreamNames::default();
                let events = page.events.into_iter().flatten().filter_map(|event| {
                    let stream = names.stream(event.log_stream_name?);
                    let id = digest(&event.event_id?);
                    let event = log_event(event.timestamp, event.ingestion_time, event.message)?;
                    Some(JobEvent { stream, event, id })
                });
                Ok(JobEventsPage { events: events.collect(), next_token: page.next_token })
            }
            // No job of this account has logged yet.
            Err(error) if answer(&error).is_some_and(|answer| answer.is_one_of(&["ResourceNotFound"])) => {
                Ok(JobEventsPage { events: Vec::new(), next_token: None })
            }
            Err(error) => Err(service_error(&format!("read the log of {job}"), &self.arn("*"), &error)),
        }
    }

    async fn events(&self, stream: &LogStream, query: &EventsQuery) -> CloudResult<EventsPage> {
        let EventsQuery { start, end, from_head, token, limit, up_to: _ } = query;
        let call = self
            .client
            .get_log_events()
            .log_group_name(GROUP)
            .log_stream_name(&*stream.name)
            .start_from_head(*from_head)
            .set_start_time(start.map(Timestamp::as_millisecond))
            .set_end_time(end.map(Timestamp::as_millisecond))
            .set_next_token(token.clone())
            .set_limit(limit.map(|limit| i32::try_from(limit.clamp(1, 10_000)).unwrap_or(10_000)));
        match call.send().await {
            Ok(page) => Ok(EventsPage {
                events: page.events.into_iter().flatten().filter_map(event).collect(),
                next_forward_token: page.next_forward_token.unwrap_or_default(),
                next_backward_token: page.next_backward_token.unwrap_or_default(),
            }),
            Err(error) if answer(&error).is_some_and(|answer| answer.is_one_of(&["ResourceNotFound"])) => {
                Err(CloudError::NotFound(format!("log stream {}", stream.name)))
            }
            Err(error) => {
                let arn = self.arn(&format!("log-stream:{}", stream.name));
                Err(service_error(&format!("read the log stream {}", stream.name), &arn, &error))
            }
        }
    }
}

fn event(event: OutputLogEvent) -> Option<LogEvent> {
    log_event(event.timestamp, event.ingestion_time, event.message)
}

fn log_event(timestamp: Option<i64>, ingested: Option<i64>, message: Option<String>) -> Option<LogEvent> {
    let time = |millisecond: Option<i64>| Timestamp::from_millisecond(millisecond?).ok();
    Some(LogEvent {
        timestamp: time(timestamp)?,
        ingested: time(ingested),
        message: message.unwrap_or_default().into_bytes(),
        is_gap: false,
    })
}

fn digest(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Interns stream names: a page has thousands of events of a few streams.
#[derive(Default)]
struct StreamNames {
    known: HashSet<Arc<str>>,
}

impl StreamNames {
    fn stream(&mut self, name: String) -> LogStream {
        if let Some(known) = self.known.get(name.as_str()) {
            return LogStream { name: known.clone() };
        }
        let name: Arc<str> = name.into();
        self.known.insert(name.clone());
        LogStream { name }
    }
}
