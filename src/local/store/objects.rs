//! The files that play S3: `{home}/s3/{bucket}/{key}`.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::layout::Home;
use crate::local::{LocalError, LocalResult};
use crate::model::S3Uri;
use crate::model::checksum::{ChecksumVerifier, ContentDigest};

/// Bytes that are read at a time to check a copy.
const BUFFER: usize = 1024 * 1024;

/// One object of a listing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredObject {
    pub(crate) uri: S3Uri,
    /// Bytes.
    pub(crate) size: u64,
    /// Changes with the content, as an ETag does.
    pub(crate) version: String,
}

/// Gives a new object its content, sharing its blocks where the file system can.
pub(crate) fn fill(object: &mut File, content: &mut File, expected: Option<&ContentDigest>) -> io::Result<()> {
    content.rewind()?;
    io::copy(content, object)?;
    check(object, expected)?;
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
pub(crate) fn version(metadata: &Metadata) -> String {
    format!("{}-{}-{}.{:09}", metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// The copy is checked, not the file: that one may change at any time.
fn check(copy: &mut File, expected: Option<&ContentDigest>) -> io::Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    copy.rewind()?;
    let mut checking = ChecksumVerifier::new(expected.checksum());
    let mut piece = vec![0; BUFFER];
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
pub(crate) fn list(home: &Home, prefix: &S3Uri) -> LocalResult<Vec<StoredObject>> {
    let (folder, _) = prefix.key().rsplit_once('/').unwrap_or(("", prefix.key()));
    let bucket =
        S3Uri::parse(&format!("s3://{}/", prefix.bucket())).map_err(|error| LocalError::Other(error.to_string()))?;
    let root = home.object(&bucket)?;
    let mut objects = Vec::new();
    walk(&home.object(&bucket.join(folder))?, &mut |path, metadata| {
        let key = path.strip_prefix(&root).unwrap_or(path).to_string_lossy();
        if key.starts_with(prefix.key()) {
            let (size, version) = (metadata.len(), version(metadata));
            objects.push(StoredObject { uri: bucket.join(&key), size, version });
        }
    })?;
    objects.sort_by(|a, b| a.uri.key().cmp(b.uri.key()));
    Ok(objects)
}

/// What is known of a file, or of what a link to one leads to. None for what is neither, and for what has gone.
pub(crate) fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
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

fn walk(folder: &Path, each: &mut impl FnMut(&Path, &Metadata)) -> LocalResult<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        entries => entries.map_err(LocalError::io(format!("list {}", folder.display())))?,
    };
    for entry in entries {
        let (path, kind) = entry
            .and_then(|entry| Ok((entry.path(), entry.file_type()?)))
            .map_err(LocalError::io(format!("list {}", folder.display())))?;
        if kind.is_dir() {
            walk(&path, each)?;
        } else if let Some(metadata) = metadata(&path).map_err(LocalError::io(format!("look up {}", path.display())))? {
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
