//! What ignore files leave out of the code, and what git tracks whatever they say.

use crate::support::{Sandbox, TestResult};

#[test]
fn tracked_files_are_sent_and_what_is_left_out_is_counted_and_named() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "import lib.model\nprint(open('config.json').read())\n")?;
    let project = project
        .file(".gitignore", "lib/\n*.json\nscratch*\n")?
        .file("config.json", "{}")?
        .file("lib/model.py", "")?
        .file("lib/notes.txt", "")?
        .file("scratch.py", "")?;
    sandbox.sh("git init -q; git add -f config.json lib/model.py").dir(project.path("")).run()?.ok()?;
    let (job, said) = sandbox.end(&project, &["-v"], 0)?;
    let told: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("left out")).collect();
    let told = told.join("\n").replace(&sandbox.root().canonicalize()?.display().to_string(), "[SANDBOX]");
    insta::assert_snapshot!(told, @r"
    left out of the code: lib/notes.txt, by the pattern lib/ of [SANDBOX]/proj/.gitignore
    left out of the code: scratch.py, by the pattern scratch* of [SANDBOX]/proj/.gitignore
    left out of the code by ignore files and source.exclude: 2 paths (-v names them)
    ");
    let code = sandbox.smtrain(&["download", &job, "--code", "--list"]).run()?.ok()?;
    insta::assert_snapshot!(code.stdout, @r"
     21 B  .gitignore
      2 B  config.json
    125 B  job.toml
      0 B  lib/model.py
     51 B  train.py
    ");
    let quiet = sandbox.smtrain(&["submit", "--local", "--wait", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(quiet.snapshot(sandbox.root())?, @r"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    left out of the code by ignore files and source.exclude: 2 paths (-v names them)
    code: 5 files, [SIZE] packed, sha256 [SHA256]
    job proj-[STAMP] completed
    ");
    Ok(())
}

#[test]
fn a_repository_that_cannot_be_read_is_warned_of() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "")?.file(".gitignore", "*.json\n")?.file("config.json", "{}")?;
    let project = project.file(".git", "gitdir: /nonexistent\n")?;
    let said = sandbox.smtrain(&["submit", "--local", "--wait", &project.spec()]).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 0
    --- stdout
    proj-[STAMP]
    --- stderr
    warning: files that git tracks may be left out of the code: [SANDBOX]/proj/.git leads to no repository
    left out of the code by ignore files and source.exclude: 1 path (-v names them)
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    job proj-[STAMP] completed
    ");
    Ok(())
}
