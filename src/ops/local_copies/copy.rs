//! Fetches the objects of a prefix that are not here yet.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::asking::files;
use super::report::CopyChanges;
use super::store::CopyStore;
use crate::cloud::{ByteProgress, Cloud, CloudError, CloudResult, Object, ObjectContent, ObjectSummary};
use crate::error::{Error, Result};
use crate::model::S3Uri;
use crate::model::copies::{self, CopiedObject, CopyRecord};

/// Maximum number of objects that are fetched at the same time. Each is in a temporary file until it is whole.
const MAX_CONCURRENT_OBJECTS: usize = 4;
/// Bytes that are gathered before they are written.
const WRITE_BYTES: usize = 1024 * 1024;
/// Maximum number of lists, where other writers replace objects between the list and the fetch.
const MAX_LISTS: usize = 5;

/// Fetches objects from S3 to the local object store.
pub(super) struct Copier<'c> {
    pub(super) store: &'c CopyStore<'c>,
    pub(super) aws: &'c Cloud,
    pub(super) progress: &'c ByteProgress,
}

impl Copier<'_> {
    /// Fetches what is new or has changed of the listed objects, then stores their list. Returns its digest.
    pub(super) async fn copy(
        &self,
        prefix: &S3Uri,
        listed: Vec<ObjectSummary>,
        before: Option<CopyRecord>,
    ) -> Result<(String, CopyChanges)> {
        let mut listed = listed;
        let mut changes = CopyChanges::default();
        let mut lists_left = MAX_LISTS;
        loop {
            lists_left -= 1;
            let checked = Timestamp::now();
            let objects: Vec<CopiedObject> = listed.into_iter().map(copied).collect();
            check_paths(prefix, &objects)?;
            match self.bring(prefix, &objects, &mut changes).await {
                Err(CloudError::Replaced(_)) if lists_left > 0 => {}
                brought => {
                    brought?;
                    return self.keep(prefix, checked, objects, before, changes).await;
                }
            }
            listed = files(self.aws.objects.list(prefix).await?);
        }
    }

    async fn keep(
        &self,
        prefix: &S3Uri,
        checked: Timestamp,
        objects: Vec<CopiedObject>,
        before: Option<CopyRecord>,
        mut changes: CopyChanges,
    ) -> Result<(String, CopyChanges)> {
        changes.objects = objects.len();
        let keys: HashSet<String> = objects.iter().map(|object| object.key.clone()).collect();
        let record = CopyRecord { uri: prefix.clone(), list: String::new(), objects: objects.len(), checked };
        let record = self.store.keep(record, objects).await?;
        if let Some(before) = before.filter(|before| before.list != record.list) {
            changes.dropped = self.store.count_dropped(&before, keys).await.unwrap_or_default();
        }
        Ok((record.list, changes))
    }

    /// Fetches the objects that are not here.
    async fn bring(&self, prefix: &S3Uri, objects: &[CopiedObject], changes: &mut CopyChanges) -> CloudResult<()> {
        let fetches = stream::iter(objects).map(|object| self.bring_one(prefix, object));
        let mut fetches = fetches.buffer_unordered(MAX_CONCURRENT_OBJECTS);
        while let Some(fetched) = fetches.try_next().await? {
            changes.fetched += usize::from(fetched.is_some());
            changes.fetched_bytes += fetched.unwrap_or_default();
        }
        Ok(())
    }

    /// Fetches an object, of exactly the version that was listed. Returns its size, or `None` if it is here.
    async fn bring_one(&self, prefix: &S3Uri, object: &CopiedObject) -> CloudResult<Option<u64>> {
        let local = &self.store.local.objects;
        let content = object.content(prefix.bucket());
        let is_here = object.version.is_some() && local.head(&content).await? == Some(object.size);
        if is_here {
            return Ok(None);
        }
        let file = self.fetch(prefix, object).await?;
        local.put(&content, ObjectContent::of(file)).await?;
        Ok(Some(object.size))
    }

    async fn fetch(&self, prefix: &S3Uri, object: &CopiedObject) -> CloudResult<File> {
        let source = Object {
            uri: prefix.root().join(&object.key),
            size: object.size,
            version: object.version.clone(),
            version_id: None,
            checksum: None,
            file: None,
        };
        let mut file = tempfile::tempfile().map_err(CloudError::io("create a temporary file"))?;
        let mut pieces = self.aws.objects.range(&source, 0..object.size);
        let mut gathered = Vec::new();
        while let Some(piece) = pieces.try_next().await? {
            (self.progress)(piece.len() as u64);
            gathered.extend_from_slice(&piece);
            if gathered.len() >= WRITE_BYTES {
                file = write(file, std::mem::take(&mut gathered)).await?;
            }
        }
        write(file, gathered).await
    }
}

/// Writes bytes on a blocking thread.
async fn write(mut file: File, bytes: Vec<u8>) -> CloudResult<File> {
    let written = tokio::task::spawn_blocking(move || file.write_all(&bytes).map(|()| file)).await;
    let written = written.map_err(|error| CloudError::Other(format!("writing ended: {error}")))?;
    written.map_err(CloudError::io("write an object of S3 to a temporary file"))
}

fn copied(listed: ObjectSummary) -> CopiedObject {
    CopiedObject { key: listed.uri.key().to_owned(), version: listed.version, size: listed.size }
}

/// Fails if an object can't be a file, or if two objects can't be files side by side.
fn check_paths(prefix: &S3Uri, objects: &[CopiedObject]) -> Result<()> {
    let root = prefix.root();
    let mut paths = HashSet::new();
    for object in objects {
        let path = copies::path_below(&object.key, prefix.key()).ok_or_else(|| {
            let uri = root.join(&object.key);
            Error::failure(format!("{uri} can't be kept as a file: its key has a `.` or `..` part"))
        })?;
        if !paths.insert(path) {
            return Err(beside_another(&root.join(&object.key)));
        }
    }
    let is_folder = |path: &str| path.match_indices('/').any(|(slash, _)| paths.contains(&path[..slash]));
    let below_a_file =
        |object: &&CopiedObject| copies::path_below(&object.key, prefix.key()).is_some_and(|path| is_folder(&path));
    match objects.iter().find(below_a_file) {
        Some(object) => Err(beside_another(&root.join(&object.key))),
        None => Ok(()),
    }
}

fn beside_another(uri: &S3Uri) -> Error {
    Error::failure(format!("{uri} can't be kept as a file: another object has its path, or that of its folder"))
}
