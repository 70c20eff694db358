//! `smtrain logs`.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::{Sandbox, TestResult, Transcript};

const THREE: &str = "import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')\n";

/// A progress bar with a line before and after it, then a bar that is not followed by a line end.
const BAR: &str = r"
import sys
sys.stdout.write('start\n')
for percent in (10, 50, 100):
    sys.stdout.write(f'\r{percent:3}%')
    sys.stdout.flush()
sys.stdout.write('\nend\n 1/2\r 2/2')
";

/// Prints `ready`, waits for the file, prints `gone on`.
fn until(file: &std::path::Path) -> String {
    format!(
        "import os, time\nprint('ready', flush=True)\nwhile not os.path.exists('{}'): time.sleep(.01)\nprint('gone on')\n",
        file.display()
    )
}

fn complete(sandbox: &Sandbox, script: &str) -> TestResult<String> {
    // Unbuffered, so that lines of both streams come in the order in which they were printed.
    let project = sandbox.project("proj", script)?.with("[environment]\nPYTHONUNBUFFERED = '1'")?;
    sandbox.complete(&project, &[])
}

#[test]
fn lines_of_both_streams_come_in_their_order() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, THREE)?;
    let said = sandbox.smtrain(&["logs", &job]).run()?;
    assert_eq!(said.to_string(), "exit code: 0\n--- stdout\none\ntwo\nthree\n--- stderr\n");
    Ok(())
}

#[test]
fn a_prefix_or_a_dash_names_a_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.complete(&sandbox.project("older", "print('older')")?, &[])?;
    sandbox.complete(&sandbox.project("newer", "print('newer')")?, &[])?;
    for (arguments, expected) in
        [(["logs", "old"], "older\n"), (["logs", "-"], "newer\n"), (["logs", "--last"], "newer\n")]
    {
        assert_eq!(sandbox.smtrain(&arguments).run()?.ok()?.stdout, expected, "{arguments:?}");
    }
    Ok(())
}

#[test]
fn an_ambiguous_prefix_names_the_jobs() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?;
    for _ in 0..2 {
        sandbox.complete(&project, &[])?;
    }
    let said = sandbox.smtrain(&["logs", "proj"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: proj is a prefix of 2 jobs' names
    hint: name one: proj-[STAMP], proj-[STAMP]
    "#);
    Ok(())
}

#[test]
fn an_unknown_job_names_the_nearest() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("penguins", "")?, &[])?;
    let mut transcript = Transcript::default();
    for typed in ["pengiuns", &job.replace("penguins", "pinguins"), &job.replace("-20", "-21")] {
        let said = sandbox.smtrain(&["logs", typed]).run()?.expect(1)?;
        transcript.add(typed, &said);
    }
    let said = sandbox.smtrain(&["logs", "zzz"]).run()?.expect(1)?;
    transcript.add("zzz", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## pengiuns
    exit code: 1
    --- stderr
    error: there is no job pengiuns on this computer
    hint: did you mean penguins-[STAMP]?
    ## pinguins-[STAMP]
    exit code: 1
    --- stderr
    error: there is no job pinguins-[STAMP] on this computer
    hint: did you mean penguins-[STAMP]?
    ## penguins-[STAMP]
    exit code: 1
    --- stderr
    error: there is no job penguins-[STAMP] on this computer
    hint: did you mean penguins-[STAMP]?
    ## zzz
    exit code: 1
    --- stderr
    error: there is no job zzz on this computer
    hint: list the jobs there are: smtrain history --local
    "#);
    Ok(())
}

#[test]
fn names_with_path_separators_are_no_jobs() -> TestResult {
    let sandbox = Sandbox::new()?;
    complete(&sandbox, "")?;
    let mut transcript = Transcript::default();
    for name in ["../jobs", "..", ".", "/etc", "a/b", "\u{1b}[31m", "ü"] {
        let said = sandbox.smtrain(&["logs", name]).run()?.expect(1)?;
        transcript.add(name, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## ../jobs
    exit code: 1
    --- stderr
    error: there is no job ../jobs on this computer
    hint: list the jobs there are: smtrain history --local
    ## ..
    exit code: 1
    --- stderr
    error: there is no job .. on this computer
    hint: list the jobs there are: smtrain history --local
    ## .
    exit code: 1
    --- stderr
    error: there is no job . on this computer
    hint: list the jobs there are: smtrain history --local
    ## /etc
    exit code: 1
    --- stderr
    error: there is no job /etc on this computer
    hint: list the jobs there are: smtrain history --local
    ## a/b
    exit code: 1
    --- stderr
    error: there is no job a/b on this computer
    hint: list the jobs there are: smtrain history --local
    ## [ESC][31m
    exit code: 1
    --- stderr
    error: there is no job �[31m on this computer
    hint: list the jobs there are: smtrain history --local
    ## ü
    exit code: 1
    --- stderr
    error: there is no job ü on this computer
    hint: list the jobs there are: smtrain history --local
    "#);
    Ok(())
}

#[test]
fn without_a_job_there_is_no_newest_one() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["logs", "-"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: no job was submitted from this computer
    hint: name a job: smtrain history lists them
    "#);
    Ok(())
}

#[test]
fn tail_prints_the_last_lines() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, "for i in range(30_000): print(i)")?;
    for (count, expected) in [("2", "29998\n29999\n"), ("0", "")] {
        assert_eq!(sandbox.smtrain(&["logs", &job, "-n", count]).run()?.ok()?.stdout, expected);
    }
    let all = sandbox.smtrain(&["logs", &job, "--tail", "99999999"]).run()?.ok()?;
    assert_eq!(all.lines().len(), 30_000);
    assert_eq!(all.stdout, sandbox.log(&job)?);
    Ok(())
}

#[test]
fn grep_prints_the_lines_that_match() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, "for i in range(100): print('epoch', i, 'loss=0.5' if i % 10 == 0 else '')")?;
    let matching = |arguments: &[&str]| sandbox.smtrain(&["logs", &job]).args(arguments).run();
    assert_eq!(matching(&["--grep", "loss=[0-9.]+$"])?.ok()?.lines().len(), 10);
    let last = matching(&["--grep", "(?i)LOSS", "--tail", "2"])?.ok()?;
    assert_eq!(last.stdout, "epoch 80 loss=0.5\nepoch 90 loss=0.5\n");
    assert_eq!(matching(&["-g", "nothing like it"])?.ok()?.stdout, "");
    let said = matching(&["--grep", "("])?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: --grep "(" is not a regular expression
      cause: regex parse error:
          (
          ^
      error: unclosed group
    "#);
    Ok(())
}

#[test]
fn times_are_printed_and_limit_the_log() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, THREE)?;
    let logs = |arguments: &[&str]| sandbox.smtrain(&["logs", &job]).args(arguments).run();
    let stamped = logs(&["--timestamps"])?.ok()?;
    let pattern = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 (one|two|three)$")?;
    assert!(stamped.lines().len() == 3 && stamped.lines().iter().all(|line| pattern.is_match(line)), "{stamped}");
    let elsewhere = sandbox.smtrain(&["logs", &job, "-t"]).env("TZ", "Asia/Tokyo").run()?.ok()?;
    // `[TIME]` in a snapshot would hide the offset.
    assert!(elsewhere.lines().iter().all(|line| line.contains("+09:00 ")), "{elsewhere}");
    let first = stamped.stdout.split(' ').next().unwrap_or_default().to_owned();
    for (arguments, lines) in [
        (&["--since", "1h"][..], 3),
        (&["--since", &first], 3),
        (&["--until", &first], 0),
        (&["--since", "2099-01-01"], 0),
        (&["--until", "2001-01-01T00:00"], 0),
        (&["--since", "2d", "--until", "2099-01-01"], 3),
        (&["--since", "1h", "--tail", "1"], 1),
        (&["--until", "1h", "--tail", "1"], 0),
    ] {
        let said = logs(arguments)?.ok()?;
        assert_eq!(said.lines().len(), lines, "{arguments:?}: {said}");
    }
    let mut transcript = Transcript::default();
    for text in ["yesterday", "", "10", "2026-13-01"] {
        let said = logs(&["--since", text])?.expect(2)?;
        transcript.add(text, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## yesterday
    exit code: 2
    --- stderr
    error: --since: "yesterday" is not a time: write how long ago (10m, 2h, 7d), a date (2026-11-23) or a time ([TIME])
    ## 
    exit code: 2
    --- stderr
    error: --since: "" is not a time: write how long ago (10m, 2h, 7d), a date (2026-11-23) or a time ([TIME])
    ## 10
    exit code: 2
    --- stderr
    error: --since: "10" is not a time: write how long ago (10m, 2h, 7d), a date (2026-11-23) or a time ([TIME])
    ## 2026-13-01
    exit code: 2
    --- stderr
    error: --since: "2026-13-01" is not a time: write how long ago (10m, 2h, 7d), a date (2026-11-23) or a time ([TIME])
    "#);
    Ok(())
}

#[test]
fn json_has_a_line_for_each_event() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(
        &sandbox,
        "import sys\nprint('\"quoted\" \\t ü')\nsys.stdout.flush()\nsys.stdout.buffer.write(b'\\xff\\n')",
    )?;
    let events = sandbox.smtrain(&["logs", &job, "-o", "json"]).run()?.ok()?.json_lines()?;
    let [quoted, binary] = events.as_slice() else { return Err(format!("{events:?}").into()) };
    assert_eq!(quoted["version"], 1);
    assert_eq!(quoted["message"], "\"quoted\" \t ü");
    assert_eq!(quoted["node"], "algo-1");
    assert_eq!(quoted.get("overwritten"), None);
    assert_eq!(binary["message"], "\u{fffd}");
    let time = quoted["timestamp"].as_str().unwrap_or_default();
    assert!(regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")?.is_match(time), "{time}");
    Ok(())
}

#[test]
fn only_the_last_state_of_a_progress_bar_is_printed() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, BAR)?;
    assert_eq!(sandbox.log(&job)?, "start\n100%\nend\n 2/2\n");
    assert_eq!(sandbox.smtrain(&["logs", &job, "-n", "3"]).run()?.ok()?.stdout, "100%\nend\n 2/2\n");
    let events = sandbox.smtrain(&["logs", &job, "-o", "json"]).run()?.ok()?.json_lines()?;
    let overwritten: Vec<&str> = events
        .iter()
        .filter(|event| event["overwritten"] == true)
        .filter_map(|event| event["message"].as_str())
        .collect();
    assert_eq!(overwritten, [" 10%", " 50%", " 1/2"]);
    assert_eq!(events.len(), 7);
    Ok(())
}

#[test]
fn following_ends_with_the_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let go = sandbox.path("go");
    let job = sandbox.submit(&sandbox.project("proj", &until(&go))?, &[])?;
    let running = sandbox.smtrain(&["logs", "-f", &job]).start()?;
    running.wait_for_stdout("ready\n")?;
    fs::write(go, "")?;
    let said = running.finish()?.ok()?;
    assert_eq!(said.stdout, "ready\ngone on\n");
    Ok(())
}

#[test]
fn following_a_job_that_has_ended_prints_its_log() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, THREE)?;
    let follow = |arguments: &[&str]| sandbox.smtrain(&["logs", "-q", "-f", &job]).args(arguments).run();
    assert_eq!(follow(&[])?.ok()?.stdout, "one\ntwo\nthree\n");
    assert_eq!(follow(&["--tail", "1"])?.ok()?.stdout, "three\n");
    assert_eq!(follow(&["--grep", "t"])?.ok()?.stdout, "two\nthree\n");
    assert_eq!(follow(&["--tail", "0"])?.ok()?.stdout, "");
    assert_eq!(follow(&["-o", "json"])?.ok()?.json_lines()?.len(), 3);
    Ok(())
}

#[test]
fn following_tells_how_the_job_ended() -> TestResult {
    let sandbox = Sandbox::new()?;
    let (failed, _) = sandbox.end(&sandbox.project("bad", "print('x')\nraise SystemExit(9)")?, &[], 3)?;
    let said = sandbox.smtrain(&["logs", "-f", &failed]).run()?.expect(3)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 3
    --- stdout
    x
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    Uploading: Storing the model and the output data
    Failed: Training job failed
    1 line, 1/1 node, 0 late, 0 gaps
    error: job bad-[STAMP] failed: AlgorithmError: ExecuteUserScriptError:
      ExitCode 9
      ErrorMessage ""
      Command "[PYTHON] -- train.py", exit code: 1
    hint: read its log: smtrain logs bad-[STAMP]
    "#);
    // Without -f the log is only read, and that succeeds.
    sandbox.smtrain(&["logs", &failed]).run()?.ok()?;
    Ok(())
}

#[test]
fn an_interrupt_detaches() -> TestResult {
    let sandbox = Sandbox::new()?;
    let go = sandbox.path("go");
    let job = sandbox.submit(&sandbox.project("proj", &until(&go))?, &[])?;
    let running = sandbox.smtrain(&["logs", "-f", &job]).start()?;
    running.wait_for_stdout("ready")?;
    running.signal(Signal::SIGINT)?;
    let said = running.finish()?.expect(130)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 130
    --- stdout
    ready
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    error: detached; job proj-[STAMP] continues
    hint: follow it again: smtrain logs -f proj-[STAMP]
    hint: stop it: smtrain stop proj-[STAMP]
    "#);
    assert_eq!(sandbox.status(&job)?, "InProgress");
    fs::write(go, "")?;
    sandbox.smtrain(&["wait", &job]).run()?.ok()?;
    Ok(())
}

#[test]
fn control_characters_and_long_lines_are_kept() -> TestResult {
    let sandbox = Sandbox::new()?;
    let script = "import sys\nout = sys.stdout.buffer\nout.write(b'\\x00\\x01\\n\\n')\nout.write(b'x' * 3_000_000 + b'\\n')\nout.write(b'no end')";
    let job = complete(&sandbox, script)?;
    let log = sandbox.log(&job)?;
    assert!(log.starts_with("\u{0}\u{1}\n\nxxx") && log.ends_with("x\nno end\n"), "{} bytes", log.len());
    // A line over 1 MiB goes on in the next event, and no byte is lost.
    assert_eq!(log.matches('x').count(), 3_000_000);
    let events = sandbox.smtrain(&["logs", "-o", "json", &job]).run()?.ok()?.json_lines()?;
    let lengths: Vec<usize> = events.iter().filter_map(|event| event["message"].as_str()).map(str::len).collect();
    let most = (1 << 20) - 26;
    assert_eq!(lengths[2..], [most, most, 3_000_000 - 2 * most, 6]);
    Ok(())
}

#[test]
fn a_job_without_a_line_has_an_empty_log() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = complete(&sandbox, "")?;
    for arguments in [&["logs", &job][..], &["logs", &job, "-n", "5"], &["logs", "-q", "-f", &job]] {
        let said = sandbox.smtrain(arguments).run()?;
        assert_eq!(said.to_string(), "exit code: 0\n--- stdout\n--- stderr\n", "{arguments:?}");
    }
    Ok(())
}
