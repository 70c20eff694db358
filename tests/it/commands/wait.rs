//! `smtrain wait`.

use nix::sys::signal::Signal;

use crate::support::{Project, Sandbox, TestResult};

const SLEEP: &str = "import time\nprint('ready', flush=True)\ntime.sleep(600)";

fn ending(sandbox: &Sandbox, name: &str, script: &str) -> TestResult<Project> {
    sandbox.project(name, script)?.with("[local]\nstop_grace = '1s'")
}

#[test]
fn the_exit_code_tells_how_jobs_ended() -> TestResult {
    let sandbox = Sandbox::new()?;
    let good = sandbox.submit(&ending(&sandbox, "good", "")?, &[])?;
    let bad = sandbox.submit(&ending(&sandbox, "bad", "raise SystemExit(1)")?, &[])?;
    let stopped = sandbox.submit(&ending(&sandbox, "stopped", SLEEP)?, &[])?;
    sandbox.smtrain(&["stop", &stopped]).run()?.ok()?;
    for (jobs, code) in [
        (&[&good][..], 0),
        (&[&good, &stopped], 4),
        (&[&stopped, &good], 4),
        (&[&good, &stopped, &bad], 3),
        (&[&bad, &good], 3),
    ] {
        let said = sandbox.smtrain(&["wait"]).args(jobs).run()?.expect(code)?;
        assert_eq!(said.lines().len(), jobs.len(), "{said}");
    }
    let said = sandbox.smtrain(&["wait", &good, &bad]).run()?;
    let mut lines = said.lines();
    lines.sort_unstable();
    assert_eq!(lines, [format!("{bad} Failed"), format!("{good} Completed")]);
    Ok(())
}

#[test]
fn json_has_a_line_for_each_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let good = sandbox.submit(&ending(&sandbox, "good", "")?, &[])?;
    let bad = sandbox.submit(&ending(&sandbox, "bad", "raise ValueError('no')")?, &[])?;
    let mut jobs = sandbox.smtrain(&["wait", &good, &bad, "-o", "json"]).run()?.expect(3)?.json_lines()?;
    jobs.sort_by_key(|job| job["status"].to_string());
    let [completed, failed] = jobs.as_slice() else { return Err("not two lines".into()) };
    assert_eq!((completed["version"].as_u64(), &completed["name"]), (Some(1), &good.into()));
    assert_eq!(completed.get("failure_reason"), None);
    assert_eq!(failed["name"], bad);
    assert!(failed["failure_reason"].as_str().unwrap_or_default().contains("ValueError: no"), "{failed}");
    Ok(())
}

#[test]
fn a_job_that_is_named_twice_is_reported_once() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&ending(&sandbox, "good", "")?, &[])?;
    let said = sandbox.smtrain(&["wait", &job, "-", "good"]).run()?.ok()?;
    assert_eq!(said.stdout, format!("{job} Completed\n"));
    Ok(())
}

#[test]
fn an_interrupt_leaves_the_jobs_alone() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&ending(&sandbox, "proj", SLEEP)?, &[])?;
    let done = sandbox.complete(&ending(&sandbox, "done", "")?, &[])?;
    let running = sandbox.smtrain(&["wait", &done, &job]).start()?;
    running.wait_for_stdout(&done)?;
    running.signal(Signal::SIGINT)?;
    let said = running.finish()?.expect(130)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 130
    --- stdout
    done-[STAMP] Completed
    --- stderr
    error: interrupted; the jobs continue
    hint: wait again: smtrain wait proj-[STAMP]
    "#);
    assert_eq!(sandbox.status(&job)?, "InProgress");
    Ok(())
}

#[test]
fn with_one_unknown_job_nothing_is_awaited() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&ending(&sandbox, "proj", SLEEP)?, &[])?;
    let said = sandbox.smtrain(&["wait", &job, "other"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: there is no job other on this computer
    hint: list the jobs there are: smtrain history --local
    "#);
    Ok(())
}
