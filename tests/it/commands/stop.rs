//! `smtrain stop`.

use std::fs;

use crate::support::{Sandbox, TestResult};

/// Saves its model when it is asked to stop.
const SAVES: &str = "
import os, signal, sys, time
def save(*_):
    open(os.environ['SM_MODEL_DIR'] + '/model.txt', 'w').write('saved in time')
    print('saved', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print('ready', flush=True)
time.sleep(600)
";

/// Does not listen, and has a child that doesn't either.
const DEAF: &str = "
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)
print('ready', flush=True)
time.sleep(600)
";

#[test]
fn a_script_has_time_to_save_its_model() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", SAVES)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let said = sandbox.smtrain(&["stop", &job]).run()?.ok()?;
    // It may have ended by the time that `stop` looks again.
    let ways =
        [format!("stopping {job}; wait for its end: smtrain wait {job}\n"), format!("job {job} has ended: Stopped\n")];
    assert!(ways.contains(&said.stderr), "{said}");
    assert_eq!(said.stdout, "");
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    assert_eq!(sandbox.log(&job)?, "ready\nsaved\n");
    let left = sandbox.smtrain(&["download", &job]).run()?.ok()?;
    let model = sandbox.path(left.line()).join("model/model.txt");
    assert_eq!(fs::read_to_string(model)?, "saved in time");
    Ok(())
}

#[test]
fn a_script_that_ignores_sigterm_is_killed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", DEAF)?.with("[local]\nstop_grace = '1s'")?;
    let job = sandbox.submit(&project, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    sandbox.smtrain(&["stop", "-q", &job]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    let state = sandbox.describe(&job)?;
    assert_eq!((&state["TrainingJobStatus"], &state["SecondaryStatus"]), (&"Stopped".into(), &"Stopped".into()));
    assert_eq!(state.get("FailureReason"), None);
    sandbox.wait_for_no_processes()
}

#[test]
fn a_job_that_has_ended_stays_as_it_is() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    let said = sandbox.smtrain(&["stop", &job]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    job proj-[STAMP] has ended already: Completed
    "#);
    assert_eq!(sandbox.status(&job)?, "Completed");
    Ok(())
}

#[test]
fn a_job_that_has_just_been_submitted_is_stopped() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "import time\ntime.sleep(600)")?.with("[local]\nstop_grace = '1s'")?;
    let job = sandbox.submit(&project, &[])?;
    sandbox.smtrain(&["stop", "--last"]).run()?.ok()?;
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    Ok(())
}

#[test]
fn several_jobs_are_stopped_at_once_and_twice() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", DEAF)?.with("[local]\nstop_grace = '1s'")?;
    let jobs = [sandbox.submit(&project, &[])?, sandbox.submit(&project, &[])?];
    jobs.iter().try_for_each(|job| sandbox.wait_for_log(job, "ready"))?;
    for _ in 0..2 {
        sandbox.smtrain(&["stop"]).args(&jobs).run()?.ok()?;
    }
    let said = sandbox.smtrain(&["wait"]).args(&jobs).run()?.expect(4)?;
    assert_eq!(said.stdout.matches(" Stopped\n").count(), 2, "{said}");
    sandbox.wait_for_no_processes()
}

#[test]
fn an_unknown_job_keeps_no_other_from_being_stopped() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", SAVES)?, &[])?;
    sandbox.wait_for_log(&job, "ready")?;
    let said = sandbox.smtrain(&["stop", "--local", "other", &job, "none", "other", "-o", "json"]).run()?.expect(1)?;
    let told: Vec<_> = said.json_lines()?.iter().map(|row| (row["name"].clone(), row["outcome"].clone())).collect();
    let given = |name: &str| (name.into(), "failed".into());
    assert_eq!([&told[0], &told[2]], [&given("other"), &given("none")], "{said}");
    assert_eq!((told.len(), &told[1].0), (3, &job.as_str().into()), "{said}");
    assert_ne!(told[1].1, "failed", "{said}");
    sandbox.smtrain(&["wait", &job]).run()?.expect(4)?;
    Ok(())
}

#[test]
fn what_is_not_found_has_an_object_too() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["stop", "--local", "-", "nope", "-o", "json"]).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    {"version":1,"name":"-","status":null,"outcome":"failed","error":"no job was submitted from this computer"}
    {"version":1,"name":"nope","status":null,"outcome":"failed","error":"there is no job nope on this computer"}
    --- stderr
    warning: job nope was not stopped: there is no job nope on this computer
    error: no job was submitted from this computer
    hint: start one: smtrain submit --local job.toml
    "#);
    let said = sandbox.smtrain(&["stop", "--local", "nope", "", "-o", "json"]).run()?.expect(2)?;
    assert_eq!(said.stdout, "", "{said}");
    Ok(())
}
