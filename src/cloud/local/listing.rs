//! ListTrainingJobs on this computer: states are read in the order asked for, on every core, and no more of them than are
//! needed.

use std::thread;

use jiff::Timestamp;

use crate::cloud::{JobsQuery, ListedJob, SortBy};
use crate::local::LocalError;
use crate::local::store::layout::Home;
use crate::model::{JobName, JobStatus};

/// The fewest and the most jobs that are read at a time.
const FEW: usize = 32;
const MANY: usize = 4096;

/// The jobs that the query asks for, of those named.
pub(super) fn jobs(home: &Home, mut names: Vec<JobName>, query: &JobsQuery) -> Vec<ListedJob> {
    names.retain(|name| is_named(name, query));
    let limit = query.limit.unwrap_or(usize::MAX);
    if query.sort_by == SortBy::Status {
        return by_status(read(home, &names, query, usize::MAX), query.ascending, limit);
    }
    order(home, &mut names, query);
    read(home, &names, query, limit)
}

/// The same jobs' names alone, whatever their state.
pub(super) fn names(home: &Home, mut names: Vec<JobName>, query: &JobsQuery) -> Vec<JobName> {
    names.retain(|name| is_named(name, query));
    order(home, &mut names, query);
    names
}

fn is_named(name: &JobName, query: &JobsQuery) -> bool {
    query.name_contains.as_deref().is_none_or(|part| name.as_str().contains(part))
}

/// By name, or by the time in the name: the time of creation, without a look at the job.
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
    // Those of no known status come first.
    jobs.sort_by_key(|job| (job.status.as_ref().ok().copied().map(JobStatus::as_str), std::cmp::Reverse(job.created)));
    if !ascending {
        jobs.reverse();
    }
    jobs.truncate(limit);
    jobs
}

/// The first jobs that are wanted, up to the limit, in the order of their names.
fn read(home: &Home, names: &[JobName], query: &JobsQuery, limit: usize) -> Vec<ListedJob> {
    let mut jobs = Vec::new();
    for names in names.chunks(limit.clamp(FEW, MANY)) {
        jobs.extend(read_all(home, names).into_iter().filter(|job| is_wanted(query, job)));
        if jobs.len() >= limit {
            break;
        }
    }
    jobs.truncate(limit);
    jobs
}

/// Every one of the jobs, in order.
fn read_all(home: &Home, names: &[JobName]) -> Vec<ListedJob> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shares = names.chunks(names.len().div_ceil(cores).max(1));
    let share = |names: &[JobName]| names.iter().filter_map(|name| read_one(home, name)).collect::<Vec<_>>();
    thread::scope(|scope| {
        let readers: Vec<_> = shares.map(|names| scope.spawn(move || share(names))).collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap_or_default()).collect()
    })
}

/// A job that was removed while the list was read is none; one whose state can't be read is listed all the same.
fn read_one(home: &Home, name: &JobName) -> Option<ListedJob> {
    match home.job(name).true_state() {
        Ok(job) => Some(job.into()),
        Err(LocalError::NotFound(_)) => None,
        Err(error) => Some(unreadable(name, &error)),
    }
}

/// Returns what the job's name tells of it.
fn unreadable(name: &JobName, error: &LocalError) -> ListedJob {
    ListedJob {
        name: name.clone(),
        status: Err(error.to_string()),
        created: name.stamp().unwrap_or(Timestamp::UNIX_EPOCH),
        ended: None,
        details: None,
    }
}

fn is_wanted(query: &JobsQuery, job: &ListedJob) -> bool {
    query.status.is_none_or(|status| job.status == Ok(status))
        && query.created_after.is_none_or(|time| job.created >= time)
        && query.created_before.is_none_or(|time| job.created < time)
}
