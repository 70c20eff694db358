//! The cloud on AWS: the SDK's one home.
//!
//! [`config`] finds region, credentials and endpoints as every AWS tool does; nothing is asked of anybody before the first
//! call. SageMaker's own API speaks JSON in the very names of `model`: [`json`] sends a request as the document that it is,
//! and reads the answer the same way, so that no field is lost that the SDK has no name for yet.

mod arn;
mod bounds;
mod config;
mod credentials;
mod error;
mod files;
mod identity;
mod jobs;
mod json;
mod listing;
mod logs;
mod metrics;
mod near;
mod objects;
mod offline;
mod region;

use std::sync::Arc;
use std::time::Duration;

use super::{AwsTarget, Capabilities, Cloud, CloudResult, Fallbacks, Identity, OnFallback, PollIntervals};

pub(crate) use files::AwsConfigFiles;

const POLL_INTERVALS: PollIntervals =
    PollIntervals { job_initial: Duration::from_secs(1), job_max: Duration::from_secs(5), log: Duration::from_secs(2) };

const CAPABILITIES: Capabilities = Capabilities {
    runs_images: true,
    reads_s3: true,
    default_role: None,
    default_bucket_is_configurable: true,
    always_stores_model: true,
    has_rate_quotas: true,
    has_network_latency: true,
    logs_arrive_late: true,
    filters_job_events: true,
};

/// The services of an AWS account in one region. Fails where no region can be found, or where one of `files` is there and
/// can't be read; nobody is called.
pub(crate) async fn cloud(place: &AwsTarget, files: AwsConfigFiles, on_fallback: OnFallback) -> CloudResult<Cloud> {
    let config = Arc::new(config::load(place, files).await?);
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
