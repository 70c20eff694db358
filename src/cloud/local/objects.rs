//! S3 on this computer: `{home}/s3/{bucket}/{key}`.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use async_trait::async_trait;

use super::home::{Home, create_private_dir};
use crate::cloud::{CloudError, CloudResult, Content, ObjectSummary, Objects};
use crate::model::{S3Uri, hex, sha256};

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
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CloudError::io(format!("look up {}", path.display()))(error)),
        }
    }

    async fn put(&self, uri: &S3Uri, content: Content) -> CloudResult<()> {
        let (home, uri) = (self.home.clone(), uri.clone());
        let stored = tokio::task::spawn_blocking(move || put(&home, &uri, content)).await;
        stored.map_err(|error| CloudError::Other(format!("storing ended: {error}")))?
    }

    async fn get(&self, uri: &S3Uri) -> CloudResult<Box<dyn Read + Send>> {
        let path = self.home.object(uri)?;
        match File::open(&path) {
            Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => Ok(Box::new(file)),
            Ok(_) => Err(CloudError::NotFound(uri.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CloudError::NotFound(uri.to_string())),
            Err(error) => Err(CloudError::io(format!("read {}", path.display()))(error)),
        }
    }

    async fn list(&self, prefix: &S3Uri) -> CloudResult<Vec<ObjectSummary>> {
        list(&self.home, prefix)
    }
}

/// Copies a file into place, sharing its blocks where the file system can. Objects are read-only: what is stored by
/// content stays what it was.
pub(crate) fn put(home: &Home, uri: &S3Uri, mut content: Content) -> CloudResult<()> {
    let path = home.object(uri)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    create_private_dir(folder)?;
    let mut store = || {
        let mut staged = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        content.file.rewind()?;
        io::copy(&mut content.file, staged.as_file_mut())?;
        check(staged.as_file_mut(), content.sha256.as_deref())?;
        staged.as_file().set_permissions(fs::Permissions::from_mode(0o444))?;
        staged.as_file().sync_data()?;
        staged.persist(&path).map(drop).map_err(|error| error.error)
    };
    store().map_err(CloudError::io(format!("store {}", path.display())))
}

/// The copy is checked, not the file: that one may change at any time.
fn check(copy: &mut File, expected: Option<&str>) -> io::Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    copy.rewind()?;
    if hex(&sha256(copy, |_| {})?) == expected {
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
    walk(&home.object(&bucket.join(folder))?, &mut |path, size| {
        let key = path.strip_prefix(&root).unwrap_or(path).to_string_lossy();
        if key.starts_with(prefix.key()) {
            objects.push(ObjectSummary { uri: bucket.join(&key), size });
        }
    })?;
    objects.sort_by(|a, b| a.uri.key().cmp(b.uri.key()));
    Ok(objects)
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path, u64)) -> CloudResult<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        entries => entries.map_err(CloudError::io(format!("list {}", folder.display())))?,
    };
    for entry in entries {
        let (path, metadata) = entry
            .and_then(|entry| Ok((entry.path(), entry.metadata()?)))
            .map_err(CloudError::io(format!("list {}", folder.display())))?;
        if metadata.is_dir() {
            walk(&path, each)?;
        } else if !is_staged(&path) {
            each(&path, metadata.len());
        }
    }
    Ok(())
}

/// A file that is still being stored, or whose storing was killed.
fn is_staged(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".new-"))
}
