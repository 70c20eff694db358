//! The account and role of local jobs: placeholders, since local jobs use no credentials.

use async_trait::async_trait;

use crate::cloud::{CloudResult, Identity, Region};
use crate::model::JobName;

/// Account id that local jobs belong to. AWS assigns no such id.
const ACCOUNT: &str = "000000000000";

/// Implements [`Identity`] with placeholders.
#[derive(Debug)]
pub(crate) struct LocalIdentity;

#[async_trait]
impl Identity for LocalIdentity {
    async fn account(&self) -> CloudResult<String> {
        Ok(ACCOUNT.to_owned())
    }

    async fn role_arn(&self, role: &str) -> CloudResult<String> {
        Ok(if role.starts_with("arn:") { role.to_owned() } else { format!("arn:aws:iam::{ACCOUNT}:role/{role}") })
    }
}

/// Returns the ARN of a local job.
pub(super) fn arn(name: &JobName) -> String {
    format!("arn:aws:sagemaker:{}:{ACCOUNT}:training-job/{name}", Region::Local)
}
