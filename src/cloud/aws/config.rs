//! Configuration that all service clients share: region, credentials, endpoints, retries and timeouts.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sagemaker::config::IdentityCache;
use aws_sdk_sagemaker::config::retry::RetryConfig;
use aws_sdk_sagemaker::config::timeout::TimeoutConfig;

use super::credentials::{RenewExpired, RenewableCredentials};
use super::settings::ConnectionSettings;
use super::variables::AwsVariables;
use super::{proxy_bypass, region};
use crate::cloud::{AwsTarget, CloudError, CloudResult, FailureClass, Region, ServiceError};

/// Attempts per call, the first one included, unless AWS_MAX_ATTEMPTS or the profile sets a number. The SDK's three are
/// too few to give up a training job for throttling or a lost response.
const MAX_ATTEMPTS: u32 = 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for the first byte of a response.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Builds a service's client from the shared configuration, with limits on responses and renewal of expired
/// credentials. An optional builder keeps its own settings.
///
/// A macro, since each SDK crate has its own `Config` and `Client` types without a common trait.
macro_rules! client {
    ($sdk:ident, $config:expr) => {
        $crate::cloud::aws::config::client!($sdk, $config, $sdk::config::Builder::from($config.sdk()))
    };
    ($sdk:ident, $config:expr, $builder:expr) => {
        $sdk::Client::from_conf(
            $builder
                .retry_classifier($config.renew_expired())
                .retry_classifier($crate::cloud::aws::response_limits::ResponseLimits::default())
                .retry_classifier($crate::cloud::aws::error::RejectInterposed)
                .retry_classifier($crate::cloud::aws::error::RejectRefused)
                .interceptor($crate::cloud::aws::response_limits::ResponseLimits::default())
                .interceptor($crate::cloud::aws::response_check::ResponseCheck)
                .build(),
        )
    };
}
pub(super) use client;

/// Shared configuration of the service clients.
#[derive(Debug)]
pub(super) struct AwsConfig {
    sdk: SdkConfig,
    region: Region,
    renew_expired: RenewExpired,
}

impl AwsConfig {
    pub(super) fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    /// Returns the classifier that retries a call with new credentials after its own have expired.
    pub(super) fn renew_expired(&self) -> RenewExpired {
        self.renew_expired.clone()
    }
}

/// Loads the configuration of a target. Fails if no region is found (unless offline), a file can't be read, or a profile
/// doesn't exist.
pub(super) async fn load(target: &AwsTarget, variables: AwsVariables) -> CloudResult<AwsConfig> {
    let settings = ConnectionSettings::load(target.clone(), variables)?;
    let region = region::find(&settings).await?;
    let network = settings.network.clone();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .profile_files(settings.profiles.for_sdk())
        .profile_name(settings.selection.sdk_name())
        .identity_cache(IdentityCache::no_cache())
        // Used by the providers of settings: without a region, some query the instance metadata service again.
        .http_client(proxy_bypass::client(&network))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build());
    let renewable = RenewableCredentials::new(settings);
    loader = loader.credentials_provider(SharedCredentialsProvider::new(renewable.clone()));
    if let Ok(name) = AppName::new("smtrain") {
        loader = loader.app_name(name);
    }
    let sdk = loader.load().await;
    let region = match sdk.region() {
        Some(region) => Region::Aws(region.to_string()),
        None if target.offline => Region::Unknown,
        None => return Err(no_region()),
    };
    let mut services = sdk.to_builder().retry_config(retry_config(sdk.retry_config()));
    services.set_http_client(Some(proxy_bypass::service_client(&network)));
    Ok(AwsConfig { sdk: services.build(), region, renew_expired: RenewExpired::new(renewable) })
}

/// Returns the user's retry settings, with [`MAX_ATTEMPTS`] in place of the SDK's default. Not the adaptive mode: after
/// one throttled call it delays all later calls by up to 20 s, which doesn't help a command of few calls.
fn retry_config(found: Option<&RetryConfig>) -> RetryConfig {
    let default = RetryConfig::standard();
    let found = found.unwrap_or(&default).clone();
    if found.max_attempts() == default.max_attempts() { found.with_max_attempts(MAX_ATTEMPTS) } else { found }
}

fn no_region() -> CloudError {
    CloudError::Service(Box::new(ServiceError {
        class: FailureClass::Unconfigured,
        message: "no AWS region is set".to_owned(),
        hints: vec![
            "give one: --region eu-west-1, or set AWS_REGION, or `region` in the job spec".to_owned(),
            "or for good: aws configure set region eu-west-1".to_owned(),
        ],
        details: Vec::new(),
    }))
}
