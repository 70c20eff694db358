//! Names of training jobs. Those that smtrain generates are `{base}-{YYYY-MM-DD-HH-MM-SS-mmm}`.

use std::fmt;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Maximum length of a name, in characters (botocore, shape `TrainingJobName`).
pub(crate) const MAX_NAME: usize = 63;
/// Length of the stamp that is appended to a base: `-2026-11-23-04-05-06-789`.
const STAMP_LEN: usize = 24;
/// Maximum length of a base, in characters: a name without its stamp.
pub(crate) const MAX_BASE: usize = MAX_NAME - STAMP_LEN;

const STAMP_FORMAT: &str = "%Y-%m-%d-%H-%M-%S";

/// A valid job name: 1 to 63 letters, digits and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct JobName(String);

/// Reason for which a text is not a job name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidName {
    #[error("a name can't be empty")]
    Empty,
    #[error("a name has at most {MAX_NAME} characters")]
    TooLong,
    #[error("a name has only letters, digits and hyphens, not {0:?}")]
    Character(char),
    #[error("a name starts and ends with a letter or a digit")]
    Edge,
}

impl JobName {
    pub(crate) fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        check(&name)?;
        Ok(Self(name))
    }

    /// Generates a name from `base` and the time. The base is cut if it is too long, never the time.
    pub(crate) fn stamped(base: &str, now: Timestamp) -> Result<Self, InvalidName> {
        check(base)?;
        let base = base.get(..base.len().min(MAX_BASE)).unwrap_or(base);
        let at = now.to_zoned(TimeZone::UTC);
        let time = at.strftime(STAMP_FORMAT);
        Self::new(format!("{}-{time}-{:03}", base.trim_end_matches('-'), at.millisecond()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without the time that smtrain or the SageMaker SDK appended to it.
    pub(crate) fn base(&self) -> &str {
        let stamp_at = self.0.len().saturating_sub(STAMP_LEN);
        self.stamp().and_then(|_| self.0.get(..stamp_at)).unwrap_or(&self.0)
    }

    /// Returns the time in a name that smtrain or the SageMaker SDK generated, to the millisecond.
    pub(crate) fn stamp(&self) -> Option<Timestamp> {
        let at = self.0.len().checked_sub(STAMP_LEN)?;
        let stamp = self.0.get(at..)?.strip_prefix('-')?;
        let (seconds, millis) = stamp.rsplit_once('-')?;
        let time = DateTime::strptime(STAMP_FORMAT, seconds).ok()?;
        let time = time.with().millisecond(millis.parse().ok()?).build().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

/// Checks a name against botocore's pattern `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`.
fn check(name: &str) -> Result<(), InvalidName> {
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    if name.is_empty() {
        return Err(InvalidName::Empty);
    }
    if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        return Err(InvalidName::Character(c));
    }
    if !edge(name.chars().next()) || !edge(name.chars().next_back()) {
        return Err(InvalidName::Edge);
    }
    if name.len() > MAX_NAME {
        return Err(InvalidName::TooLong);
    }
    Ok(())
}

/// Derives a valid base from any text, such as a folder's name. Runs of invalid characters become one hyphen.
pub(crate) fn base_from(text: &str) -> String {
    let mut base = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            base.push(c);
        } else if !base.is_empty() && !base.ends_with('-') {
            base.push('-');
        }
    }
    base.truncate(MAX_BASE);
    let base = base.trim_end_matches('-');
    if base.is_empty() { "job".to_owned() } else { base.to_owned() }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for JobName {
    type Error = InvalidName;
    fn try_from(name: String) -> Result<Self, InvalidName> {
        Self::new(name)
    }
}

impl From<JobName> for String {
    fn from(name: JobName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamped_name_is_valid_and_gives_its_time_back() -> Result<(), Box<dyn std::error::Error>> {
        let now: Timestamp = "2026-11-23T04:05:06.789Z".parse()?;
        let name = JobName::stamped(&"x".repeat(60), now)?;
        assert_eq!(name.as_str().len(), MAX_NAME);
        assert!(name.as_str().ends_with("-2026-11-23-04-05-06-789"));
        assert_eq!(name.stamp(), Some(now));
        Ok(())
    }

    #[test]
    fn a_base_cut_at_a_hyphen_stays_valid() {
        let base = format!("{}-tail", "x".repeat(MAX_BASE - 1));
        assert!(JobName::stamped(&base, Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn any_text_makes_a_base() {
        for (text, base) in [("My Job!", "My-Job"), ("__", "job"), ("ünï", "n"), ("-a-", "a")] {
            assert_eq!(base_from(text), base, "{text}");
        }
    }

    #[test]
    fn invalid_names_say_why() {
        for (name, why) in [("", InvalidName::Empty), ("a_b", InvalidName::Character('_')), ("a-", InvalidName::Edge)] {
            assert_eq!(JobName::new(name), Err(why));
        }
        assert_eq!(JobName::new("x".repeat(64)), Err(InvalidName::TooLong));
    }
}
