//! The sources of credentials, in the order of the SDK's default chain (aws-config 1.13.0, `DefaultCredentialsChain`,
//! which can't be given profiles that were read before).

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials};

use super::mfa::ProfileRole;
use super::settings::ConnectionSettings;
use super::{missing, profiles, proxy_bypass, region};
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
    settings.profiles.check_sessions(profile)?;
    settings.profiles.check_tokens(profile)
}

/// Fetches the credentials of the profile, or of the sources that follow it. Names a file that is missing.
async fn from_files_and_services(settings: &ConnectionSettings) -> provider::Result {
    let region = region::find(settings).await.map_err(CredentialsError::invalid_configuration)?;
    let context = ProviderConfig::without_region().with_region(region.clone());
    let context = context.with_http_client(proxy_bypass::client(&settings.network));
    let profile = settings.selection.name();
    let found = match mfa_roles(settings, profile) {
        roles if roles.is_empty() => from_sources(settings, &context).await,
        roles => with_codes(settings, &context, region, &roles).await,
    };
    found.map_err(|error| missing::file(settings, profile).map_or(error, CredentialsError::invalid_configuration))
}

/// Returns the roles of a profile up to the last that needs a code, the profile's own first.
fn mfa_roles<'a>(settings: &'a ConnectionSettings, profile: &'a str) -> Vec<ProfileRole<'a>> {
    let mut roles: Vec<ProfileRole<'a>> = Vec::new();
    while let Some(role) = ProfileRole::of(settings, roles.last().map_or(profile, |role| role.source)) {
        // A profile that is its own source has keys of its own, which the SDK takes.
        let is_circle = roles.iter().any(|known| known.profile == role.profile);
        if is_circle {
            break;
        }
        roles.push(role);
    }
    let count = roles.iter().rposition(|role| role.needs_code(settings)).map_or(0, |last| last + 1);
    roles.truncate(count);
    roles
}

/// Assumes roles one after the other, of which some need a code.
async fn with_codes(
    settings: &ConnectionSettings,
    context: &ProviderConfig,
    region: Option<Region>,
    roles: &[ProfileRole<'_>],
) -> provider::Result {
    let cached = |role: &ProfileRole<'_>| role.cached(settings);
    let start = roles.iter().enumerate().find_map(|(index, role)| Some((index, cached(role)?)));
    let (count, mut credentials) = match start {
        Some(start) => start,
        None => (roles.len(), of_source(settings, context, roles).await?),
    };
    for role in roles.iter().take(count).rev() {
        credentials = role.assume(settings, region.clone(), credentials).await?;
    }
    Ok(credentials)
}

/// Fetches the credentials of the profile that the last of some roles takes them from.
async fn of_source(
    settings: &ConnectionSettings,
    context: &ProviderConfig,
    roles: &[ProfileRole<'_>],
) -> provider::Result {
    let source = roles.last().map_or(settings.selection.name(), |role| role.source);
    let is_circle = roles.iter().any(|role| role.profile == source);
    if let Some(keys) = settings.profiles.keys(source).filter(|_| is_circle) {
        return Ok(keys);
    }
    of_profile(settings, context, source).provide_credentials().await
}

fn of_profile(settings: &ConnectionSettings, context: &ProviderConfig, name: &str) -> ProfileFileCredentialsProvider {
    let profile = ProfileFileCredentialsProvider::builder().configure(context);
    profile.profile_files(settings.profiles.for_sdk()).profile_name(profiles::sdk_name(name)).build()
}

async fn from_sources(settings: &ConnectionSettings, context: &ProviderConfig) -> provider::Result {
    let profile = of_profile(settings, context, settings.selection.name());
    if settings.selection.is_exclusive() {
        return profile.provide_credentials().await;
    }
    let metadata = region::metadata_client(&settings.network);
    let instance = ImdsCredentialsProvider::builder().configure(context).imds_client(metadata).build();
    CredentialsProviderChain::first_try("Profile", profile)
        .or_else("WebIdentityToken", WebIdentityTokenCredentialsProvider::builder().configure(context).build())
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(context).build())
        .or_else("Ec2InstanceMetadata", instance)
        .provide_credentials()
        .await
}
