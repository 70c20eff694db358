//! Following a job's log until the job has ended and every line of it has been told.

mod bridge;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::filtered::Whole;
use super::merge::Merge;
use super::per_stream::{Streams, Through};
use super::polling::{Backoff, Quota, Round, is_large};
use super::preflight::{Preflight, preflight};
use super::read::{announce, of_wanted, streams};
use super::recorder::Recorder;
use super::selection::LogSelection;
use super::stats::{self, LogStats};
use super::tail::tail;
use super::traceback::Traceback;
use super::watcher::Watcher;
use crate::cloud::{Cloud, LogStream};
use crate::error::{Error, ErrorKind, Result};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, LogEvent, time};

/// How long a line of several nodes waits for an older one: longer than the pause between two rounds.
const HOLD: Duration = Duration::from_secs(3);
/// After a job's end the log is drained until this many rounds brought nothing.
const QUIET_ROUNDS: u32 = 2;
/// Lines were seen to arrive for as long after a job's end.
const LONGEST_DRAIN: Duration = Duration::from_secs(90);
/// By this computer's clock, which may be wrong by some minutes.
const LONG_AGO: SignedDuration = SignedDuration::from_mins(10);

/// What is followed, and what is told of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Following {
    pub(crate) wanted: LogSelection,
    /// Nodes that print nothing for so long are told of.
    pub(crate) stall: Option<Duration>,
    /// What a first preflight has shown, if there was one.
    pub(crate) preflight: Option<Box<Preflight>>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) state: DescribeTrainingJobResponse,
    pub(crate) tally: LogStats,
    /// Of a job that failed.
    pub(crate) traceback: Option<Traceback>,
    /// The log, or what came of it at some time, could not be read: the caller lacks the permission.
    pub(crate) is_log_denied: bool,
}

pub(crate) async fn follow(
    cloud: &Cloud,
    job: &JobName,
    following: Following,
    interrupt: &CancellationToken,
    watcher: &mut impl Watcher,
) -> Result<Followed> {
    let follower = Follower::new(cloud, job, following);
    tokio::select! {
        outcome = follower.run(watcher) => outcome,
        () = interrupt.cancelled() => Err(detached(job)),
    }
}

/// By which calls the log is read.
enum Reading {
    Streams(Streams),
    Whole(Whole),
    /// None: the caller may not read the log.
    Denied,
}

impl Reading {
    fn add(&mut self, streams: Vec<LogStream>) {
        if let Self::Streams(reading) = self {
            reading.add_all(streams);
        }
    }
}

struct Follower<'a> {
    cloud: &'a Cloud,
    job: &'a JobName,
    following: Following,
    pace: Backoff,
    quota: Quota,
    /// None before the job has been asked how many nodes it has.
    reading: Option<Reading>,
    merge: Merge,
    told: Recorder,
    state: Option<DescribeTrainingJobResponse>,
    /// When the job was first seen to have ended, and rounds since then that brought nothing.
    ended: Option<Instant>,
    /// It had ended before it was followed, when no line of it could be on its way any more.
    ended_long_ago: bool,
    quiet: u32,
    last_line: Instant,
    /// When the job was first seen to train.
    trains_since: Option<Instant>,
    /// The pause before the connection is tried again; none while it stands.
    retry: Option<Duration>,
}

impl<'a> Follower<'a> {
    fn new(cloud: &'a Cloud, job: &'a JobName, following: Following) -> Self {
        Self {
            cloud,
            job,
            following,
            pace: Backoff::of(cloud),
            quota: Quota::of(cloud),
            reading: None,
            merge: Merge::new(None),
            told: Recorder::default(),
            state: None,
            ended: None,
            ended_long_ago: false,
            quiet: 0,
            last_line: Instant::now(),
            trains_since: None,
            retry: None,
        }
    }

    async fn run(mut self, watcher: &mut impl Watcher) -> Result<Followed> {
        loop {
            let (began, lines) = (Instant::now(), self.lines());
            let round = self.pace.next(self.ended.is_some(), self.misses_streams());
            if let Err(error) = self.round(round, watcher).await {
                self.bridge(error, watcher).await?;
                continue;
            }
            if self.retry.take().is_some() {
                watcher.note("the connection is back")?;
            }
            let was_quiet = self.lines() == lines;
            if !was_quiet {
                self.last_line = Instant::now();
            }
            if self.is_over(was_quiet, began) {
                return self.finish(watcher);
            }
            self.pause(was_quiet, watcher).await?;
        }
    }

    /// Lines that have come, those held back too.
    fn lines(&self) -> u64 {
        self.told.tally.lines + self.merge.held()
    }

    /// Whether nodes have no stream yet.
    fn misses_streams(&self) -> bool {
        let Some(Reading::Streams(reading)) = &self.reading else { return false };
        reading.nodes() < self.told.tally.expected.unwrap_or(1)
    }

    async fn round(&mut self, round: Round, watcher: &mut impl Watcher) -> Result<()> {
        if self.reading.is_none() {
            self.start(watcher).await?;
        } else {
            if round.job && self.ended.is_none() {
                let state = self.cloud.jobs.describe(self.job).await?;
                self.take_state(state);
            }
            if round.streams {
                self.look_for_streams(watcher).await?;
            }
        }
        self.read(round.back, watcher).await?;
        self.told.phases.tell_all(watcher)?;
        self.tell_silence(watcher)?;
        watcher.flush()
    }

    fn take_state(&mut self, state: DescribeTrainingJobResponse) {
        self.told.phases.update(&state);
        let nodes = state.resource_config.as_ref().and_then(stats::nodes);
        self.told.tally.expect(&self.following.wanted.numbers(nodes));
        if state.secondary_status == "Training" {
            self.trains_since.get_or_insert_with(Instant::now);
        }
        if state.training_job_status.is_final() {
            self.ended.get_or_insert_with(Instant::now);
            let ago = state.training_end_time.map(|end| Timestamp::now().duration_since(end));
            self.ended_long_ago |= self.state.is_none() && ago.is_some_and(|ago| ago > LONG_AGO);
        }
        self.state = Some(state);
    }

    /// How the log is to be read, and where from.
    async fn start(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        self.quota.list.take().await;
        let streams = self.look_around().await?;
        announce(&streams, watcher);
        let wanted = &self.following.wanted;
        let nodes = self.told.tally.expected.unwrap_or(1);
        if nodes > 1 {
            let hold = Some(HOLD).filter(|_| !self.ended_long_ago);
            self.merge = Merge::new(hold);
            watcher.several_nodes(self.told.tally.widest());
        }
        let mut reading =
            if self.is_large() { Reading::Whole(Whole::default()) } else { Reading::Streams(Streams::default()) };
        match wanted.tail {
            Some(count) => self.start_at_tail(&mut reading, streams, count, watcher).await?,
            None => reading.add(streams),
        }
        self.reading = Some(reading);
        Ok(())
    }

    /// Whether one call for all nodes is better than one for each.
    fn is_large(&self) -> bool {
        is_large(self.cloud, self.told.tally.expected.unwrap_or(1))
    }

    /// The job, and the streams that its log is read from: none where one call for all nodes needs none.
    async fn look_around(&mut self) -> Result<Vec<LogStream>> {
        let Preflight { state, streams: listed } = match self.following.preflight.take() {
            Some(preflight) => *preflight,
            None => *Box::pin(preflight(self.cloud, self.job)).await?,
        };
        self.take_state(state);
        let wanted = &self.following.wanted;
        match listed {
            _ if self.is_large() && wanted.tail.is_none() => Ok(Vec::new()),
            Some(listed) => Ok(of_wanted(listed, wanted)),
            None => streams(self.cloud, self.job, wanted).await,
        }
    }

    async fn start_at_tail(
        &mut self,
        reading: &mut Reading,
        streams: Vec<LogStream>,
        count: usize,
        watcher: &mut impl Watcher,
    ) -> Result<()> {
        let shows = |event: &LogEvent| watcher.shows(event);
        let tail = tail(self.cloud, streams, &self.following.wanted, count, &mut self.quota, &shows).await?;
        for (stream, event) in &tail.lines {
            self.told.line(stream, event, false, watcher)?;
        }
        match reading {
            Reading::Streams(reading) => reading.go_on(tail.streams),
            Reading::Whole(reading) => reading.go_on(tail.streams),
            Reading::Denied => {}
        }
        Ok(())
    }

    async fn look_for_streams(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        let Some(Reading::Streams(reading)) = &mut self.reading else { return Ok(()) };
        self.quota.list.take().await;
        let streams = streams(self.cloud, self.job, &self.following.wanted).await?;
        announce(&streams, watcher);
        reading.add_all(streams);
        Ok(())
    }

    /// Reads on, and once in `back` rounds over the last stretch of time again.
    async fn read(&mut self, back: u32, watcher: &mut impl Watcher) -> Result<()> {
        let Some(reading) = &mut self.reading else { return Ok(()) };
        let told = &mut self.told;
        let tell = |stream: &LogStream, event: &LogEvent, late: bool| told.line(stream, event, late, watcher);
        let mut sink = Through { merge: &mut self.merge, tell };
        let (cloud, wanted, quota) = (self.cloud, &self.following.wanted, &mut self.quota);
        let (more_to_come, mut instead) = (self.ended.is_none(), None);
        match reading {
            Reading::Streams(reading) => {
                reading.round(cloud, wanted, quota, &mut sink, more_to_come).await?;
                if !cloud.is_local {
                    reading.look_back(cloud, wanted, quota, &mut sink, back).await?;
                }
            }
            Reading::Whole(reading) => {
                if !reading.round(cloud, self.job, wanted, quota, &mut sink).await? {
                    instead = Some(reading.as_streams());
                }
            }
            Reading::Denied => {}
        }
        sink.release()?;
        quota.settle();
        let Some(streams) = instead else { return Ok(()) };
        self.reading = Some(Reading::Streams(streams));
        self.look_for_streams(watcher).await?;
        Box::pin(self.read(back, watcher)).await
    }

    /// The pause until the next round, in which lines that were held back are told when they are due.
    async fn pause(&mut self, was_quiet: bool, watcher: &mut impl Watcher) -> Result<()> {
        let pause = if self.ended.is_some() { self.pace.shortest() } else { self.pace.pause(was_quiet, self.calls()) };
        let end = Instant::now() + pause;
        loop {
            let due = self.merge.next_due().map_or(end, |due| due.min(end));
            sleep_until(due).await;
            self.read_none(watcher)?;
            if due >= end {
                return Ok(());
            }
        }
    }

    /// How many calls it takes to read on.
    fn calls(&self) -> usize {
        match &self.reading {
            Some(Reading::Streams(reading)) => reading.len().max(1),
            _ => 1,
        }
    }

    /// Tells what is due of what has been read.
    fn read_none(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        let lines: Vec<_> = self.merge.release(Instant::now()).collect();
        for line in &lines {
            self.told.line(&line.stream, &line.event, line.late, watcher)?;
        }
        if lines.is_empty() { Ok(()) } else { watcher.flush() }
    }

    fn tell_silence(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        let (Some(stall), Some(start), None) = (self.following.stall, self.trains_since, self.ended) else {
            return Ok(());
        };
        if self.is_log_denied() {
            return Ok(());
        }
        let silent = self.told.tally.silent(stall, start);
        if silent.is_empty() {
            return Ok(());
        }
        let has = if silent.len() == 1 { "has" } else { "have" };
        let time = time::duration(SignedDuration::try_from(stall).unwrap_or_default());
        watcher.note(&format!("{} {has} printed nothing for {time}", silent.join(", ")))
    }

    /// Whether the job has ended and its log with it, after a round that began then.
    fn is_over(&mut self, was_quiet: bool, began: Instant) -> bool {
        let Some(ended) = self.ended else { return false };
        // On this computer every line is there before the job is said to have ended.
        if self.cloud.is_local || self.ended_long_ago || self.is_log_denied() {
            return true;
        }
        self.quiet = if was_quiet { self.quiet + 1 } else { 0 };
        let waits_for_nodes = self.trains_since.is_some() && self.told.tally.misses_nodes();
        // Lines are still on their way for as long as any has been. A round over many streams is long: it counts by its start.
        let patience = self.told.tally.patience() + self.pace.shortest();
        let is_drained = self.quiet >= QUIET_ROUNDS && began.duration_since(self.last_line.max(ended)) > patience;
        (is_drained && !waits_for_nodes) || (ended.elapsed() >= LONGEST_DRAIN && self.quiet > 0)
    }

    fn finish(mut self, watcher: &mut impl Watcher) -> Result<Followed> {
        for line in self.merge.release_all() {
            self.told.line(&line.stream, &line.event, line.late, watcher)?;
        }
        watcher.flush()?;
        if let Some(Reading::Streams(reading)) = &self.reading {
            self.told.tally.gaps = reading.gaps;
        }
        let is_log_denied = self.is_log_denied();
        let state = self.state.ok_or_else(|| Error::failure("the job was never described"))?;
        Ok(Followed { state, tally: self.told.tally, traceback: self.told.tracebacks.first(), is_log_denied })
    }

    fn is_log_denied(&self) -> bool {
        matches!(self.reading, Some(Reading::Denied))
    }
}

fn detached(job: &JobName) -> Error {
    Error::new(ErrorKind::Interrupted, format!("detached; job {job} goes on"))
        .hint(format!("follow it again: smtrain logs -f {job}"))
        .hint(format!("stop it: smtrain stop {job}"))
}
