//! Roles that need a code of a device: `mfa_serial` of a profile. The SDK doesn't know that key.
//!
//! As with the AWS CLI, the code is asked for on a terminal, and the role's credentials are kept in the CLI's cache, so
//! that neither tool asks again before they expire.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, SharedCredentialsProvider};
use aws_sdk_sts::types::Credentials as RoleCredentials;
use jiff::Timestamp;

use super::proxy_bypass;
use super::role_cache::RoleRequest;
use super::settings::ConnectionSettings;
use crate::cloud::CloudError;

const MFA_SERIAL: &str = "mfa_serial";
/// Provider's name in the SDK's traces.
const PROVIDER: &str = "mfa_serial";

/// A role that a profile takes with the credentials of another, with or without a code.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProfileRole<'a> {
    /// The profile with the role.
    pub(super) profile: &'a str,
    /// The profile whose credentials assume it.
    pub(super) source: &'a str,
}

impl<'a> ProfileRole<'a> {
    /// Returns the role of a profile, if it takes one with another profile's credentials.
    pub(super) fn of(settings: &'a ConnectionSettings, profile: &'a str) -> Option<Self> {
        settings.profiles.source_of(profile).map(|source| Self { profile, source })
    }

    pub(super) fn needs_code(self, settings: &ConnectionSettings) -> bool {
        settings.profiles.get(self.profile, MFA_SERIAL).is_some()
    }

    /// Returns the role's credentials that are kept from before. Only those that needed a code are.
    pub(super) fn cached(self, settings: &ConnectionSettings) -> Option<Credentials> {
        let request = self.request(settings);
        self.needs_code(settings).then(|| request.cached(&settings.variables.role_cache)).flatten()
    }

    /// Returns what STS is asked for.
    fn request(self, settings: &'a ConnectionSettings) -> RoleRequest<'a> {
        let get = |key| settings.profiles.get(self.profile, key);
        RoleRequest {
            role_arn: get("role_arn").unwrap_or_default(),
            serial_number: get(MFA_SERIAL),
            external_id: get("external_id"),
            session_name: get("role_session_name"),
            duration_seconds: get("duration_seconds").and_then(|text| text.parse().ok()),
        }
    }

    /// Assumes the role, with a code that is asked for where it needs one. `source` are the source profile's credentials.
    pub(super) async fn assume(
        self,
        settings: &ConnectionSettings,
        region: Option<Region>,
        source: Credentials,
    ) -> provider::Result {
        let request = self.request(settings);
        let code = match request.serial_number {
            Some(serial) => Some(ask_code(settings, serial).await?),
            None => None,
        };
        let client = aws_sdk_sts::Client::new(&sts_config(settings, region, source).await);
        let name = format!("smtrain-{}", Timestamp::now().as_millisecond());
        let sent = client
            .assume_role()
            .role_arn(request.role_arn)
            .role_session_name(request.session_name.unwrap_or(&name))
            .set_external_id(request.external_id.map(str::to_owned))
            .set_duration_seconds(request.duration_seconds)
            .set_serial_number(request.serial_number.map(str::to_owned))
            .set_token_code(code)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let role = sent.credentials.ok_or_else(|| CredentialsError::unhandled("STS returned no credentials"))?;
        if request.serial_number.is_some() {
            request.keep(&settings.variables.role_cache, &role);
        }
        credentials(role)
    }
}

/// Returns credentials as the SDK uses them.
fn credentials(role: RoleCredentials) -> provider::Result {
    let expiry = role.expiration.try_into().map_err(CredentialsError::provider_error)?;
    let RoleCredentials { access_key_id, secret_access_key, session_token, .. } = role;
    Ok(Credentials::new(access_key_id, secret_access_key, Some(session_token), Some(expiry), PROVIDER))
}

async fn sts_config(settings: &ConnectionSettings, region: Option<Region>, source: Credentials) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .profile_files(settings.profiles.for_sdk())
        .profile_name(settings.selection.sdk_name())
        .http_client(proxy_bypass::client(&settings.network))
        .credentials_provider(SharedCredentialsProvider::new(source))
        .load()
        .await
}

/// Returns the code that the user types. Fails where there is no terminal.
async fn ask_code(settings: &ConnectionSettings, serial: &str) -> Result<String, CredentialsError> {
    let ask = settings.variables.ask;
    let question = format!("code of the MFA device {serial}: ");
    let answer = tokio::task::spawn_blocking(move || ask(&question)).await;
    let answer = answer.map_err(CredentialsError::unhandled)?.map_err(CredentialsError::provider_error)?;
    let code = answer.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    code.ok_or_else(|| {
        CredentialsError::invalid_configuration(CloudError::Unusable {
            what: format!("a code of the MFA device {serial} is needed, and there is no terminal to ask for it"),
            hint: "run a command in a terminal first, such as smtrain history or aws sts get-caller-identity: the \
                   role's credentials are kept until they expire"
                .to_owned(),
        })
    })
}
