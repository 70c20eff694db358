//! Lists local jobs. States are read in the query's order, on all cores, and only as many as the query needs.

use std::panic::resume_unwind;
use std::thread;

use jiff::Timestamp;

use crate::cloud::{JobsQuery, ListedJob, SortBy};
use crate::local::LocalError;
use crate::local::store::layout::Home;
use crate::model::JobName;

/// Minimum and maximum number of states that are read at a time.
const MIN_BATCH_JOBS: usize = 32;
const MAX_BATCH_JOBS: usize = 4096;

/// Returns the jobs among `names` that match the query.
pub(super) fn jobs(home: &Home, mut names: Vec<JobName>, query: &JobsQuery) -> Vec<ListedJob> {
    names.retain(|name| matches_name(name, query));
    let limit = query.limit.unwrap_or(usize::MAX);
    if query.sort_by == SortBy::Status {
        return by_status(read(home, &names, query, usize::MAX), query.ascending, limit);
    }
    order(home, &mut names, query);
    read(home, &names, query, limit)
}

/// Returns the names that match the query, without reading states.
pub(super) fn names(home: &Home, mut names: Vec<JobName>, query: &JobsQuery) -> Vec<JobName> {
    names.retain(|name| matches_name(name, query));
    order(home, &mut names, query);
    names
}

fn matches_name(name: &JobName, query: &JobsQuery) -> bool {
    query.name_contains.as_deref().is_none_or(|part| name.as_str().contains(part))
}

/// Orders by name, or by time of creation, which is usually part of the name.
fn order(home: &Home, names: &mut [JobName], query: &JobsQuery) {
    match query.sort_by {
        SortBy::Name | SortBy::Status => names.sort_unstable(),
        SortBy::CreationTime => names.sort_by_cached_key(|name| (created(home, name), name.clone())),
    }
    if !query.ascending {
        names.reverse();
    }
}

fn created(home: &Home, name: &JobName) -> Timestamp {
    let read = || home.job(name).read_state().map(|job| job.creation_time).ok();
    name.stamp().or_else(read).unwrap_or(Timestamp::MIN)
}

fn by_status(mut jobs: Vec<ListedJob>, ascending: bool, limit: usize) -> Vec<ListedJob> {
    // Jobs with an unknown status come first.
    jobs.sort_by_key(|job| {
        (job.status.as_ref().ok().map(|status| status.as_str().to_owned()), std::cmp::Reverse(job.created))
    });
    if !ascending {
        jobs.reverse();
    }
    jobs.truncate(limit);
    jobs
}

/// Returns the first matching jobs in the order of `names`, up to the limit.
fn read(home: &Home, names: &[JobName], query: &JobsQuery, limit: usize) -> Vec<ListedJob> {
    let mut jobs = Vec::new();
    for names in names.chunks(limit.clamp(MIN_BATCH_JOBS, MAX_BATCH_JOBS)) {
        jobs.extend(read_all(home, names).into_iter().filter(|job| matches(query, job)));
        if jobs.len() >= limit {
            break;
        }
    }
    jobs.truncate(limit);
    jobs
}

/// Reads all jobs, in order.
fn read_all(home: &Home, names: &[JobName]) -> Vec<ListedJob> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shares = names.chunks(names.len().div_ceil(cores).max(1));
    let share = |names: &[JobName]| names.iter().filter_map(|name| read_one(home, name)).collect::<Vec<_>>();
    thread::scope(|scope| {
        let readers: Vec<_> = shares.map(|names| scope.spawn(move || share(names))).collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Reads one job. Returns `None` if it was removed in the meantime. A job whose state can't be read is listed with the
/// error.
fn read_one(home: &Home, name: &JobName) -> Option<ListedJob> {
    match home.job(name).current_state() {
        Ok(job) => Some(job.into()),
        Err(LocalError::NotFound(_)) => None,
        Err(error) => Some(unreadable(name, &error)),
    }
}

/// Returns an entry with what follows from the job's name.
fn unreadable(name: &JobName, error: &LocalError) -> ListedJob {
    ListedJob {
        name: name.clone(),
        status: Err(error.to_string()),
        created: name.stamp().unwrap_or(Timestamp::UNIX_EPOCH),
        ended: None,
        details: None,
    }
}

fn matches(query: &JobsQuery, job: &ListedJob) -> bool {
    query.status.as_ref().is_none_or(|status| job.status.as_ref() == Ok(status))
        && query.created_after.is_none_or(|time| job.created >= time)
        && query.created_before.is_none_or(|time| job.created < time)
}
