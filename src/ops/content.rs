//! Stores content-addressed objects: the name of an object holds the digest of its content.
//!
//! An object that exists under such a name is reused only if S3's own SHA-256 of it matches, because anyone who may
//! write to the bucket could have put something else there.

use std::fs::File;
use std::io::Seek;
use std::sync::Mutex;

use futures_util::TryStreamExt;

use crate::cloud::{ByteProgress, Cloud, ContentMatch, ObjectContent};
use crate::error::{Error, Result, WithContext};
use crate::model::checksum::ContentDigest;
use crate::model::{IgnorePoison, S3Uri, shell_quote};

/// Stores content, and remembers which objects did not match their names.
pub(crate) struct ContentStore<'c> {
    pub(crate) cloud: &'c Cloud,
    kms_key_id: Option<String>,
    progress: ByteProgress,
    replaced: Mutex<Vec<S3Uri>>,
    restored: Mutex<Vec<S3Uri>>,
}

impl<'c> ContentStore<'c> {
    /// `progress` receives the number of bytes sent.
    pub(crate) fn new(cloud: &'c Cloud, kms_key_id: Option<String>, progress: ByteProgress) -> Self {
        Self { cloud, kms_key_id, progress, replaced: Mutex::default(), restored: Mutex::default() }
    }

    /// Stores content unless the object exists with the same digest, and is stored as it would be now. `open` is called only if the content must be sent.
    pub(crate) async fn store(
        &self,
        uri: &S3Uri,
        digest: &ContentDigest,
        open: impl FnOnce() -> Result<File>,
    ) -> Result<()> {
        match self.cloud.objects.verify(uri, digest, self.kms_key_id.as_deref()).await? {
            ContentMatch::Expected => return Ok(()),
            ContentMatch::StoredOtherwise => self.restored.lock().ignore_poison().push(uri.clone()),
            ContentMatch::Other => self.note_replaced(uri),
            ContentMatch::Nothing => {}
        }
        self.send(uri, digest, open()?).await
    }

    /// Stores content without looking for an existing object.
    pub(crate) async fn send(&self, uri: &S3Uri, digest: &ContentDigest, file: File) -> Result<()> {
        let digest = Some(digest.clone());
        let kms_key_id = self.kms_key_id.clone();
        let progress = self.progress.clone();
        Ok(self
            .cloud
            .objects
            .put(uri, ObjectContent { digest, kms_key_id, progress, ..ObjectContent::of(file) })
            .await?)
    }

    /// Fails if the key of another object begins with that of a stored one. A channel of type S3Prefix would bring that
    /// object into the container too, even where the prefix is a complete key.
    pub(crate) async fn refuse_siblings(&self, uri: &S3Uri) -> Result<()> {
        let mut pages = self.cloud.objects.pages(uri.clone());
        while let Some(page) = pages.try_next().await? {
            if let Some(other) = page.into_iter().find(|object| object.uri != *uri) {
                let other = other.uri;
                let message =
                    format!("{other} has a key that begins with that of {uri}, and the job would be given both");
                return Err(Error::failure(message).hint(removal(&other)));
            }
        }
        Ok(())
    }

    /// Remembers that an object did not match its name.
    pub(crate) fn note_replaced(&self, uri: &S3Uri) {
        self.replaced.lock().ignore_poison().push(uri.clone());
    }

    /// Returns a notice for each object that was stored again, up to a limit.
    pub(crate) fn notices(self) -> Vec<String> {
        let replaced = notices_of(
            self.replaced,
            "did not match the digest in its name",
            "did not match the digests in their names",
        );
        let otherwise = "with another key or storage class";
        let restored =
            notices_of(self.restored, &format!("was stored {otherwise}"), &format!("were stored {otherwise}"));
        replaced.into_iter().chain(restored).collect()
    }
}

/// Returns a notice for each object, and one for those past a limit, with what is true of one and of several.
fn notices_of(objects: Mutex<Vec<S3Uri>>, of_one: &str, of_several: &str) -> Vec<String> {
    const MAX_NAMED: usize = 10;
    let mut objects = objects.into_inner().ignore_poison();
    objects.sort_by(|a, b| a.key().cmp(b.key()));
    let named = objects.iter().take(MAX_NAMED);
    let mut notices: Vec<String> = named.map(|uri| format!("the object {uri} {of_one}: stored again")).collect();
    let more = objects.len().saturating_sub(MAX_NAMED);
    notices.extend((more > 0).then(|| format!("{more} more objects {of_several}: stored again")));
    notices
}

/// Returns the hint for an object that must not exist.
pub(crate) fn removal(other: &S3Uri) -> String {
    format!("find out who stored it, and remove it: aws s3 rm {}", shell_quote(&other.to_string()))
}

/// Computes the content digest of a file from its start. Blocks.
pub(crate) fn digest(mut file: &File) -> Result<ContentDigest> {
    let doing = || "digest what is to be stored".to_owned();
    file.rewind().context(doing)?;
    let size = file.metadata().context(doing)?.len();
    ContentDigest::of(&mut file, size, |_| {}).context(doing)
}
