//! The caller's account, from STS, and the ARNs of roles, from IAM.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::arn;
use super::config::{AwsConfig, client};
use super::error::{answer, failed, service_error};
use crate::cloud::{CloudError, CloudResult, Identity};

/// Implements [`Identity`] with STS and IAM. Caches the caller.
#[derive(Debug)]
pub(super) struct AwsIdentity {
    config: Arc<AwsConfig>,
    caller: OnceCell<CallerIdentity>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

/// Answer of GetCallerIdentity.
#[derive(Debug)]
struct CallerIdentity {
    account: String,
    arn: Option<String>,
}

impl AwsIdentity {
    pub(super) fn new(config: Arc<AwsConfig>) -> Self {
        Self { config, caller: OnceCell::new(), sts: OnceLock::new() }
    }

    fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| client!(aws_sdk_sts, self.config))
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        client!(aws_sdk_iam, self.config)
    }

    async fn caller(&self) -> CloudResult<&CallerIdentity> {
        self.caller.get_or_try_init(|| self.ask_for_caller()).await
    }

    async fn ask_for_caller(&self) -> CloudResult<CallerIdentity> {
        let sent = self.sts().get_caller_identity().send().await;
        let caller = sent.map_err(failed("find out whose credentials these are", arn::ANY))?;
        let account = caller.account.filter(|account| !account.is_empty());
        let account = account.ok_or_else(|| CloudError::Other("STS returned no account".to_owned()))?;
        Ok(CallerIdentity { account, arn: caller.arn.filter(|arn| !arn.is_empty()) })
    }

    async fn find_role(&self, name: &str) -> CloudResult<String> {
        let found = self.iam().get_role().role_name(name).send().await;
        match found {
            Ok(found) => found
                .role
                .map(|role| role.arn)
                .ok_or_else(|| CloudError::Other(format!("IAM returned no ARN of the role {name}"))),
            Err(error) if answer(&error).is_some_and(|answer| answer.code == "NoSuchEntity") => Err(no_role(name)),
            Err(error) => {
                let role = arn::role(self.config.region().as_str(), name);
                Err(with_hint(service_error(&format!("look up the role {name}"), &role, &error)))
            }
        }
    }
}

fn no_role(name: &str) -> CloudError {
    CloudError::Unusable {
        what: format!("there is no IAM role {name} in this account"),
        hint: "list those for SageMaker: aws iam list-roles --query \"Roles[?contains(RoleName,'SageMaker')].Arn\""
            .to_owned(),
    }
}

/// Adds a hint: many users may pass a role to a job, but not call GetRole.
fn with_hint(error: CloudError) -> CloudError {
    match error {
        CloudError::Service(mut error) => {
            error.hints.insert(0, "give the role's ARN: it needs no look-up".to_owned());
            CloudError::Service(error)
        }
        other => other,
    }
}

#[async_trait]
impl Identity for AwsIdentity {
    async fn account(&self) -> CloudResult<String> {
        Ok(self.caller().await?.account.clone())
    }

    async fn caller_arn(&self) -> CloudResult<Option<String>> {
        let arn = self.caller().await?.arn.clone();
        arn.map(Some).ok_or_else(|| CloudError::Other("STS returned no ARN of the caller".to_owned()))
    }

    async fn role_arn(&self, role: &str) -> CloudResult<String> {
        if role.starts_with("arn:") {
            return Ok(role.to_owned());
        }
        // GetRole takes the name without the path. The console shows `service-role/NAME`.
        let name = role.trim_start_matches('/').trim_start_matches("role/").rsplit('/').next().unwrap_or(role);
        self.find_role(name).await
    }
}

#[async_trait]
impl Identity for Arc<AwsIdentity> {
    async fn account(&self) -> CloudResult<String> {
        self.as_ref().account().await
    }

    async fn caller_arn(&self) -> CloudResult<Option<String>> {
        self.as_ref().caller_arn().await
    }

    async fn role_arn(&self, role: &str) -> CloudResult<String> {
        self.as_ref().role_arn(role).await
    }
}
