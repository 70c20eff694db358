//! Help, the version, and what is said of a command line that can't be understood.

use crate::support::{Sandbox, TestResult, Transcript};

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
        // The text itself is clap's and that of the arguments; the README and the completions hold what is in it.
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
fn the_version_is_the_package_s() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["--version"]).run()?.ok()?;
    assert_eq!(said.stdout, concat!("smtrain ", env!("CARGO_PKG_VERSION"), "\n"));
    Ok(())
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn wrong_usage_is_exit_code_2_with_nothing_on_stdout() -> TestResult {
    let sandbox = Sandbox::new()?;
    let mut transcript = Transcript::default();
    for arguments in [
        &[][..],
        &["submti", "job.toml"],
        &["submit"],
        &["submit", "a.toml", "b.toml"],
        &["submit", "job.toml", "--folow"],
        &["submit", "job.toml", "--dry-run", "--wait"],
        &["logs"],
        &["logs", "job", "--last"],
        &["logs", "job", "--tail", "-1"],
        &["wait"],
        &["stop"],
        &["describe", "-o", "yaml", "job"],
        &["history", "--local", "--status", "Done"],
        &["history", "--local", "--limit", "3", "--all"],
        &["--color", "sometimes", "history"],
    ] {
        let said = sandbox.smtrain(arguments).run()?.expect(2).map_err(|error| format!("{arguments:?}: {error}"))?;
        transcript.add(arguments.join(" "), &said);
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## 
    exit code: 2
    --- stderr
    Runs machine-learning training jobs on Amazon SageMaker, and the same jobs on this computer

    Usage: smtrain [OPTIONS] <COMMAND>

    Commands:
      init         Write a job spec and a working script from a template
      validate     Check job specs and report every problem at once
      submit       Create a training job from a spec
      logs         Print a job's log
      history      List jobs, newest first [alias: list]
      describe     Show everything about one job [alias: show]
      wait         Wait until jobs have ended
      stop         Stop jobs
      download     Download and unpack a job's model and output data
      image        Print the URI of a container image
      images       List the container images of frameworks and built-in algorithms
      schema       Print the JSON Schema of job specs, for editors
      completions  Print a shell's completion script

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --local            Work with jobs on this computer
          --region <REGION>  AWS region [default: from the settings, AWS_REGION or the profile]
          --profile <NAME>   Profile of the AWS configuration [default: from the settings or
                             AWS_PROFILE]
      -v, --verbose          Print more on stderr: the origin of settings and the causes of errors
      -q, --quiet            Print only warnings and errors on stderr
          --color <WHEN>     When to use colours [default: auto] [possible values: auto, always, never]
          --no-progress      Show no progress bars
    ## submti job.toml
    exit code: 2
    --- stderr
    error: unrecognized subcommand 'submti'

      tip: a similar subcommand exists: 'submit'

    Usage: smtrain [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ## submit
    exit code: 2
    --- stderr
    error: the following required arguments were not provided:
      <FILE>

    Usage: smtrain submit <FILE>

    For more information, try '--help'.
    ## submit a.toml b.toml
    exit code: 2
    --- stderr
    error: unexpected argument 'b.toml' found

    Usage: smtrain submit [OPTIONS] <FILE>

    For more information, try '--help'.
    ## submit job.toml --folow
    exit code: 2
    --- stderr
    error: unexpected argument '--folow' found

      tip: a similar argument exists: '--follow'

    Usage: smtrain submit --follow <FILE>

    For more information, try '--help'.
    ## submit job.toml --dry-run --wait
    exit code: 2
    --- stderr
    error: the argument '--dry-run' cannot be used with '--wait'

    Usage: smtrain submit --dry-run <FILE>

    For more information, try '--help'.
    ## logs
    exit code: 2
    --- stderr
    error: the following required arguments were not provided:
      <JOB>

    Usage: smtrain logs <JOB>

    For more information, try '--help'.
    ## logs job --last
    exit code: 2
    --- stderr
    error: the argument '[JOB]' cannot be used with '--last'

    Usage: smtrain logs <JOB>

    For more information, try '--help'.
    ## logs job --tail -1
    exit code: 2
    --- stderr
    error: unexpected argument '-1' found

      tip: to pass '-1' as a value, use '-- -1'

    Usage: smtrain logs [OPTIONS] [JOB]

    For more information, try '--help'.
    ## wait
    exit code: 2
    --- stderr
    error: the following required arguments were not provided:
      <JOB>...

    Usage: smtrain wait <JOB>...

    For more information, try '--help'.
    ## stop
    exit code: 2
    --- stderr
    error: the following required arguments were not provided:
      <JOB>...

    Usage: smtrain stop <JOB>...

    For more information, try '--help'.
    ## describe -o yaml job
    exit code: 2
    --- stderr
    error: invalid value 'yaml' for '--output <FORMAT>'
      [possible values: text, json]

    For more information, try '--help'.
    ## history --local --status Done
    exit code: 2
    --- stderr
    error: invalid value 'Done' for '--status <STATUS>'
      [possible values: InProgress, Completed, Failed, Stopping, Stopped]

    For more information, try '--help'.
    ## history --local --limit 3 --all
    exit code: 2
    --- stderr
    error: the argument '--limit <N>' cannot be used with '--all'

    Usage: smtrain history --local --limit <N> [NAME]

    For more information, try '--help'.
    ## --color sometimes history
    exit code: 2
    --- stderr
    error: invalid value 'sometimes' for '--color <WHEN>'
      [possible values: auto, always, never]

    For more information, try '--help'.
    "#);
    Ok(())
}

#[test]
fn a_home_that_is_a_file_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["history", "--local"]).env_remove("SMTRAIN_HOME").run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    --- stderr
    no jobs
    "#);
    let file = sandbox.path("a-file");
    std::fs::write(&file, "")?;
    let said = sandbox.smtrain(&["history", "--local"]).env("SMTRAIN_HOME", &file).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not list [SANDBOX]/a-file/jobs
      cause: Not a directory (os error 20)
    "#);
    let project = sandbox.project("proj", "")?;
    let said = sandbox.smtrain(&["submit", "--local", &project.spec()]).env("SMTRAIN_HOME", &file).run()?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not create the folder [SANDBOX]/a-file/s3/.staging
      cause: Not a directory (os error 20)
    "#);
    Ok(())
}
