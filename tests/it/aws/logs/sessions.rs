//! Streams of remote sessions, which stand below the nodes' own.

use serde_json::json;

use crate::support::{Sandbox, TestAccount, TestResult};

const CREATED: u64 = 1_763_884_800;

/// A job of some nodes, each with a line of output and one of a session.
fn debugged(tenant: &TestAccount, name: &str, nodes: u64) -> TestResult {
    let resources = json!({ "InstanceType": "ml.m5.large", "InstanceCount": nodes, "VolumeSizeInGB": 30 });
    let state = json!({ "TrainingJobStatus": "Completed", "ResourceConfig": resources });
    tenant.jobs(&[json!({ "name": name, "created": CREATED, "state": state })])?;
    for node in 1..=nodes {
        let stream = format!("{name}/algo-{node}-{CREATED}");
        tenant.log_events(&stream, &[(CREATED * 1000 + node, &format!("output {node}"))])?;
        tenant.log_events(&format!("{stream}/ssm"), &[(CREATED * 1000 + node, &format!("session {node}"))])?;
    }
    Ok(())
}

#[test]
fn only_the_nodes_own_streams_are_nodes() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    debugged(&tenant, "one", 1)?;
    debugged(&tenant, "two", 2)?;
    tenant.jobs(&[json!({ "name": "none", "created": CREATED })])?;
    let mut told = String::new();
    for arguments in [
        &["logs", "one"][..],
        &["logs", "-f", "one"],
        &["logs", "two", "--tail", "1"],
        &["logs", "one", "--ssm"],
        &["logs", "two", "--ssm"],
        &["logs", "two", "--ssm", "--node", "algo-2"],
        &["logs", "two", "--ssm", "--node", "algo-3"],
        &["logs", "none", "--ssm"],
    ] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        told.extend([format!("$ smtrain {}\n{}{}", arguments.join(" "), said.stdout, said.stderr)]);
    }
    insta::assert_snapshot!(told, @r"
    $ smtrain logs one
    output 1
    $ smtrain logs -f one
    output 1
    1 line, 1/1 node, 0 late, 0 gaps
    billed 1m 0s
    $ smtrain logs two --tail 1
    algo-2 | output 2
    $ smtrain logs one --ssm
    session 1
    $ smtrain logs two --ssm
    algo-1 | session 1
    algo-2 | session 2
    $ smtrain logs two --ssm --node algo-2
    session 2
    $ smtrain logs two --ssm --node algo-3
    job two has no log of remote sessions of algo-3
    $ smtrain logs none --ssm
    job none has no log of remote sessions
    ");
    Ok(())
}

/// A large job's nodes are read by one call, which returns both kinds.
#[test]
fn many_nodes_are_told_apart_from_their_sessions() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    debugged(&tenant, "wide", 12)?;
    for (arguments, word) in [
        (&["logs", "wide"][..], "output"),
        (&["logs", "-f", "wide"], "output"),
        (&["logs", "wide", "--ssm"], "session"),
        (&["logs", "wide", "--ssm", "--tail", "12"], "session"),
    ] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        assert_eq!(said.lines().len(), 12, "{arguments:?}: {said}");
        assert!(said.lines().iter().all(|line| line.contains(&format!("| {word} "))), "{arguments:?}: {said}");
    }
    Ok(())
}

/// What other programs write below the job's name is no node, whichever call reads it.
#[test]
fn streams_of_other_programs_are_no_nodes() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    for (name, nodes) in [("two", 2), ("wide", 12)] {
        debugged(&tenant, name, nodes)?;
        for stream in ["weird", "algo-1", "algo-x-1", "algo-1-2b", "x/algo-1-2", "myalgo-1-2"] {
            tenant.log_events(&format!("{name}/{stream}"), &[(CREATED * 1000, stream)])?;
        }
    }
    let mut told = String::new();
    for arguments in [&["logs", "two"][..], &["logs", "-f", "two"], &["logs", "two", "--tail", "1"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        told.extend([format!("$ smtrain {}\n{}{}", arguments.join(" "), said.stdout, said.stderr)]);
    }
    insta::assert_snapshot!(told, @r"
    $ smtrain logs two
    algo-1 | output 1
    algo-2 | output 2
    $ smtrain logs -f two
    algo-1 | output 1
    algo-2 | output 2
    2 lines, 2/2 nodes, 0 late, 0 gaps
    billed 1m 0s
    $ smtrain logs two --tail 1
    algo-2 | output 2
    ");
    let shown = sandbox.smtrain(&["logs", "two", "--ssm"]).run()?.ok()?;
    assert_eq!(shown.lines().len(), 8, "{shown}");
    for arguments in [&["logs", "wide"][..], &["logs", "-f", "wide"]] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        assert_eq!(said.lines().len(), 12, "{arguments:?}: {said}");
        assert!(said.lines().iter().all(|line| line.contains("| output ")), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn sessions_are_not_followed() -> TestResult {
    let (sandbox, _tenant) = Sandbox::on_aws()?;
    let said = sandbox.smtrain(&["logs", "-f", "one", "--ssm"]).run()?.expect(2)?;
    assert!(said.stderr.contains("--ssm"), "{said}");
    Ok(())
}
