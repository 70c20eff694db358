//! Merges the current list with the add_details but older one. Pure.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::{JobsQuery, ListedJob, SortBy};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus};

/// A job's sort key: its position in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    name: JobName,
    /// `None` if the status is unknown.
    status: Option<JobStatus>,
    created: Timestamp,
}

impl Position {
    pub(super) fn of(job: &ListedJob) -> Self {
        Self { name: job.name.clone(), status: job.status.as_ref().ok().cloned(), created: job.created }
    }

    pub(super) fn of_details(job: &DescribeTrainingJobResponse) -> Self {
        Self {
            name: job.training_job_name.clone(),
            status: Some(job.training_job_status.clone()),
            created: job.creation_time,
        }
    }

    fn cmp(&self, other: &Self, query: &JobsQuery) -> Ordering {
        let by_key = match query.sort_by {
            SortBy::CreationTime => self.created.cmp(&other.created),
            SortBy::Name => Ordering::Equal,
            SortBy::Status => {
                self.status.as_ref().map(JobStatus::as_str).cmp(&other.status.as_ref().map(JobStatus::as_str))
            }
        };
        let order = by_key.then_with(|| self.name.cmp(&other.name));
        if query.ascending { order } else { order.reverse() }
    }
}

/// Adds details to listed jobs. The list's own fields take precedence.
pub(super) fn add_details(listed: &mut [ListedJob], found: Vec<DescribeTrainingJobResponse>) {
    let mut found: HashMap<JobName, DescribeTrainingJobResponse> =
        found.into_iter().map(|job| (job.training_job_name.clone(), job)).collect();
    for job in listed {
        job.details = job.details.take().or_else(|| found.remove(&job.name));
    }
}

/// Returns the query's jobs after the position `after` and up to `end`, where a page of Search ends: the jobs that
/// Search `found`, with their current fields from `recent` (all jobs that have changed lately), and those of `recent`
/// that belong to this page but that Search doesn't know.
pub(super) fn merge_recent(
    query: &JobsQuery,
    found: Vec<DescribeTrainingJobResponse>,
    recent: Vec<ListedJob>,
    after: Option<&Position>,
    end: Option<&Position>,
) -> Vec<ListedJob> {
    let mut recent: HashMap<JobName, ListedJob> = recent.into_iter().map(|job| (job.name.clone(), job)).collect();
    let fresh = |job: DescribeTrainingJobResponse| match recent.remove(&job.training_job_name) {
        Some(fresh) => ListedJob { details: Some(job), ..fresh },
        None => job.into(),
    };
    let mut jobs: Vec<ListedJob> = found.into_iter().map(fresh).collect();
    let is_here = |job: &ListedJob| {
        let position = Position::of(job);
        after.is_none_or(|after| after.cmp(&position, query).is_lt())
            && end.is_none_or(|end| position.cmp(end, query).is_le())
    };
    jobs.extend(recent.into_values().filter(is_here));
    jobs.retain(|job| query.status.as_ref().is_none_or(|status| job.status.as_ref() == Ok(status)));
    jobs.sort_by(|a, b| Position::of(a).cmp(&Position::of(b), query));
    jobs
}

#[cfg(test)]
mod tests;
