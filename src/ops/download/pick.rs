//! Writes one file of an artifact to a writer, and tells bytes that turn out to be damaged after they were written.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::TryStreamExt;

use super::artifacts::{ArtifactSource, ObjectPages, Stored};
use super::keys;
use super::object_reader;
use super::watch::Watch;
use crate::archive::{UnpackError, UnpackLimits, pick as pick_file};
use crate::cloud::{Cloud, Object};
use crate::error::Result;

/// Size of the buffer for copying a file to the writer, in bytes.
const COPY_BUFFER_BYTES: usize = 256 * 1024;

/// Writes the bytes of the file at `path`. Returns `false` if the artifact has no such file. Objects are read to their
/// end, where their checksums are verified: an error after bytes were written says that these can't be trusted.
pub(super) async fn pick_from<W: Write + Send + 'static>(
    cloud: &Cloud,
    artifact: &ArtifactSource,
    stored: Stored<'_>,
    path: &Path,
    watch: &Arc<dyn Watch>,
    to: W,
) -> Result<bool> {
    let has_written = Arc::new(AtomicBool::new(false));
    let mut to = NotedWriter { to, has_written: has_written.clone() };
    let found = match stored {
        Stored::Archive(object) => {
            let path = path.to_owned();
            let pick = move |bytes| pick_file(bytes, &UnpackLimits::default(), &path, &mut to);
            object_reader::read(cloud, &object, watch, pick).await
        }
        Stored::File(object) => {
            let object = Some(object).filter(|_| path == Path::new(&artifact.name));
            copy_object(cloud, object, watch, to).await
        }
        Stored::Files(files) => copy_object(cloud, find_file(files, artifact, path).await?, watch, to).await,
    };
    found.map(|found| found.is_some()).map_err(|error| {
        if has_written.load(Ordering::Relaxed) {
            error.hint("the bytes on stdout can't be trusted, they are wrong or incomplete: discard them")
        } else {
            error
        }
    })
}

/// Finds the object at a path below a prefix.
async fn find_file(files: ObjectPages<'_>, artifact: &ArtifactSource, path: &Path) -> Result<Option<Object>> {
    let folder = artifact.folder();
    let mut pages = files.pages();
    while let Some(page) = pages.try_next().await? {
        if let Some(found) = keys::prefix_entries(&folder, page).find(|below| below.path() == path) {
            return Ok(Some(found.object(&folder)));
        }
    }
    Ok(None)
}

/// Copies an object's bytes. Returns their number, or `None` without an object.
async fn copy_object(
    cloud: &Cloud,
    object: Option<Object>,
    watch: &Arc<dyn Watch>,
    mut to: impl Write + Send + 'static,
) -> Result<Option<u64>> {
    let Some(object) = object else { return Ok(None) };
    let copy = move |mut bytes: object_reader::VerifiedObjectReader| {
        let mut buffer = vec![0; COPY_BUFFER_BYTES];
        let mut copied = 0;
        loop {
            let count = bytes.read(&mut buffer).map_err(UnpackError::DamagedFile)?;
            if count == 0 {
                return Ok(copied);
            }
            to.write_all(&buffer[..count]).map_err(UnpackError::Output)?;
            copied += count as u64;
        }
    };
    object_reader::read(cloud, &object, watch, copy).await.map(Some)
}

/// A writer that notes that it has written.
struct NotedWriter<W> {
    to: W,
    has_written: Arc<AtomicBool>,
}

impl<W: Write> Write for NotedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.has_written.store(true, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
