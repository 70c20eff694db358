//! The sources of credentials, in the order of the SDK's default chain (aws-config 1.13.0, `DefaultCredentialsChain`,
//! which can't be given profiles that were read before).

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials};

use super::settings::ConnectionSettings;
use super::{proxy_bypass, region};
use crate::cloud::CloudResult;

/// Fetches credentials. With a profile that is named for this program, only that profile is used.
pub(super) async fn fetch(settings: &ConnectionSettings) -> provider::Result {
    if !settings.selection.is_exclusive() {
        match EnvironmentVariableCredentialsProvider::new().provide_credentials().await {
            Err(CredentialsError::CredentialsNotLoaded(_)) => {}
            found => return found,
        }
    }
    check(settings).map_err(CredentialsError::invalid_configuration)?;
    from_files_and_services(settings).await
}

/// Fails if the profile names something that doesn't exist, or that the SDK would hang on.
fn check(settings: &ConnectionSettings) -> CloudResult<()> {
    let profile = settings.selection.name();
    settings.profiles.check_sources(profile)?;
    settings.profiles.check_tokens(profile)
}

async fn from_files_and_services(settings: &ConnectionSettings) -> provider::Result {
    let region = region::find(settings).await.map_err(CredentialsError::invalid_configuration)?;
    let context = ProviderConfig::without_region().with_region(region);
    let context = context.with_http_client(proxy_bypass::client(&settings.network));
    let profile = ProfileFileCredentialsProvider::builder().configure(&context);
    let profile =
        profile.profile_files(settings.profiles.for_sdk()).profile_name(settings.selection.sdk_name()).build();
    if settings.selection.is_exclusive() {
        return profile.provide_credentials().await;
    }
    let metadata = region::metadata_client(&settings.network);
    let instance = ImdsCredentialsProvider::builder().configure(&context).imds_client(metadata).build();
    CredentialsProviderChain::first_try("Profile", profile)
        .or_else("WebIdentityToken", WebIdentityTokenCredentialsProvider::builder().configure(&context).build())
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&context).build())
        .or_else("Ec2InstanceMetadata", instance)
        .provide_credentials()
        .await
}
