//! Builds the tags that identify a job's code and caller: smtrain's version, the code's digest, git's commit and branch,
//! the caller's ARN.

mod caller;
mod git;
mod tag;

use std::io;
use std::path::Path;

use self::git::Revision;
use self::tag::{key, value};
use crate::archive::Repository;
use crate::model::secrets::looks_like_one;

pub(crate) use self::caller::{Caller, newest_job_of_caller};

/// Limit of botocore's `TagList`.
const MAX_TAGS: usize = 50;

/// Tags, with notices of those that are missing.
#[derive(Debug, Default)]
pub(crate) struct Provenance {
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notices: Vec<String>,
}

impl Provenance {
    /// Builds the tags of the code in `folder`. Runs git only with `ask_git`.
    pub(crate) async fn of(folder: &Path, code_sha256: Option<&str>, caller: Caller, ask_git: bool) -> Self {
        let mut provenance = Self { tags: vec![tag("version", env!("CARGO_PKG_VERSION"))], notices: Vec::new() };
        if let Some(code_sha256) = code_sha256 {
            provenance.tags.push(tag("code-sha256", code_sha256));
            if let Err(error) = provenance.add_git(folder, ask_git).await {
                provenance.notices.push(format!("the job has no tags of git's commit and branch: {error}"));
            }
        }
        provenance.notices.extend(caller.notice());
        provenance.tags.extend(caller.tag().map(|tag| (tag.key, tag.value)));
        provenance
    }

    /// Removes the last tags that have no room beside the spec's own, and adds a notice of them.
    pub(crate) fn fit(&mut self, own_tags: usize) {
        let left_out = self.tags.split_off(MAX_TAGS.saturating_sub(own_tags).min(self.tags.len()));
        let names: Vec<&str> = left_out.iter().map(|(name, _)| name.as_str()).collect();
        let told =
            format!("a job takes {MAX_TAGS} tags, and {own_tags} are given: it goes without {}", names.join(", "));
        self.notices.extend((!names.is_empty()).then_some(told));
    }

    /// Adds git's tags. Adds none outside a repository of this user, before its first commit, or if git is not
    /// installed.
    async fn add_git(&mut self, folder: &Path, ask_git: bool) -> io::Result<()> {
        let Some(repository) = Repository::around(folder)? else { return Ok(()) };
        if ask_git {
            if let Some(revision) = git::revision(&repository, folder).await? {
                self.add(revision);
            }
        } else {
            self.notices.push("submit adds tags of git's commit and branch; a dry run calls no program".to_owned());
        }
        Ok(())
    }

    /// Adds the tags of a revision, except for a branch whose name looks like a secret.
    fn add(&mut self, revision: Revision) {
        let Revision { commit, branch, is_dirty } = revision;
        self.tags.push(tag("git-commit", &if is_dirty { format!("{commit}-dirty") } else { commit }));
        match branch {
            Some(branch) if looks_like_one("git-branch", &branch) => {
                self.notices.push("the job has no tag of its branch, whose name looks like a secret".to_owned());
            }
            Some(branch) => self.tags.push(tag("git-branch", &value(&branch))),
            None => {}
        }
    }
}

fn tag(name: &str, value: &str) -> (String, String) {
    (key(name), value.to_owned())
}
