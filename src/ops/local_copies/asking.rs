//! Asks S3 what lies below a prefix.

use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::time::timeout;

use crate::cloud::{Cloud, CloudError, FailureClass, ObjectSummary};
use crate::error::{Error, ErrorKind, Result};
use crate::model::S3Uri;

/// Longest wait for a page of the list where there is something to use in place of it. The SDK's own attempts at an
/// unreachable service take a minute.
const MAX_PAGE_WAIT: Duration = Duration::from_secs(10);

/// S3's answer.
pub(super) enum Asked<'a> {
    /// All objects below the prefix, without folders, which are keys that end in a slash.
    Has(&'a Cloud, Vec<ObjectSummary>),
    /// S3 could not be asked: it can't be reached, or the caller has no credentials or may not list the bucket.
    Failed(Error),
}

/// Lists the objects below a prefix. Where nothing can be used in its place, a failure is an error.
pub(super) async fn ask<'a>(
    aws: &impl AsyncFn() -> Result<&'a Cloud>,
    uri: &S3Uri,
    is_replaceable: bool,
) -> Result<Asked<'a>> {
    match list(aws, uri, is_replaceable.then_some(MAX_PAGE_WAIT)).await {
        Ok((aws, objects)) => Ok(Asked::Has(aws, objects)),
        Err(error) if is_replaceable && error.is_about_asking() => Ok(Asked::Failed(error)),
        Err(error) => Err(error),
    }
}

async fn list<'a>(
    aws: &impl AsyncFn() -> Result<&'a Cloud>,
    uri: &S3Uri,
    limit: Option<Duration>,
) -> Result<(&'a Cloud, Vec<ObjectSummary>)> {
    let aws = aws().await?;
    let objects = match limit {
        Some(limit) => list_within(aws, uri, limit).await?,
        None => or_nothing(aws.objects.list(uri).await)?,
    };
    Ok((aws, files(objects)))
}

async fn list_within(aws: &Cloud, uri: &S3Uri, limit: Duration) -> Result<Vec<ObjectSummary>> {
    let mut pages = aws.objects.pages(uri.clone());
    let mut objects = Vec::new();
    loop {
        let page = timeout(limit, pages.try_next()).await;
        let page = page.map_err(|_late| no_answer(limit))?;
        // A page in the middle may be empty.
        match page.transpose() {
            Some(page) => objects.extend(or_nothing(page)?),
            None => return Ok(objects),
        }
    }
}

fn no_answer(limit: Duration) -> Error {
    Error::new(ErrorKind::Transient, format!("S3 did not answer in {} s", limit.as_secs()))
}

/// A bucket that doesn't exist has nothing.
fn or_nothing(listed: Result<Vec<ObjectSummary>, CloudError>) -> Result<Vec<ObjectSummary>> {
    match listed {
        Err(CloudError::Service(error)) if error.class == FailureClass::Missing => Ok(Vec::new()),
        listed => Ok(listed?),
    }
}

/// A key that ends in a slash is an empty folder, as consoles create it.
pub(super) fn files(mut objects: Vec<ObjectSummary>) -> Vec<ObjectSummary> {
    objects.retain(|object| !object.uri.key().ends_with('/'));
    objects
}
