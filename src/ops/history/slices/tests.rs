//! Tests of the slices against a service in memory, whose answers come in any order.

use proptest::prelude::*;

use super::*;
use crate::model::{JobName, JobStatus};

const PAGE: usize = 100;

/// Jobs by the seconds that they were created at.
struct Service {
    /// In the order of the list.
    jobs: Vec<ListedJob>,
    ascending: bool,
    calls: usize,
}

impl Service {
    fn new(created: &[i64], ascending: bool) -> Self {
        let mut jobs: Vec<ListedJob> =
            created.iter().enumerate().map(|(number, created)| job(number, *created)).collect();
        jobs.sort_by_key(|job| (job.created, job.name.clone()));
        if !ascending {
            jobs.reverse();
        }
        Self { jobs, ascending, calls: 0 }
    }

    fn page(&mut self, query: &JobsQuery, token: Option<String>) -> Page<ListedJob> {
        self.calls += 1;
        let in_time = |job: &&ListedJob| {
            query.created_after.is_none_or(|time| job.created >= time)
                && query.created_before.is_none_or(|time| job.created < time)
        };
        let start: usize = token.and_then(|token| token.parse().ok()).unwrap_or_default();
        let found: Vec<&ListedJob> = self.jobs.iter().filter(in_time).skip(start).collect();
        let next_token = (found.len() > PAGE).then(|| (start + PAGE).to_string());
        Page { items: found.into_iter().take(PAGE).cloned().collect(), next_token }
    }
}

fn job(number: usize, created: i64) -> ListedJob {
    let created = Timestamp::from_second(created).expect("a time");
    let name = JobName::new(format!("job-{number:06}")).expect("a name");
    ListedJob { name, status: Ok(JobStatus::Completed), created, ended: None, details: None }
}

/// What came of reading all behind the first page.
struct Outcome {
    shown: Vec<ListedJob>,
    most_waiting: usize,
    most_calls: usize,
}

/// `pick` says which of the calls that are under way is answered next.
fn read(service: &mut Service, mut pick: impl FnMut(usize) -> usize) -> Result<Outcome> {
    let query = JobsQuery { ascending: service.ascending, ..JobsQuery::default() };
    let first = service.page(&query, None).items;
    let (mut all, mut most_waiting, mut most_calls) = (Vec::new(), 0, 0);
    let show = |jobs: Vec<ListedJob>| {
        all.extend(jobs);
        Ok(())
    };
    let mut shown = Shown { show, left: usize::MAX, last: std::collections::HashSet::new() };
    let density = Density::of(&first).expect("jobs of several moments");
    shown.more(first)?;
    let farthest = service.jobs.last().map_or(0, |job| job.created.as_millisecond());
    let whole = Span { from: farthest.min(density.begin), to: farthest.max(density.begin) + 1 };
    let mut slices = Slices::new(&query, whole.behind(density.end, service.ascending), density);
    let mut calls = Vec::new();
    loop {
        calls.extend(slices.begin(MAX_CONCURRENT_CALLS - calls.len()));
        most_calls = most_calls.max(calls.len());
        if calls.is_empty() {
            break;
        }
        let call = calls.remove(pick(calls.len()));
        slices.read(call.slice, service.page(&call.query, call.token))?;
        while let Some(jobs) = slices.in_order() {
            shown.more(jobs)?;
        }
        most_waiting = most_waiting.max(slices.slices.iter().map(|slice| slice.jobs.len()).sum());
    }
    Ok(Outcome { shown: all, most_waiting, most_calls })
}

fn names(jobs: &[ListedJob]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.as_str()).collect()
}

#[test]
fn ten_thousand_jobs_take_few_calls_and_little_memory() -> Result<()> {
    for ascending in [false, true] {
        let created: Vec<i64> = (0..10_000).map(|number| number * 60).collect();
        let mut service = Service::new(&created, ascending);
        // The first slice is always the last to be answered.
        let outcome = read(&mut service, |count| count - 1)?;
        assert_eq!(names(&outcome.shown), names(&service.jobs));
        assert!(service.calls < 130, "{} calls", service.calls);
        assert_eq!(outcome.most_calls, MAX_CONCURRENT_CALLS);
        assert!(
            outcome.most_waiting <= MAX_BUFFERED_JOBS + MAX_CONCURRENT_CALLS * PAGE,
            "{} jobs wait",
            outcome.most_waiting
        );
    }
    Ok(())
}

#[test]
fn busy_days_and_quiet_years() -> Result<()> {
    // Today's jobs, a sweep of an hour three years ago, and all of 900 created in one second.
    let created = (0..150).map(|number| 100_000_000 + number * 600);
    let created: Vec<i64> =
        created.chain((0..5000).map(|number| 5_000_000 + number)).chain((0..900).map(|_| 1000)).collect();
    for ascending in [false, true] {
        let mut service = Service::new(&created, ascending);
        if ascending {
            // The first page is of one second: nothing can be told, and the list goes by pages.
            assert!(Density::of(&service.page(&JobsQuery::default(), None).items).is_none());
            continue;
        }
        let outcome = read(&mut service, |_| 0)?;
        assert_eq!(names(&outcome.shown), names(&service.jobs));
        assert!(service.calls < 110, "{} calls", service.calls);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_job_is_shown_once_and_in_order(
        bursts in prop::collection::vec((0_i64..1_000_000, 1_i64..2000, 1_usize..700), 2..8),
        ascending: bool,
        picks in prop::collection::vec(0_usize..4, 50),
    ) {
        let burst = |(start, step, count): (i64, i64, usize)| (0..count).map(move |number| start + step * i64::try_from(number).expect("few"));
        let created: Vec<i64> = bursts.into_iter().flat_map(burst).collect();
        let mut service = Service::new(&created, ascending);
        prop_assume!(Density::of(&service.page(&JobsQuery { ascending, ..JobsQuery::default() }, None).items).is_some());
        let mut picks = picks.into_iter().cycle();
        let outcome = read(&mut service, |count| picks.next().unwrap_or_default() % count).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(names(&outcome.shown), names(&service.jobs));
        prop_assert!(service.calls < 40 + created.len() / 25, "{} calls for {} jobs", service.calls, created.len());
    }
}
