//! Secrets and links that a spec names, and links that lead out of the project.

use std::fs;
use std::os::unix::fs::symlink;

use super::refusals;
use crate::support::{Sandbox, TestResult, Transcript};

/// A stranger's repository whose spec names what is a link, or lies behind one.
#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn a_named_link_out_of_the_project_is_not_followed() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("home/notes"))?;
    fs::write(sandbox.path("home/notes/diary.txt"), "dear diary\n")?;
    fs::write(sandbox.path("home/notes/train.py"), "pass\n")?;
    let cases = [
        ("channel", "[channels]\ntrain = \"out\"\n"),
        ("file", "[channels]\ntrain = \"out/diary.txt\"\n"),
        ("dots", "[channels]\ntrain = \"src/../out/diary.txt\"\n"),
    ];
    let mut transcript = Transcript::default();
    for (name, rest) in cases {
        let project = sandbox.project(name, "pass")?.file("src/a.py", "1\n")?;
        let project = project.file(".smtrainignore", "out\n")?.with(rest)?;
        symlink("../home/notes", project.path("out"))?;
        for said in refusals(&sandbox, &project)? {
            transcript.add(name, &said);
        }
    }
    for (name, set) in [("dependency", "source.dependencies=[\"out\"]"), ("dir", "source.dir=\"out\"")] {
        let project = sandbox.project(name, "pass")?.file(".smtrainignore", "out\n")?;
        symlink("../home/notes", project.path("out"))?;
        for command in [&["submit", "--local"][..], &["submit", "--dry-run", "--region", "eu-west-1"], &["validate"]] {
            let spec = project.spec();
            let arguments = [command, &["--set", set, &spec]].concat();
            let said = sandbox.smtrain(&arguments).env("SMTRAIN_ROLE", "R").run()?.expect(2)?;
            transcript.add(format_args!("{name}: {}", command.join(" ")), &said);
        }
        let arguments = ["validate", "--set", set, "--set", "source.external_symlinks=true", &project.spec()];
        sandbox.smtrain(&arguments).run()?.ok()?;
    }
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## channel
    exit code: 2
    --- stderr
    error: [SANDBOX]/channel/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or write the channel as a table with external_symlinks = true
    ## channel
    exit code: 2
    --- stderr
    error: [SANDBOX]/channel/out is a symbolic link to ../home/notes, outside the project
      --> [SANDBOX]/channel/job.toml:12:9
       |
    12 | train = "out"
       |         ^^^^^
       |
       = hint: name what it leads to, or write the channel as a table with external_symlinks = true
    [SANDBOX]/channel/job.toml: 1 error
    ## file
    exit code: 2
    --- stderr
    error: [SANDBOX]/file/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or write the channel as a table with external_symlinks = true
    ## file
    exit code: 2
    --- stderr
    error: [SANDBOX]/file/out is a symbolic link to ../home/notes, outside the project
      --> [SANDBOX]/file/job.toml:12:9
       |
    12 | train = "out/diary.txt"
       |         ^^^^^^^^^^^^^^^
       |
       = hint: name what it leads to, or write the channel as a table with external_symlinks = true
    [SANDBOX]/file/job.toml: 1 error
    ## dots
    exit code: 2
    --- stderr
    error: [SANDBOX]/dots/src/../out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or write the channel as a table with external_symlinks = true
    ## dots
    exit code: 2
    --- stderr
    error: [SANDBOX]/dots/src/../out is a symbolic link to ../home/notes, outside the project
      --> [SANDBOX]/dots/job.toml:12:9
       |
    12 | train = "src/../out/diary.txt"
       |         ^^^^^^^^^^^^^^^^^^^^^^
       |
       = hint: name what it leads to, or write the channel as a table with external_symlinks = true
    [SANDBOX]/dots/job.toml: 1 error
    ## dependency: submit --local
    ## dependency: submit --dry-run --region eu-west-1
    exit code: 2
    --- stderr
    error: [SANDBOX]/dependency/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    ## dependency: validate
    exit code: 2
    --- stderr
    error: [SANDBOX]/dependency/out is a symbolic link to ../home/notes, outside the project
     --> [SANDBOX]/dependency/job.toml:5:1
      |
    5 | [source]
      | ^^^^^^^^
      |
      = hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    [SANDBOX]/dependency/job.toml: 1 error
    ## dir: submit --local
    ## dir: submit --dry-run --region eu-west-1
    exit code: 2
    --- stderr
    error: [SANDBOX]/dir/out is a symbolic link to ../home/notes, outside the project
    hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    ## dir: validate
    exit code: 2
    --- stderr
    error: [SANDBOX]/dir/out is a symbolic link to ../home/notes, outside the project
     --> --set:1:12
      |
    1 | source.dir="out"
      |            ^^^^^
      |
      = hint: name what it leads to, or set source.external_symlinks = true to send it all the same
    [SANDBOX]/dir/job.toml: 1 error
    "#);
    Ok(())
}

/// Names are judged where a path leads to, in the project, outside of it, and where the user allows the way out.
#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn a_named_secret_is_one_under_any_name() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("home/.aws/sso"))?;
    fs::write(sandbox.path("home/.aws/sso/cache.json"), "{}")?;
    fs::write(sandbox.path("home/.pgpass"), "x\n")?;
    let table = |source: &str| format!("[channels.train]\nsource = \"{source}\"\nexternal_symlinks = true\n");
    let cases = [
        ("outside", table("data"), Some("../home/.pgpass")),
        ("around", table("data"), Some("../home/.aws/sso")),
        ("written", "[channels]\ntrain = \"../home/.aws/sso\"\n".to_owned(), None),
        ("inside", "[channels]\ntrain = \"data\"\n".to_owned(), Some("conf/.aws")),
    ];
    let mut transcript = Transcript::default();
    for (name, rest, link) in cases {
        let project = sandbox.project(name, "pass")?.file("conf/.aws/config", "x\n")?;
        let project = project.file(".smtrainignore", "data\n")?.with(&rest)?;
        if let Some(target) = link {
            symlink(target, project.path("data"))?;
        }
        for said in refusals(&sandbox, &project)? {
            transcript.add(name, &said);
        }
    }
    let project = sandbox.project("code", "pass")?.file("train.py", "pass\n")?;
    fs::write(sandbox.path("home/.aws/sso/train.py"), "pass\n")?;
    let set = "source.dir=\"../home/.aws/sso\"";
    let said = sandbox.smtrain(&["validate", "--set", set, &project.spec()]).run()?.expect(2)?;
    transcript.add("code", &said);
    insta::assert_snapshot!(transcript.text()?, @r#"
    ## outside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/outside/data holds secrets, and none of it was sent:
        data: database passwords
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## outside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/outside/data holds secrets, and none of it was sent:
             data: database passwords
      --> [SANDBOX]/outside/job.toml:12:10
       |
    12 | source = "data"
       |          ^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/outside/job.toml: 1 error
    ## around
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/around/data holds secrets, and none of it was sent:
        data/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## around
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/around/data holds secrets, and none of it was sent:
             data/: AWS credentials
      --> [SANDBOX]/around/job.toml:12:10
       |
    12 | source = "data"
       |          ^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/around/job.toml: 1 error
    ## written
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/written/../home/.aws/sso holds secrets, and none of it was sent:
        sso/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## written
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/written/../home/.aws/sso holds secrets, and none of it was sent:
             sso/: AWS credentials
      --> [SANDBOX]/written/job.toml:12:9
       |
    12 | train = "../home/.aws/sso"
       |         ^^^^^^^^^^^^^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/written/job.toml: 1 error
    ## inside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/inside/data holds secrets, and none of it was sent:
        data/: AWS credentials
    hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    ## inside
    exit code: 2
    --- stderr
    error: the data in [SANDBOX]/inside/data holds secrets, and none of it was sent:
             data/: AWS credentials
      --> [SANDBOX]/inside/job.toml:12:9
       |
    12 | train = "data"
       |         ^^^^^^
       |
       = hint: move them out of the folder; a channel that is a table with allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/inside/job.toml: 1 error
    ## code
    exit code: 2
    --- stderr
    error: the code holds secrets, and none of it was sent:
             [SANDBOX]/home/.aws/sso/: AWS credentials
     --> --set:1:12
      |
    1 | source.dir="../home/.aws/sso"
      |            ^^^^^^^^^^^^^^^^^^
      |
      = hint: have the script fetch them from Secrets Manager, or leave the files out with source.exclude; source.allow_secrets = ["PATTERN"] sends files all the same
    [SANDBOX]/code/job.toml: 1 error
    "#);
    Ok(())
}

/// What is written as outside is what the user names, and a link inside the project leads to its own files.
#[test]
fn named_paths_that_say_where_they_lead_are_sent() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir_all(sandbox.path("shared"))?;
    fs::write(sandbox.path("shared/a.csv"), "1\n")?;
    symlink("shared", sandbox.path("latest"))?;
    let whole = sandbox.path("latest").display().to_string();
    let sources = ["../shared", "../latest", "../latest/a.csv", &whole, "inside", "inside/b.csv"];
    for (index, source) in sources.iter().enumerate() {
        let project = sandbox.project(&format!("proj-{index}"), "pass")?.file("files/b.csv", "1\n")?;
        symlink("files", project.path("inside"))?;
        let project = project.with(&format!("[channels]\ntrain = \"{source}\"\n"))?;
        sandbox.smtrain(&["validate", &project.spec()]).run()?.ok()?;
    }
    Ok(())
}
