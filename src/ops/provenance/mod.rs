//! The tags that tell what a job's code is: smtrain's version, the code's digest, git's commit and branch.

mod git;
mod repository;

use std::io;
use std::path::Path;

use self::git::Revision;
use self::repository::Repository;
use crate::cloud::placeholder::{GIT_BRANCH, GIT_COMMIT};
use crate::model::secrets::looks_like_one;

/// Tags, and why git's are missing where it could not be asked.
#[derive(Debug, Default)]
pub(crate) struct Provenance {
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notice: Option<String>,
}

impl Provenance {
    /// Describes the code in `folder`. Git is asked only with `ask_git`; else its answers are placeholders.
    pub(crate) async fn of(folder: &Path, code_sha256: Option<&str>, ask_git: bool) -> Self {
        let mut provenance = Self { tags: vec![tag("version", env!("CARGO_PKG_VERSION"))], notice: None };
        let Some(code_sha256) = code_sha256 else { return provenance };
        provenance.tags.push(tag("code-sha256", code_sha256));
        match revision(folder, ask_git).await {
            Ok(revision) => revision.into_iter().for_each(|revision| provenance.add(revision)),
            Err(error) => provenance.notice = Some(format!("the job has no tags of git's commit and branch: {error}")),
        }
        provenance
    }

    /// Adds git's tags, but for a branch whose name looks like a secret.
    fn add(&mut self, revision: Revision) {
        let Revision { commit, branch, is_dirty } = revision;
        self.tags.push(tag("git-commit", &if is_dirty { format!("{commit}-dirty") } else { commit }));
        match branch {
            Some(branch) if looks_like_one("git-branch", &branch) => {
                self.notice = Some("the job has no tag of its branch, whose name looks like a secret".to_owned());
            }
            Some(branch) if branch == GIT_BRANCH => self.tags.push(tag("git-branch", &branch)),
            Some(branch) => self.tags.push(tag("git-branch", &tag_value(&branch))),
            None => {}
        }
    }
}

/// Returns `None` outside a repository of this user's, before its first commit, and where git is not installed.
async fn revision(folder: &Path, ask_git: bool) -> io::Result<Option<Revision>> {
    match Repository::around(folder)? {
        Some(repository) if ask_git => git::revision(&repository, folder).await,
        Some(_) => Ok(Some(unasked())),
        None => Ok(None),
    }
}

/// Stands for a revision that git was not asked for.
fn unasked() -> Revision {
    Revision { commit: GIT_COMMIT.to_owned(), branch: Some(GIT_BRANCH.to_owned()), is_dirty: false }
}

fn tag(name: &str, value: &str) -> (String, String) {
    (format!("smtrain:{name}"), value.to_owned())
}

/// Replaces what a tag's value may not hold: it has at most 256 letters, digits, spaces and `_.:/=+-@` (botocore, shape
/// `TagValue`).
fn tag_value(text: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_.:/=+-@ ".contains(c);
    text.chars().take(256).map(|c| if allowed(c) { c } else { '_' }).collect()
}
