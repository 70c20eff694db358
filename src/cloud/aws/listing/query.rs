//! Limits that both services have on a query, and the times of a query in whole seconds.

use jiff::Timestamp;

use crate::cloud::JobsQuery;

/// The largest page of either service.
pub(super) const PAGE: usize = 100;

/// What both services are asked for at a time.
pub(super) fn page_size(query: &JobsQuery) -> usize {
    query.limit.unwrap_or(PAGE).clamp(1, PAGE)
}

/// The services' filters are of whole seconds, or leave open whether a limit belongs to them.
pub(super) fn is_in_time(query: &JobsQuery, created: Timestamp) -> bool {
    query.created_after.is_none_or(|time| created >= time) && query.created_before.is_none_or(|time| created < time)
}

/// The whole second that a time is in, since 1970.
pub(super) fn second(time: Timestamp) -> i64 {
    time.as_millisecond().div_euclid(1000)
}

/// The first whole second that is not before a time, since 1970.
pub(super) fn next_second(time: Timestamp) -> i64 {
    let second = second(time);
    if Timestamp::from_second(second).is_ok_and(|second| second == time) { second } else { second + 1 }
}
