//! Finds the region, in the order of every AWS tool: the command line or the spec, the environment, the profile, and
//! the metadata of the EC2 instance that smtrain runs on.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, imds};

use super::proxy_bypass;
use crate::cloud::AwsTarget;

/// Connect timeout of the instance metadata service, which is one network hop away.
const METADATA_TIMEOUT: Duration = Duration::from_millis(500);
/// Calls of the instance metadata service, the first one included.
const METADATA_ATTEMPTS: u32 = 2;

/// Returns the chain of region providers for a target. An offline target doesn't query the instance metadata service.
pub(super) fn provider(target: &AwsTarget) -> RegionProviderChain {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &target.profile {
        profile = profile.profile_name(name);
    }
    let found = RegionProviderChain::first_try(target.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build());
    if target.offline {
        return found;
    }
    found.or_else(ImdsRegionProvider::builder().imds_client(metadata_client()).build())
}

/// Returns a client of the instance metadata service. Its short timeout matters on computers that have no such service.
pub(super) fn metadata_client() -> imds::Client {
    let config = ProviderConfig::default().with_http_client(proxy_bypass::client());
    let client = imds::Client::builder().configure(&config);
    client.max_attempts(METADATA_ATTEMPTS).connect_timeout(METADATA_TIMEOUT).build()
}
