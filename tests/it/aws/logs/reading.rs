//! What of a log is read, and how it is shown.

use regex::Regex;
use serde_json::json;

use super::{CREATED, ended};
use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult, Transcript};

/// Three nodes, a line each at every second from 60 on: `step 0 of algo-1`, `step 0 of algo-2`, ...
fn three_nodes(tenant: &TestAccount) -> TestResult {
    let texts: Vec<(usize, u64, String)> = (0..10)
        .flat_map(|step| (1..=3).map(move |node| (node, 60 + step, format!("step {step} of algo-{node}"))))
        .collect();
    let lines: Vec<_> = texts.iter().map(|(node, second, text)| (*node, *second, text.as_str())).collect();
    ended(tenant, "three", "Completed", &lines)
}

/// One node: `step 0` to `step 9`, of which the fifth is an error.
fn one_node(tenant: &TestAccount) -> TestResult {
    let texts: Vec<String> =
        (0..10).map(|step| format!("step {step}{}", if step == 5 { " ERROR" } else { "" })).collect();
    let lines: Vec<_> = texts.iter().zip(60..).map(|(text, second)| (1, second, text.as_str())).collect();
    ended(tenant, "one", "Completed", &lines)
}

fn logs(sandbox: &Sandbox, job: &str, arguments: &[&str]) -> TestResult<CommandOutput> {
    sandbox.smtrain(&["logs", job]).args(arguments).run()?.ok()
}

/// A time of the job's, as an argument.
fn at(second: u64) -> TestResult<String> {
    Ok(jiff::Timestamp::from_second(i64::try_from(CREATED + second)?)?.to_string())
}

#[test]
fn nodes_are_merged_by_time_and_named() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    three_nodes(&tenant)?;
    let said = logs(&sandbox, "three", &[])?;
    let lines = said.lines();
    assert_eq!(lines.len(), 30);
    assert_eq!(lines.get(..4), Some(&STARTS[..]));
    let bare = logs(&sandbox, "three", &["--no-prefix"])?;
    assert_eq!(bare.lines().first(), Some(&"step 0 of algo-1"));
    let followed = sandbox.smtrain(&["logs", "-f", "three"]).run()?.ok()?;
    assert_eq!(followed.stdout, said.stdout);
    // The name of a job that only begins like another's.
    ended(&tenant, "three2", "Completed", &[(1, 60, "another job's")])?;
    assert_eq!(logs(&sandbox, "three", &[])?.stdout, said.stdout);
    assert_eq!(logs(&sandbox, "three2", &[])?.stdout, "another job's\n");
    Ok(())
}

const STARTS: [&str; 4] = [
    "algo-1 | step 0 of algo-1",
    "algo-2 | step 0 of algo-2",
    "algo-3 | step 0 of algo-3",
    "algo-1 | step 1 of algo-1",
];

#[test]
fn names_are_padded() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let lines: Vec<_> = (1..=12).map(|node| (node, 60 + u64::try_from(node).unwrap_or(0), "x")).collect();
    ended(&tenant, "wide", "Completed", &lines)?;
    for arguments in [&["logs", "wide"][..], &["logs", "-f", "wide"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        assert_eq!(said.lines().first(), Some(&"algo-1  | x"), "{said}");
        assert_eq!(said.lines().last(), Some(&"algo-12 | x"), "{said}");
    }
    Ok(())
}

#[test]
fn node_selects_nodes() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    three_nodes(&tenant)?;
    let said = logs(&sandbox, "three", &["--node", "algo-3", "--node", "algo-1", "--no-prefix"])?;
    assert_eq!(said.lines().len(), 20);
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    step 0 of algo-1
    step 0 of algo-3
    step 1 of algo-1
    step 1 of algo-3
    step 2 of algo-1
    step 2 of algo-3
    step 3 of algo-1
    step 3 of algo-3
    step 4 of algo-1
    step 4 of algo-3
    step 5 of algo-1
    step 5 of algo-3
    step 6 of algo-1
    step 6 of algo-3
    step 7 of algo-1
    step 7 of algo-3
    step 8 of algo-1
    step 8 of algo-3
    step 9 of algo-1
    step 9 of algo-3
    --- stderr
    "#);
    let one = sandbox.smtrain(&["logs", "-f", "three", "--node", "algo-2", "--no-prefix"]).run()?.ok()?;
    assert_eq!(one.lines(), (0..10).map(|step| format!("step {step} of algo-2")).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_last_lines_of_all_nodes() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    three_nodes(&tenant)?;
    let expected = ["step 8 of algo-3", "step 9 of algo-1", "step 9 of algo-2", "step 9 of algo-3"];
    for arguments in [&["logs", "three"][..], &["logs", "-f", "three"]] {
        let said = sandbox.smtrain(arguments).args(["--tail", "4", "--no-prefix"]).run()?.ok()?;
        assert_eq!(said.lines(), expected, "{arguments:?}");
        let none = sandbox.smtrain(arguments).args(["-n", "0"]).run()?.ok()?;
        assert_eq!(none.stdout, "");
        let more = sandbox.smtrain(arguments).args(["-n", "1000"]).run()?.ok()?;
        assert_eq!(more.lines().len(), 30);
    }
    let node = logs(&sandbox, "three", &["-n", "2", "--node", "algo-2", "--no-prefix"])?;
    assert_eq!(node.lines(), ["step 8 of algo-2", "step 9 of algo-2"]);
    let matching = logs(&sandbox, "three", &["-n", "2", "-g", "step [45]", "--no-prefix"])?;
    assert_eq!(matching.lines(), ["step 5 of algo-2", "step 5 of algo-3"]);
    Ok(())
}

#[test]
fn the_last_lines_are_read_from_the_end() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    tenant.set("empty_pages", 0.3)?;
    let texts: Vec<String> = (0..60_000).map(|number| format!("line {number}")).collect();
    let lines: Vec<_> = texts.iter().zip(0..).map(|(text, number)| (1, 60 + number / 10, text.as_str())).collect();
    ended(&tenant, "long", "Completed", &lines)?;
    let said = logs(&sandbox, "long", &["--tail", "3"])?;
    assert_eq!(said.lines(), ["line 59997", "line 59998", "line 59999"]);
    let calls = tenant.count("GetLogEvents")? + tenant.count("FilterLogEvents")?;
    assert!(calls <= 5, "{calls} calls for three lines");
    Ok(())
}

#[test]
fn many_nodes_where_filtering_is_denied_and_calls_fail() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let texts: Vec<(usize, u64, String)> = (0..50)
        .flat_map(|step| (1..=12).map(move |node| (node, 60 + step, format!("{step} of algo-{node}"))))
        .collect();
    let lines: Vec<_> = texts.iter().map(|(node, second, text)| (*node, *second, text.as_str())).collect();
    ended(&tenant, "many", "Completed", &lines)?;
    let expected: Vec<&str> = texts.iter().map(|(.., text)| text.as_str()).collect();
    tenant.set("empty_pages", 0.3)?;
    tenant.rule(&json!({ "fault": "throttle", "probability": 0.3, "seed": 9 }))?;
    for is_denied in [false, true] {
        if is_denied {
            tenant.rule(&json!({ "fault": "access_denied", "operation": "FilterLogEvents" }))?;
        }
        assert_eq!(logs(&sandbox, "many", &["--no-prefix"])?.lines(), expected, "{is_denied}");
        let tail = logs(&sandbox, "many", &["--no-prefix", "--tail", "7"])?;
        assert_eq!(Some(&tail.lines()[..]), expected.get(593..), "{is_denied}");
    }
    Ok(())
}

#[test]
fn a_span_of_time() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    one_node(&tenant)?;
    three_nodes(&tenant)?;
    let (from, to) = (at(62)?, at(65)?);
    for (arguments, first, count) in [
        (&["--since", &from][..], "step 2", 8),
        (&["--until", &to], "step 0", 5),
        (&["--since", &from, "--until", &to], "step 2", 3),
        (&["--since", &from, "--until", &to, "--tail", "1"], "step 4", 1),
    ] {
        let said = logs(&sandbox, "one", arguments)?;
        assert_eq!((said.lines().len(), said.lines().first()), (count, Some(&first)), "{arguments:?}");
        let many = logs(&sandbox, "three", &[arguments, &["--no-prefix", "--node", "algo-2"]].concat())?;
        assert_eq!(many.lines().len(), count, "{arguments:?}: {many}");
    }
    assert_eq!(logs(&sandbox, "one", &["--since", "1h"])?.stdout, "");
    assert_eq!(logs(&sandbox, "one", &["--until", "2001-01-01"])?.stdout, "");
    Ok(())
}

#[test]
fn lines_that_match_and_those_that_do_not() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    one_node(&tenant)?;
    for follow in [&[][..], &["-f"]] {
        let found = |arguments: &[&str]| -> TestResult<Vec<String>> {
            let said = logs(&sandbox, "one", &[arguments, follow].concat())?;
            Ok(said.lines().into_iter().filter(|line| *line != "--").map(str::to_owned).collect())
        };
        assert_eq!(found(&["--grep", "ERROR"])?, ["step 5 ERROR"]);
        assert_eq!(found(&["--grep", "ERROR", "--invert"])?.len(), 9);
        assert_eq!(found(&["-g", "ERROR", "-C", "1"])?, ["step 4", "step 5 ERROR", "step 6"]);
        assert_eq!(found(&["-g", "step [05]", "--context", "1"])?.len(), 5);
        assert_eq!(found(&["-g", "step [0-9]", "--context", "3"])?.len(), 10);
    }
    Ok(())
}

#[test]
fn times_are_local_utc_or_relative() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    one_node(&tenant)?;
    let tokyo = sandbox.smtrain(&["logs", "one", "-t"]).env("TZ", "Asia/Tokyo").run()?.ok()?;
    assert!(tokyo.stdout.starts_with("2025-11-23T17:01:00.000+09:00 step 0\n"), "{tokyo}");
    let utc = sandbox.smtrain(&["logs", "one", "--timestamps=utc"]).env("TZ", "Asia/Tokyo").run()?.ok()?;
    assert!(utc.stdout.starts_with("2025-11-23T08:01:00.000Z step 0\n"), "{utc}");
    let relative = logs(&sandbox, "one", &["--timestamps=relative"])?;
    assert!(Regex::new(r"^\S*1:00\S* step 0\n")?.is_match(&relative.stdout), "{relative}");
    // Not a date but the time since the start.
    assert!(!relative.stdout.contains("2025"), "{relative}");
    let wrong = sandbox.smtrain(&["logs", "one", "--timestamps=lunar"]).run()?.expect(2)?;
    insta::assert_snapshot!(wrong.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value 'lunar' for '--timestamps[=<ZONE>]'
      [possible values: local, utc, relative]

    For more information, try '--help'.
    "#);
    Ok(())
}

#[test]
fn the_same_line_of_all_nodes_is_folded() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let same = (1..=12).map(|node| (node, 60, "loading shard"));
    let lines: Vec<_> = same.chain([(4, 61, "only here")]).chain((1..=12).map(|node| (node, 62, "done"))).collect();
    ended(&tenant, "fold", "Completed", &lines)?;
    let mut transcript = Transcript::default();
    for arguments in [&["logs", "fold", "--fold"][..], &["logs", "-f", "fold", "--fold"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        transcript.add(arguments.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## logs fold --fold
    exit code: 0
    --- stdout
    [x12]   | loading shard
    algo-4  | only here
    [x12]   | done
    ## logs -f fold --fold
    exit code: 0
    --- stdout
    [x12]   | loading shard
    algo-4  | only here
    [x12]   | done
    --- stderr
    25 lines, 12/12 nodes, 0 late, 0 gaps
    billed 1m 0s
    "#);
    Ok(())
}

#[test]
fn one_object_a_line() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    three_nodes(&tenant)?;
    let events = logs(&sandbox, "three", &["-o", "json"])?.json_lines()?;
    assert_eq!(events.len(), 30);
    let expected = json!({
        "version": 1, "timestamp": "2025-11-23T08:01:00.000Z", "node": "algo-2", "message": "step 0 of algo-2",
    });
    assert_eq!(events.get(1), Some(&expected));
    Ok(())
}
