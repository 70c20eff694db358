//! S3 on this computer: `{home}/s3/{bucket}/{key}`.

mod staging;

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, once, try_unfold};
use tokio_util::bytes::Bytes;

pub(crate) use self::staging::Staging;
use super::home::Home;
use crate::cloud::{CloudError, CloudResult, Content, Held, Object, ObjectSummary, Objects, Pieces};
use crate::model::S3Uri;
use crate::model::checksum::{Checking, ContentDigest};

/// How much of an object is read at a time, in bytes.
const PIECE: usize = 1024 * 1024;

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
        let found = metadata(&path).map_err(CloudError::io(format!("look up {}", path.display())))?;
        Ok(found.map(|metadata| metadata.len()))
    }

    async fn verify(&self, uri: &S3Uri, expected: &ContentDigest) -> CloudResult<Held> {
        let (path, expected) = (self.home.object(uri)?, expected.clone());
        let doing = CloudError::io(format!("read {}", path.display()));
        let held = tokio::task::spawn_blocking(move || held(&path, &expected)).await;
        held.map_err(|error| CloudError::Other(format!("reading ended: {error}")))?.map_err(doing)
    }

    async fn put(&self, uri: &S3Uri, content: Content) -> CloudResult<()> {
        let (home, uri) = (self.home.clone(), uri.clone());
        let stored = tokio::task::spawn_blocking(move || put(&home, &uri, content)).await;
        stored.map_err(|error| CloudError::Other(format!("storing ended: {error}")))?
    }

    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn Read + Send>> {
        let path = self.home.object(uri)?;
        match open(&path).map_err(CloudError::io(format!("read {}", path.display())))? {
            Some(file) => Ok(Box::new(file)),
            None => Err(CloudError::NotFound(uri.to_string())),
        }
    }

    async fn find(&self, uri: &S3Uri) -> CloudResult<Option<Object>> {
        let path = self.home.object(uri)?;
        let doing = || format!("read {}", path.display());
        let Some(file) = open(&path).map_err(CloudError::io(doing()))? else { return Ok(None) };
        let metadata = file.metadata().map_err(CloudError::io(doing()))?;
        Ok(Some(Object {
            uri: uri.clone(),
            size: metadata.len(),
            version: version(&metadata),
            version_id: None,
            checksum: None,
            file: Some(Arc::new(file)),
        }))
    }

    fn range(&self, object: &Object, range: Range<u64>) -> Pieces {
        let (file, path, uri) = (object.file.clone(), self.home.object(&object.uri), object.uri.clone());
        let file = file.map_or_else(
            || {
                open(&path?)
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
        once(async move { list(&self.home, &prefix) }).boxed()
    }

    /// A bucket is a folder, made when something is put there.
    async fn ensure_bucket(&self, _bucket: &str) -> CloudResult<()> {
        Ok(())
    }

    /// What was staged is removed as it is dropped.
    async fn abandon(&self) -> Vec<CloudError> {
        Vec::new()
    }
}

fn held(path: &Path, expected: &ContentDigest) -> io::Result<Held> {
    let Some(mut file) = open(path)? else { return Ok(Held::Nothing) };
    let is_expected =
        file.metadata()?.len() == expected.size && ContentDigest::of(&mut file, expected.size, |_| {})? == *expected;
    Ok(if is_expected { Held::Expected } else { Held::Other })
}

/// Copies a file into place.
fn put(home: &Home, uri: &S3Uri, mut content: Content) -> CloudResult<()> {
    let path = home.object(uri)?;
    let staging = Staging::open(home)?;
    let mut staged = staging.new_file()?;
    fill(staged.as_file_mut(), &mut content).map_err(CloudError::io(format!("store {}", path.display())))?;
    let size = staged.as_file().metadata().map_err(CloudError::io(format!("store {}", path.display())))?.len();
    Staging::store_file(staged, &path)?;
    (content.progress)(size);
    Ok(())
}

/// Gives a new object its content, sharing its blocks where the file system can.
pub(crate) fn fill(object: &mut File, content: &mut Content) -> io::Result<()> {
    content.file.rewind()?;
    io::copy(&mut content.file, object)?;
    check(object, content.digest.as_ref())?;
    seal(object)
}

/// Objects are their owner's alone, and read-only, lest somebody takes one for a file of their own.
pub(crate) fn seal(object: &File) -> io::Result<()> {
    object.set_permissions(fs::Permissions::from_mode(0o400))?;
    object.sync_data()
}

/// Opens a regular file, or what a link to one leads to. Never waits for a fifo's other end.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    if metadata(path)?.is_none() {
        return Ok(None);
    }
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Another file, or another content, has another one.
fn version(metadata: &Metadata) -> String {
    format!("{}-{}-{}.{:09}", metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

async fn read_piece(file: Arc<File>, range: Range<u64>) -> CloudResult<(Bytes, Arc<File>)> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(PIECE);
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; length];
        file.read_exact_at(&mut piece, range.start)?;
        Ok((Bytes::from(piece), file))
    });
    let read = read.await.map_err(|error| CloudError::Other(format!("reading ended: {error}")))?;
    read.map_err(CloudError::io("read an object"))
}

/// The copy is checked, not the file: that one may change at any time.
fn check(copy: &mut File, expected: Option<&ContentDigest>) -> io::Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    copy.rewind()?;
    let mut checking = Checking::new(expected.checksum());
    let mut piece = vec![0; PIECE];
    loop {
        let count = copy.read(&mut piece)?;
        checking.update(&piece[..count]);
        if count == 0 {
            break;
        }
    }
    if checking.finish() {
        return Ok(());
    }
    Err(io::Error::other("the file changed while it was read; submit again once it stays as it is"))
}

/// Every object whose key starts with the prefix's, by key.
pub(crate) fn list(home: &Home, prefix: &S3Uri) -> CloudResult<Vec<ObjectSummary>> {
    let (folder, _) = prefix.key().rsplit_once('/').unwrap_or(("", prefix.key()));
    let bucket =
        S3Uri::parse(&format!("s3://{}/", prefix.bucket())).map_err(|error| CloudError::Other(error.to_string()))?;
    let root = home.object(&bucket)?;
    let mut objects = Vec::new();
    walk(&home.object(&bucket.join(folder))?, &mut |path, metadata| {
        let key = path.strip_prefix(&root).unwrap_or(path).to_string_lossy();
        if key.starts_with(prefix.key()) {
            let (size, version) = (metadata.len(), version(metadata));
            objects.push(ObjectSummary { uri: bucket.join(&key), size, version });
        }
    })?;
    objects.sort_by(|a, b| a.uri.key().cmp(b.uri.key()));
    Ok(objects)
}

/// What is known of a file, or of what a link to one leads to. None for what is neither, and for what has gone.
fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata).filter(Metadata::is_file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A link that leads nowhere, or to itself, leads to nothing; an object can't be below another.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(nix::libc::ELOOP)
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path, &Metadata)) -> CloudResult<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        entries => entries.map_err(CloudError::io(format!("list {}", folder.display())))?,
    };
    for entry in entries {
        let (path, kind) = entry
            .and_then(|entry| Ok((entry.path(), entry.file_type()?)))
            .map_err(CloudError::io(format!("list {}", folder.display())))?;
        if kind.is_dir() {
            walk(&path, each)?;
        } else if let Some(metadata) = metadata(&path).map_err(CloudError::io(format!("look up {}", path.display())))? {
            each(&path, &metadata);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Checkpoints are written straight to their prefix, by scripts that know nothing of objects.
    #[test]
    fn only_files_are_objects() -> Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let home = Home::new(root.path().to_owned());
        let uri = S3Uri::parse("s3://bucket/checkpoints/")?;
        let folder = home.object(&uri)?;
        fs::create_dir_all(folder.join("step-1"))?;
        fs::write(folder.join("step-1/.new-weights"), "1234")?;
        symlink("step-1/.new-weights", folder.join("best"))?;
        symlink("step-1", folder.join("latest"))?;
        symlink(".", folder.join("self"))?;
        symlink("nowhere", folder.join("broken"))?;
        nix::unistd::mkfifo(&folder.join("fifo"), nix::sys::stat::Mode::S_IRWXU)?;
        let found: Vec<_> =
            list(&home, &uri)?.into_iter().map(|object| (object.uri.to_string(), object.size)).collect();
        let at = |below: &str| (format!("s3://bucket/checkpoints/{below}"), 4);
        assert_eq!(found, [at("best"), at("step-1/.new-weights")]);
        assert!(open(&folder.join("fifo"))?.is_none() && open(&folder.join("broken"))?.is_none());
        Ok(())
    }
}
