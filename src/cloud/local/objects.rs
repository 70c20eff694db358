//! Objects on this computer: files at `{home}/s3/{bucket}/{key}`.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, once, try_unfold};
use tokio_util::bytes::Bytes;

use crate::cloud::{ByteStream, CloudError, CloudResult, ContentMatch, Object, ObjectContent, ObjectSummary, Objects};
use crate::local::store::layout::Home;
use crate::local::store::objects::{self, StoredObject};
use crate::local::store::staging::Staging;
use crate::model::S3Uri;
use crate::model::checksum::ContentDigest;

/// Size of the pieces of a byte range, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// Implements [`Objects`] over files of the state folder.
#[derive(Debug)]
pub(crate) struct LocalObjects {
    home: Home,
}

impl LocalObjects {
    pub(crate) fn new(home: Home) -> Self {
        Self { home }
    }
}

#[async_trait]
impl Objects for LocalObjects {
    async fn head(&self, uri: &S3Uri) -> CloudResult<Option<u64>> {
        let path = self.home.object(uri)?;
        let found = objects::metadata(&path).map_err(CloudError::io(format!("look up {}", path.display())))?;
        Ok(found.map(|metadata| metadata.len()))
    }

    /// Files of this computer are not encrypted, whatever the key.
    async fn verify(
        &self,
        uri: &S3Uri,
        expected: &ContentDigest,
        _kms_key_id: Option<&str>,
    ) -> CloudResult<ContentMatch> {
        let path = self.home.trusted_object(uri)?;
        let expected = expected.clone();
        let doing = CloudError::io(format!("read {}", path.display()));
        let compare = tokio::task::spawn_blocking(move || compare(&path, &expected)).await;
        compare.map_err(|error| CloudError::Other(format!("reading ended: {error}")))?.map_err(doing)
    }

    async fn put(&self, uri: &S3Uri, content: ObjectContent) -> CloudResult<()> {
        let home = self.home.clone();
        let uri = uri.clone();
        let stored = tokio::task::spawn_blocking(move || put(&home, &uri, content)).await;
        stored.map_err(|error| CloudError::Other(format!("storing ended: {error}")))?
    }

    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn Read + Send>> {
        let path = self.home.object(uri)?;
        match objects::open(&path).map_err(CloudError::io(format!("read {}", path.display())))? {
            Some(file) => Ok(Box::new(file)),
            None => Err(CloudError::NotFound(uri.to_string())),
        }
    }

    async fn stat(&self, uri: &S3Uri) -> CloudResult<Option<Object>> {
        let path = self.home.object(uri)?;
        let doing = || format!("read {}", path.display());
        let Some(file) = objects::open(&path).map_err(CloudError::io(doing()))? else { return Ok(None) };
        let metadata = file.metadata().map_err(CloudError::io(doing()))?;
        Ok(Some(Object {
            uri: uri.clone(),
            size: metadata.len(),
            version: Some(objects::version(&metadata)),
            version_id: None,
            checksum: None,
            file: Some(Arc::new(file)),
        }))
    }

    fn range(&self, object: &Object, range: Range<u64>) -> ByteStream {
        let file = object.file.clone();
        let path = self.home.object(&object.uri);
        let uri = object.uri.clone();
        let file = file.map_or_else(
            || {
                objects::open(&path?)
                    .map_err(CloudError::io(format!("read {uri}")))?
                    .map(Arc::new)
                    .ok_or_else(|| CloudError::NotFound(uri.to_string()))
            },
            Ok,
        );
        try_unfold((file, range), async |(file, range)| {
            if range.is_empty() {
                return Ok(None);
            }
            let file: Arc<File> = file?;
            let (piece, file) = read_piece(file, range.clone()).await?;
            let next = range.start + piece.len() as u64;
            Ok(Some((piece, (Ok(file), next..range.end))))
        })
        .boxed()
    }

    fn pages(&self, prefix: S3Uri) -> BoxStream<'_, CloudResult<Vec<ObjectSummary>>> {
        once(async move { Ok(objects::list(&self.home, &prefix)?.into_iter().map(summary).collect()) }).boxed()
    }

    /// A bucket is a folder, which is created with its first object.
    async fn ensure_bucket(&self, _bucket: &str) -> CloudResult<()> {
        Ok(())
    }

    /// Staged files are removed when they are dropped.
    async fn abort_uploads(&self) -> Vec<CloudError> {
        Vec::new()
    }
}

fn summary(object: StoredObject) -> ObjectSummary {
    ObjectSummary { uri: object.uri, size: object.size, version: Some(object.version) }
}

fn compare(path: &Path, expected: &ContentDigest) -> io::Result<ContentMatch> {
    let Some(mut file) = objects::open(path)? else { return Ok(ContentMatch::Nothing) };
    let is_expected =
        file.metadata()?.len() == expected.size && ContentDigest::of(&mut file, expected.size, |_| {})? == *expected;
    Ok(if is_expected { ContentMatch::Expected } else { ContentMatch::Other })
}

/// Copies a file to its object. Blocks.
fn put(home: &Home, uri: &S3Uri, mut content: ObjectContent) -> CloudResult<()> {
    let path = home.trusted_object(uri)?;
    let staging = Staging::open(home)?;
    let mut staged = staging.new_file()?;
    let filled = objects::fill(staged.as_file_mut(), &mut content.file, content.digest.as_ref());
    filled.map_err(CloudError::io(format!("store {}", path.display())))?;
    let size = staged.as_file().metadata().map_err(CloudError::io(format!("store {}", path.display())))?.len();
    Staging::store_file(staged, &path)?;
    (content.progress)(size);
    Ok(())
}

async fn read_piece(file: Arc<File>, range: Range<u64>) -> CloudResult<(Bytes, Arc<File>)> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(PIECE_BYTES);
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; length];
        file.read_exact_at(&mut piece, range.start)?;
        Ok((Bytes::from(piece), file))
    });
    let read = read.await.map_err(|error| CloudError::Other(format!("reading ended: {error}")))?;
    read.map_err(CloudError::io("read an object"))
}
