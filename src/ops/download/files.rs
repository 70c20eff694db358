//! Objects below a prefix: fetched side by side, each to its own file.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use nix::fcntl::OFlag;

use super::archive::on_bytes;
use super::artifacts::Artifact;
use super::checked::Checked;
use super::extents::Extents;
use super::fetch::{Item, PART, To, fetch};
use super::journal::Journal;
use super::partial::{FILES, Partial, Target};
use super::{Saving, disk};
use crate::archive::{Handle, Unpacked};
use crate::cloud::{Cloud, Object};
use crate::error::{Doing, Error, Result};
use crate::model::checksum::Checksum;
use crate::model::{S3Uri, sha256};
use crate::ops::blocking;

/// How many objects are looked up at once.
const PARALLEL: usize = 16;

/// An object below a prefix. There can be millions: each holds little beyond its name.
#[derive(Clone, Debug)]
pub(super) struct Below {
    /// Key below the prefix, which can be anything.
    key: Box<str>,
    /// Bytes.
    pub(super) size: u64,
    version: Box<str>,
    /// The object as S3 describes it alone, with its checksum; only of one that comes in several pieces.
    found: Option<Box<Object>>,
}

impl Below {
    /// Path below the folder that it is saved to.
    pub(super) fn path(&self) -> &Path {
        Path::new(&*self.key)
    }

    /// The object, of those below `folder`.
    pub(super) fn object(&self, folder: &S3Uri) -> Object {
        if let Some(found) = &self.found {
            return (**found).clone();
        }
        let uri = folder.root().join(&format!("{}{}", folder.key(), self.key));
        let version = self.version.to_string();
        Object { uri, size: self.size, version, version_id: None, checksum: None, file: None }
    }

    fn checksum(&self) -> Option<&Checksum> {
        self.found.as_ref().and_then(|found| found.checksum.as_ref())
    }
}

/// What lies below a folder of S3's.
pub(super) fn below(folder: &S3Uri, objects: Vec<Object>) -> impl Iterator<Item = Below> {
    let below = move |object: Object| {
        let key = object.uri.key().strip_prefix(folder.key()).unwrap_or(object.uri.key());
        Below { key: key.into(), size: object.size, version: object.version.into(), found: None }
    };
    objects.into_iter().map(below)
}

/// Whether a path is one of theirs, which are sorted.
fn holds(all: &[Below], path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    all.binary_search_by(|below| below.key.as_bytes().cmp(path)).is_ok()
}

/// A path must stay in its folder.
fn refuse_unsafe(all: &[Below]) -> Result<()> {
    let is_plain = |part: &str| matches!(Path::new(part).components().next(), Some(Component::Normal(_)));
    let is_safe = |key: &str| key.split('/').all(is_plain) && !key.contains('\0');
    match all.iter().find(|below| !is_safe(&below.key)) {
        None => Ok(()),
        Some(Below { key, .. }) => {
            Err(Error::failure(format!("{key:?} can't be saved: it is no path of a file in a folder"))
                .hint("--only PATTERN fetches the others"))
        }
    }
}

/// In S3 there can be an object `a` beside `a/b`.
fn refuse_clashes(all: &[Below]) -> Result<()> {
    let is_file = |folder: &&Path| holds(all, folder);
    let clash = all.iter().find_map(|below| below.path().ancestors().skip(1).find(is_file));
    match clash {
        None => Ok(()),
        Some(path) => Err(Error::failure(format!("{} is both a file and a folder in S3", path.display()))
            .hint("--only PATTERN fetches one of them")),
    }
}

/// Leaves the files in a folder.
pub(super) async fn save(
    cloud: &Cloud,
    mut all: Vec<Below>,
    artifact: &Artifact,
    saving: &Saving,
    path: PathBuf,
) -> Result<Unpacked> {
    all.shrink_to_fit();
    all.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    refuse_unsafe(&all)?;
    refuse_clashes(&all)?;
    let target = Target::new(path, saving);
    let partial = Arc::new(blocking(move || Partial::open(&target)).await?);
    let all = Arc::new(with_checksums(cloud, &artifact.folder(), all).await?);
    let saved = fetch_all(cloud, &partial, &all, artifact, saving).await;
    let bytes = saved.map_err(|error| partial.hint(error))?;
    let finished = partial.clone();
    blocking(move || finished.finish(FILES)).await?;
    Ok(Unpacked { files: all.len(), bytes, ..Unpacked::default() })
}

async fn fetch_all(
    cloud: &Cloud,
    partial: &Arc<Partial>,
    all: &Arc<Vec<Below>>,
    artifact: &Artifact,
    saving: &Saving,
) -> Result<u64> {
    let size: u64 = all.iter().map(|below| below.size).sum();
    let folder = artifact.folder();
    let (begun, of, from) = (partial.clone(), all.clone(), folder.clone());
    let (files, journal, known) = blocking(move || begin(&begun, &of, &from)).await?;
    let files = Arc::new(files);
    let there: u64 = known.iter().map(Extents::total).sum();
    disk::check(disk::free(partial.handle(), partial.path())?.bytes, size - there, &artifact.uri)?;
    check_size(size, saving)?;
    saving.watch.begins(&artifact.what, size, there, Some(partial.path()));
    let items = items(all.clone(), known, folder, files.clone());
    fetch(&*cloud.objects, items, Some(Arc::new(journal)), &on_bytes(&saving.watch)).await?;
    let (of, what, saving) = (all.clone(), artifact.what.clone(), saving.clone());
    blocking(move || of.iter().try_for_each(|below| check(&files, below, &what, &saving))).await?;
    Ok(size)
}

/// What is to be fetched of each, made when its turn comes. An empty object has nothing that could be missing: its file may
/// be there.
fn items(
    all: Arc<Vec<Below>>,
    known: Vec<Extents>,
    folder: S3Uri,
    files: Arc<Handle>,
) -> impl Iterator<Item = Item> + Send {
    known.into_iter().enumerate().filter_map(move |(number, known)| {
        let below = all.get(number)?;
        let missing = known.missing(below.size);
        let object = (!missing.is_empty() || below.size == 0).then(|| Arc::new(below.object(&folder)))?;
        Some(Item { object, number, missing, to: To::File(files.clone(), Arc::from(below.path())) })
    })
}

fn check_size(size: u64, saving: &Saving) -> Result<()> {
    match saving.max_size {
        Some(most) if size > most => Err(Error::failure(format!("the files have {size} bytes, more than {most}"))
            .hint("allow more by --max-size SIZE")),
        _ => Ok(()),
    }
}

/// S3's checksums of those that come in several pieces. Others come at once, and the request brings their checksum along.
async fn with_checksums(cloud: &Cloud, folder: &S3Uri, mut all: Vec<Below>) -> Result<Vec<Below>> {
    let large = all.iter().enumerate().filter(|(_, below)| below.size > PART);
    let objects: Vec<_> = large.map(|(number, below)| (number, below.object(folder))).collect();
    let look_up = |(number, object): (usize, Object)| async move {
        let found = cloud.objects.find(&object.uri).await?;
        Ok::<_, Error>((number, found.unwrap_or(object)))
    };
    let mut found = stream::iter(objects).map(look_up).buffer_unordered(PARALLEL);
    while let Some((number, object)) = found.try_next().await? {
        all[number].size = object.size;
        all[number].found = Some(Box::new(object));
    }
    Ok(all)
}

/// Makes the folders, and takes away what an earlier download left that does not belong here any more.
fn begin(partial: &Partial, all: &[Below], folder: &S3Uri) -> Result<(Handle, Journal, Vec<Extents>)> {
    let files = partial.open_files()?;
    let doing = || format!("write what is fetched to {}", partial.path().display());
    clear(&files, Path::new(""), all).doing(doing)?;
    make_folders(&files, all).doing(doing)?;
    let objects = all.iter().map(|below| below.object(folder));
    let (journal, mut known) = Journal::begin(partial.handle(), objects).doing(doing)?;
    for (below, known) in all.iter().zip(&mut known) {
        check_length(&files, below, known).doing(doing)?;
    }
    Ok((files, journal, known))
}

fn make_folders(files: &Handle, all: &[Below]) -> io::Result<()> {
    let mut last = None;
    for folder in all.iter().map(|below| below.path().parent().unwrap_or(Path::new(""))) {
        // Keys are listed in order: those of one folder come one after the other.
        if last != Some(folder) {
            files.make_folders(folder)?;
            last = Some(folder);
        }
    }
    Ok(())
}

/// Forgets what is known of a file that is not as long as that.
fn check_length(files: &Handle, below: &Below, known: &mut Extents) -> io::Result<()> {
    let length = match files.open_file(below.path(), OFlag::O_RDONLY) {
        Ok(file) => file.metadata()?.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length > below.size || known.iter().any(|range| range.end > length) {
        *known = Extents::default();
        remove(files, below.path())?;
    }
    Ok(())
}

fn remove(files: &Handle, path: &Path) -> io::Result<()> {
    let folder = files.make_folders(path.parent().unwrap_or(Path::new("")))?;
    folder.remove(path.file_name().unwrap_or_default())
}

/// Takes away all but files of these paths.
fn clear(folder: &Handle, path: &Path, wanted: &[Below]) -> io::Result<()> {
    for (name, is_folder) in folder.entries(usize::MAX)? {
        let below = path.join(&name);
        if is_folder && !holds(wanted, &below) {
            let inner = folder.folder(&name)?;
            clear(&inner, &below, wanted)?;
            if inner.entries(1)?.is_empty() {
                folder.remove(&name)?;
            }
        } else if is_folder || !holds(wanted, &below) {
            folder.remove(&name)?;
        }
    }
    Ok(())
}

/// Holds a file against S3's checksum, and tells of it.
fn check(files: &Handle, below: &Below, what: &str, saving: &Saving) -> Result<()> {
    let (path, checksum) = (below.path(), below.checksum());
    let digest = saving.watch.digests();
    let mut sum = None;
    if digest || checksum.is_some() {
        let file = files.open_file(path, OFlag::O_RDONLY).doing(|| reading(path))?;
        let mut file = Checked::new(file, checksum.cloned());
        let read = if digest {
            sha256(&mut file, |_| {}).map(Some)
        } else {
            io::copy(&mut file, &mut io::sink()).map(|_| None)
        };
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            // It is fetched again the next time.
            remove(files, path).doing(|| format!("remove {}", path.display()))?;
        }
        sum = read.doing(|| reading(path))?;
    }
    saving.watch.file(what, path, below.size, sum).doing(|| reading(path))
}

fn reading(path: &Path) -> String {
    format!("read {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There can be millions below a prefix.
    #[test]
    fn little_is_held_of_an_object_beside_its_name_and_version() {
        assert!(size_of::<Below>() <= 48 && size_of::<Extents>() <= 24);
    }
}
