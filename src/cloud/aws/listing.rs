//! Lists of jobs: ListTrainingJobs.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{SortBy as ListSortBy, SortOrder, TrainingJobStatus, TrainingJobSummary};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use super::error::failed;
use crate::cloud::{CloudResult, JobsQuery, ListedJob, Page, SortBy};
use crate::model::{JobName, JobStatus};

/// ListTrainingJobs' largest page.
const PAGE: usize = 100;

pub(super) async fn page(client: &Client, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>> {
    let size = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let sort_by = match query.sort_by {
        SortBy::CreationTime => ListSortBy::CreationTime,
        SortBy::Name => ListSortBy::Name,
        SortBy::Status => ListSortBy::Status,
    };
    let call = client
        .list_training_jobs()
        .sort_by(sort_by)
        .sort_order(if query.ascending { SortOrder::Ascending } else { SortOrder::Descending })
        .max_results(i32::try_from(size).unwrap_or(100))
        .set_name_contains(query.name_contains.clone())
        .set_status_equals(query.status.map(|status| TrainingJobStatus::from(status.as_str())))
        .set_creation_time_after(query.created_after.map(date_time))
        .set_creation_time_before(query.created_before.map(date_time));
    let page = call.set_next_token(token).send().await.map_err(failed("list the jobs"))?;
    let items = page.training_job_summaries.unwrap_or_default().into_iter().filter_map(listed).collect();
    Ok(Page { items, next_token: page.next_token })
}

pub(super) async fn names(client: &Client, part: &str) -> CloudResult<Vec<JobName>> {
    let name_contains = (!part.is_empty()).then(|| part.to_owned());
    let query = JobsQuery { name_contains, ..JobsQuery::default() };
    let page = page(client, &query, None).await?;
    Ok(page.items.into_iter().map(|job| job.name).collect())
}

/// What can't be read is no job that smtrain could work with.
fn listed(job: TrainingJobSummary) -> Option<ListedJob> {
    let status = serde_json::from_value::<JobStatus>(job.training_job_status?.as_str().into()).ok()?;
    Some(ListedJob {
        name: JobName::new(job.training_job_name?).ok()?,
        status,
        created: timestamp(job.creation_time?)?,
        ended: job.training_end_time.and_then(timestamp),
        details: None,
    })
}

fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

fn timestamp(time: DateTime) -> Option<Timestamp> {
    time.to_millis().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok())
}
