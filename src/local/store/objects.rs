//! Objects as files: `{home}/s3/{bucket}/{key}`.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::layout::Home;
use crate::local::{LocalError, LocalResult};
use crate::model::checksum::{ChecksumVerifier, ContentDigest};
use crate::model::{S3Uri, artifacts};

/// Read size when a copy is verified, in bytes.
const VERIFY_BUFFER_BYTES: usize = 1024 * 1024;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredObject {
    pub(crate) uri: S3Uri,
    /// Size in bytes.
    pub(crate) size: u64,
    /// Changes with the content, like an ETag.
    pub(crate) version: String,
}

/// Copies a file to a new object, sharing its blocks where the file system supports it, and verifies the copy.
pub(crate) fn fill(object: &mut File, content: &mut File, expected: Option<&ContentDigest>) -> io::Result<()> {
    content.rewind()?;
    io::copy(content, object)?;
    check(object, expected)?;
    seal(object)
}

/// Makes an object read-only for its owner, so that nobody edits it by mistake, and syncs it to disk.
pub(crate) fn seal(object: &File) -> io::Result<()> {
    object.set_permissions(fs::Permissions::from_mode(0o400))?;
    object.sync_data()
}

/// Opens a regular file, following links; `None` if it is missing or something else. Never blocks on a FIFO.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    if metadata(path)?.is_none() {
        return Ok(None);
    }
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Returns a file's version: inode, size and modification time.
pub(crate) fn version(metadata: &Metadata) -> String {
    format!("{}-{}-{}.{:09}", metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// Verifies the copy rather than the file, which may change at any time.
fn check(copy: &mut File, expected: Option<&ContentDigest>) -> io::Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    copy.rewind()?;
    let mut checking = ChecksumVerifier::new(expected.checksum());
    let mut piece = vec![0; VERIFY_BUFFER_BYTES];
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

/// Lists the objects whose keys start with the prefix's, by key.
pub(crate) fn list(home: &Home, prefix: &S3Uri) -> LocalResult<Vec<StoredObject>> {
    let (folder, _) = prefix.key().rsplit_once('/').unwrap_or(("", prefix.key()));
    let bucket =
        S3Uri::parse(&format!("s3://{}/", prefix.bucket())).map_err(|error| LocalError::Other(error.to_string()))?;
    let root = home.object(&bucket)?;
    let mut objects = Vec::new();
    walk(&home.object(&bucket.join(folder))?, &mut |path, metadata| {
        let key = path.strip_prefix(&root).unwrap_or(path).to_string_lossy();
        if key.starts_with(prefix.key()) {
            objects.push(StoredObject { uri: bucket.join(&key), size: metadata.len(), version: version(metadata) });
        }
    })?;
    objects.sort_by(|a, b| a.uri.key().cmp(b.uri.key()));
    Ok(objects)
}

/// Lists the objects below a prefix that a job may read, which is not the output of jobs. See
/// [`artifacts::is_own_output`].
pub(crate) fn list_for_channel(home: &Home, prefix: &S3Uri, output: &str) -> LocalResult<Vec<StoredObject>> {
    let mut objects = list(home, prefix)?;
    objects.retain(|object| !artifacts::is_own_output(&object.uri, prefix, output));
    Ok(objects)
}

/// Returns a regular file's metadata, following links; `None` if it is missing or something else.
pub(crate) fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata).filter(Metadata::is_file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether an error means that there is no file: a dangling or circular link, or a path below a file.
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

    /// Scripts write checkpoints directly to their prefix, and know nothing of objects.
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
