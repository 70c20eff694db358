//! Limits that both services have on a query, and the times of a query in whole seconds.

use jiff::Timestamp;

use crate::cloud::JobsQuery;

/// Maximum page size of both operations.
pub(super) const MAX_PAGE_SIZE: usize = 100;

/// Returns the page size for a query.
pub(super) fn page_size(query: &JobsQuery) -> usize {
    query.limit.unwrap_or(MAX_PAGE_SIZE).clamp(1, MAX_PAGE_SIZE)
}

/// Returns whether a creation time is in the query's range. The services' filters have whole seconds, or leave open
/// whether they are inclusive.
pub(super) fn is_in_time(query: &JobsQuery, created: Timestamp) -> bool {
    query.created_after.is_none_or(|time| created >= time) && query.created_before.is_none_or(|time| created < time)
}

/// Rounds a time down to whole seconds since 1970.
pub(super) fn floor_second(time: Timestamp) -> i64 {
    time.as_millisecond().div_euclid(1000)
}

/// Rounds a time up to whole seconds since 1970.
pub(super) fn ceil_second(time: Timestamp) -> i64 {
    let floor = floor_second(time);
    let is_whole = Timestamp::from_second(floor).is_ok_and(|floor| floor == time);
    if is_whole { floor } else { floor + 1 }
}
