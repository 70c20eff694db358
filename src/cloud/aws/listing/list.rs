//! ListTrainingJobs: the current status of every job, with few fields.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::list_training_jobs::builders::ListTrainingJobsFluentBuilder;
use aws_sdk_sagemaker::types::{SortBy as ListSortBy, SortOrder, TrainingJobStatus, TrainingJobSummary};
use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::query::{MAX_PAGE_SIZE, ceil_second, floor_second, is_in_time, page_size};
use crate::cloud::aws::arn;
use crate::cloud::aws::error::failed;
use crate::cloud::{CloudResult, JobsQuery, ListedJob, Page, SortBy};
use crate::model::{JobName, JobStatus};

/// Period of changes that Search may not have yet. It was observed to lag by seconds to minutes.
const MAX_SEARCH_LAG: SignedDuration = SignedDuration::from_mins(15);

/// Returns a page of the jobs that match the query.
pub(super) async fn page(client: &Client, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>> {
    let status = query.status.as_ref().map(|status| TrainingJobStatus::from(status.as_str()));
    let call = call(client, query, page_size(query)).set_status_equals(status);
    send(query, call.set_next_token(token)).await
}

/// Returns jobs of any status that have changed lately: at most one page.
pub(super) async fn recent(client: &Client, query: &JobsQuery) -> CloudResult<Vec<ListedJob>> {
    let since = DateTime::from_millis((Timestamp::now() - MAX_SEARCH_LAG).as_millisecond());
    let page = send(query, call(client, query, MAX_PAGE_SIZE).last_modified_time_after(since)).await?;
    Ok(page.items)
}

fn call(client: &Client, query: &JobsQuery, size: usize) -> ListTrainingJobsFluentBuilder {
    let sort_by = match query.sort_by {
        SortBy::CreationTime => ListSortBy::CreationTime,
        SortBy::Name => ListSortBy::Name,
        SortBy::Status => ListSortBy::Status,
    };
    // The API reference doesn't say whether these times are inclusive, or how precise: the query is a little wider than
    // needed.
    let after = query.created_after.map(|time| floor_second(time) - 1);
    client
        .list_training_jobs()
        .sort_by(sort_by)
        .sort_order(if query.ascending { SortOrder::Ascending } else { SortOrder::Descending })
        .max_results(i32::try_from(size).unwrap_or(100))
        .set_name_contains(query.name_contains.clone())
        .set_creation_time_after(after.map(DateTime::from_secs))
        .set_creation_time_before(query.created_before.map(ceil_second).map(DateTime::from_secs))
}

async fn send(query: &JobsQuery, call: ListTrainingJobsFluentBuilder) -> CloudResult<Page<ListedJob>> {
    let page = call.send().await.map_err(failed("list the jobs", arn::ANY))?;
    let jobs = page.training_job_summaries.unwrap_or_default().into_iter().filter_map(listed);
    let items = jobs.filter(|job| is_in_time(query, job.created)).collect();
    Ok(Page { items, next_token: page.next_token })
}

/// Converts a summary. Returns `None` for one without a status or with an invalid name.
fn listed(job: TrainingJobSummary) -> Option<ListedJob> {
    Some(ListedJob {
        name: JobName::new(job.training_job_name?).ok()?,
        status: Ok(JobStatus::from(job.training_job_status?.as_str().to_owned())),
        created: timestamp(job.creation_time?)?,
        ended: job.training_end_time.and_then(timestamp),
        details: None,
    })
}

fn timestamp(time: DateTime) -> Option<Timestamp> {
    time.to_millis().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok())
}
