//! Implements the cloud's traits with the AWS SDK. No SDK type leaves this module.
//!
//! [`config`] resolves region, credentials and endpoints as all AWS tools do; no service is called before the first
//! operation. For SageMaker's own operations, [`json`] replaces the request body by our document and parses the raw
//! response, so that fields unknown to the SDK are kept.

mod arn;
mod config;
mod credential_chain;
mod credentials;
mod error;
mod files;
mod identity;
mod jobs;
mod json;
mod listing;
mod logs;
mod metrics;
mod mfa;
mod missing;
mod network;
mod objects;
mod offline;
mod profiles;
mod proxies;
mod proxy_bypass;
mod region;
mod response_check;
mod response_limits;
mod role_cache;
mod settings;
mod trust;
mod variables;

use std::sync::Arc;
use std::time::Duration;

use super::{AwsTarget, Capabilities, Cloud, CloudResult, Fallbacks, Identity, OnFallback, PollIntervals};

pub(crate) use files::AwsConfigFiles;
pub(crate) use proxies::{NamedProxy, Proxies};
pub(crate) use variables::AwsVariables;

const POLL_INTERVALS: PollIntervals =
    PollIntervals { job_initial: Duration::from_secs(1), job_max: Duration::from_secs(5), log: Duration::from_secs(2) };

const CAPABILITIES: Capabilities = Capabilities {
    runs_images: true,
    reads_s3: true,
    default_role: None,
    default_bucket_is_configurable: true,
    nodes_per_job: None,
    always_stores_model: true,
    has_rate_quotas: true,
    has_network_latency: true,
    logs_arrive_late: true,
    filters_job_events: true,
};

/// Returns the services of an AWS account in one region. Fails if no region is configured, a file can't be read, or a
/// profile or bundle of certificates doesn't exist. Performs no network I/O, except that the region may come from the instance metadata service.
pub(crate) async fn cloud(place: &AwsTarget, variables: AwsVariables, on_fallback: OnFallback) -> CloudResult<Cloud> {
    let config = Arc::new(config::load(place, variables).await?);
    let fallbacks = Fallbacks::new(on_fallback);
    let account = Arc::new(identity::AwsIdentity::new(config.clone()));
    let identity: Box<dyn Identity> = if place.offline {
        Box::new(offline::OfflineIdentity::new(config.region().as_str()))
    } else {
        Box::new(account.clone())
    };
    Ok(Cloud {
        region: config.region().clone(),
        capabilities: CAPABILITIES,
        poll_intervals: POLL_INTERVALS,
        own_folders: Vec::new(),
        jobs: Box::new(jobs::AwsJobs::new(&config, fallbacks.clone())),
        objects: Box::new(objects::AwsObjects::new(&config, account, fallbacks.clone())),
        logs: Box::new(logs::AwsLogs::new(&config)),
        metrics: Box::new(metrics::AwsMetrics::new(&config)),
        identity,
        fallbacks,
    })
}
