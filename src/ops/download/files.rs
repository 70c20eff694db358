//! Objects below a prefix: fetched side by side, each to its own file.

use std::collections::HashSet;
use std::io;
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
use crate::model::sha256;
use crate::ops::blocking;

/// How many objects are looked up at once.
const PARALLEL: usize = 16;

/// An object, and its path below the prefix, which can be anything.
#[derive(Clone, Debug)]
pub(super) struct Below {
    pub(super) path: Arc<Path>,
    pub(super) object: Arc<Object>,
}

/// What lies below an artifact's prefix.
pub(super) fn below(artifact: &Artifact, objects: Vec<Object>) -> impl Iterator<Item = Below> {
    let prefix = artifact.uri.join("");
    let below = move |object: Object| {
        let key = object.uri.key().strip_prefix(prefix.key()).unwrap_or(object.uri.key());
        Below { path: Arc::from(Path::new(key)), object: Arc::new(object) }
    };
    objects.into_iter().map(below)
}

/// A path must stay in its folder.
fn refuse_unsafe(all: &[Below]) -> Result<()> {
    let is_plain = |part: &str| matches!(Path::new(part).components().next(), Some(Component::Normal(_)));
    let is_safe = |key: &str| key.split('/').all(is_plain) && !key.contains('\0');
    match all.iter().find(|below| !below.path.to_str().is_some_and(is_safe)) {
        None => Ok(()),
        Some(Below { path, .. }) => {
            let name = path.to_string_lossy();
            Err(Error::failure(format!("{name:?} can't be saved: it is no path of a file in a folder"))
                .hint("--only PATTERN fetches the others"))
        }
    }
}

/// In S3 there can be an object `a` beside `a/b`.
fn refuse_clashes(all: &[Below]) -> Result<()> {
    let files: HashSet<&Path> = all.iter().map(|below| &*below.path).collect();
    let clash = all.iter().find_map(|below| below.path.ancestors().skip(1).find(|folder| files.contains(folder)));
    match clash {
        None => Ok(()),
        Some(path) => Err(Error::failure(format!("{} is both a file and a folder in S3", path.display()))
            .hint("--only PATTERN fetches one of them")),
    }
}

/// Leaves the files in a folder.
pub(super) async fn save(
    cloud: &Cloud,
    all: Vec<Below>,
    artifact: &Artifact,
    saving: &Saving,
    path: PathBuf,
) -> Result<Unpacked> {
    refuse_unsafe(&all)?;
    refuse_clashes(&all)?;
    let target = Target::new(path, saving);
    let partial = Arc::new(blocking(move || Partial::open(&target)).await?);
    let all = Arc::new(with_checksums(cloud, all).await?);
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
    let size: u64 = all.iter().map(|below| below.object.size).sum();
    let (begun, of) = (partial.clone(), all.clone());
    let (files, journal, known) = blocking(move || begin(&begun, &of)).await?;
    let files = Arc::new(files);
    let there: u64 = known.iter().map(Extents::total).sum();
    disk::check(disk::free(partial.handle(), partial.path())?.bytes, size - there, &artifact.uri)?;
    check_size(size, saving)?;
    saving.watch.begins(&artifact.what, size, there, Some(partial.path()));
    let items = all.iter().zip(known).enumerate().map(|(number, (below, known))| Item {
        missing: known.missing(below.object.size),
        object: below.object.clone(),
        number,
        to: To::File(files.clone(), below.path.clone()),
    });
    // An empty object has nothing that could be missing: its file may be there.
    let items = items.filter(|item| !item.missing.is_empty() || item.object.size == 0).collect();
    fetch(&*cloud.objects, items, Some(Arc::new(journal)), &on_bytes(&saving.watch)).await?;
    let (of, what, saving) = (all.clone(), artifact.what.clone(), saving.clone());
    blocking(move || of.iter().try_for_each(|below| check(&files, below, &what, &saving))).await?;
    Ok(size)
}

fn check_size(size: u64, saving: &Saving) -> Result<()> {
    match saving.max_size {
        Some(most) if size > most => Err(Error::failure(format!("the files have {size} bytes, more than {most}"))
            .hint("allow more by --max-size SIZE")),
        _ => Ok(()),
    }
}

/// S3's checksums of those that come in several pieces.
async fn with_checksums(cloud: &Cloud, all: Vec<Below>) -> Result<Vec<Below>> {
    let look_up = |below: Below| async move {
        // Others come at once, and the request brings their checksum along.
        if below.object.size <= PART {
            return Ok(below);
        }
        let found = cloud.objects.find(&below.object.uri).await?;
        Ok(Below { object: found.map_or(below.object, Arc::new), path: below.path })
    };
    stream::iter(all).map(look_up).buffered(PARALLEL).try_collect().await
}

/// Makes the folders, and takes away what an earlier download left that does not belong here any more.
fn begin(partial: &Partial, all: &[Below]) -> Result<(Handle, Journal, Vec<Extents>)> {
    let files = partial.open_files()?;
    let doing = || format!("write what is fetched to {}", partial.path().display());
    let wanted: HashSet<&Path> = all.iter().map(|below| &*below.path).collect();
    clear(&files, Path::new(""), &wanted).doing(doing)?;
    make_folders(&files, all).doing(doing)?;
    let objects = all.iter().map(|below| &*below.object);
    let (journal, mut known) = Journal::begin(partial.handle(), objects).doing(doing)?;
    for (below, known) in all.iter().zip(&mut known) {
        check_length(&files, below, known).doing(doing)?;
    }
    Ok((files, journal, known))
}

fn make_folders(files: &Handle, all: &[Below]) -> io::Result<()> {
    let mut last = None;
    for folder in all.iter().map(|below| below.path.parent().unwrap_or(Path::new(""))) {
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
    let length = match files.open_file(&below.path, OFlag::O_RDONLY) {
        Ok(file) => file.metadata()?.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length > below.object.size || known.iter().any(|range| range.end > length) {
        *known = Extents::default();
        remove(files, &below.path)?;
    }
    Ok(())
}

fn remove(files: &Handle, path: &Path) -> io::Result<()> {
    let folder = files.make_folders(path.parent().unwrap_or(Path::new("")))?;
    folder.remove(path.file_name().unwrap_or_default())
}

/// Takes away all but files of these paths.
fn clear(folder: &Handle, path: &Path, wanted: &HashSet<&Path>) -> io::Result<()> {
    for (name, is_folder) in folder.entries(usize::MAX)? {
        let below = path.join(&name);
        if is_folder && !wanted.contains(&*below) {
            let inner = folder.folder(&name)?;
            clear(&inner, &below, wanted)?;
            if inner.entries(1)?.is_empty() {
                folder.remove(&name)?;
            }
        } else if is_folder || !wanted.contains(&*below) {
            folder.remove(&name)?;
        }
    }
    Ok(())
}

/// Holds a file against S3's checksum, and tells of it.
fn check(files: &Handle, below: &Below, what: &str, saving: &Saving) -> Result<()> {
    let Below { path, object } = below;
    let digest = saving.watch.digests();
    let mut sum = None;
    if digest || object.checksum.is_some() {
        let file = files.open_file(path, OFlag::O_RDONLY).doing(|| reading(path))?;
        let mut file = Checked::new(file, object.checksum.clone());
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
    saving.watch.file(what, path, object.size, sum).doing(|| reading(path))
}

fn reading(path: &Path) -> String {
    format!("read {}", path.display())
}
