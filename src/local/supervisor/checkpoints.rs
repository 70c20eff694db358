//! The folder of a job's checkpoints: the files that local jobs wrote, laid over those that S3 has.
//!
//! The folder is the prefix in the local object store itself, so that checkpoints are stored as they are written and the
//! next job finds them. What S3 has is copied among them. A note of each copy tells it from a file that a job wrote: a
//! copy follows S3, and a job's own file stays.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use crate::contract::Layout;
use crate::local::store::layout::{self, Home, create_private_dir};
use crate::local::store::staging::Staging;
use crate::local::store::{copies, objects, private_file};
use crate::local::{LocalError, LocalResult};
use crate::model::S3Uri;
use crate::model::copies::{self as names, CopiedObject};
use crate::model::request::CreateTrainingJobRequest;

/// Note of a copy among the checkpoints.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LaidCopy {
    key: String,
    /// The object's ETag in S3.
    version: Option<String>,
    /// Versions that the file has as a copy: that of before, in case a kill comes between the note and the file, and the
    /// newest one.
    files: Vec<String>,
}

/// Notes by key.
type LaidCopies = BTreeMap<String, LaidCopy>;

/// Links the checkpoints' folder to its objects, after what S3 has was copied there.
pub(super) fn link(
    home: &Home,
    layout: &Layout,
    request: &CreateTrainingJobRequest,
    list: Option<&str>,
) -> LocalResult<()> {
    let config = request.checkpoint_config.as_ref();
    let location = layout.checkpoints(config.and_then(|config| config.local_path.as_deref()));
    let location =
        location.ok_or_else(|| LocalError::Other("checkpoints can't be kept where the request has them".into()))?;
    let Some(config) = config else { return create_private_dir(&location) };
    let stored = S3Uri::parse(&config.s3_uri).map_err(|error| LocalError::Other(format!("checkpoints: {error}")))?;
    let folder = home.trusted_object(&stored)?;
    create_private_dir(&folder)?;
    if let Some(list) = list {
        // The prefix of a list ends in a slash.
        lay(home, &stored.join(""), list, &folder)?;
    }
    create_private_dir(location.parent().unwrap_or(&location))?;
    symlink(&folder, &location).map_err(LocalError::io(format!("link {}", location.display())))
}

/// Makes the copies in the folder what the list says, under a lock.
fn lay(home: &Home, prefix: &S3Uri, list: &str, folder: &Path) -> LocalResult<()> {
    let listed = copies::read(home, prefix, list)?;
    let notes = home.trusted_object(&names::laid(prefix))?;
    let locking = || LocalError::io(format!("lock the notes of copies {}", notes.display()));
    let lock = File::open(notes.parent().unwrap_or(&notes)).map_err(locking())?;
    lock.lock().map_err(locking())?;
    let laid = read_notes(&notes)?;
    let staging = Staging::open(home)?;
    let mut next = LaidCopies::new();
    let mut files = Vec::new();
    for object in listed {
        let path = path_of(folder, prefix, &object.key)?;
        let before = laid.get(&object.key);
        let (note, file) = renew(home, prefix, &object, before, &path, &staging)?;
        next.extend(note.map(|note| (object.key.clone(), note)));
        files.extend(file.map(|file| (file, path)));
    }
    let dropped: Vec<&LaidCopy> = laid.values().filter(|copy| !next.contains_key(&copy.key)).collect();
    for copy in &dropped {
        remove_copy(copy, &path_of(folder, prefix, &copy.key)?)?;
    }
    write_notes(&notes, &next)?;
    files.into_iter().try_for_each(|(file, path)| put(file, &path))
}

/// Moves a file to its path, replacing the copy of before.
fn put(file: TempPath, path: &Path) -> LocalResult<()> {
    create_private_dir(path.parent().unwrap_or(path))?;
    let stored = file.persist(path).map_err(|error| error.error);
    stored.map_err(LocalError::io(format!("store {}", path.display())))
}

/// Returns the note of an object, and the file to put in its place. A file that a job wrote has no note; a copy of the
/// same version stays.
fn renew(
    home: &Home,
    prefix: &S3Uri,
    object: &CopiedObject,
    before: Option<&LaidCopy>,
    path: &Path,
    staging: &Staging,
) -> LocalResult<(Option<LaidCopy>, Option<TempPath>)> {
    let known = before.map(|copy| copy.files.as_slice()).unwrap_or_default();
    let file = file_version(path)?;
    if file.as_ref().is_some_and(|file| !known.contains(file)) {
        return Ok((None, None));
    }
    let is_newest = file.is_some() && file.as_ref() == known.last();
    let is_current = object.version.is_some() && before.is_some_and(|copy| copy.version == object.version);
    if is_newest && is_current {
        return Ok((before.cloned(), None));
    }
    let from = copies::content(home, prefix, object)?;
    let staged = staging.new_file()?;
    let copy = || {
        io::copy(&mut File::open(&from)?, &mut staged.as_file())?;
        staged.as_file().sync_data()?;
        Ok(objects::version(&staged.as_file().metadata()?))
    };
    let version = copy().map_err(LocalError::io(format!("copy {} to {}", from.display(), path.display())))?;
    let files = file.into_iter().chain([version]).collect();
    let note = LaidCopy { key: object.key.clone(), version: object.version.clone(), files };
    // Closed, because there can be more than the process may have open.
    Ok((Some(note), Some(staged.into_temp_path())))
}

/// Removes a copy that S3 no longer has, unless a job wrote to it.
fn remove_copy(copy: &LaidCopy, path: &Path) -> LocalResult<()> {
    if file_version(path)?.is_some_and(|file| copy.files.contains(&file)) {
        fs::remove_file(path).map_err(LocalError::io(format!("remove {}", path.display())))?;
    }
    Ok(())
}

/// Returns the version of what is at the path; `None` if nothing is.
fn file_version(path: &Path) -> LocalResult<Option<String>> {
    match path.symlink_metadata() {
        Ok(about) => Ok(Some(objects::version(&about))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(LocalError::io(format!("look up {}", path.display()))(error)),
    }
}

fn path_of(folder: &Path, prefix: &S3Uri, key: &str) -> LocalResult<PathBuf> {
    let path = names::path_below(key, prefix.key());
    let path = path.ok_or_else(|| LocalError::Other(format!("{} can't be a file", prefix.root().join(key))))?;
    Ok(folder.join(path))
}

/// Reads the notes. Without them, every file counts as written by a job.
fn read_notes(path: &Path) -> LocalResult<LaidCopies> {
    let text = match private_file::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LaidCopies::new()),
        text => text.map_err(LocalError::io(format!("read {}", path.display())))?,
    };
    let notes = serde_json::Deserializer::from_slice(&text).into_iter::<LaidCopy>();
    let by_key = notes.map(|note| note.map(|note| (note.key.clone(), note))).collect::<Result<_, _>>();
    by_key.map_err(|error| LocalError::io(format!("read {}", path.display()))(error.into()))
}

fn write_notes(path: &Path, notes: &LaidCopies) -> LocalResult<()> {
    let writing = || LocalError::io(format!("write {}", path.display()));
    let mut text = Vec::new();
    for note in notes.values() {
        serde_json::to_writer(&mut text, note).map_err(|error| writing()(error.into()))?;
        text.write_all(b"\n").map_err(writing())?;
    }
    layout::replace(path, &text)
}
