//! Who a local job runs as: nobody of any account.

use async_trait::async_trait;

use super::ACCOUNT;
use crate::cloud::{CloudResult, Identity};

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
