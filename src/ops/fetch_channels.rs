//! Channels of a local job that are in S3: fetched once, for what this computer's own S3 doesn't hold.

use std::io;

use super::blocking;
use crate::cloud::{ByteProgress, Cloud, ObjectContent, ObjectSummary};
use crate::error::{Error, Result, WithContext};
use crate::job::spec::{ChannelSource, JobSpec};
use crate::model::{S3Uri, hex, sha256};

/// Where it is noted on this computer what is being fetched, and what has been: a bucket that jobs have no use for.
const NOTES: &str = "smtrain-fetched";

/// A channel whose objects were fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) channel: String,
    pub(crate) objects: usize,
    pub(crate) bytes: u64,
}

/// Fetches what the job needs and this computer lacks. AWS is asked for nothing else.
pub(crate) async fn fetch<'a>(
    local: &Cloud,
    aws: impl AsyncFn() -> Result<&'a Cloud>,
    spec: &JobSpec,
    progress: ByteProgress,
) -> Result<Vec<Fetched>> {
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
        fetched.push(Fetched { channel: channel.name.clone(), objects: objects.len(), bytes });
    }
    Ok(fetched)
}

/// Whether there is a whole copy, or what a job on this computer has stored.
async fn is_here(local: &Cloud, uri: &S3Uri) -> Result<bool> {
    let is_partial = has(local, &note(uri, "started")?).await? && !has(local, &note(uri, "complete")?).await?;
    Ok(!is_partial && !local.objects.list(uri).await?.is_empty())
}

async fn has(local: &Cloud, uri: &S3Uri) -> Result<bool> {
    Ok(local.objects.head(uri).await?.is_some())
}

fn note(uri: &S3Uri, what: &str) -> Result<S3Uri> {
    let digest = sha256(&mut uri.to_string().as_bytes(), |_| {}).context("digest an URI")?;
    Ok(S3Uri::of_bucket(NOTES).join(&hex(&digest)).join(what))
}

async fn fetch_prefix(local: &Cloud, aws: &Cloud, uri: &S3Uri, progress: &ByteProgress) -> Result<Vec<ObjectSummary>> {
    // A key that ends in a slash is how consoles show an empty folder.
    let mut objects = aws.objects.list(uri).await?;
    objects.retain(|object| !object.uri.key().ends_with('/'));
    if objects.is_empty() {
        return Err(Error::failure(format!("nothing is stored at {uri}, on this computer or in S3")));
    }
    put_note(local, &note(uri, "started")?).await?;
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
    put_note(local, &note(uri, "complete")?).await?;
    Ok(objects)
}

async fn put_note(local: &Cloud, uri: &S3Uri) -> Result<()> {
    let empty = tempfile::tempfile().context("create a temporary file")?;
    Ok(local.objects.put(uri, ObjectContent::of(empty)).await?)
}
