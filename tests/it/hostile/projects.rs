//! A stranger's project runs no program of its author.
//!
//! Each repository here names a trap (a script that leaves a mark) in every setting of git that takes a program. That the
//! traps work is shown by git itself, called without smtrain's precautions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Project, Sandbox, TestResult};

/// Every setting that names a program (git-config(1), 2.47), with the trap as `TRAP`.
const SETTINGS: &str = "
[core]
    fsmonitor = TRAP
    hooksPath = HOOKS
    sshCommand = TRAP
    editor = TRAP
    pager = TRAP
    askPass = TRAP
    gitProxy = TRAP
    alternateRefsCommand = TRAP
    attributesFile = ATTRIBUTES
[alias]
    status = !TRAP
    config = !TRAP
    rev-parse = !TRAP
[credential]
    helper = !TRAP
[diff]
    external = TRAP
[diff \"trap\"]
    command = TRAP
    textconv = TRAP
[filter \"trap\"]
    clean = TRAP
    smudge = TRAP
    required = true
[filter \"process\"]
    process = TRAP
[merge \"trap\"]
    driver = TRAP
[gpg]
    program = TRAP
[gpg \"ssh\"]
    program = TRAP
    defaultKeyCommand = TRAP
[interactive]
    diffFilter = TRAP
[log]
    showSignature = true
[pager]
    status = TRAP
    config = TRAP
[sequence]
    editor = TRAP
[trailer \"trap\"]
    command = TRAP
    cmd = TRAP
[uploadpack]
    packObjectsHook = TRAP
[status]
    submoduleSummary = true
[submodule \"inner\"]
    update = !TRAP
[extensions]
    partialClone = origin
[remote \"origin\"]
    url = ext::TRAP
    promisor = true
    uploadpack = TRAP
    vcs = trap
[protocol \"ext\"]
    allow = always
[include]
    path = INCLUDED
";

/// The configuration of a bare repository that git takes for one with files.
const BARE: &str = "[core]
    repositoryformatversion = 0
    bare = false
    worktree = tree
    fsmonitor = TRAP
";

/// A sandbox with a trap: a program that leaves a mark, wherever it is called from.
struct Trap {
    sandbox: Sandbox,
}

impl Trap {
    fn new() -> TestResult<Self> {
        let sandbox = Sandbox::new()?.with_env("GIT_AUTHOR_DATE", "2024-01-01T00:00:00Z");
        let trap = Self { sandbox };
        fs::create_dir_all(trap.sandbox.path("hooks"))?;
        for hook in ["trap", "hooks/post-index-change", "hooks/fsmonitor-watchman", "hooks/pre-commit"] {
            let script = format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\n", trap.mark().display());
            let path = trap.sandbox.path(hook);
            fs::write(&path, script)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        fs::write(trap.sandbox.path("included"), trap.fill("[core]\n    fsmonitor = TRAP\n"))?;
        fs::write(trap.sandbox.path("attributes"), "*.py filter=process diff=trap merge=trap\n")?;
        Ok(trap)
    }

    fn mark(&self) -> std::path::PathBuf {
        self.sandbox.path("mark")
    }

    /// Puts the trap's paths into a configuration.
    fn fill(&self, text: &str) -> String {
        let path = |name: &str| self.sandbox.path(name).display().to_string();
        let text = text.replace("TRAP", &path("trap")).replace("HOOKS", &path("hooks"));
        text.replace("INCLUDED", &path("included")).replace("ATTRIBUTES", &path("attributes"))
    }

    fn git(&self, folder: &Path, script: &str) -> TestResult<String> {
        let script = format!("git config --global user.email a@example.com; git config --global user.name a; {script}");
        Ok(self.sandbox.sh(&script).dir(folder).run()?.ok()?.stdout)
    }

    /// Creates a project in a repository with one commit, and returns the commit.
    fn repository(&self, name: &str) -> TestResult<(Project, String)> {
        let project = self.sandbox.project(name, "print('trained')")?;
        let project = project.file(".gitattributes", "*.py filter=trap diff=trap merge=trap\n")?;
        let commit = "git init -q -b main .; git add -A; git commit -q -m first; git rev-parse HEAD";
        let commit = self.git(&project.path(""), commit)?.trim().to_owned();
        Ok((project, commit))
    }

    /// Adds the hostile settings, and makes the index out of date, so that files would have to be filtered.
    fn arm(&self, git_dir: &Path, project: &Project) -> TestResult {
        let config = fs::read_to_string(git_dir.join("config")).unwrap_or_default();
        fs::write(git_dir.join("config"), config + &self.fill(SETTINGS))?;
        let script = project.path("train.py");
        let text = fs::read(&script)?;
        fs::remove_file(&script)?;
        fs::write(&script, text)?;
        Ok(())
    }

    /// Shows that the trap snaps where git is called plainly, and takes the mark away again.
    fn snaps(&self, folder: &Path) -> TestResult {
        self.sandbox.sh("git status || true").dir(folder).run()?.ok()?;
        assert!(self.mark().exists(), "the trap does not work: nothing is tested");
        Ok(fs::remove_file(self.mark())?)
    }

    /// Runs everything that reads a project; returns the tags of the dry run and those of the job.
    fn submit(&self, project: &Project) -> TestResult<[Value; 2]> {
        let spec = project.spec();
        self.sandbox.smtrain(&["validate", &spec]).run()?.ok()?;
        let dry = self.sandbox.smtrain(&["submit", "--dry-run", "--role", "R", "--region", "eu-west-1", &spec]);
        let said = dry.run()?.ok()?;
        // Other notes come with it; those of the branch and of the tags are held below.
        let is_told = said.stderr.contains("note: submit adds tags of git's commit and branch");
        assert_eq!(is_told, project.path(".git").exists(), "{said}");
        let dry = said.json()?["Tags"].take();
        self.unsprung("a dry run")?;
        self.sandbox.smtrain(&["submit", "--local", "--dry-run", &spec]).run()?.ok()?;
        self.unsprung("a local dry run")?;
        let job = self.sandbox.complete(project, &[])?;
        self.unsprung("submit")?;
        Ok([dry, self.tags(&job)?])
    }

    /// The tags of the request that a local job was made by.
    fn tags(&self, job: &str) -> TestResult<Value> {
        let request = fs::read_to_string(self.sandbox.job_folder(job).join("request.json"))?;
        Ok(serde_json::from_str::<Value>(&request)?["Tags"].take())
    }

    fn unsprung(&self, what: &str) -> TestResult {
        match fs::read_to_string(self.mark()) {
            Ok(mark) => Err(format!("{what} ran the project's program: {mark}").into()),
            Err(_) => Ok(()),
        }
    }
}

fn tag<'a>(tags: &'a Value, name: &str) -> Option<&'a str> {
    let mut tags = tags.as_array()?.iter();
    tags.find(|tag| tag["Key"] == format!("smtrain:{name}")).and_then(|tag| tag["Value"].as_str())
}

#[test]
fn no_setting_of_a_repository_runs_anything() -> TestResult {
    let trap = Trap::new()?;
    let (project, commit) = trap.repository("proj")?;
    trap.arm(&project.path(".git"), &project)?;
    trap.snaps(&project.path(""))?;
    let [dry, tags] = trap.submit(&project)?;
    assert_eq!(tag(&tags, "git-commit"), Some(&*commit), "{tags}");
    assert_eq!(tag(&tags, "git-branch"), Some("main"));
    assert_eq!(tag(&dry, "git-commit"), None, "{dry}");
    assert!(tag(&dry, "code-sha256").is_some(), "{dry}");
    Ok(())
}

#[test]
fn a_bare_repository_among_the_files_is_just_files() -> TestResult {
    let trap = Trap::new()?;
    let (project, _) = trap.repository("outer/proj")?;
    trap.git(
        &trap.sandbox.path("outer"),
        "git clone -q --bare proj bare; mv proj/.git/index bare; rm -rf proj/.git; mv bare/* proj/; mkdir proj/tree",
    )?;
    fs::write(project.path("config"), trap.fill(BARE))?;
    trap.snaps(&project.path(""))?;
    let [_, tags] = trap.submit(&project)?;
    assert_eq!(tag(&tags, "git-commit"), None, "{tags}");
    Ok(())
}

#[test]
fn a_git_file_that_leads_elsewhere_runs_nothing() -> TestResult {
    let trap = Trap::new()?;
    let (project, commit) = trap.repository("proj")?;
    trap.git(&project.path(""), "mv .git ../elsewhere; echo 'gitdir: ../elsewhere' > .git")?;
    trap.arm(&trap.sandbox.path("elsewhere"), &project)?;
    trap.snaps(&project.path(""))?;
    let [_, tags] = trap.submit(&project)?;
    assert_eq!(tag(&tags, "git-commit"), Some(&*commit));
    Ok(())
}

#[test]
fn a_submodule_of_a_hostile_configuration_runs_nothing() -> TestResult {
    let trap = Trap::new()?;
    let (inner, _) = trap.repository("inner")?;
    let (project, _) = trap.repository("proj")?;
    let add =
        "git -c protocol.file.allow=always submodule add -q ../inner inner; git commit -qam second; git rev-parse HEAD";
    let commit = trap.git(&project.path(""), add)?.trim().to_owned();
    trap.arm(&project.path(".git/modules/inner"), &inner)?;
    fs::write(project.path("inner/train.py"), "print('changed')")?;
    trap.snaps(&project.path(""))?;
    let [_, tags] = trap.submit(&project)?;
    assert_eq!(tag(&tags, "git-commit"), Some(&*commit));
    Ok(())
}

#[test]
fn a_program_named_git_in_the_project_is_not_git() -> TestResult {
    let trap = Trap::new()?;
    let (project, commit) = trap.repository("proj")?;
    fs::copy(trap.sandbox.path("trap"), project.path("git"))?;
    let path = std::env::var("PATH")?;
    let submit = trap.sandbox.smtrain(&["submit", "--local", "-q", "--wait", "job.toml"]).dir(project.path(""));
    let job = submit.env("PATH", format!(".::{path}")).run()?.ok()?.line().to_owned();
    trap.unsprung("submit")?;
    assert_eq!(tag(&trap.tags(&job)?, "git-commit"), Some(&*format!("{commit}-dirty")));
    Ok(())
}

#[test]
fn what_git_knows_of_a_work_tree_is_told() -> TestResult {
    let trap = Trap::new()?;
    let (project, commit) = trap.repository("proj")?;
    let tags = |script: &str| -> TestResult<Value> {
        trap.git(&project.path(""), script)?;
        let job = trap.sandbox.complete(&project, &[])?;
        trap.tags(&job)
    };
    let dirty = format!("{commit}-dirty");
    for (script, expected) in [
        ("git pack-refs --all; git gc -q", &commit),
        ("echo new > notes.txt", &dirty),
        ("echo notes.txt > .git/info/exclude", &commit),
        ("rm .git/info/exclude; echo notes.txt > ../ignored", &dirty),
        ("git config --global core.excludesFile \"$PWD/../ignored\"", &commit),
        ("git config core.fileMode false; chmod +x train.py", &commit),
        ("git config core.fileMode true", &dirty),
        ("chmod -x train.py; touch -d 2020-01-01 train.py", &commit),
        ("echo '# more' >> train.py; git add train.py", &dirty),
        ("git reset -q --hard; git checkout -q --detach", &commit),
    ] {
        assert_eq!(tag(&tags(script)?, "git-commit"), Some(&**expected), "after {script}");
    }
    assert_eq!(tag(&tags("true")?, "git-branch"), None);
    assert_eq!(tag(&tags("git checkout -q -b 'feature/ü#1'")?, "git-branch"), Some("feature/ü_1"));
    Ok(())
}

#[test]
fn a_branch_that_is_named_like_a_secret_is_no_tag() -> TestResult {
    let trap = Trap::new()?;
    let (project, commit) = trap.repository("proj")?;
    let token = ["ghp", "Zk3vQ9xT7wR2mN5bL8cJ4hG6fD1sA0pYuIeO"].join("_");
    trap.git(&project.path(""), &format!("git checkout -q -b {token}"))?;
    let (job, said) = trap.sandbox.end(&project, &[], 0)?;
    insta::assert_snapshot!(said.stderr_snapshot(trap.sandbox.root())?, @r#"
    code: 3 files, [SIZE] packed, sha256 [SHA256]
    note: the job has no tag of its branch, whose name looks like a secret
    job proj-[STAMP] completed
    "#);
    let tags = trap.tags(&job)?;
    assert_eq!((tag(&tags, "git-commit"), tag(&tags, "git-branch")), (Some(&*commit), None));
    Ok(())
}

#[test]
fn a_linked_work_tree_and_sha256_are_understood() -> TestResult {
    let trap = Trap::new()?;
    let (project, _) = trap.repository("proj")?;
    let script = "rm -rf .git; git init -q -b main --object-format=sha256 .; git add -A; git commit -q -m first
        git worktree add -q -b side ../side; git rev-parse HEAD";
    let commit = trap.git(&project.path(""), script)?.trim().to_owned();
    assert_eq!(commit.len(), 64);
    let submit = trap.sandbox.smtrain(&["submit", "--local", "-q", "--wait", "side/job.toml"]);
    let job = submit.run()?.ok()?.line().to_owned();
    let tags = trap.tags(&job)?;
    assert_eq!((tag(&tags, "git-commit"), tag(&tags, "git-branch")), (Some(&*commit), Some("side")));
    Ok(())
}

#[test]
fn a_repository_that_git_can_not_read_is_said_and_holds_up_nothing() -> TestResult {
    let trap = Trap::new()?;
    let (project, _) = trap.repository("proj")?;
    fs::write(project.path(".git/index"), "no index")?;
    let (job, said) = trap.sandbox.end(&project, &[], 0)?;
    // What git says differs by its version.
    assert!(said.stderr.contains("note: the job has no tags of git's commit and branch: git failed: "), "{said}");
    assert_eq!(tag(&trap.tags(&job)?, "git-commit"), None);
    Ok(())
}
