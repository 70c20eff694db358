//! Every line exactly once, however many nodes there are and whatever fails.

use std::fs;

use serde_json::{Value, json};

use super::{check_whole, follow, start};
use crate::support::{Injected, Sandbox, TestAccount, TestResult};

/// The same line three times in one moment, of two nodes.
fn thrice() -> Vec<Value> {
    (0..6).map(|number| json!({ "node": 1 + number % 2, "at": 7.0, "text": "the same" })).collect()
}

/// Calls are throttled, connections reset.
fn trouble(tenant: &TestAccount, seed: u32) -> TestResult {
    tenant.rule(&json!({ "fault": "reset_before", "probability": 0.05, "seed": seed }))?;
    tenant.rule(&json!({ "fault": "throttle", "probability": 0.3, "seed": seed }))
}

#[test]
fn one_node() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("empty_pages", 0.3)?;
    start(&tenant, "one", &json!({ "seconds": 8, "events": 3000, "restarted": [1], "seed": 1 }))?;
    let lines = check_whole(&tenant, "one", &follow(&sandbox, "one")?.expect(0)?)?;
    assert_eq!(lines.len(), 3000);
    assert!(lines.iter().all(|line| line.node == "algo-1"));
    Ok(())
}

#[test]
fn eight_nodes_with_late_lines_while_calls_fail() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    trouble(&tenant, 8)?;
    tenant.set("empty_pages", 0.2)?;
    let job = json!({
        "nodes": 8, "seconds": 14, "events": 1500, "restarted": [2, 5], "lines": thrice(),
        "late_share": 0.05, "late_seconds": 10, "after_end": 4, "seed": 8,
    });
    start(&tenant, "eight", &job)?;
    let said = follow(&sandbox, "eight")?;
    check_whole(&tenant, "eight", &said)?;
    assert_eq!(said.code, 0, "{}", said.stderr);
    Ok(())
}

#[test]
fn sixty_four_nodes_in_bursts_with_late_lines_while_calls_fail() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    trouble(&tenant, 64)?;
    tenant.rule(&json!({ "fault": "expired_token", "service": "logs", "skip": 5, "count": 1 }))?;
    tenant.set("empty_pages", 0.2)?;
    let job = json!({
        "nodes": 64, "seconds": 24, "events": 800, "rate": "burst", "restarted": [1, 30, 64], "lines": thrice(),
        "late_share": 0.05, "late_seconds": 20, "after_end": 4, "seed": 64,
    });
    start(&tenant, "many", &job)?;
    let said = follow(&sandbox, "many")?;
    check_whole(&tenant, "many", &said)?;
    assert_eq!(said.code, 0, "{}", said.stderr);
    Ok(())
}

#[test]
fn where_filtering_is_denied_each_stream_is_read() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.rule(&json!({ "fault": "access_denied", "operation": "FilterLogEvents" }))?;
    tenant.rule(&json!({ "fault": "throttle", "operation": "DescribeLogStreams", "probability": 0.5, "seed": 2 }))?;
    tenant.set("empty_pages", 0.2)?;
    start(&tenant, "denied", &json!({ "nodes": 12, "seconds": 10, "events": 500, "restarted": [3], "seed": 12 }))?;
    let said = follow(&sandbox, "denied")?;
    check_whole(&tenant, "denied", &said)?;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let denied = tenant.calls()?.iter().filter(|call| call["fault"] == "access_denied").count();
    assert!((1..=2).contains(&denied), "asked {denied} times for what is denied");
    Ok(())
}

#[test]
fn streams_that_cannot_be_listed_for_a_while() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.rule(&json!({ "fault": "throttle", "operation": "DescribeLogStreams", "count": 8 }))?;
    tenant.rule(&json!({ "fault": "throttle", "operation": "DescribeTrainingJob", "probability": 0.5, "seed": 3 }))?;
    start(&tenant, "unlisted", &json!({ "nodes": 2, "seconds": 6, "events": 300 }))?;
    let said = follow(&sandbox, "unlisted")?;
    check_whole(&tenant, "unlisted", &said)?;
    assert_eq!(said.code, 0, "{}", said.stderr);
    Ok(())
}

#[test]
fn tokens_that_never_repeat() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("restless_tokens", 1.0)?;
    tenant.set("empty_pages", 0.3)?;
    start(&tenant, "restless", &json!({ "nodes": 2, "seconds": 5, "events": 200 }))?;
    let said = follow(&sandbox, "restless")?;
    check_whole(&tenant, "restless", &said)?;
    let read = sandbox.smtrain(&["logs", "restless", "--no-prefix"]).run()?.ok()?;
    assert_eq!(read.lines().len(), 400);
    Ok(())
}

#[test]
fn what_comes_after_the_last_lines_comes_whole() -> TestResult {
    followed_from_its_last_lines(3)
}

#[test]
fn what_comes_after_the_last_lines_of_many_nodes_comes_whole() -> TestResult {
    followed_from_its_last_lines(12)
}

/// Lines come in batches: some that come after those that are shown at the start are older.
fn followed_from_its_last_lines(nodes: usize) -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let job = json!({ "nodes": nodes, "phases": [0.1, 0.1, 10, 0.1], "events": 500, "appear": 0, "batch_seconds": 2 });
    start(&tenant, "tailed", &job)?;
    sandbox.wait_for_log("tailed", &format!("algo-{nodes} 0000100"))?;
    let running = sandbox.smtrain(&["logs", "-f", "tailed", "--tail", "5", "-o", "json"]).start()?;
    running.wait_for_stdout("\"message\"")?;
    let shown_at = u64::try_from(jiff::Timestamp::now().as_millisecond())?;
    let lines = running.finish()?.expect(0)?.json_lines()?;
    let mut shown: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    shown.sort_unstable();
    let injected = tenant.injected("tailed")?;
    let after: Vec<_> = injected.iter().filter(|line| line.arrived > shown_at).collect();
    let is_lost = |line: &&&Injected| shown.binary_search(&line.text.as_str()).is_err();
    let lost: Vec<_> = after.iter().filter(is_lost).map(|line| (&line.text, line.arrived - line.time)).collect();
    assert!(lost.is_empty(), "{} of {} lost, as {:?}", lost.len(), after.len(), lost.first());
    assert!(shown.windows(2).all(|two| two[0] != two[1]), "shown twice");
    Ok(())
}

#[test]
fn some_of_a_job_s_nodes_are_followed_to_its_end_and_no_longer() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "some", &json!({ "nodes": 12, "seconds": 6, "events": 100 }))?;
    let start = std::time::Instant::now();
    let said = sandbox.smtrain(&["logs", "-f", "some", "--node", "algo-2", "--node", "algo-11"]).run()?.ok()?;
    assert_eq!(said.lines().len(), 200);
    assert!(said.lines().iter().all(|line| line.starts_with("algo-2  | ") || line.starts_with("algo-11 | ")));
    assert!(start.elapsed().as_secs() < 40, "it took {:?}: {}", start.elapsed(), said.stderr);
    Ok(())
}

/// A profile whose program gives other credentials each time, of the same account.
const CREDENTIALS: &str = r#"printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"s","SessionToken":"t%s","Expiration":"2099-01-01T00:00:00Z"}' "$1" "$(date +%s%N)""#;

#[test]
fn credentials_that_expire_are_fetched_anew() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let access_key = tenant.environment()[0].1.clone();
    fs::create_dir_all(sandbox.path("home/.aws"))?;
    fs::write(sandbox.path("credentials.sh"), CREDENTIALS)?;
    let script = sandbox.path("credentials.sh");
    let config = format!("[profile fresh]\ncredential_process = sh {} {access_key}\n", script.display());
    fs::write(sandbox.path("home/.aws/config"), config)?;
    start(&tenant, "expiring", &json!({ "nodes": 2, "seconds": 8, "events": 300 }))?;
    let command = sandbox.smtrain(&["logs", "-f", "expiring", "-o", "json", "--profile", "fresh"]);
    let running = command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").start()?;
    running.wait_for_stdout("algo-1 0000050")?;
    tenant.rule(&json!({ "fault": "expired_token", "operation": "GetLogEvents", "until_new_credentials": true }))?;
    let said = running.finish()?;
    check_whole(&tenant, "expiring", &said)?;
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(tenant.calls()?.iter().any(|call| call["fault"] == "expired_token"));
    Ok(())
}
