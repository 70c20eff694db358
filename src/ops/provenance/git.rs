//! Runs git for a work tree's commit, branch and changes, without letting the repository run a program.
//!
//! A repository's configuration names programs that git runs (`core.fsmonitor`, filters, hooks, transports), and a
//! cloned or unpacked project brings its own. git therefore never reads that configuration: it runs with a temporary
//! git directory whose links lead to the repository's data (objects, refs, index) and whose configuration is written
//! here. Only the settings in [`COPIED`], which say how files are compared, are copied into it. The user's own
//! configuration is not read either, except for the same settings and the file of ignored names.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::archive::Repository;
use crate::environment::{find_program, variable_names};

/// Time limit of all git calls together.
const GIT_TIMEOUT: Duration = Duration::from_secs(20);

/// Settings that say how files are stored and compared (git-config(1), 2.47). None of them names a program or a path.
const COPIED: [&str; 12] = [
    "core.autocrlf",
    "core.checkstat",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
    "core.symlinks",
    "core.trustctime",
    "extensions.objectformat",
    "extensions.refstorage",
];

/// The state of a work tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Revision {
    pub(super) commit: String,
    /// `None` for a detached HEAD.
    pub(super) branch: Option<String>,
    /// True if files in the folder differ from the commit, or are untracked and not ignored.
    pub(super) is_dirty: bool,
}

/// Returns the revision of `folder`; `None` before the first commit and where git is not installed.
pub(super) async fn revision(repository: &Repository, folder: &Path) -> io::Result<Option<Revision>> {
    let too_long = |_| io::Error::other(format!("git took more than {} s", GIT_TIMEOUT.as_secs()));
    timeout(GIT_TIMEOUT, ask(repository, folder)).await.map_err(too_long)?
}

async fn ask(repository: &Repository, folder: &Path) -> io::Result<Option<Revision>> {
    let Some(program) = find_program("git") else { return Ok(None) };
    let isolated = tempfile::tempdir()?;
    link_data(repository, isolated.path())?;
    let git = Git { program: program.into_os_string(), isolated };
    let ignored = git.configure(&repository.common_dir.join("config")).await?;
    let mut status = git.command(folder);
    status.env("GIT_WORK_TREE", &repository.work_tree);
    status.env("GIT_CONFIG_GLOBAL", "/dev/null");
    if let Some(ignored) = ignored {
        status.arg("-c").arg(format!("core.excludesFile={ignored}"));
    }
    // A submodule is compared by its commit only: to look for changes in it, git would start again with its
    // configuration.
    status.args(["status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--no-ahead-behind"]);
    status.args(["--ignore-submodules=dirty", "--untracked-files=normal", "--", "."]);
    Ok(parse_status(&output(status).await?))
}

/// git with its isolated git directory.
struct Git {
    program: OsString,
    isolated: TempDir,
}

impl Git {
    /// Creates a command that sees no configuration but the isolated directory's and the user's.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        variable_names().iter().filter(|name| name.to_string_lossy().starts_with("GIT_")).for_each(|name| {
            command.env_remove(name);
        });
        command
            .current_dir(folder)
            .env("GIT_DIR", self.isolated.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0");
        command
    }

    /// Writes the isolated configuration, and returns the user's `core.excludesFile`.
    async fn configure(&self, repository_config: &Path) -> io::Result<Option<String>> {
        const ISOLATED: &str = "[core]\nrepositoryformatversion = 1\nbare = false\n";
        let config = self.isolated.path().join("config");
        std::fs::write(&config, ISOLATED)?;
        // Fails if the user has no configuration, which is usual.
        let user = self.settings(&["--global", "--includes"]).await.unwrap_or_default();
        let mut text = ISOLATED.to_owned() + &copied(&user);
        if repository_config.is_file() {
            let file = repository_config.to_string_lossy();
            text += &copied(&self.settings(&["--no-includes", "--file", &file]).await?);
        }
        std::fs::write(&config, text)?;
        let excludes_file = user.into_iter().rev().find(|(name, _)| name == "core.excludesfile");
        Ok(excludes_file.map(|(_, value)| value))
    }

    /// Reads a configuration as names and values, without applying it.
    async fn settings(&self, of: &[&str]) -> io::Result<Vec<(String, String)>> {
        let mut command = self.command(self.isolated.path());
        command.args(["config", "--list", "-z"]).args(of);
        let text = output(command).await?;
        // A name without `=` is true.
        let entries = text.split('\0').filter(|entry| !entry.is_empty());
        let entries = entries.map(|entry| entry.split_once('\n').unwrap_or((entry, "true")));
        Ok(entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// Formats the settings that are copied as lines of a configuration.
fn copied(settings: &[(String, String)]) -> String {
    let copied = settings.iter().filter(|(name, value)| is_copied(name, value));
    let lines = copied.map(|(name, value)| {
        let (section, key) = name.split_once('.').unwrap_or(("core", name));
        ["[", section, "]\n", key, " = ", value, "\n"].concat()
    });
    lines.collect()
}

/// Returns true if the name is one of [`COPIED`] and the value can be written unquoted.
fn is_copied(name: &str, value: &str) -> bool {
    COPIED.contains(&name) && !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Links a repository's data into the isolated directory: no configuration, no hooks.
fn link_data(repository: &Repository, isolated: &Path) -> io::Result<()> {
    let Repository { git_dir, common_dir, .. } = repository;
    std::fs::write(isolated.join("HEAD"), [repository.head()?.as_bytes(), b"\n"].concat())?;
    std::fs::create_dir(isolated.join("info"))?;
    for name in ["objects", "refs", "reftable"] {
        let data = common_dir.join(name);
        if data.is_dir() {
            symlink(&data, isolated.join(name))?;
        }
    }
    let common_files = ["packed-refs", "shallow", "info/exclude", "info/attributes"];
    let own_files = ["index", "info/sparse-checkout"];
    let files = common_files.iter().map(|name| (common_dir, name)).chain(own_files.iter().map(|name| (git_dir, name)));
    for (folder, name) in files {
        let data = folder.join(name);
        if data.is_file() {
            symlink(&data, isolated.join(name))?;
        }
    }
    // A split index is based on another file beside it.
    for entry in std::fs::read_dir(git_dir)?.filter_map(Result::ok) {
        if entry.file_name().as_bytes().starts_with(b"sharedindex.") {
            symlink(entry.path(), isolated.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Runs git, and returns its stdout. Fails if it exits with an error.
async fn output(mut command: Command) -> io::Result<String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("git failed: {}", message.lines().next().unwrap_or("it said nothing"))))
}

/// Parses the output of `git status --porcelain=v2 --branch -z` (git-status(1)).
fn parse_status(status: &str) -> Option<Revision> {
    let header = |name: &str| status.split('\0').find_map(|line| line.strip_prefix("# ")?.strip_prefix(name));
    let commit = header("branch.oid ").filter(|commit| *commit != "(initial)")?.to_owned();
    let branch = header("branch.head ").filter(|branch| *branch != "(detached)").map(str::to_owned);
    let is_dirty = status.split('\0').any(|line| !line.is_empty() && !line.starts_with('#'));
    Some(Revision { commit, branch, is_dirty })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_revision() {
        let commit = "49f01b672e09de501d3bc251477093c7a914e63b";
        let revision = |branch: Option<&str>, is_dirty| {
            Some(Revision { commit: commit.to_owned(), branch: branch.map(str::to_owned), is_dirty })
        };
        let head = |branch: &str| format!("# branch.oid {commit}\0# branch.head {branch}\0");
        assert_eq!(parse_status(&head("main")), revision(Some("main"), false));
        assert_eq!(parse_status(&head("(detached)")), revision(None, false));
        assert_eq!(parse_status(&(head("a b") + "? # new\0")), revision(Some("a b"), true));
        assert_eq!(parse_status("# branch.oid (initial)\0# branch.head main\0? a\0"), None);
        assert_eq!(parse_status(""), None);
    }

    #[test]
    fn only_harmless_values_are_copied() {
        assert!(is_copied("core.filemode", "false"));
        for (name, value) in
            [("core.fsmonitor", "true"), ("core.eol", "lf\n[alias]"), ("core.eol", ""), ("core.eol", "a b")]
        {
            assert!(!is_copied(name, value), "{name}={value}");
        }
    }
}
