//! Content that is stored by its digest. What stands under its name already is used only where the service's own digest of
//! it is the content's: whoever may write to the bucket could have put anything there.

use std::fs::File;
use std::io::Seek;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::cloud::{Cloud, Content, Held, OnBytes};
use crate::error::{Doing, Result};
use crate::model::S3Uri;
use crate::model::checksum::ContentDigest;

/// Stores content, and keeps in mind which objects were not what their names say.
pub(crate) struct ContentStore<'c> {
    pub(crate) cloud: &'c Cloud,
    kms_key_id: Option<String>,
    progress: OnBytes,
    replaced: Mutex<Vec<S3Uri>>,
}

impl<'c> ContentStore<'c> {
    /// `progress` is told of the bytes that are sent.
    pub(crate) fn new(cloud: &'c Cloud, kms_key_id: Option<String>, progress: OnBytes) -> Self {
        Self { cloud, kms_key_id, progress, replaced: Mutex::default() }
    }

    /// Stores content unless the very same is there. The file is opened only to be sent.
    pub(crate) async fn store(
        &self,
        uri: &S3Uri,
        digest: &ContentDigest,
        open: impl FnOnce() -> Result<File>,
    ) -> Result<()> {
        match self.cloud.objects.verify(uri, digest).await? {
            Held::Expected => return Ok(()),
            Held::Other => self.note_replaced(uri),
            Held::Nothing => {}
        }
        self.send(uri, digest, open()?).await
    }

    /// Stores content where nothing stands, or what stands there can't be it.
    pub(crate) async fn send(&self, uri: &S3Uri, digest: &ContentDigest, file: File) -> Result<()> {
        let (digest, kms_key_id, progress) = (Some(digest.clone()), self.kms_key_id.clone(), self.progress.clone());
        Ok(self.cloud.objects.put(uri, Content { digest, kms_key_id, progress, ..Content::of(file) }).await?)
    }

    pub(crate) fn note_replaced(&self, uri: &S3Uri) {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner).push(uri.clone());
    }

    /// A sentence on each object that was stored again, or on the first of very many.
    pub(crate) fn notices(self) -> Vec<String> {
        const NAMED: usize = 10;
        let mut replaced = self.replaced.into_inner().unwrap_or_else(PoisonError::into_inner);
        replaced.sort_by(|a, b| a.key().cmp(b.key()));
        let named = replaced.iter().take(NAMED);
        let mut notices: Vec<String> =
            named.map(|uri| format!("the object {uri} was not what its name says: stored again")).collect();
        let more = replaced.len().saturating_sub(NAMED);
        notices.extend((more > 0).then(|| format!("{more} more objects were not what their names say: stored again")));
        notices
    }
}

/// Digests a file from its start, as it will be stored.
pub(crate) fn digest(mut file: &File) -> Result<ContentDigest> {
    let doing = || "digest what is to be stored".to_owned();
    file.rewind().doing(doing)?;
    let size = file.metadata().doing(doing)?.len();
    ContentDigest::of(&mut file, size, |_| {}).doing(doing)
}
