//! Follows a job's log until the job has ended and its log is drained.
//!
//! Each poll describes the job and lists its streams if that is due ([`PollPlan`]), reads all new events, rescans the
//! lateness window of some streams, and emits the lines that the [`Merge`] releases. After the job's end, polls go on
//! until no line has arrived for a while ([`DRAIN_QUIET_POLLS`], [`MAX_DRAIN`]): CloudWatch delivers lines late. A
//! local log is complete when its job has ended.
//!
//! A failed poll is resumed by the next one, see [`bridge`]. Cancellation drops the future; the job continues.

mod bridge;
mod options;
mod reader;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::reader::FollowReader;
use super::filtered::FilteredReader;
use super::merge::Merge;
use super::per_stream::{MergingSink, PerStreamReader};
use super::polling::{Backoff, PollPlan, is_large};
use super::preflight::{Preflight, preflight};
use super::rate_limits::RateLimits;
use super::read::{announce_nodes, list_streams, select_streams};
use super::recorder::Recorder;
use super::stats;
use super::tail::read_tail;
use super::watcher::Watcher;
use crate::cloud::{Cloud, LogStream};
use crate::error::{Error, ErrorKind, Result};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, LogEvent, time};

pub(crate) use self::options::{Followed, Following};

/// Time for which a line of several nodes is held for an older one; longer than the base pause between two polls.
const HOLD: Duration = Duration::from_secs(3);
/// Number of polls in a row without a line after which an ended job's log is drained.
const DRAIN_QUIET_POLLS: u32 = 2;
/// Maximum time for draining the log of an ended job, unless lines still arrive. Lines were seen to arrive up to this
/// long after a job's end.
const MAX_DRAIN: Duration = Duration::from_secs(90);
/// Time since a job's end after which its log is complete. By the local clock, which may be wrong by some minutes.
const ENDED_LONG_AGO: SignedDuration = SignedDuration::from_mins(10);

/// Follows a job until it has ended and its log is drained.
///
/// Returns an error of kind `Interrupted` on cancellation. Transient errors are retried without limit.
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

/// State of a followed job.
struct Follower<'a> {
    cloud: &'a Cloud,
    job: &'a JobName,
    following: Following,
    backoff: Backoff,
    limits: RateLimits,
    /// `None` before the first poll, which finds out how many nodes the job has.
    reader: Option<FollowReader>,
    merge: Merge,
    recorder: Recorder,
    state: Option<DescribeTrainingJobResponse>,
    /// When the job was first seen to have ended.
    ended_at: Option<Instant>,
    /// True if the job had ended so long before the first poll that its log is complete.
    ended_long_ago: bool,
    /// Number of polls in a row without a line since the job's end.
    quiet_polls: u32,
    last_line_at: Instant,
    /// When the job was first seen in the phase Training.
    training_since: Option<Instant>,
    /// Pause before the next retry; `None` while calls succeed.
    retry_pause: Option<Duration>,
}

impl<'a> Follower<'a> {
    fn new(cloud: &'a Cloud, job: &'a JobName, following: Following) -> Self {
        Self {
            cloud,
            job,
            following,
            backoff: Backoff::for_cloud(cloud),
            limits: RateLimits::for_cloud(cloud),
            reader: None,
            merge: Merge::new(None),
            recorder: Recorder::default(),
            state: None,
            ended_at: None,
            ended_long_ago: false,
            quiet_polls: 0,
            last_line_at: Instant::now(),
            training_since: None,
            retry_pause: None,
        }
    }

    /// Polls until the log is drained.
    async fn run(mut self, watcher: &mut impl Watcher) -> Result<Followed> {
        loop {
            let began = Instant::now();
            let lines = self.line_count();
            let plan = self.backoff.next(self.ended_at.is_some(), self.misses_streams());
            if let Err(error) = self.poll(plan, watcher).await {
                self.recover(error, watcher).await?;
                continue;
            }
            if self.retry_pause.take().is_some() {
                watcher.note("the connection is back")?;
            }
            let was_quiet = self.line_count() == lines;
            if !was_quiet {
                self.last_line_at = Instant::now();
            }
            if self.is_drained(was_quiet, began) {
                return self.finish(watcher);
            }
            self.pause(was_quiet, watcher).await?;
        }
    }

    /// Returns the number of lines received, including those that are held.
    fn line_count(&self) -> u64 {
        self.recorder.stats.lines + self.merge.held_count()
    }

    /// Returns true if a node has no stream yet.
    fn misses_streams(&self) -> bool {
        let Some(FollowReader::PerStream(reader)) = &self.reader else { return false };
        reader.node_count() < self.recorder.stats.expected.unwrap_or(1)
    }

    /// Runs one poll.
    async fn poll(&mut self, plan: PollPlan, watcher: &mut impl Watcher) -> Result<()> {
        if self.reader.is_none() {
            self.start(watcher).await?;
        } else {
            if plan.describe_job && self.ended_at.is_none() {
                let state = self.cloud.jobs.describe(self.job).await?;
                self.take_state(state);
            }
            if plan.list_streams {
                self.add_new_streams(watcher).await?;
            }
        }
        self.read(plan.rescan_polls, watcher).await?;
        self.recorder.phases.emit_all(watcher)?;
        self.report_stalled(watcher)?;
        watcher.flush()
    }

    /// Takes over what a description of the job says.
    fn take_state(&mut self, state: DescribeTrainingJobResponse) {
        self.recorder.phases.update(&state);
        let asked = || state.resource_config.as_ref().and_then(stats::node_count);
        let nodes = self.cloud.capabilities.nodes_per_job.or_else(asked);
        self.recorder.stats.expect_nodes(&self.following.wanted.node_numbers(nodes));
        if state.secondary_status == "Training" {
            self.training_since.get_or_insert_with(Instant::now);
        }
        if state.has_ended() {
            self.ended_at.get_or_insert_with(Instant::now);
            let age = state.training_end_time.map(|end| Timestamp::now().duration_since(end));
            self.ended_long_ago |= self.state.is_none() && age.is_some_and(|age| age > ENDED_LONG_AGO);
        }
        self.state = Some(state);
    }

    /// Chooses how the log is read, and emits the tail if one is selected.
    async fn start(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        self.limits.list_streams.take().await;
        let streams = self.describe_and_list().await?;
        announce_nodes(&streams, watcher);
        let wanted = &self.following.wanted;
        let nodes = self.recorder.stats.expected.unwrap_or(1);
        if nodes > 1 {
            let hold = Some(HOLD).filter(|_| !self.ended_long_ago);
            self.merge = Merge::new(hold);
            watcher.several_nodes(self.recorder.stats.node_name_width());
        }
        let mut reader = if self.is_large() {
            FollowReader::Filtered(FilteredReader::default())
        } else {
            FollowReader::PerStream(PerStreamReader::default())
        };
        match wanted.tail {
            Some(count) => self.start_at_tail(&mut reader, streams, count, watcher).await?,
            None => reader.add_streams(streams),
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Returns true if the job has so many nodes that one call reads all.
    fn is_large(&self) -> bool {
        is_large(self.cloud, self.recorder.stats.expected.unwrap_or(1))
    }

    /// Describes the job, and lists the streams to read; none if one call reads all nodes.
    async fn describe_and_list(&mut self) -> Result<Vec<LogStream>> {
        let Preflight { state, streams: listed } = match self.following.preflight.take() {
            Some(preflight) => *preflight,
            None => *Box::pin(preflight(self.cloud, self.job)).await?,
        };
        self.take_state(state);
        let wanted = &self.following.wanted;
        match listed {
            _ if self.is_large() && wanted.tail.is_none() => Ok(Vec::new()),
            Some(listed) => Ok(select_streams(listed, wanted)),
            None => list_streams(self.cloud, self.job, wanted).await,
        }
    }

    /// Emits the tail, and continues behind it.
    async fn start_at_tail(
        &mut self,
        reader: &mut FollowReader,
        streams: Vec<LogStream>,
        count: usize,
        watcher: &mut impl Watcher,
    ) -> Result<()> {
        let shows = |event: &LogEvent| watcher.shows(event);
        let tail = read_tail(self.cloud, streams, &self.following.wanted, count, &mut self.limits, &shows).await?;
        for (stream, event) in tail.lines {
            self.recorder.line(&stream, event, false, watcher)?;
        }
        match reader {
            FollowReader::PerStream(reader) => reader.resume_after_tail(tail.positions),
            FollowReader::Filtered(reader) => reader.resume_after_tail(tail.positions),
            FollowReader::Denied => {}
        }
        Ok(())
    }

    /// Lists the streams, and adds those that are new.
    async fn add_new_streams(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        let Some(FollowReader::PerStream(reader)) = &mut self.reader else { return Ok(()) };
        self.limits.list_streams.take().await;
        let streams = list_streams(self.cloud, self.job, &self.following.wanted).await?;
        announce_nodes(&streams, watcher);
        reader.add_all(streams);
        Ok(())
    }

    /// Reads new events, and rescans each stream once in `rescan_polls` polls. Emits the lines that are due.
    ///
    /// If the first FilterLogEvents is denied, reads stream by stream from then on.
    async fn read(&mut self, rescan_polls: u32, watcher: &mut impl Watcher) -> Result<()> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let recorder = &mut self.recorder;
        let emit = |stream: &LogStream, event: LogEvent, late: bool| recorder.line(stream, event, late, watcher);
        let mut sink = MergingSink { merge: &mut self.merge, emit };
        let cloud = self.cloud;
        let wanted = &self.following.wanted;
        let limits = &mut self.limits;
        let more_to_come = self.ended_at.is_none();
        let mut replacement = None;
        match reader {
            FollowReader::PerStream(reader) => {
                reader.poll(cloud, wanted, limits, &mut sink, more_to_come).await?;
                if cloud.capabilities.logs_arrive_late {
                    reader.rescan(cloud, wanted, limits, &mut sink, rescan_polls).await?;
                }
            }
            FollowReader::Filtered(reader) => {
                if !reader.poll(cloud, self.job, wanted, limits, &mut sink).await? {
                    replacement = Some(reader.take_per_stream());
                }
            }
            FollowReader::Denied => {}
        }
        sink.release()?;
        limits.end_initial_burst();
        let Some(streams) = replacement else { return Ok(()) };
        self.reader = Some(FollowReader::PerStream(streams));
        self.add_new_streams(watcher).await?;
        Box::pin(self.read(rescan_polls, watcher)).await
    }

    /// Pauses until the next poll. Held lines are emitted meanwhile when they are due.
    async fn pause(&mut self, was_quiet: bool, watcher: &mut impl Watcher) -> Result<()> {
        let pause = if self.ended_at.is_some() {
            self.backoff.base_pause()
        } else {
            self.backoff.pause(was_quiet, self.calls_per_poll())
        };
        let end = Instant::now() + pause;
        loop {
            let due = self.merge.next_due().map_or(end, |due| due.min(end));
            sleep_until(due).await;
            self.emit_due(watcher)?;
            if due >= end {
                return Ok(());
            }
        }
    }

    /// Returns the number of calls that reading new events takes.
    fn calls_per_poll(&self) -> usize {
        match &self.reader {
            Some(FollowReader::PerStream(reader)) => reader.len().max(1),
            _ => 1,
        }
    }

    /// Emits the held lines that are due.
    fn emit_due(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        let lines: Vec<_> = self.merge.release(Instant::now()).collect();
        if lines.is_empty() {
            return Ok(());
        }
        for line in lines {
            self.recorder.line(&line.stream, line.event, line.late, watcher)?;
        }
        watcher.flush()
    }

    /// Reports nodes that have stalled while the job trains.
    fn report_stalled(&mut self, watcher: &mut impl Watcher) -> Result<()> {
        let (Some(stall), Some(start), None) = (self.following.stall, self.training_since, self.ended_at) else {
            return Ok(());
        };
        if self.is_log_denied() {
            return Ok(());
        }
        let stalled = self.recorder.stats.take_stalled(stall, start);
        if stalled.is_empty() {
            return Ok(());
        }
        let has = if stalled.len() == 1 { "has" } else { "have" };
        let time = time::duration(SignedDuration::try_from(stall).unwrap_or_default());
        watcher.note(&format!("{} {has} printed nothing for {time}", stalled.join(", ")))
    }

    /// Returns true if the job has ended and no more lines are expected, after a poll that began at `began`.
    fn is_drained(&mut self, was_quiet: bool, began: Instant) -> bool {
        let Some(ended_at) = self.ended_at else { return false };
        // A local job writes its whole log before its end shows.
        if !self.cloud.capabilities.logs_arrive_late || self.ended_long_ago || self.is_log_denied() {
            return true;
        }
        self.quiet_polls = if was_quiet { self.quiet_polls + 1 } else { 0 };
        let misses_nodes = self.training_since.is_some() && self.recorder.stats.misses_node();
        // A line may still take as long as the slowest one so far. A poll of many streams is long: its start counts.
        let lag = self.recorder.stats.longest_lag() + self.backoff.base_pause();
        let since_last_line = began.duration_since(self.last_line_at.max(ended_at));
        let is_quiet = self.quiet_polls >= DRAIN_QUIET_POLLS && since_last_line > lag;
        (is_quiet && !misses_nodes) || (ended_at.elapsed() >= MAX_DRAIN && self.quiet_polls > 0)
    }

    /// Emits the held lines, and returns the result.
    fn finish(mut self, watcher: &mut impl Watcher) -> Result<Followed> {
        for line in self.merge.release_all() {
            self.recorder.line(&line.stream, line.event, line.late, watcher)?;
        }
        watcher.flush()?;
        if let Some(FollowReader::PerStream(reader)) = &self.reader {
            self.recorder.stats.gaps = reader.gaps;
        }
        let is_log_denied = self.is_log_denied();
        let state = self.state.ok_or_else(|| Error::failure("the job was never described"))?;
        Ok(Followed { state, stats: self.recorder.stats, traceback: self.recorder.tracebacks.first(), is_log_denied })
    }

    fn is_log_denied(&self) -> bool {
        matches!(self.reader, Some(FollowReader::Denied))
    }
}

fn detached(job: &JobName) -> Error {
    Error::new(ErrorKind::Interrupted, format!("detached; job {job} continues"))
        .hint(format!("follow it again: smtrain logs -f {job}"))
        .hint(format!("stop it: smtrain stop {job}"))
}
