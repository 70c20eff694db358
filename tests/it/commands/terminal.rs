//! What differs when a person looks on: colours and progress bars.

use crate::support::{Sandbox, TestResult, Transcript};

const BAR: &str = "
import sys
for percent in (10, 50, 100):
    sys.stdout.write(f'\\r{percent:3}%')
    sys.stdout.flush()
sys.stdout.write('\\nend\\n')
";

#[test]
fn a_terminal_gets_colours_unless_they_are_switched_off() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    let history = || sandbox.terminal(&["history", "--local"]);
    let said = history().run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    [ESC][1mNAME[ESC][0m                          [ESC][1mSTATUS[ESC][0m     [ESC][1mRUNS[ESC][0m                    [ESC][1mINSTANCES[ESC][0m    [ESC][1mCREATED[ESC][0m              [ESC][1mTRAINED[ESC][0m  [ESC][1mBILLED[ESC][0m  [ESC][1mMETRIC[ESC][0m[CR]
    proj-[STAMP]  [ESC][32mCompleted[ESC][0m  sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -[CR]
    --- stderr
    "#);
    let mut transcript = Transcript::default();
    let no_colour = ["--color", "never"];
    for (title, command) in [
        ("NO_COLOR", history().env("NO_COLOR", "1")),
        ("TERM=dumb", history().env("TERM", "dumb")),
        ("--color never", history().args(no_colour)),
    ] {
        let said = command.run()?.ok()?;
        transcript.add(title, &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## NO_COLOR
    ## TERM=dumb
    ## --color never
    exit code: 0
    --- stdout
    NAME                          STATUS     RUNS                    INSTANCES    CREATED              TRAINED  BILLED  METRIC[CR]
    proj-[STAMP]  Completed  sklearn:1.4-2 train.py  ml.m5.large  [TIME]  [S]       -       -[CR]
    "#);
    Ok(())
}

#[test]
fn a_script_s_progress_bar_overwrites_itself() -> TestResult {
    let sandbox = Sandbox::new()?;
    let job = sandbox.complete(&sandbox.project("proj", BAR)?, &[])?;
    let expected = " 10%\u{1b}[K\r 50%\u{1b}[K\r100%\r\nend\r\n";
    for arguments in [&["logs", &job][..], &["logs", "-q", "-f", &job]] {
        assert_eq!(sandbox.terminal(arguments).run()?.ok()?.stdout, expected, "{arguments:?}");
    }
    Ok(())
}

#[test]
fn a_followed_job_s_lines_are_whole_beside_the_progress_line() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('trained')")?;
    let said = sandbox.terminal(&["submit", "--local", "--follow", &project.spec()]).run()?.ok()?;
    // How often a progress line is drawn in between depends on the moment.
    assert!(said.stdout.contains("trained\r\n"), "{said}");
    // The name, the phases and the log are lines of their own, whatever was drawn between them.
    let job = said.stdout.lines().find(|line| line.starts_with("proj-"));
    assert!(job.is_some_and(|line| line.trim_end().len() == "proj-2026-11-23-04-05-06-789".len()), "{said:?}");
    Ok(())
}

#[test]
fn an_error_is_coloured_and_keeps_its_exit_code() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.terminal(&["logs", "nothing"]).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    [ESC][1m[ESC][31merror[ESC][0m: there is no job nothing on this computer[CR]
    [ESC][36mhint[ESC][0m: list the jobs there are: smtrain history --local[CR]
    --- stderr
    "#);
    Ok(())
}
