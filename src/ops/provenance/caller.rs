//! The tag that says who submitted a job. By it, `-` finds the caller's newest job from another computer.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::tag::{MAX_VALUE, key, value};
use crate::cloud::{Cloud, CloudResult};
use crate::model::request::Tag;
use crate::model::{JobName, hex};

/// Time limit of the question who is calling. STS may have no endpoint where SageMaker has one.
const IDENTITY_LIMIT: Duration = Duration::from_secs(10);
/// Number of bytes of the digest in the value of an ARN that does not fit.
const DIGEST_BYTES: usize = 8;

/// The caller who submits a job.
#[derive(Debug)]
pub(crate) enum Caller {
    /// No tag is wanted: the job runs on this computer.
    Untagged,
    /// A dry run calls no service.
    NotAsked,
    /// The caller's ARN.
    Known(String),
    /// Reason why the ARN is unknown.
    Unknown(String),
}

impl Caller {
    /// Returns the caller. Calls a service only with `ask`.
    pub(crate) async fn of(cloud: &Cloud, ask: bool) -> Self {
        if !ask {
            return if cloud.is_local() { Self::Untagged } else { Self::NotAsked };
        }
        match timeout(IDENTITY_LIMIT, cloud.identity.caller_arn()).await {
            Ok(Ok(arn)) => arn.map_or(Self::Untagged, Self::Known),
            Ok(Err(error)) => Self::Unknown(error.to_string()),
            Err(_) => Self::Unknown(format!("AWS did not tell within {} s who it is", IDENTITY_LIMIT.as_secs())),
        }
    }

    pub(super) fn tag(&self) -> Option<Tag> {
        if let Self::Known(arn) = self { Some(caller_tag(arn)) } else { None }
    }

    /// Returns the notice that the tag is missing.
    pub(super) fn notice(&self) -> Option<String> {
        match self {
            Self::Untagged | Self::Known(_) => None,
            Self::NotAsked => Some("submit adds a tag of the caller; a dry run calls no service".to_owned()),
            Self::Unknown(why) => {
                Some(format!("the job has no tag of its caller, by which `-` finds it from other computers: {why}"))
            }
        }
    }
}

/// Finds the newest job that bears the caller's tag. A job that was just created may not be found yet.
pub(crate) async fn newest_job_of_caller(cloud: &Cloud) -> CloudResult<Option<JobName>> {
    let Some(arn) = cloud.identity.caller_arn().await? else { return Ok(None) };
    cloud.jobs.newest_tagged(&caller_tag(&arn)).await
}

/// Returns the tag of a caller. Names in an ARN may have a comma, and paths more, which a tag's value may not; two
/// callers whose ARNs would become the same value are told apart by a digest.
fn caller_tag(arn: &str) -> Tag {
    let fitting = value(arn);
    if fitting == arn {
        return Tag { key: key("caller"), value: fitting };
    }
    let digest: [u8; 32] = Sha256::digest(arn).into();
    let digest = hex(digest.get(..DIGEST_BYTES).unwrap_or_default());
    let kept: String = fitting.chars().take(MAX_VALUE - digest.len() - 1).collect();
    Tag { key: key("caller"), value: format!("{kept}-{digest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_the_value_as_it_is() {
        let arn = "arn:aws-us-gov:sts::111122223333:assumed-role/A_b+c=d.e@f-g/me@example.com";
        assert_eq!(caller_tag(arn), Tag { key: "smtrain:caller".to_owned(), value: arn.to_owned() });
    }

    #[test]
    fn arns_that_do_not_fit_stay_apart() {
        let arn = |session: &str| format!("arn:aws:sts::111122223333:assumed-role/Role/{session}");
        let long = |end: &str| arn(&("x".repeat(300) + end));
        let arns = [arn("a,b"), arn("a_b"), arn("a;b"), long("1"), long("2")];
        let values: Vec<String> = arns.iter().map(|arn| caller_tag(arn).value).collect();
        assert_eq!(values[1], arns[1]);
        assert_eq!(values[0], "arn:aws:sts::111122223333:assumed-role/Role/a_b-07ea704c69644023");
        for (index, one) in values.iter().enumerate() {
            assert!(one.len() <= MAX_VALUE && value(one) == *one, "{one}");
            assert!(!values[..index].contains(one), "{one}");
        }
    }
}
