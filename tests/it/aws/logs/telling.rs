//! What a follower finds out about a job of several nodes: who was the first to fail, who has fallen silent.

use serde_json::{Value, json};

use super::{closing, start};
use crate::support::{Sandbox, TestResult};

/// Lines that a node prints at once.
fn printed(node: usize, at: f64, text: &str) -> Vec<Value> {
    text.lines().map(|line| json!({ "node": node, "at": at, "text": line })).collect()
}

const CAUSE: &str = r#"Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 12, in <module>
    step(batch)
ValueError: batch 7 has no labels"#;

/// What the others print when one of them is gone.
const CONSEQUENCES: [&str; 2] = [
    r#"Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 30, in <module>
    dist.all_reduce(loss)
RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.0.0.3]:41234"#,
    r#"Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 30, in <module>
    dist.all_reduce(loss)
torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1333, remote process exited or there was a network error"#,
];

#[test]
fn the_failure_that_came_first_is_told() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let lines: Vec<Value> = [
        printed(2, 2.50, "UserWarning: this may fail"),
        printed(3, 2.55, CAUSE),
        printed(1, 2.60, CONSEQUENCES[0]),
        printed(4, 2.65, CONSEQUENCES[1]),
    ]
    .concat();
    let job = json!({
        "nodes": 4, "seconds": 4, "events": 20, "lines": lines, "end": "Failed",
        "reason": "AlgorithmError: ExecuteUserScriptError: ExitCode 1, exit code: 1",
    });
    start(&tenant, "crash", &job)?;
    let said = sandbox.smtrain(&["logs", "-f", "crash"]).run()?.expect(3)?;
    let (_, end) = said.stderr.split_once("first failure, on ").ok_or("no first failure")?;
    insta::assert_snapshot!(end, @r#"
    algo-3:
      Traceback (most recent call last):
        File "/opt/ml/code/train.py", line 12, in <module>
          step(batch)
      ValueError: batch 7 has no labels
    error: job crash failed: AlgorithmError: ExecuteUserScriptError: ExitCode 1, exit code: 1
    hint: read its log: smtrain logs crash
    "#);
    Ok(())
}

#[test]
fn a_consequence_that_is_printed_first_is_none_the_less_one() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let lines: Vec<Value> = [printed(1, 2.40, CONSEQUENCES[0]), printed(2, 2.60, CAUSE)].concat();
    let job = json!({ "nodes": 2, "seconds": 4, "events": 20, "lines": lines, "end": "Failed" });
    start(&tenant, "crash", &job)?;
    let said = sandbox.smtrain(&["logs", "-f", "crash"]).run()?.expect(3)?;
    let (_, end) = said.stderr.split_once("first failure, on ").ok_or("no first failure")?;
    insta::assert_snapshot!(end, @r#"
    algo-2:
      Traceback (most recent call last):
        File "/opt/ml/code/train.py", line 12, in <module>
          step(batch)
      ValueError: batch 7 has no labels
    error: job crash failed: AlgorithmError: , exit code: 1
    hint: read its log: smtrain logs crash
    "#);
    Ok(())
}

#[test]
fn silent_nodes_are_named() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let job = json!({
        "nodes": 3, "phases": [0.1, 0.1, 14, 0.1], "events": 400, "appear": 0, "silent": [2], "batch_seconds": 0.2,
    });
    start(&tenant, "stall", &job)?;
    let running = sandbox.smtrain(&["logs", "-f", "stall", "--stall", "6s"]).start()?;
    running.wait_for_stderr("algo-2")?;
    let said = running.finish()?.ok()?;
    // Which phases are seen, and for how long, depends on the moment.
    assert!(!said.stderr.contains("algo-1") && !said.stderr.contains("algo-3"), "{said}");
    assert_eq!(said.stderr.matches("algo-2").count(), 1, "once: {said}");
    assert_eq!(closing(&said)?.lines, 1200);
    Ok(())
}

#[test]
fn a_lost_connection_is_bridged_and_said_once() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    start(&tenant, "bridge", &json!({ "nodes": 2, "phases": [0.1, 0.1, 14, 0.1], "events": 300, "appear": 0 }))?;
    let running = sandbox.smtrain(&["logs", "-f", "bridge"]).start()?;
    running.wait_for_stdout("algo-1 0000010")?;
    tenant.rule(&json!({ "fault": "reset_before" }))?;
    running.wait_for_stderr("retrying until it succeeds")?;
    tenant.clear_rules()?;
    let said = running.finish()?.ok()?;
    let closing = closing(&said)?;
    assert_eq!((closing.lines, closing.gaps, said.lines().len()), (600, 0, 600), "{}", said.stderr);
    assert_eq!(said.stderr.matches("retrying until it succeeds").count(), 1, "{}", said.stderr);
    Ok(())
}
