//! Finds the region, in the order of every AWS tool: the command line or the spec, the environment, the profile, and
//! the metadata of the EC2 instance that smtrain runs on.

use std::time::Duration;

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, imds};

use super::network::NetworkSettings;
use super::profiles::{Profiles, SelectedProfile};
use super::proxy_bypass;
use super::settings::ConnectionSettings;
use crate::cloud::{CloudError, CloudResult};

/// Connect timeout of the instance metadata service, which is one network hop away.
const METADATA_TIMEOUT: Duration = Duration::from_millis(500);
/// Calls of the instance metadata service, the first one included.
const METADATA_ATTEMPTS: u32 = 2;
const REGION: &str = "region";

/// Returns the region of a target. An offline target doesn't query the instance metadata service.
pub(super) async fn find(settings: &ConnectionSettings) -> CloudResult<Option<Region>> {
    let ConnectionSettings { target, variables, profiles, selection, network } = settings;
    let named = target.region.clone().or_else(|| variables.region.clone());
    let known = match named {
        Some(region) => Some(region),
        None => of_profile(profiles, selection)?,
    };
    match known {
        Some(region) => Ok(Some(Region::new(region))),
        None if target.offline => Ok(None),
        None => {
            let provider = ImdsRegionProvider::builder().imds_client(metadata_client(network)).build();
            Ok(provider.region().await)
        }
    }
}

/// Returns the profile's region. Fails if it is none, as that of a line with two values.
fn of_profile(profiles: &Profiles, selection: &SelectedProfile) -> CloudResult<Option<String>> {
    let profile = selection.name();
    let Some(place) = profiles.place(profile, REGION) else { return Ok(None) };
    if profiles.is_empty_value(profile, REGION) {
        return Ok(None);
    }
    // botocore 1.44.5, `utils.py`, `validate_region_name`.
    let is_region = |text: &&str| {
        text.len() <= 63
            && text.chars().all(|next| next.is_ascii_alphanumeric() || next == '-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.chars().all(|next| next.is_ascii_digit())
    };
    match profiles.get(profile, REGION).filter(is_region) {
        Some(region) => Ok(Some(region.to_owned())),
        None => Err(CloudError::Unusable {
            what: format!("`{REGION}` is not the name of a region: {place}"),
            hint: "write one region on the key's line, as in `region = eu-west-1`; lines below it that are indented \
                   deeper belong to it"
                .to_owned(),
        }),
    }
}

/// Returns a client of the instance metadata service. Its short timeout matters on computers that have no such service.
pub(super) fn metadata_client(network: &NetworkSettings) -> imds::Client {
    let config = ProviderConfig::default().with_http_client(proxy_bypass::client(network));
    let client = imds::Client::builder().configure(&config);
    client.max_attempts(METADATA_ATTEMPTS).connect_timeout(METADATA_TIMEOUT).build()
}
