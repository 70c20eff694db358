//! The caller's identity in a dry run: placeholders for what only AWS can return.

use async_trait::async_trait;

use super::arn;
use crate::cloud::placeholder::{ACCOUNT, ROLE_PATH};
use crate::cloud::{CloudResult, Identity};

/// Implements [`Identity`] with placeholders.
#[derive(Debug)]
pub(super) struct OfflineIdentity {
    partition: &'static str,
}

impl OfflineIdentity {
    pub(super) fn new(region: &str) -> Self {
        Self { partition: arn::partition(region) }
    }
}

#[async_trait]
impl Identity for OfflineIdentity {
    async fn account(&self) -> CloudResult<String> {
        Ok(ACCOUNT.to_owned())
    }

    async fn role_arn(&self, role: &str) -> CloudResult<String> {
        if role.starts_with("arn:") {
            return Ok(role.to_owned());
        }
        // The path is only unknown if the role was named without one.
        let path = if role.contains('/') { "" } else { ROLE_PATH };
        Ok(format!("arn:{}:iam::{ACCOUNT}:role/{path}{role}", self.partition))
    }
}
