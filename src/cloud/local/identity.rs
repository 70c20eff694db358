//! Who a local job runs as: nobody of any account.

use async_trait::async_trait;

use crate::cloud::{CloudResult, Identity};
use crate::model::JobName;

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

/// The account that local jobs belong to: none that AWS gives out.
pub(crate) const ACCOUNT: &str = "000000000000";

/// The region that local jobs run in.
pub(crate) const REGION: &str = "local";

pub(super) fn arn(name: &JobName) -> String {
    format!("arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}")
}
