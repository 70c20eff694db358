//! Fetches the S3 channels of a local job to the local object store, once.

use std::io;

use super::blocking;
use crate::cloud::{ByteProgress, Cloud, ObjectContent, ObjectSummary};
use crate::error::{Error, Result, WithContext};
use crate::job::spec::{ChannelSource, JobSpec};
use crate::model::{S3Uri, hex, sha256};

/// Local bucket of the markers that say which prefixes are being fetched (`started`) or are fetched (`complete`).
const MARKER_BUCKET: &str = "smtrain-fetched";

/// A channel whose objects were fetched.
#[derive(Debug)]
pub(crate) struct FetchedChannel {
    pub(crate) channel: String,
    pub(crate) objects: usize,
    pub(crate) bytes: u64,
}

/// Fetches the channels that the local store lacks. `aws` is called only if there is one.
pub(crate) async fn fetch<'a>(
    local: &Cloud,
    aws: impl AsyncFn() -> Result<&'a Cloud>,
    spec: &JobSpec,
    progress: ByteProgress,
) -> Result<Vec<FetchedChannel>> {
    let mut fetched = Vec::new();
    for channel in &spec.channels {
        let ChannelSource::S3(uri) = &channel.source else { continue };
        if is_here(local, uri).await? {
            continue;
        }
        let objects = fetch_prefix(local, aws().await?, uri, &progress).await.map_err(|error| {
            error.hint(format!("or give channel {0} a local folder: --set channels.{0}=PATH", channel.name))
        })?;
        let bytes = objects.iter().map(|object| object.size).sum();
        fetched.push(FetchedChannel { channel: channel.name.clone(), objects: objects.len(), bytes });
    }
    Ok(fetched)
}

/// Returns true if the local store has the prefix: fetched completely, or stored by a local job.
async fn is_here(local: &Cloud, uri: &S3Uri) -> Result<bool> {
    let is_partial = has(local, &marker(uri, "started")?).await? && !has(local, &marker(uri, "complete")?).await?;
    Ok(!is_partial && !local.objects.list(uri).await?.is_empty())
}

/// Returns true if the local store has an object.
async fn has(local: &Cloud, uri: &S3Uri) -> Result<bool> {
    Ok(local.objects.head(uri).await?.is_some())
}

/// Returns the URI of a prefix's marker.
fn marker(uri: &S3Uri, what: &str) -> Result<S3Uri> {
    let digest = sha256(&mut uri.to_string().as_bytes(), |_| {}).context("digest an URI")?;
    Ok(S3Uri::of_bucket(MARKER_BUCKET).join(&hex(&digest)).join(what))
}

/// Copies the objects of a prefix to the local store, one after the other.
async fn fetch_prefix(local: &Cloud, aws: &Cloud, uri: &S3Uri, progress: &ByteProgress) -> Result<Vec<ObjectSummary>> {
    // A key that ends in a slash is an empty folder, as consoles create it.
    let mut objects = aws.objects.list(uri).await?;
    objects.retain(|object| !object.uri.key().ends_with('/'));
    if objects.is_empty() {
        return Err(Error::failure(format!("nothing is stored at {uri}, on this computer or in S3")));
    }
    put_marker(local, &marker(uri, "started")?).await?;
    for object in &objects {
        let mut reader = aws.objects.get(&object.uri).await?;
        let file = blocking(move || {
            let mut file = tempfile::tempfile().context("create a temporary file")?;
            io::copy(&mut reader, &mut file).context("fetch a channel's data")?;
            Ok(file)
        });
        let content = ObjectContent { progress: progress.clone(), ..ObjectContent::of(file.await?) };
        local.objects.put(&object.uri, content).await?;
    }
    put_marker(local, &marker(uri, "complete")?).await?;
    Ok(objects)
}

async fn put_marker(local: &Cloud, uri: &S3Uri) -> Result<()> {
    let empty = tempfile::tempfile().context("create a temporary file")?;
    Ok(local.objects.put(uri, ObjectContent::of(empty)).await?)
}
