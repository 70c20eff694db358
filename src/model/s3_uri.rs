//! S3 URIs, parsed once: `s3://bucket/key`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A bucket, and a key or key prefix, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct S3Uri {
    /// Shared by all URIs derived from one.
    bucket: Arc<str>,
    key: String,
}

/// Reason for which a text is not an S3 URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidUri {
    #[error("an S3 URI starts with s3://")]
    Scheme,
    #[error("an S3 URI names a bucket: s3://BUCKET/KEY")]
    NoBucket,
    #[error("{0:?} is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens")]
    Bucket(String),
}

impl S3Uri {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidUri> {
        let rest = text.strip_prefix("s3://").ok_or(InvalidUri::Scheme)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(InvalidUri::NoBucket);
        }
        if !is_bucket(bucket) {
            return Err(InvalidUri::Bucket(bucket.to_owned()));
        }
        Ok(Self { bucket: bucket.into(), key: key.to_owned() })
    }

    /// Creates the URI of a bucket whose name is derived, not written by a user: it may contain a placeholder and isn't
    /// checked.
    pub(crate) fn of_bucket(bucket: impl Into<Arc<str>>) -> Self {
        Self { bucket: bucket.into(), key: String::new() }
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Returns the URI of the bucket alone.
    pub(crate) fn root(&self) -> Self {
        Self { bucket: self.bucket.clone(), key: String::new() }
    }

    /// Appends a key, separated by exactly one `/` whatever `self` ends with.
    pub(crate) fn join(&self, below: &str) -> Self {
        let base = self.key.trim_end_matches('/');
        let key = if base.is_empty() { below.to_owned() } else { format!("{base}/{below}") };
        Self { bucket: self.bucket.clone(), key }
    }
}

/// Checks the rules of general-purpose bucket names (Amazon S3 user guide, "Bucket naming rules").
fn is_bucket(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.chars().all(allowed)
        && edge(name.chars().next())
        && edge(name.chars().next_back())
        && !name.contains("..")
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl TryFrom<String> for S3Uri {
    type Error = InvalidUri;
    fn try_from(text: String) -> Result<Self, InvalidUri> {
        Self::parse(&text)
    }
}

impl From<S3Uri> for String {
    fn from(uri: S3Uri) -> Self {
        uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_apart_and_joins() -> Result<(), InvalidUri> {
        let uri = S3Uri::parse("s3://bucket/a/b/")?;
        assert_eq!((uri.bucket(), uri.key()), ("bucket", "a/b/"));
        assert_eq!(uri.join("c").to_string(), "s3://bucket/a/b/c");
        assert_eq!(S3Uri::parse("s3://bucket")?.join("c").to_string(), "s3://bucket/c");
        Ok(())
    }

    #[test]
    fn refuses_what_is_no_bucket() {
        for text in ["bucket/key", "s3:///key", "s3://Bucket/k", "s3://ab/k", "s3://a..b/k", "s3://-ab/k"] {
            assert!(S3Uri::parse(text).is_err(), "{text}");
        }
    }
}
