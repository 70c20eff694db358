//! Objects below a prefix: fetched side by side, each to its own file.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::archive::on_bytes;
use super::artifacts::Artifact;
use super::checked::Checked;
use super::extents::Extents;
use super::fetch::{Item, PART, To, fetch};
use super::journal::Journal;
use super::partial::{Partial, Target};
use super::{Saving, disk};
use crate::archive::Unpacked;
use crate::cloud::{Cloud, Object};
use crate::error::{Doing, Error, Result};
use crate::model::sha256;
use crate::ops::blocking;

/// How many objects are looked up at once.
const PARALLEL: usize = 16;

/// An object, and its path below the prefix, which can be anything.
#[derive(Clone, Debug)]
pub(super) struct Below {
    pub(super) path: PathBuf,
    pub(super) object: Object,
}

/// What lies below an artifact's prefix.
pub(super) fn below(artifact: &Artifact, objects: Vec<Object>) -> Vec<Below> {
    let prefix = artifact.uri.join("");
    let below = |object: Object| {
        let key = object.uri.key().strip_prefix(prefix.key()).unwrap_or(object.uri.key());
        Below { path: PathBuf::from(key), object }
    };
    objects.into_iter().map(below).collect()
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
    let files: HashSet<&Path> = all.iter().map(|below| below.path.as_path()).collect();
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
    blocking(move || finished.finish(&finished.files())).await?;
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
    let (journal, known) = blocking(move || begin(&begun, &of)).await?;
    let there: u64 = known.iter().map(Extents::total).sum();
    disk::check(disk::free(partial.folder())?, size - there, &artifact.uri)?;
    check_size(size, saving)?;
    saving.watch.begins(&artifact.what, size, there, Some(partial.folder()));
    let files = partial.files();
    let items = all.iter().zip(known).enumerate().map(|(number, (below, known))| Item {
        missing: known.missing(below.object.size),
        object: Arc::new(below.object.clone()),
        number,
        to: To::File(files.join(&below.path)),
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
        Ok(Below { object: found.unwrap_or(below.object), path: below.path })
    };
    stream::iter(all).map(look_up).buffered(PARALLEL).try_collect().await
}

/// Makes the folders, and takes away what an earlier download left that does not belong here any more.
fn begin(partial: &Partial, all: &[Below]) -> Result<(Journal, Vec<Extents>)> {
    let (files, notes) = (partial.files(), partial.journal());
    let doing = || format!("write {}", files.display());
    fs::create_dir_all(&files).doing(doing)?;
    let wanted: HashSet<&Path> = all.iter().map(|below| below.path.as_path()).collect();
    clear(&files, &files, &wanted).doing(doing)?;
    for below in all {
        fs::create_dir_all(files.join(below.path.parent().unwrap_or(Path::new("")))).doing(doing)?;
    }
    let objects: Vec<Object> = all.iter().map(|below| below.object.clone()).collect();
    let (journal, mut known) = Journal::begin(&notes, &objects).doing(|| format!("write {}", notes.display()))?;
    for (below, known) in all.iter().zip(&mut known) {
        let length = files.join(&below.path).symlink_metadata().map_or(0, |file| file.len());
        if length > below.object.size || known.iter().any(|range| range.end > length) {
            *known = Extents::default();
            let _absent = fs::remove_file(files.join(&below.path));
        }
    }
    Ok((journal, known))
}

fn clear(root: &Path, folder: &Path, wanted: &HashSet<&Path>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let below = path.strip_prefix(root).unwrap_or(&path);
        if !entry.file_type()?.is_dir() {
            if !wanted.contains(below) {
                fs::remove_file(&path)?;
            }
        } else if wanted.contains(below) {
            fs::remove_dir_all(&path)?;
        } else {
            clear(root, &path, wanted)?;
            // Only goes where it is empty.
            let _in_use = fs::remove_dir(&path);
        }
    }
    Ok(())
}

/// Holds a file against S3's checksum, and tells of it.
fn check(files: &Path, below: &Below, what: &str, saving: &Saving) -> Result<()> {
    let Below { path, object } = below;
    let digest = saving.watch.digests();
    let mut sum = None;
    if digest || object.checksum.is_some() {
        let mut file = Checked::new(File::open(files.join(path)).doing(|| reading(path))?, object.checksum.clone());
        let read = if digest {
            sha256(&mut file, |_| {}).map(Some)
        } else {
            io::copy(&mut file, &mut io::sink()).map(|_| None)
        };
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            // It is fetched again the next time.
            let _left = fs::remove_file(files.join(path));
        }
        sum = read.doing(|| reading(path))?;
    }
    saving.watch.file(what, path, object.size, sum).doing(|| reading(path))
}

fn reading(path: &Path) -> String {
    format!("read {}", path.display())
}
