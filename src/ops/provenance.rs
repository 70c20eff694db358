//! Where a job's code came from, as tags: smtrain's version, the code's digest, and the commit.

use std::path::Path;
use std::process::{Command, Stdio};

/// The tags of a job whose code lies in `folder`. Without git, or outside a repository, those of git are left out.
pub(crate) fn tags(folder: &Path, code_sha256: Option<&str>) -> Vec<(String, String)> {
    let mut tags = vec![("smtrain:version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    let Some(code_sha256) = code_sha256 else { return tags };
    tags.push(("smtrain:code-sha256".to_owned(), code_sha256.to_owned()));
    if let Some(commit) = git(folder, &["rev-parse", "HEAD"]) {
        let changed = git(folder, &["status", "--porcelain", "--", "."]).is_none_or(|changes| !changes.is_empty());
        tags.push(("smtrain:git-commit".to_owned(), if changed { format!("{commit}-dirty") } else { commit }));
    }
    if let Some(branch) = git(folder, &["symbolic-ref", "--quiet", "--short", "HEAD"]) {
        tags.push(("smtrain:git-branch".to_owned(), tag_value(&branch)));
    }
    tags
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// A tag's value has at most 256 letters, digits, spaces and `_.:/=+-@` (botocore, shape `TagValue`).
fn tag_value(text: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_.:/=+-@ ".contains(c);
    text.chars().take(256).map(|c| if allowed(c) { c } else { '_' }).collect()
}
