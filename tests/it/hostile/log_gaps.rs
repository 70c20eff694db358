//! Gaps in a local job's log are marked.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::local::robust::disk::on_a_small_disk;
use crate::local::robust::{GUARD, SUPERVISOR, hold, process, signal};
use crate::support::{Sandbox, TestResult, Transcript, poll};

/// Prints numbered lines for longer than any test, of lengths that differ: some are cut by every limit there is. It ends
/// at some 2 GB, so that a test process that is killed does not leave a job that fills the disk.
const FLOOD: &str = "
import sys
for start in range(0, 5_000_000, 50):
    lines = (f'{n} ' + 'x' * (n * 7919 % 251 if n % 3989 else 1200000) for n in range(start, start + 50))
    sys.stdout.write('\\n'.join(lines) + '\\n')
";

/// Prints a short line at a time.
const DRIP: &str = "
import sys
for n in range(100_000_000):
    sys.stdout.write(f'{n} x\\n')
";

/// The numbers of the lines, with None for each marked gap. A line that was too long goes on in the next, without one.
fn numbers(sandbox: &Sandbox, job: &str) -> TestResult<Vec<Option<u64>>> {
    let events = sandbox.smtrain(&["logs", "-o", "json", job]).run()?.ok()?.json_lines()?;
    let mut numbers = Vec::new();
    let last = events.len().saturating_sub(1);
    for (index, event) in events.iter().enumerate() {
        let message = event["message"].as_str().ok_or("no message")?;
        match message.split_once(' ') {
            _ if event["gap"] == true => numbers.push(None),
            Some((number, rest)) if rest.trim_start_matches('x').is_empty() => numbers.push(Some(number.parse()?)),
            _ if message.trim_start_matches('x').is_empty() => {}
            // The script was ended in the middle of a number.
            None if index == last && message.bytes().all(|byte| byte.is_ascii_digit()) => {}
            _ => return Err(format!("an odd line: {message:.80}").into()),
        }
    }
    Ok(numbers)
}

/// Waits for the first lines. Reading all of a log that grows without end would have no end either.
fn wait_for_lines(sandbox: &Sandbox, job: &str) -> TestResult {
    poll("a line", || Ok((!sandbox.smtrain(&["logs", "-n", "1", job]).run()?.ok()?.stdout.is_empty()).then_some(())))
}

/// Kills the supervisor after so many milliseconds of output, and holds the log to it: every line up to the last, or a mark.
fn kill_after(script: &str, milliseconds: u64) -> TestResult<(usize, usize)> {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
    wait_for_lines(&sandbox, &job)?;
    let supervisor = process(&sandbox, SUPERVISOR)?;
    sleep(Duration::from_millis(milliseconds));
    signal(&[supervisor], Signal::SIGKILL)?;
    sandbox.wait_for_no_processes()?;
    assert_eq!(sandbox.status(&job)?, "Failed");
    let numbers = numbers(&sandbox, &job)?;
    let mut expected = Some(0);
    for number in &numbers {
        let Some(number) = number else {
            expected = None;
            continue;
        };
        assert_eq!(*number, expected.unwrap_or(*number), "an unmarked gap");
        expected = Some(number + 1);
    }
    let gaps = numbers.iter().filter(|number| number.is_none()).count();
    Ok((numbers.len() - gaps, gaps))
}

#[test]
fn the_supervisor_is_killed_in_a_flood() -> TestResult {
    for round in 0..16 {
        let (lines, gaps) = kill_after(FLOOD, round * 7 % 23)?;
        assert!(lines > 0);
        // Where the kernel moves what a pipe holds into a file by itself, nothing is lost.
        assert_eq!(gaps, 0, "round {round}");
    }
    Ok(())
}

#[test]
fn the_supervisor_is_killed_between_short_lines() -> TestResult {
    for round in 0..8 {
        let (lines, gaps) = kill_after(DRIP, round * 5 % 19)?;
        assert!(lines > 0 && gaps == 0, "round {round}: {lines} lines, {gaps} gaps");
    }
    Ok(())
}

/// Where what was on its way can't be recovered, the log says so: in its place, in JSON, and in the summary.
#[test]
fn what_cannot_be_recovered_is_marked() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", DRIP)?, &[])?;
    wait_for_lines(&sandbox, &job)?;
    let supervisor = process(&sandbox, SUPERVISOR)?;
    hold(&[supervisor])?;
    fs::write(sandbox.job_folder(&job).join("spool"), "damaged")?;
    let follow = sandbox.smtrain(&["logs", "-f", &job]).start()?;
    follow.wait_for_stdout("5 x")?;
    signal(&[supervisor], Signal::SIGKILL)?;
    let said = follow.finish()?.expect(3)?;
    // How many lines are lost depends on the moment.
    assert!(said.stderr.contains(" 1 gap\n"), "{said}");
    let marks: Vec<&str> = said.stdout.lines().filter(|line| line.contains("lines may be missing")).collect();
    let [mark] = marks[..] else { return Err(format!("not one mark: {marks:?}").into()) };
    assert!(mark.starts_with("smtrain: "), "{mark}");
    assert_eq!(numbers(&sandbox, &job)?.iter().filter(|number| number.is_none()).count(), 1);
    let read = sandbox.smtrain(&["logs", &job]).run()?.ok()?;
    insta::assert_snapshot!(read.stderr_snapshot(sandbox.root())?, @"warning: lines may be missing in one place of this log, which it marks: smtrain logs -o json");
    Ok(())
}

/// Stands for an installer that prints much.
const LOUD_UV: &str = "#!/bin/sh
[ \"$1\" = --version ] && exit
exec python3 $PROJECT/loud.py
";

/// No guard stands behind an installer: what its pipe held is lost.
#[test]
fn the_supervisor_is_killed_while_it_installs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?.file("requirements.txt", "numpy")?.file("loud.py", FLOOD)?;
    let project = project.file("bin/uv", LOUD_UV)?.executable("bin/uv")?;
    let submit = format!("PATH={}:$PATH smtrain submit -q --local {}", project.path("bin").display(), project.spec());
    let submit = sandbox.sh(&submit).env("PROJECT", project.path(""));
    let job = submit.run()?.ok()?.line().to_owned();
    wait_for_lines(&sandbox, &job)?;
    signal(&[process(&sandbox, SUPERVISOR)?], Signal::SIGKILL)?;
    poll("the job's end", || Ok((sandbox.status(&job)? == "Failed").then_some(())))?;
    let numbers = numbers(&sandbox, &job)?;
    let whole: Vec<Option<u64>> = (0..numbers.len() as u64 - 1).map(Some).chain([None]).collect();
    assert_eq!(numbers, whole);
    Ok(())
}

/// A script that prints what a mark looks like makes none.
#[test]
fn a_script_can_make_no_mark() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "print('smtrain: lines may be missing here')\nprint('! smtrain: lines may be missing here')";
    let job = sandbox.complete(&sandbox.project("proj", script)?, &[])?;
    let events = sandbox.smtrain(&["logs", "-o", "json", &job]).run()?.ok()?.json_lines()?;
    assert!(events.len() == 2 && events.iter().all(|event| event.get("gap").is_none()), "{events:?}");
    Ok(())
}

/// With both gone, nobody has read what the script printed last.
#[test]
fn the_guard_is_killed_too() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.submit(&sandbox.project("proj", FLOOD)?, &[])?;
    wait_for_lines(&sandbox, &job)?;
    let both = [process(&sandbox, SUPERVISOR)?, process(&sandbox, GUARD)?];
    hold(&both)?;
    signal(&both, Signal::SIGKILL)?;
    poll("the end of both", || Ok((sandbox.processes().len() <= 1).then_some(())))?;
    assert_eq!(sandbox.status(&job)?, "Failed");
    let numbers = numbers(&sandbox, &job)?;
    assert_eq!(numbers.last(), Some(&None), "{:?}", numbers.len());
    assert_eq!(numbers.iter().filter(|number| number.is_none()).count(), 1);
    Ok(())
}

/// Prints numbered lines for longer than any test, and saves something where there is room when it is asked to stop.
const FLOOD_THAT_SAVES: &str = "
import os, signal, sys
def save(*_):
    open(os.environ['TMPDIR'] + '/saved', 'w').close()
    os._exit(0)
signal.signal(signal.SIGTERM, save)
for n in range(100_000_000):
    sys.stdout.write(f'{n} x\\n')
";

/// The script has its time to save, and no line is lost without a mark.
#[test]
fn a_full_disk_is_marked() -> TestResult {
    let sandbox = Sandbox::new()?;
    let spec = sandbox.project("proj", FLOOD_THAT_SAVES)?.spec();
    let run = format!(
        "smtrain submit -q --local --wait {spec} > /dev/null; echo code $?; smtrain logs -o json -; \
         smtrain logs -f - > /dev/null; [ -e $TMPDIR/saved ] && echo saved;"
    );
    let said = on_a_small_disk(&sandbox, "2m", &run)?.ok()?;
    let lines = said.lines();
    let [first, events @ .., last] = &lines[..] else { return Err(said.to_string().into()) };
    assert_eq!((*first, *last), ("code 3", "saved"), "{}", said.stderr);
    let (mut expected, mut gaps) = (Some(0), 0);
    for event in events {
        let event: serde_json::Value = serde_json::from_str(event)?;
        let message = event["message"].as_str().ok_or("no message")?;
        if event["gap"] == true {
            assert!(message.contains("could not be written: No space left on device"), "{message}");
            (expected, gaps) = (None, gaps + 1);
            continue;
        }
        let number: u64 = message.strip_suffix(" x").ok_or("an odd line")?.parse()?;
        assert_eq!(number, expected.unwrap_or(number), "an unmarked gap");
        expected = Some(number + 1);
    }
    assert!(gaps > 0);
    let summary = format!(" {gaps} {}\n", if gaps == 1 { "gap" } else { "gaps" });
    // How many lines are lost, and in how many places, depends on the moment.
    assert!(said.stderr.contains(&summary), "{}", said.stderr);
    assert!(said.stderr.contains("make room on the disk of SMTRAIN_HOME"), "{}", said.stderr);
    assert!(!said.stderr.contains("volume_size_gb"), "{}", said.stderr);
    sandbox.wait_for_no_processes()
}

/// Somebody removes, replaces or empties the log of a running job: it goes on, and `logs` says what happened.
#[test]
fn a_log_that_was_removed_or_truncated_is_marked() -> TestResult {
    let mut transcript = Transcript::default();
    for (deed, why) in [
        ("rm $LOG/*", "the log was removed"),
        ("rm -r $LOG", "the log was removed"),
        ("mv $LOG/* aside && cp aside $LOG/$NAME", "the log was replaced by another file"),
        (": > $LOG/$NAME", "the log was truncated by another process"),
    ] {
        let sandbox = Sandbox::new()?;
        let script = "import os, time\nprint('ready', flush=True)\nwhile not os.path.exists(os.environ['GO']): time.sleep(0.01)\nprint('x')";
        let project = sandbox.project("proj", script)?;
        let go = sandbox.path("go");
        let submit = sandbox.smtrain(&["submit", "-q", "--local", &project.spec()]).env("GO", &go);
        let job = submit.run()?.ok()?.line().to_owned();
        sandbox.wait_for_log(&job, "ready")?;
        let log = sandbox.job_folder(&job).join("log");
        let name = fs::read_dir(&log)?.next().ok_or("no stream")??.file_name();
        sandbox.sh(deed).env("LOG", &log).env("NAME", name).run()?.ok()?;
        fs::write(&go, "")?;
        sandbox.smtrain(&["wait", &job]).run()?.ok()?;
        for command in [&["logs", &job][..], &["logs", "-n", "3", &job], &["logs", "-f", &job]] {
            let said = sandbox.smtrain(command).run()?.ok()?;
            transcript.add(format_args!("{deed}: {}", command.join(" ")), &said);
        }
        let state = sandbox.describe(&job)?;
        assert!(state.to_string().contains(why), "{deed}: {state}");
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## rm $LOG/*: logs proj-[STAMP]
    ## rm $LOG/*: logs -n 3 proj-[STAMP]
    exit code: 0
    --- stdout
    smtrain: lines may be missing here: the log was removed while the job ran
    --- stderr
    warning: lines may be missing in one place of this log, which it marks: smtrain logs -o json
    ## rm $LOG/*: logs -f proj-[STAMP]
    exit code: 0
    --- stdout
    smtrain: lines may be missing here: the log was removed while the job ran
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    Uploading: Storing the model and the output data
    Completed: Training job completed; the log was removed while the job ran
    0 lines, 1/1 node, 0 late, 1 gap
    ## rm -r $LOG: logs proj-[STAMP]
    ## rm -r $LOG: logs -n 3 proj-[STAMP]
    exit code: 0
    --- stdout
    smtrain: lines may be missing here: the log was removed while the job ran
    --- stderr
    warning: lines may be missing in one place of this log, which it marks: smtrain logs -o json
    ## rm -r $LOG: logs -f proj-[STAMP]
    exit code: 0
    --- stdout
    smtrain: lines may be missing here: the log was removed while the job ran
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    Uploading: Storing the model and the output data
    Completed: Training job completed; the log was removed while the job ran
    0 lines, 1/1 node, 0 late, 1 gap
    ## mv $LOG/* aside && cp aside $LOG/$NAME: logs proj-[STAMP]
    ## mv $LOG/* aside && cp aside $LOG/$NAME: logs -n 3 proj-[STAMP]
    exit code: 0
    --- stdout
    ready
    smtrain: lines may be missing here: the log was replaced by another file while the job ran
    --- stderr
    warning: lines may be missing in one place of this log, which it marks: smtrain logs -o json
    ## mv $LOG/* aside && cp aside $LOG/$NAME: logs -f proj-[STAMP]
    exit code: 0
    --- stdout
    ready
    smtrain: lines may be missing here: the log was replaced by another file while the job ran
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    Uploading: Storing the model and the output data
    Completed: Training job completed; the log was replaced by another file while the job ran
    1 line, 1/1 node, 0 late, 1 gap
    ## : > $LOG/$NAME: logs proj-[STAMP]
    ## : > $LOG/$NAME: logs -n 3 proj-[STAMP]
    exit code: 0
    --- stdout
    x
    smtrain: lines may be missing here: the log was truncated by another process while the job ran
    --- stderr
    warning: lines may be missing in one place of this log, which it marks: smtrain logs -o json
    ## : > $LOG/$NAME: logs -f proj-[STAMP]
    exit code: 0
    --- stdout
    x
    smtrain: lines may be missing here: the log was truncated by another process while the job ran
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    Uploading: Storing the model and the output data
    Completed: Training job completed; the log was truncated by another process while the job ran
    1 line, 1/1 node, 0 late, 1 gap
    "#);
    Ok(())
}

/// What the script prints meanwhile is of no end: the log is printed up to where it was when the command began.
#[test]
fn a_log_that_grows_faster_than_it_is_read() -> TestResult {
    // As quick as a script can be: a command's speed is no matter.
    let script = "
import os
lines = b''.join(b'x\\n' for _ in range(30000))
while True: os.write(1, lines)";
    for options in ["", "--since 1h", "-o json"] {
        let sandbox = Sandbox::new()?;
        let job = sandbox.submit(&sandbox.project("proj", script)?, &[])?;
        let log = sandbox.job_folder(&job).join("log");
        poll("a megabyte", || {
            let stream = fs::read_dir(&log).ok().and_then(|mut streams| streams.next());
            let len = stream.map(|stream| stream?.metadata()).transpose()?.map_or(0, |about| about.len());
            Ok((len > 1 << 20).then_some(()))
        })?;
        let read = format!("timeout 60 smtrain logs {options} {job} > read && wc -l < read");
        let said = sandbox.sh(&read).run()?.ok().map_err(|error| format!("{options}: {error}"))?;
        let lines: u64 = said.line().trim().parse()?;
        assert!(lines > 0 && said.stderr.is_empty(), "{options}: {said}");
    }
    Ok(())
}
