//! `smtrain logs` on AWS: live jobs whose log is known in full, and calls that fail.

mod control_text;
mod ends;
mod odd;
mod pace;
mod reading;
mod sessions;
mod telling;
mod whole;

use std::collections::HashMap;

use jiff::Timestamp;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{CommandOutput, Injected, Sandbox, TestAccount, TestResult};

/// A line of `-o json`.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    timestamp: Timestamp,
    node: String,
    message: String,
    #[serde(default)]
    late: bool,
}

/// What the follower says at the end.
#[derive(Debug, PartialEq, Eq)]
struct Closing {
    lines: usize,
    nodes: usize,
    all_nodes: usize,
    late: usize,
    gaps: usize,
}

/// Starts a live job `name`, with these fields beside its name.
fn start(tenant: &TestAccount, name: &str, fields: &Value) -> TestResult {
    let mut job = json!({ "name": name });
    if let (Some(job), Some(fields)) = (job.as_object_mut(), fields.as_object()) {
        job.extend(fields.clone());
    }
    tenant.live_job(&job)
}

/// Adds a job that has ended with this status, and its log: each line its node, its second and its text.
fn ended(tenant: &TestAccount, name: &str, status: &str, lines: &[(usize, u64, &str)]) -> TestResult {
    let nodes = lines.iter().map(|(node, ..)| *node).max().unwrap_or(1);
    let resources = json!({ "InstanceType": "ml.m5.large", "InstanceCount": nodes, "VolumeSizeInGB": 30 });
    let state = json!({ "TrainingJobStatus": status, "ResourceConfig": resources });
    tenant.jobs(&[json!({ "name": name, "created": CREATED, "state": state })])?;
    for node in 1..=nodes {
        let own = lines.iter().filter(|line| line.0 == node);
        let events: Vec<_> = own.map(|(_, second, text)| ((CREATED + second) * 1000, *text)).collect();
        if !events.is_empty() {
            tenant.log_events(&format!("{name}/algo-{node}-{CREATED}"), &events)?;
        }
    }
    Ok(())
}

/// When a job that has [`ended`] was created: 2025-11-23T08:00:00Z.
const CREATED: u64 = 1_763_884_800;

/// Follows a job to its end.
fn follow(sandbox: &Sandbox, job: &str) -> TestResult<CommandOutput> {
    sandbox.smtrain(&["logs", "-f", job, "-o", "json"]).run()
}

/// Holds what was shown against what the job printed: every line once, in the order of time but for those that say that
/// they are late, and as the closing line counts them. Returns the lines.
fn check_whole(tenant: &TestAccount, job: &str, said: &CommandOutput) -> TestResult<Vec<Line>> {
    let fail = |what: &str| Err(format!("{what}\nexit code: {}\n--- stderr\n{}", said.code, said.stderr).into());
    let lines = said.stdout.lines().map(serde_json::from_str::<Line>).collect::<Result<Vec<_>, _>>()?;
    let injected = tenant.injected(job)?;
    let difference = difference(&injected, &lines);
    if !difference.is_empty() {
        return fail(&difference);
    }
    let mut newest = Timestamp::MIN;
    for line in &lines {
        if line.late != (line.timestamp < newest) {
            return fail(&format!("late or not? Newer than {newest} was shown before {line:?}"));
        }
        newest = newest.max(line.timestamp);
    }
    let closing = closing(said)?;
    let late = lines.iter().filter(|line| line.late).count();
    let nodes = lines.iter().map(|line| line.node.as_str()).collect::<std::collections::HashSet<_>>().len();
    let expected = Closing { lines: lines.len(), nodes, all_nodes: nodes, late, gaps: 0 };
    if closing == expected { Ok(lines) } else { fail(&format!("the end tells {closing:?}, not {expected:?}")) }
}

/// What was lost, shown twice, or shown although nobody printed it; empty when all is well.
fn difference(injected: &[Injected], lines: &[Line]) -> String {
    let mut counts: HashMap<(&str, u64, &str), (i64, Option<&Injected>)> = HashMap::new();
    for line in injected {
        let entry = counts.entry((line.node(), line.time, &line.text)).or_default();
        *entry = (entry.0 + 1, Some(line));
    }
    for line in lines {
        let time = u64::try_from(line.timestamp.as_millisecond()).unwrap_or_default();
        counts.entry((&line.node, time, &line.message)).or_default().0 -= 1;
    }
    let some = |what: &str, sign: i64| {
        let mut wrong: Vec<_> = counts.iter().filter(|(_, (count, _))| count.signum() == sign).collect();
        wrong.sort_by_key(|((_, time, _), _)| *time);
        let delay = |line: &Injected| format!(" (arrived {} ms after its time)", line.arrived - line.time);
        let one = |((node, time, text), (_, line)): &(&(&str, u64, &str), &(i64, Option<&Injected>))| {
            format!("  {node} at {time}: {text}{}\n", line.map(delay).unwrap_or_default())
        };
        let shown: String = wrong.iter().take(5).map(one).collect();
        if wrong.is_empty() { String::new() } else { format!("{} lines {what}, as\n{shown}", wrong.len()) }
    };
    some("lost", 1) + &some("too many", -1)
}

/// The closing line of stderr.
fn closing(said: &CommandOutput) -> TestResult<Closing> {
    let pattern = r"(?m)^([\d,]+) lines?, (\d+)/(\d+) nodes?, ([\d,]+) late, ([\d,]+) gaps?$";
    let found = Regex::new(pattern)?.captures(&said.stderr).ok_or(format!("no closing line in:\n{}", said.stderr))?;
    let number = |group: usize| found[group].replace(',', "").parse::<usize>();
    Ok(Closing { lines: number(1)?, nodes: number(2)?, all_nodes: number(3)?, late: number(4)?, gaps: number(5)? })
}
