//! The follower against a service in memory, in paused time: whatever the service does, every line comes once.

mod service;

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::service::{Arrival, Behaviour, Service};
use super::selection::LogSelection;
use super::watcher::Watcher;
use super::{Followed, Following, follow, read};
use crate::cloud::{EventsQuery, LogStream};
use crate::error::Result;
use crate::model::{JobName, LogEvent};
use crate::tests::TestResult;

pub(super) fn stream(node: u32) -> LogStream {
    LogStream { name: format!("job/algo-{node}-1").into() }
}

/// Builds a line, with a time in seconds since 1970, that the service ingested at once.
pub(super) fn event(second: i64, text: &str) -> LogEvent {
    let timestamp = Timestamp::from_second(second).unwrap_or_default();
    LogEvent { timestamp, ingested: Some(timestamp), message: text.into(), is_gap: false }
}

/// Watcher that keeps what it receives.
#[derive(Debug, Default)]
struct Told {
    /// Node, time, text, and whether it was late.
    lines: Vec<(u32, Timestamp, String, bool)>,
    /// Time from when each line could be read until it was emitted.
    delays: Vec<SignedDuration>,
    notes: Vec<String>,
    phases: Vec<String>,
    started: Option<Instant>,
}

impl Watcher for Told {
    fn line(&mut self, stream: &LogStream, event: LogEvent, late: bool) -> Result<()> {
        let text = String::from_utf8_lossy(&event.message).into_owned();
        let since_start = SignedDuration::try_from(self.started.get_or_insert_with(Instant::now).elapsed());
        let now = service::start() + since_start.unwrap_or_default();
        self.delays.push(now.duration_since(event.ingested.unwrap_or(event.timestamp)));
        self.lines.push((stream.number(), event.timestamp, text, late));
        Ok(())
    }

    fn shows(&self, _: &LogEvent) -> bool {
        true
    }

    fn several_nodes(&mut self, _: usize) {}

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn phase(&mut self, phase: &str, _: &str) -> Result<()> {
        self.phases.push(phase.to_owned());
        Ok(())
    }

    fn note(&mut self, text: &str) -> Result<()> {
        self.notes.push(text.to_owned());
        Ok(())
    }
}

/// Follows a job on such a service from its start to its end, in no time.
fn followed(
    behaviour: Behaviour,
    following: Following,
) -> std::result::Result<(Told, Followed), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        let (cloud, job) = (Service::cloud(behaviour), JobName::new("job")?);
        let mut told = Told { started: Some(Instant::now()), ..Told::default() };
        let ended = follow(&cloud, &job, following, &CancellationToken::new(), &mut told).await?;
        Ok((told, ended))
    })
}

/// Lines come once each, and in order but for those that are late.
fn check(behaviour: &Behaviour, told: &Told) {
    let mut expected: Vec<&str> = behaviour.arrivals.iter().map(|arrival| arrival.text.as_str()).collect();
    let mut found: Vec<&str> = told.lines.iter().map(|(_, _, text, _)| text.as_str()).collect();
    expected.sort_unstable();
    found.sort_unstable();
    let count = |all: &[&str], text: &str| all.iter().filter(|other| **other == text).count();
    let wrong: Vec<String> = expected
        .iter()
        .chain(&found)
        .filter(|text| count(&expected, text) != count(&found, text))
        .map(|text| format!("{text}: {} times for {}", count(&found, text), count(&expected, text)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let mut newest = None;
    for (node, time, text, late) in &told.lines {
        assert_eq!(*late, newest.is_some_and(|newest| *time < newest), "algo-{node} {text}");
        newest = newest.max(Some(*time));
    }
}

fn arrivals(nodes: u32, seconds: u64) -> impl Strategy<Value = Vec<Arrival>> {
    let lag = prop_oneof![9 => 0_u64..1500, 1 => 0_u64..20_000];
    let one = (1..=nodes, 0..seconds * 1000, lag, any::<bool>());
    proptest::collection::vec(one, 0..400).prop_map(|all| {
        let arrival = |(number, (node, at, lag, same)): (usize, (u32, u64, u64, bool))| {
            let text = if same { "the same line".to_owned() } else { format!("line {number}") };
            Arrival { node, stream: 1, at, lag, text }
        };
        // How late lines can be shows early on.
        let first = Arrival { node: 1, stream: 1, at: 0, lag: 20_000, text: "the first".to_owned() };
        all.into_iter().enumerate().map(arrival).chain([first]).collect()
    })
}

proptest! {
    // The same cases each time: a change shows what it does, and nothing else does.
    #![proptest_config(ProptestConfig { cases: 96, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_comes_once(
        (nodes, arrivals) in (1_u32..20).prop_flat_map(|nodes| (Just(nodes), arrivals(nodes, 120))),
        page in 20_usize..60,
        empty_pages in any::<bool>(),
        may_filter in any::<bool>(),
        // Of calls that have been tried again ten times already.
        failing in prop_oneof![Just(0_u32), Just(3)],
    ) {
        let behaviour = Behaviour { nodes, arrivals, page, empty_pages, may_filter, failing, seconds: 120, ..Behaviour::default() };
        let outcome = followed(behaviour.clone(), Following::default());
        let (told, ended) = outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
        check(&behaviour, &told);
        prop_assert_eq!(ended.stats.gaps, 0);
        prop_assert_eq!(told.phases, ["Starting", "Training", "Completed"]);
    }
}

fn line(node: u32, at: u64, lag: u64) -> Arrival {
    Arrival { node, stream: 1, at, lag, text: format!("{node} at {at}") }
}

#[test]
fn lines_of_several_nodes_are_in_one_order() -> TestResult {
    // The second node's lines arrive a second later than the first's.
    let each = |second: u64| [line(1, second * 1000, 0), line(2, second * 1000 + 500, 1000)];
    let behaviour = Behaviour { nodes: 2, arrivals: (0..60).flat_map(each).collect(), ..Behaviour::default() };
    let (told, ended) = followed(behaviour.clone(), Following::default())?;
    check(&behaviour, &told);
    assert_eq!((ended.stats.lines, ended.stats.late, ended.stats.node_count()), (120, 0, 2));
    Ok(())
}

#[test]
fn a_restarted_node_s_second_stream_is_read() -> TestResult {
    let again = Arrival { stream: 2, ..line(2, 40_000, 0) };
    let behaviour = Behaviour { nodes: 2, arrivals: vec![line(1, 0, 0), line(2, 0, 0), again], ..Behaviour::default() };
    let (told, _) = followed(behaviour.clone(), Following::default())?;
    check(&behaviour, &told);
    Ok(())
}

#[test]
fn a_lost_connection_is_told_of_once() -> TestResult {
    let behaviour =
        Behaviour { arrivals: vec![line(1, 0, 0), line(1, 50_000, 0)], outage: Some((10, 45)), ..Behaviour::default() };
    let (told, _) = followed(behaviour.clone(), Following::default())?;
    check(&behaviour, &told);
    assert_eq!(told.notes.len(), 2, "{:?}", told.notes);
    assert_eq!(told.notes.last().map(String::as_str), Some("the connection is back"));
    Ok(())
}

/// A poll of eight calls takes three seconds at the polite rate, beside the pause of two; then come three of holding
/// back.
#[test]
fn lines_of_eight_streams_come_soon() -> TestResult {
    let each = |second: u64| (1..=8).map(move |node| line(node, second * 1000 + u64::from(node), 1000));
    let arrivals: Vec<Arrival> = (0..300).flat_map(each).collect();
    let behaviour = Behaviour { nodes: 8, arrivals, seconds: 300, ..Behaviour::default() };
    let (mut told, _) = followed(behaviour.clone(), Following::default())?;
    check(&behaviour, &told);
    told.delays.sort();
    let (median, longest) = (told.delays[told.delays.len() / 2], told.delays.last().copied().unwrap_or_default());
    assert!(median < SignedDuration::from_secs(6) && longest < SignedDuration::from_secs(12), "{median} {longest}");
    Ok(())
}

#[test]
fn silent_nodes_are_named_once() -> TestResult {
    let all: Vec<Arrival> = (0..600).map(|second| line(1, second * 1000, 0)).chain([line(2, 0, 0)]).collect();
    let behaviour = Behaviour { nodes: 3, arrivals: all, seconds: 600, ..Behaviour::default() };
    let following = Following { stall: Some(std::time::Duration::from_mins(2)), ..Following::default() };
    let (told, _) = followed(behaviour, following)?;
    let notes = told.notes.join("\n");
    for (node, times) in [("algo-1", 0), ("algo-2", 1), ("algo-3", 1)] {
        assert_eq!(notes.matches(node).count(), times, "{notes}");
    }
    Ok(())
}

/// Half an hour more of it: how it starts and ends aside.
#[test]
fn a_quiet_job_costs_little() -> TestResult {
    for nodes in [1, 4, 8, 64] {
        let calls = |minutes: u64| -> std::result::Result<u32, Box<dyn std::error::Error>> {
            let arrivals = (1..=nodes).map(|node| line(node, 0, 0)).collect();
            let behaviour = Behaviour { nodes, arrivals, seconds: minutes * 60, ..Behaviour::default() };
            let calls = behaviour.calls.clone();
            followed(behaviour, Following::default())?;
            Ok(calls.load(std::sync::atomic::Ordering::Relaxed))
        };
        let more = calls(60)? - calls(30)?;
        assert!(more <= 30 * 60 * 3 / 10, "{nodes} nodes: {more} calls in half an hour");
    }
    Ok(())
}

/// Two of so many nodes print.
#[test]
fn a_tail_is_followed_from_there() -> TestResult {
    for (nodes, may_filter) in [(2, true), (12, true), (12, false)] {
        let arrivals = (0..60).flat_map(|second| [line(1, second * 1000, 0), line(2, second * 1000, 0)]).collect();
        let behaviour = Behaviour { nodes, may_filter, arrivals, started: 30, ..Behaviour::default() };
        let wanted = LogSelection { tail: Some(3), ..LogSelection::default() };
        let (told, _) = followed(behaviour, Following { wanted, ..Following::default() })?;
        let first: Vec<&str> = told.lines.iter().take(3).map(|(_, _, text, _)| text.as_str()).collect();
        assert_eq!(first, ["2 at 29000", "1 at 30000", "2 at 30000"], "{nodes} {may_filter}");
        assert_eq!(told.lines.len(), 3 + 29 * 2, "{nodes} {may_filter}");
    }
    Ok(())
}

/// Also where the calls that serve many nodes are denied: one poll reads everything.
#[test]
fn a_job_that_ended_long_ago_is_read_at_once() -> TestResult {
    for (nodes, may_filter) in [(1, true), (12, true), (12, false)] {
        let arrivals = (0..60).map(|second| line(1, second * 1000, 0)).collect();
        let behaviour = Behaviour { nodes, may_filter, arrivals, started: 3600, ..Behaviour::default() };
        let (told, ended) = followed(behaviour.clone(), Following::default())?;
        check(&behaviour, &told);
        assert_eq!(ended.stats.late, 0);
        assert!(behaviour.calls.load(std::sync::atomic::Ordering::Relaxed) < 10, "{nodes} {may_filter}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_there_is_read_in_order() -> TestResult {
    for nodes in [1, 3, 12] {
        for may_filter in [true, false] {
            let each = |second: u64| (1..=nodes).map(move |node| line(node, second * 1000 + u64::from(node), 0));
            let arrivals: Vec<Arrival> = (0..50).flat_map(each).collect();
            let behaviour = Behaviour { nodes, arrivals, may_filter, page: 7, started: 3600, ..Behaviour::default() };
            let mut told = Told::default();
            read(&Service::cloud(behaviour.clone()), &JobName::new("job")?, &LogSelection::default(), &mut told)
                .await?;
            check(&behaviour, &told);
            assert!(told.lines.iter().all(|(.., late)| !late), "{nodes} nodes");
        }
    }
    Ok(())
}

/// Reading on, and looking back, which alone names an end.
#[test]
fn pages_that_lead_in_a_circle_end() {
    let circles: [fn(&EventsQuery) -> bool; 2] = [|_| true, |query| query.end.is_some()];
    for circles in circles {
        let arrivals = (0..30).map(|second| line(1, second * 1000, 0)).collect();
        let behaviour = Behaviour { arrivals, circles, ..Behaviour::default() };
        let calls = behaviour.calls.clone();
        let outcome = followed(behaviour, Following::default());
        let error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("leads back to an earlier one"), "{error:?}");
        assert!(calls.load(Ordering::Relaxed) < 200);
    }
}
