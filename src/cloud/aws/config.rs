//! Region, credentials, endpoints, retries and time limits, the same for every service.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sagemaker::config::retry::RetryConfig;
use aws_sdk_sagemaker::config::timeout::TimeoutConfig;
use aws_sdk_sagemaker::config::{IdentityCache, SharedHttpClient};

use super::credentials::{RenewExpired, Renewable};
use super::files::AwsConfigFiles;
use super::{near, region};
use crate::cloud::{AwsTarget, CloudError, CloudResult, FailureClass, Region, ServiceError};

/// Calls that are throttled or get lost are tried this often, where neither AWS_MAX_ATTEMPTS nor the profile says otherwise:
/// a training job is worth more patience than the SDK's three.
const ATTEMPTS: u32 = 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the first byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Builds a service's client from the shared configuration: its answers are bounded, and expired credentials are renewed. A
/// macro, since each SDK crate has a `AwsConfig` and a `Client` of its own, without a trait in common. A builder that is given
/// keeps what has been set on it.
macro_rules! client {
    ($sdk:ident, $config:expr) => {
        $crate::cloud::aws::config::client!($sdk, $config, $sdk::config::Builder::from($config.sdk()))
    };
    ($sdk:ident, $config:expr, $builder:expr) => {
        $sdk::Client::from_conf(
            $builder
                .retry_classifier($config.renew_expired())
                .retry_classifier($crate::cloud::aws::bounds::Bounds::default())
                .retry_classifier($crate::cloud::aws::error::GiveUpForeign)
                .interceptor($crate::cloud::aws::bounds::Bounds::default())
                .build(),
        )
    };
}
pub(super) use client;

/// What the clients are made of.
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

    /// Lets a call that failed for expired credentials be tried with new ones.
    pub(super) fn renew_expired(&self) -> RenewExpired {
        self.renew_expired.clone()
    }
}

pub(super) async fn load(place: &AwsTarget, files: AwsConfigFiles) -> CloudResult<AwsConfig> {
    files.check()?;
    let profile = place.profile.clone();
    let renewable = Renewable::new(place.clone(), files);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region::provider(place))
        .credentials_provider(SharedCredentialsProvider::new(renewable.clone()))
        .identity_cache(IdentityCache::no_cache())
        // Of what looks for settings: where no region is found, some of it asks the instance again.
        .http_client(near::client())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Ok(name) = AppName::new("smtrain") {
        loader = loader.app_name(name);
    }
    let sdk = loader.load().await;
    let region = match sdk.region() {
        Some(region) => Region::Aws(region.to_string()),
        None if place.offline => Region::Unknown,
        None => return Err(no_region()),
    };
    let mut services = sdk.to_builder().retry_config(patience(sdk.retry_config()));
    services.set_http_client(None::<SharedHttpClient>);
    Ok(AwsConfig { sdk: services.build(), region, renew_expired: RenewExpired::new(renewable) })
}

/// What the user has set stands; the default is too impatient. Not the adaptive mode: after a call that is throttled it
/// holds back all that follow, up to 20 s each, which for the few calls of one command is no help to anybody.
fn patience(found: Option<&RetryConfig>) -> RetryConfig {
    let default = RetryConfig::standard();
    let found = found.unwrap_or(&default).clone();
    if found.max_attempts() == default.max_attempts() { found.with_max_attempts(ATTEMPTS) } else { found }
}

fn no_region() -> CloudError {
    CloudError::Service(Box::new(ServiceError {
        refusal: FailureClass::Unconfigured,
        message: "no AWS region is set".to_owned(),
        hints: vec![
            "give one: --region eu-west-1, or set AWS_REGION, or `region` in the job spec".to_owned(),
            "or for good: aws configure set region eu-west-1".to_owned(),
        ],
        details: Vec::new(),
    }))
}
