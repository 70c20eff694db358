//! smtrain in shell scripts: what pipes, variables and exit codes see.

use crate::support::{Sandbox, TestResult, Transcript};

fn sandbox() -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?;
    sandbox.project("good", "print('trained')")?;
    sandbox.project("bad", "raise SystemExit(5)")?;
    let slow = "import time\nprint('ready', flush=True)\ntime.sleep(600)";
    sandbox.project("slow", slow)?.with("[local]\nstop_grace = '1s'")?;
    Ok(sandbox)
}

#[test]
fn a_variable_takes_the_job_s_name_and_nothing_else() -> TestResult {
    let script = r#"
        for how in "" --wait --follow; do
            job=$(smtrain submit good/job.toml --local $how)
            echo "$job"
            smtrain wait "$job" > ended
            [ "$(cat ended)" = "$job Completed" ]
            [ "$(smtrain logs "$job")" = trained ]
        done
        set +e
        job=$(smtrain submit bad/job.toml --local --wait)
        echo "$job $?"
    "#;
    let said = sandbox()?.sh(script).run()?.ok()?;
    let words = |line: &str| line.split(' ').map(str::len).collect::<Vec<_>>();
    let lines = said.lines();
    let stamp = "-2026-11-23-04-05-06-789".len();
    let expected = [vec![4 + stamp], vec![4 + stamp], vec![4 + stamp], vec![3 + stamp, 1]];
    assert_eq!(lines.iter().map(|line| words(line)).collect::<Vec<_>>(), expected, "{said}");
    assert!(lines.last().is_some_and(|line| line.ends_with(" 3")), "{said}");
    Ok(())
}

#[test]
fn exit_codes_tell_how_a_command_ended() -> TestResult {
    let script = r#"
        code() { set +e; "$@" > /dev/null 2>&1; echo $?; set -e; }
        code smtrain submit good/job.toml --local --wait
        code smtrain submit good/job.toml --local --set limits.max_run=never
        code smtrain submit bad/job.toml --local --wait
        code smtrain submit slow/job.toml --local --wait --set limits.max_run=1s
        code smtrain submit
        code smtrain logs nothing
        code smtrain logs -f bad
        code smtrain wait slow
        slow=$(smtrain submit slow/job.toml --local -q)
        smtrain logs -f "$slow" > log 2> /dev/null &
        until grep -q ready log; do sleep 0.05; done
        kill -INT $!
        code wait $!
    "#;
    let said = sandbox()?.sh(script).run()?.ok()?;
    assert_eq!(said.lines(), ["0", "2", "3", "4", "2", "1", "3", "4", "130"], "{said}");
    Ok(())
}

#[test]
fn a_closed_pipe_ends_quietly() -> TestResult {
    let sandbox = sandbox()?;
    let loud = sandbox.project("loud", "for i in range(200_000): print('line', i)")?;
    let job = sandbox.complete(&loud, &[])?;
    let mut transcript = Transcript::default();
    for command in ["logs", "logs -f", "logs -o json", "logs --timestamps"] {
        let script = format!("{{ smtrain {command} {job}; echo code $? >&2; }} | head -n 1");
        let said = sandbox.sh(&script).run()?.ok()?;
        transcript.add(command, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## logs
    exit code: 0
    --- stdout
    line 0
    --- stderr
    code 0
    ## logs -f
    exit code: 0
    --- stdout
    line 0
    --- stderr
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    code 0
    ## logs -o json
    exit code: 0
    --- stdout
    {"version":1,"timestamp":"[TIME]","node":"algo-1","message":"line 0"}
    --- stderr
    code 0
    ## logs --timestamps
    exit code: 0
    --- stdout
    [TIME] line 0
    --- stderr
    code 0
    "#);
    Ok(())
}

#[test]
fn a_closed_stdout_is_not_an_error() -> TestResult {
    let sandbox = sandbox()?;
    let said = sandbox.sh("smtrain history --local -o names >&-; smtrain init --list >&- || true").run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    "#);
    Ok(())
}

#[test]
fn a_full_stdout_is_an_error() -> TestResult {
    let said = sandbox()?.sh("smtrain init --list > /dev/full").run()?.expect(1)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not write to stdout
      cause: No space left on device (os error 28)
    "#);
    Ok(())
}

#[test]
fn names_feed_other_commands() -> TestResult {
    let script = "
        smtrain submit slow/job.toml --local -q > /dev/null
        smtrain submit slow/job.toml --local -q > /dev/null
        smtrain history --local --status InProgress -o names | xargs smtrain stop
        smtrain history --local -o names | xargs smtrain wait || [ $? = 123 ]
        smtrain history --local --status Stopped -o names | wc -l
    ";
    let said = sandbox()?.sh(script).run()?.ok()?;
    assert_eq!(said.lines().last().map(|count| count.trim()), Some("2"), "{said}");
    Ok(())
}
