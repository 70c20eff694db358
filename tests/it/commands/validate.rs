//! `smtrain validate`.

use crate::support::{Project, Sandbox, TestResult, Transcript};

/// A spec with one problem of each kind.
const MANY_PROBLEMS: &str = r#"name = "bad name"
input_mode = "Fast"

[framework]
name = "sklearn"
versoin = "1.4-2"

[source]
entry_point = "tran.py"

[hyperparameters]
epochs = inf

[resources]
instance_type = "ml.m5.large"
instance_count = 0

[channels]
train = "data/missing.csv"

[limits]
max_run = "10 minutes"
max_wait = "1h"

[metrics]
"train:loss" = 'loss=[0-9.]+'

[network]
subnets = ["subnet-1"]
"#;

fn project(sandbox: &Sandbox) -> TestResult<Project> {
    sandbox.project("proj", "print('trained')")
}

#[test]
fn a_valid_spec_is_said_to_be_valid() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?;
    assert_eq!(said.to_string(), "exit code: 0\n--- stdout\n--- stderr\nproj/job.toml: valid\n");
    let quiet = sandbox.smtrain(&["validate", "-q", "proj/job.toml"]).run()?;
    assert_eq!(quiet.to_string(), "exit code: 0\n--- stdout\n--- stderr\n");
    Ok(())
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn every_problem_of_every_file_is_reported_at_once() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?.file("many.toml", MANY_PROBLEMS)?.file("few.toml", "[framework]\nname = 1\n")?;
    let files = ["proj/many.toml", "proj/job.toml", "proj/few.toml", "proj/none.toml"];
    let said = sandbox.smtrain(&["validate"]).args(files).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    proj/job.toml: valid
    error: `name` can't start the names of jobs: a name has only letters, digits and hyphens, not ' '
     --> proj/many.toml:1:8
      |
    1 | name = "bad name"
      |        ^^^^^^^^^^
      |
      = hint: did you mean "bad-name"?
    error: `input_mode` is "Fast", and should be File, Pipe or FastFile
     --> proj/many.toml:2:14
      |
    2 | input_mode = "Fast"
      |              ^^^^^^
    error: unknown key `versoin` in [framework]
     --> proj/many.toml:6:1
      |
    6 | versoin = "1.4-2"
      | ^^^^^^^ unknown key
      |
      = hint: did you mean `version`?
    error: there is no [SANDBOX]/proj/tran.py
     --> proj/many.toml:9:15
      |
    9 | entry_point = "tran.py"
      |               ^^^^^^^^^
      |
      = hint: did you mean `train.py`?
    error: inf can't be sent as a value here
      --> proj/many.toml:12:10
       |
    12 | epochs = inf
       |          ^^^
       |
       = hint: write it in quotes: "inf"
    error: `instance_count` is out of range: it should be at least 1
      --> proj/many.toml:16:18
       |
    16 | instance_count = 0
       |                  ^
    error: there is no [SANDBOX]/proj/data/missing.csv
      --> proj/many.toml:19:9
       |
    19 | train = "data/missing.csv"
       |         ^^^^^^^^^^^^^^^^^^
       |
       = hint: relative paths start in the spec's folder
    error: `max_run` is not a duration
      --> proj/many.toml:22:11
       |
    22 | max_run = "10 minutes"
       |           ^^^^^^^^^^^^
       |
       = hint: durations are written as "90s", "30m", "24h", "1h30m" or a number of seconds
    error: `max_wait` is only for spot instances
      --> proj/many.toml:23:12
       |
    23 | max_wait = "1h"
       |            ^^^^
       |
       = hint: add [spot] with enabled = true
    error: the expression has no group, which is what the value is read from
      --> proj/many.toml:26:16
       |
    26 | "train:loss" = 'loss=[0-9.]+'
       |                ^^^^^^^^^^^^^^
       |
       = hint: put the number in parentheses: 'loss=([0-9.]+)'
    error: `subnets` needs `security_group_ids` too
      --> proj/many.toml:29:11
       |
    29 | subnets = ["subnet-1"]
       |           ^^^^^^^^^^^^
       |
       = hint: add security_group_ids = [...]
    proj/many.toml: 11 errors
    error: [resources] needs `instance_type`
    --> proj/few.toml
     = hint: such as instance_type = "ml.m5.xlarge", or "local" to run on this computer
    error: [framework] needs `version`
     --> proj/few.toml:1:1
      |
    1 | [framework]
      | ^^^^^^^^^^^
      |
      = hint: such as version = "2.3"; it is optional beside `image`
    error: [framework] needs a script, and none is given
     --> proj/few.toml:1:1
      |
    1 | [framework]
      | ^^^^^^^^^^^
      |
      = hint: add entry_point = "train.py" to [source]
    error: `name` is an integer, and should be a string
     --> proj/few.toml:2:8
      |
    2 | name = 1
      |        ^ expected a string
      |
      = hint: write "1", in quotes
    proj/few.toml: 4 errors
    error: there is no such file
    --> proj/none.toml
     = hint: `smtrain init` writes a job spec to start from
    proj/none.toml: 1 error
    "#);
    Ok(())
}

#[test]
fn problems_are_not_silenced() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?.whole_spec(MANY_PROBLEMS)?;
    let loud = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    let quiet = sandbox.smtrain(&["validate", "-q", "proj/job.toml"]).run()?.expect(2)?;
    assert_eq!(loud.stderr, quiet.stderr);
    Ok(())
}

#[test]
fn a_warning_alone_is_no_failure() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml", "--instance-type", "ml.m99.large"]).run()?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 0
    --- stdout
    --- stderr
    warning: instance type `ml.m99.large` is not in the built-in list
     --> --instance-type:1:1
      |
    1 | ml.m99.large
      | ^^^^^^^^^^^^
      |
      = hint: did you mean `ml.m7i.large`? a newer type is sent as it is written
    proj/job.toml: valid
    "#);
    Ok(())
}

#[test]
fn a_problem_of_a_flag_is_shown_in_the_flag() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?;
    let flags = [
        &["--set", "resources.instance_cuont=2", "--set", "limits.max_run='1x'", "--set", "=3", "--set", "spot"][..],
        &["--set", "source.entry_point.x=1", "--instance-count", "many", "-H", "epochs", "-H", "rate=nan"],
        &["--name", "no good", "--role", ""],
    ];
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).args(flags.concat()).run()?.expect(2)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: unknown key `instance_cuont` in [resources]
     --> --set:1:11
      |
    1 | resources.instance_cuont=2
      |           ^^^^^^^^^^^^^^ unknown key
      |
      = hint: did you mean `instance_count`?
    error: `max_run` is not a duration
     --> --set:1:16
      |
    1 | limits.max_run='1x'
      |                ^^^^
      |
      = hint: durations are written as "90s", "30m", "24h", "1h30m" or a number of seconds
    error: "" is not a key
     --> --set:1:1
      |
    1 | =3
      | ^
      |
      = hint: quote parts with other characters: metrics."train:loss"=...
    error: a value is missing
     --> --set:1:1
      |
    1 | spot
      | ^^^^ expected `=` and a value
      |
      = hint: write --set KEY=VALUE
    error: `source.entry_point` is a string, and has no keys in it
     --> --set:1:8
      |
    1 | source.entry_point.x=1
      |        ^^^^^^^^^^^
      |
      = hint: set the whole value, or name another key
    error: a value is missing
     --> -H:1:1
      |
    1 | epochs
      | ^^^^^^ expected `=` and a value
      |
      = hint: write -H NAME=VALUE
    error: nan can't be sent as a value here
     --> -H:1:6
      |
    1 | rate=nan
      |      ^^^
      |
      = hint: write it in quotes: "nan"
    error: `name` can't start the names of jobs: a name has only letters, digits and hyphens, not ' '
     --> --name:1:1
      |
    1 | no good
      | ^^^^^^^
      |
      = hint: did you mean "no-good"?
    error: `role` is empty
     --> --role:1:1
      |
    1 |
      | ^
    error: `instance_count` is a string, and should be an integer
     --> --instance-count:1:1
      |
    1 | many
      | ^^^^ expected an integer
    proj/job.toml: 10 errors
    "#);
    Ok(())
}

#[test]
fn a_flag_can_repair_a_spec() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?.with("[limits]\nmax_run = 'soon'")?;
    sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    sandbox.smtrain(&["validate", "proj/job.toml", "--set", "limits.max_run=1h"]).run()?.ok()?;
    Ok(())
}

#[test]
fn an_instance_type_is_not_needed_on_this_computer() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?.whole_spec("[framework]\nname='sklearn'\nversion='1.4-2'\n[source]\nentry_point='train.py'")?;
    let said = sandbox.smtrain(&["validate", "proj/job.toml"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: [resources] needs `instance_type`
    --> proj/job.toml
     = hint: such as instance_type = "ml.m5.xlarge", or "local" to run on this computer
    proj/job.toml: 1 error
    "#);
    sandbox.smtrain(&["validate", "--local", "proj/job.toml"]).run()?.ok()?;
    Ok(())
}

#[test]
fn a_byte_order_mark_and_crlf_are_accepted() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = project(&sandbox)?;
    let spec = std::fs::read_to_string(project.path("job.toml"))?;
    let project = project.file("bom.toml", format!("\u{feff}{spec}"))?;
    project.file("crlf.toml", spec.replace('\n', "\r\n"))?;
    sandbox.smtrain(&["validate", "proj/bom.toml", "proj/crlf.toml"]).run()?.ok()?;
    Ok(())
}

#[test]
fn files_that_are_no_specs_are_refused() -> TestResult {
    let sandbox = Sandbox::new()?;
    let files: [(&str, &[u8]); 5] = [
        ("empty.toml", b""),
        ("binary.toml", b"\x7fELF\x00\xff\xfe"),
        ("latin1.toml", b"name = \"caf\xe9\""),
        ("twice.toml", b"name = \"a\"\nname = \"b\"\n"),
        ("cut.toml", b"[framework\nname ="),
    ];
    let mut project = project(&sandbox)?;
    for (name, content) in files {
        project = project.file(name, content)?;
    }
    let mut transcript = Transcript::default();
    for (name, _) in files {
        let file = format!("proj/{name}");
        let said = sandbox.smtrain(&["validate", &file]).run()?.expect(2)?;
        transcript.add(&file, &said);
    }
    sandbox.sh("mkfifo proj/pipe.toml").run()?.ok()?;
    for endless in ["proj/pipe.toml", "/dev/zero"] {
        let said = sandbox.smtrain(&["validate", endless]).run()?.expect(2)?;
        transcript.add(endless, &said);
    }
    let said = sandbox.smtrain(&["validate", "proj"]).run()?.expect(2)?;
    transcript.add("a folder", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## proj/empty.toml
    exit code: 2
    --- stderr
    error: this file has no job spec in it
    --> proj/empty.toml
     = hint: `smtrain init` writes a job spec to start from
    proj/empty.toml: 1 error
    ## proj/binary.toml
    exit code: 2
    --- stderr
    error: this is not a text file: byte 5 (line 1) is 0xff, which is not UTF-8 text
    --> proj/binary.toml
     = hint: a job spec is a TOML file, saved as UTF-8
    proj/binary.toml: 1 error
    ## proj/latin1.toml
    exit code: 2
    --- stderr
    error: this is not a text file: byte 11 (line 1) is 0xe9, which is not UTF-8 text
    --> proj/latin1.toml
     = hint: a job spec is a TOML file, saved as UTF-8
    proj/latin1.toml: 1 error
    ## proj/twice.toml
    exit code: 2
    --- stderr
    error: nothing says what runs
    --> proj/twice.toml
     = hint: add [framework] with a name such as "pytorch", [algorithm] or [container]
    error: [resources] needs `instance_type`
    --> proj/twice.toml
     = hint: such as instance_type = "ml.m5.xlarge", or "local" to run on this computer
    error: duplicate key `name`
     --> proj/twice.toml:2:1
      |
    2 | name = "b"
      | ^^^^ given again
      |
      = hint: it is first given at line 1, column 1
    proj/twice.toml: 3 errors
    ## proj/cut.toml
    exit code: 2
    --- stderr
    error: invalid TOML: unclosed table, expected `]`
     --> proj/cut.toml:1:11
      |
    1 | [framework
      |           ^
    proj/cut.toml: 1 error
    ## proj/pipe.toml
    exit code: 2
    --- stderr
    error: this is a pipe or a device, not a job spec
    --> proj/pipe.toml
     = hint: write it to a file first
    proj/pipe.toml: 1 error
    ## /dev/zero
    exit code: 2
    --- stderr
    error: this is a pipe or a device, not a job spec
    --> /dev/zero
     = hint: write it to a file first
    /dev/zero: 1 error
    ## a folder
    exit code: 2
    --- stderr
    error: this is a folder, not a job spec
    --> proj
     = hint: did you mean proj/job.toml?
    proj: 1 error
    "#);
    Ok(())
}

#[test]
fn colours_follow_the_flag_and_the_variables() -> TestResult {
    let sandbox = Sandbox::new()?;
    project(&sandbox)?.whole_spec(MANY_PROBLEMS)?;
    let said = |color: &[&str], variable: &str| {
        sandbox.smtrain(&["validate", "proj/job.toml"]).args(color).env(variable, "1").run()
    };
    for (color, variable, expected) in [
        (&["--color", "always"][..], "ANY", true),
        (&["--color", "always"], "NO_COLOR", true),
        (&["--color", "never"], "CLICOLOR_FORCE", false),
        (&[], "NO_COLOR", false),
        (&[], "ANY", false),
    ] {
        let said = said(color, variable)?.expect(2)?;
        // The text is that of the first test; only the escape sequences differ.
        assert_eq!(said.stderr.contains("\u{1b}["), expected, "{color:?} with {variable}: {said}");
    }
    Ok(())
}
