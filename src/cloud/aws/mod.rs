//! The cloud on AWS: the SDK's one home.
//!
//! [`config`] finds region, credentials and endpoints as every AWS tool does; nothing is asked of anybody before the first
//! call. SageMaker's own API speaks JSON in the very names of `model`: [`json`] sends a request as the document that it is,
//! and reads the answer the same way, so that no field is lost that the SDK has no name for yet.

mod config;
mod credentials;
mod error;
mod identity;
mod jobs;
mod json;
mod listing;
mod logs;
mod metrics;
mod objects;

use std::sync::Arc;

use super::{Cloud, CloudResult};

/// Where to work, and as whom: what was asked for, over what the SDK's default chain finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
}

/// The services of an AWS account in one region. Fails where no region can be found; nobody is called.
pub(crate) async fn cloud(place: &Place) -> CloudResult<Cloud> {
    let config = Arc::new(config::load(place).await?);
    let identity = Arc::new(identity::AwsIdentity::new(config.clone()));
    Ok(Cloud {
        region: config.region().to_owned(),
        own_folders: Vec::new(),
        jobs: Box::new(jobs::AwsJobs::new(&config)),
        objects: Box::new(objects::AwsObjects::new(&config, identity.clone())),
        logs: Box::new(logs::AwsLogs::new(&config)),
        metrics: Box::new(metrics::AwsMetrics::new(&config)),
        identity: Box::new(identity),
    })
}
