//! Help, the version, and what is said of a command line that can't be understood.

use crate::support::{Sandbox, TestResult};

const COMMANDS: [&str; 13] = [
    "init",
    "validate",
    "submit",
    "logs",
    "history",
    "describe",
    "wait",
    "stop",
    "download",
    "image",
    "images",
    "schema",
    "completions",
];

#[test]
fn help_is_data_and_fits_the_terminal() -> TestResult {
    let sandbox = Sandbox::new()?;
    let invocations = COMMANDS.iter().flat_map(|command| [vec![*command, "--help"], vec![*command, "-h"]]);
    for arguments in invocations.chain([vec!["--help"], vec!["-h"]]) {
        let said = sandbox.smtrain(&arguments).run()?.ok()?;
        assert!(said.stdout.contains("Usage: smtrain"), "{arguments:?}: {said}");
        assert_eq!(said.stderr, "", "{arguments:?}");
        let wide: Vec<&str> = said.stdout.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{arguments:?}: wider than the terminal: {wide:?}");
    }
    Ok(())
}

#[test]
fn every_command_is_listed_and_the_internal_ones_are_not() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["--help"]).run()?.ok()?;
    let listed: Vec<&str> = said
        .lines()
        .into_iter()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, COMMANDS);
    Ok(())
}

#[test]
fn aliases_are_the_same_commands() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.smtrain(&["list", "--local"]).run()?.ok()?;
    let project = sandbox.project("proj", "")?;
    let job = sandbox.complete(&project, &[])?;
    let show = sandbox.smtrain(&["show", &job, "-o", "json"]).run()?.ok()?;
    assert_eq!(show.json()?["job"]["TrainingJobName"], job);
    Ok(())
}

#[test]
fn the_version() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["--version"]).run()?.ok()?;
    assert_eq!(said.stdout, concat!("smtrain ", env!("CARGO_PKG_VERSION"), "\n"));
    Ok(())
}

#[test]
fn wrong_usage_is_exit_code_2_with_nothing_on_stdout() -> TestResult {
    let sandbox = Sandbox::new()?;
    for (arguments, fragment) in [
        (&[][..], "Usage: smtrain"),
        (&["submti", "job.toml"], "submit"),
        (&["submit"], "<FILE>"),
        (&["submit", "a.toml", "b.toml"], "b.toml"),
        (&["submit", "job.toml", "--folow"], "--follow"),
        (&["submit", "job.toml", "--dry-run", "--wait"], "--dry-run"),
        (&["logs"], "JOB"),
        (&["logs", "job", "--last"], "--last"),
        (&["logs", "job", "--tail", "-1"], "-1"),
        (&["wait"], "JOB"),
        (&["stop"], "JOB"),
        (&["describe", "-o", "yaml", "job"], "json"),
        (&["history", "--local", "--status", "Done"], "Completed"),
        (&["history", "--local", "--limit", "3", "--all"], "--all"),
        (&["--color", "sometimes", "history"], "always"),
    ] {
        let said = sandbox.smtrain(arguments).run()?.expect(2).map_err(|error| format!("{arguments:?}: {error}"))?;
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert!(said.stderr.contains(fragment), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn a_home_is_needed_and_its_lack_says_what_to_set() -> TestResult {
    let sandbox = Sandbox::new()?;
    let blank = sandbox.smtrain(&["history", "--local"]).env_remove("SMTRAIN_HOME").run()?.ok()?;
    assert_eq!(blank.stdout, "");
    let file = sandbox.path("a-file");
    std::fs::write(&file, "")?;
    let said = sandbox.smtrain(&["history", "--local"]).env("SMTRAIN_HOME", &file).run()?;
    assert_eq!(said.stdout, "");
    let project = sandbox.project("proj", "")?;
    let said = sandbox.smtrain(&["submit", "--local", &project.spec()]).env("SMTRAIN_HOME", &file).run()?.expect(1)?;
    assert!(said.stderr.contains(&file.display().to_string()), "{said}");
    Ok(())
}
