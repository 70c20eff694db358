//! How many calls a follower makes.

use serde_json::{Value, json};

use super::{check_whole, follow, start};
use crate::support::{Sandbox, TestAccount, TestResult};

/// The times of the calls of an operation, or of all; in seconds since 1970.
fn times(tenant: &TestAccount, operation: Option<&str>) -> TestResult<Vec<f64>> {
    let calls = tenant.calls()?;
    let wanted = calls.iter().filter(|call| operation.is_none_or(|operation| call["operation"] == operation));
    Ok(wanted.filter_map(|call| call["time"].as_f64()).collect())
}

/// When the job's Training began and ended.
fn training(sandbox: &Sandbox, job: &str) -> TestResult<(f64, f64)> {
    let job = sandbox.describe(job)?;
    let phases = job["SecondaryStatusTransitions"].as_array().ok_or("no phases")?;
    let training = phases.iter().find(|phase| phase["Status"] == "Training").ok_or("no training")?;
    let time = |value: &Value| -> TestResult<f64> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let seconds = text.parse::<jiff::Timestamp>().map(|time| time.as_duration().as_secs_f64());
        Ok(seconds.or_else(|_| text.parse())?)
    };
    Ok((time(&training["StartTime"])?, time(&training["EndTime"])?))
}

#[test]
fn a_quiet_job_costs_few_calls() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "quiet", &json!({ "phases": [0.2, 0.2, 45, 0.2], "events": 3, "appear": 0, "silent": [1] }))?;
    let said = follow(&sandbox, "quiet")?;
    check_whole(&tenant, "quiet", &said)?;
    let calls = times(&tenant, None)?;
    // The three lines come in the first fifth; then pauses grow to their longest.
    let (start, end) = training(&sandbox, "quiet")?;
    let quiet = (start + 15.0, end);
    let made = calls.iter().filter(|time| (quiet.0..quiet.1).contains(*time)).count();
    let allowed = (quiet.1 - quiet.0) * 0.3;
    assert!(f64::from(u32::try_from(made)?) <= allowed.ceil(), "{made} calls in {} seconds", quiet.1 - quiet.0);
    Ok(())
}

#[test]
fn two_hundred_nodes_with_late_lines_at_a_polite_rate() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let job = json!({
        "nodes": 200, "seconds": 20, "events": 1000, "restarted": [7, 200],
        "late_share": 0.05, "late_seconds": 12, "after_end": 3, "seed": 200,
    });
    start(&tenant, "flood", &job)?;
    let said = follow(&sandbox, "flood")?;
    let lines = check_whole(&tenant, "flood", &said)?;
    assert_eq!((said.code, lines.len()), (0, 200_000), "{}", said.stderr);
    let calls = times(&tenant, Some("FilterLogEvents"))?;
    let (first, last) = calls.first().zip(calls.last()).ok_or("no calls")?;
    let rate = f64::from(u32::try_from(calls.len())?) / (last - first);
    assert!(rate < 1.5, "{} calls in {} seconds", calls.len(), last - first);
    Ok(())
}
