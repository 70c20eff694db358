//! What differs when a person looks on: colours and progress bars.

use crate::support::{Sandbox, TestResult};

const BAR: &str = "
import sys
for percent in (10, 50, 100):
    sys.stdout.write(f'\\r{percent:3}%')
    sys.stdout.flush()
sys.stdout.write('\\nend\\n')
";

#[test]
fn colours_unless_they_are_unwanted() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.complete(&sandbox.project("proj", "")?, &[])?;
    let history = || sandbox.terminal(&["history", "--local"]);
    assert!(history().run()?.ok()?.stdout.contains("\u{1b}[32mCompleted"));
    for command in [history().env("NO_COLOR", "1"), history().env("TERM", "dumb"), history().args(["--color", "never"])]
    {
        let said = command.run()?.ok()?;
        assert!(said.stdout.contains("Completed") && !said.stdout.contains('\u{1b}'), "{said}");
    }
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
fn following_a_submitted_job() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('trained')")?;
    let said = sandbox.terminal(&["submit", "--local", "--follow", &project.spec()]).run()?.ok()?;
    assert!(said.stdout.contains("trained\r\n"), "{said}");
    // The name, the phases and the log are lines of their own, whatever was drawn between them.
    let job = said.stdout.lines().find(|line| line.starts_with("proj-"));
    assert!(job.is_some_and(|line| line.trim_end().len() == "proj-2026-11-23-04-05-06-789".len()), "{said:?}");
    Ok(())
}

#[test]
fn a_failure_s_exit_code() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.terminal(&["logs", "nothing"]).run()?.expect(1)?;
    assert!(said.stdout.contains("\u{1b}[31m") || said.stdout.contains("\u{1b}[1m"), "{said:?}");
    Ok(())
}
