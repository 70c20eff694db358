//! Builds the tags that identify a job's code: smtrain's version, the code's digest, git's commit and branch.

mod git;

use std::io;
use std::path::Path;

use self::git::Revision;
use crate::archive::Repository;
use crate::model::secrets::looks_like_one;

/// Limit of botocore's `TagList`.
const MAX_TAGS: usize = 50;

/// Tags, with a notice if those of git are missing.
#[derive(Debug, Default)]
pub(crate) struct Provenance {
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) notice: Option<String>,
}

impl Provenance {
    /// Builds the tags of the code in `folder`. Runs git only with `ask_git`.
    pub(crate) async fn of(folder: &Path, code_sha256: Option<&str>, ask_git: bool) -> Self {
        let mut provenance = Self { tags: vec![tag("version", env!("CARGO_PKG_VERSION"))], notice: None };
        let Some(code_sha256) = code_sha256 else { return provenance };
        provenance.tags.push(tag("code-sha256", code_sha256));
        match provenance.add_git(folder, ask_git).await {
            Ok(()) => provenance,
            Err(error) => {
                let notice = format!("the job has no tags of git's commit and branch: {error}");
                Self { notice: Some(notice), ..provenance }
            }
        }
    }

    /// Removes the last tags that have no room beside the spec's own, and returns a notice of them.
    pub(crate) fn fit(&mut self, own_tags: usize) -> Option<String> {
        let left_out = self.tags.split_off(MAX_TAGS.saturating_sub(own_tags).min(self.tags.len()));
        let names: Vec<&str> = left_out.iter().map(|(name, _)| name.as_str()).collect();
        let told =
            format!("a job takes {MAX_TAGS} tags, and {own_tags} are given: it goes without {}", names.join(", "));
        (!names.is_empty()).then_some(told)
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
            self.notice = Some("submit adds tags of git's commit and branch; a dry run calls no program".to_owned());
        }
        Ok(())
    }

    /// Adds the tags of a revision, except for a branch whose name looks like a secret.
    fn add(&mut self, revision: Revision) {
        let Revision { commit, branch, is_dirty } = revision;
        self.tags.push(tag("git-commit", &if is_dirty { format!("{commit}-dirty") } else { commit }));
        match branch {
            Some(branch) if looks_like_one("git-branch", &branch) => {
                self.notice = Some("the job has no tag of its branch, whose name looks like a secret".to_owned());
            }
            Some(branch) => self.tags.push(tag("git-branch", &tag_value(&branch))),
            None => {}
        }
    }
}

fn tag(name: &str, value: &str) -> (String, String) {
    (format!("smtrain:{name}"), value.to_owned())
}

/// Replaces characters that a tag's value may not have: at most 256 letters, digits, spaces and `_.:/=+-@` (botocore,
/// shape `TagValue`).
fn tag_value(text: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_.:/=+-@ ".contains(c);
    text.chars().take(256).map(|c| if allowed(c) { c } else { '_' }).collect()
}
