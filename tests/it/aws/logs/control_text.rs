//! Control characters, which CloudWatch has as text: `#015`, `#011`, `#033`.

use serde_json::json;

use crate::support::{Sandbox, TestAccount, TestResult};

const CREATED: u64 = 1_763_884_800;

/// A job that has failed, with a progress bar, a tab, a colour and a traceback in its log.
fn bars(tenant: &TestAccount) -> TestResult {
    let resources = json!({ "InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30 });
    let state = json!({ "TrainingJobStatus": "Failed", "FailureReason": "No.", "ResourceConfig": resources });
    tenant.jobs(&[json!({ "name": "bars", "created": CREATED, "state": state })])?;
    let lines = [
        "epoch 1",
        "#015  0%|          | 0/2#015 50%|#####     | 1/2#015100%|##########| 2/2",
        "loss#0110.5#015",
        "#033[31mred#033[0m issue #12, #1 of #2",
        "#015 10%#015Traceback (most recent call last):",
        "#011File \"train.py\", line 1",
        "ValueError: no data",
    ];
    let events: Vec<(u64, &str)> =
        lines.iter().zip(0..).map(|(text, number)| (CREATED * 1000 + number, *text)).collect();
    tenant.log_events(&format!("bars/algo-1-{CREATED}"), &events)?;
    tenant.log_events(&format!("bars/algo-2-{CREATED}"), &[(CREATED * 1000 + 100, "second#011node")])
}

#[test]
fn people_see_the_last_state_of_a_line() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    bars(&tenant)?;
    let mut told = String::new();
    for arguments in [
        &["logs", "bars"][..],
        &["logs", "bars", "--no-prefix", "--grep", "^100%"],
        &["logs", "bars", "--no-prefix", "--grep", "#015"],
        &["logs", "bars", "--no-prefix", "--tail", "1", "--grep", "\t"],
    ] {
        let said = sandbox.smtrain(arguments).run()?.ok()?;
        told.extend([format!("{arguments:?}\n{}", said.stdout.replace('\t', "[TAB]").replace('\u{1b}', "[ESC]"))]);
    }
    insta::assert_snapshot!(told, @r##"
    ["logs", "bars"]
    algo-1 | epoch 1
    algo-1 | 100%|##########| 2/2
    algo-1 | loss[TAB]0.5
    algo-1 | [ESC][31mred[ESC][0m issue #12, #1 of #2
    algo-1 | Traceback (most recent call last):
    algo-1 | [TAB]File "train.py", line 1
    algo-1 | ValueError: no data
    algo-2 | second[TAB]node
    ["logs", "bars", "--no-prefix", "--grep", "^100%"]
    100%|##########| 2/2
    ["logs", "bars", "--no-prefix", "--grep", "#015"]
    ["logs", "bars", "--no-prefix", "--tail", "1", "--grep", "\t"]
    second[TAB]node
    "##);
    Ok(())
}

#[test]
fn json_has_the_exact_text() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    bars(&tenant)?;
    let lines = sandbox.smtrain(&["logs", "bars", "-o", "json", "--node", "algo-1"]).run()?.ok()?.json_lines()?;
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).take(3).collect();
    let bar = "#015  0%|          | 0/2#015 50%|#####     | 1/2#015100%|##########| 2/2";
    assert_eq!(messages, ["epoch 1", bar, "loss#0110.5#015"]);
    Ok(())
}

#[test]
fn a_traceback_is_told_as_it_was_printed() -> TestResult {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    bars(&tenant)?;
    let said = sandbox.smtrain(&["logs", "-f", "bars"]).run()?.expect(3)?;
    insta::assert_snapshot!(said.stderr, @r#"
    8 lines, 2/2 nodes, 0 late, 0 gaps
    billed 1m 0s
    first failure, on algo-1:
      Traceback (most recent call last):
      	File "train.py", line 1
      ValueError: no data
    error: job bars failed: No.
    hint: read its log: smtrain logs bars
    "#);
    Ok(())
}

/// The emulator has the output of its jobs as the service has it.
#[test]
fn a_job_that_runs_shows_its_bar_as_a_local_one_does() -> TestResult {
    let script = "print('\\r 50%\\r100%\\nend\\t1')";
    let (sandbox, tenant) = Sandbox::on_aws()?;
    let sandbox = sandbox.with_env("SMTRAIN_ROLE", tenant.role_arn());
    let project = sandbox.project("proj", script)?;
    let job = sandbox.smtrain(&["submit", "-q", "--wait", &project.spec()]).run()?.ok()?.line().to_owned();
    let shown = sandbox.smtrain(&["logs", &job, "--grep", "^100%|^end"]).run()?.ok()?.stdout;
    assert_eq!(shown, "100%\nend\t1\n");
    let lines = sandbox.smtrain(&["logs", &job, "-o", "json", "--grep", "^100%|^end"]).run()?.ok()?.json_lines()?;
    // The toolkit passes lines on without the space around them.
    assert_eq!(lines[0]["message"], "50%#015100%");
    assert_eq!(lines[1]["message"], "end#0111");
    // What a local script prints is no escape.
    let local = sandbox.project("local", "print('#015 text')")?;
    let job = sandbox.complete(&local, &[])?;
    assert_eq!(sandbox.log(&job)?, "#015 text\n");
    Ok(())
}
