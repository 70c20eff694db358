//! Objects below a prefix: fetched side by side, each to its own file. There can be millions: what is known of them stands
//! in a [`manifest`](super::manifest), and a chunk of them is in memory at a time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::try_unfold;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use nix::fcntl::OFlag;

use super::archive::on_bytes;
use super::artifacts::{Artifact, Files};
use super::fetch::{Item, PART, To, fetch};
use super::keys::{Below, Clashes, below, refuse_unsafe};
use super::manifest::{Entries, Entry, Listing, Manifest, merge, remove};
use super::staging::{FILES, StagingDir, Target};
use super::verify::Checked;
use super::{SaveOptions, free_space};
use crate::archive::{DirHandle, Unpacked};
use crate::cloud::{Cloud, CloudError};
use crate::error::{Error, Result, WithContext};
use crate::model::checksum::Checksum;
use crate::model::{S3Uri, sha256};
use crate::ops::blocking;

/// How many objects are looked up at once.
const PARALLEL: usize = 16;
/// Objects that are in memory at a time.
const CHUNK: usize = 1000;

/// Leaves the files in a folder. None, and nothing there, where none of them is wanted.
pub(super) async fn save(
    cloud: &Cloud,
    files: Files<'_>,
    artifact: &Artifact,
    saving: &SaveOptions,
    path: PathBuf,
) -> Result<Option<Unpacked>> {
    let target = Target::new(path, saving);
    let partial = Arc::new(blocking(move || StagingDir::open(&target)).await?);
    let listing = list(files, &partial, artifact, saving).await?;
    let (count, bytes) = (listing.count, listing.bytes);
    if count == 0 {
        return Ok(None);
    }
    check_size(bytes, saving)?;
    let saved = fetch_all(cloud, &partial, listing, artifact, saving).await;
    saved.map_err(|error| partial.hint(error))?;
    blocking(move || partial.finish(FILES)).await?;
    Ok(Some(Unpacked { files: count, bytes, ..Unpacked::default() }))
}

/// Lists what is wanted to a file.
async fn list(
    files: Files<'_>,
    partial: &Arc<StagingDir>,
    artifact: &Artifact,
    saving: &SaveOptions,
) -> Result<Listing> {
    let (mut pages, folder) = (files.pages(), artifact.folder());
    let begun = partial.clone();
    let mut listing = blocking(move || Listing::begin(begun.handle()).context(|| writing(&begun))).await?;
    while let Some(page) = pages.try_next().await? {
        let wanted: Vec<_> = below(&folder, page).filter(|below| saving.wants(below.path())).collect();
        let to = partial.clone();
        listing = blocking(move || {
            wanted.iter().try_for_each(|below| refuse_unsafe(&below.key))?;
            wanted.iter().try_for_each(|below| listing.add(below)).context(|| writing(&to))?;
            Ok(listing)
        })
        .await?;
    }
    let to = partial.clone();
    blocking(move || {
        let listing = listing.finish().context(|| writing(&to))?;
        let mut clashes = Clashes::default();
        for below in listing.objects().context(|| writing(&to))? {
            clashes.refuse(&below.context(|| writing(&to))?.key)?;
        }
        Ok(listing)
    })
    .await
}

fn writing(partial: &StagingDir) -> String {
    format!("write what is fetched to {}", partial.path().display())
}

async fn fetch_all(
    cloud: &Cloud,
    partial: &Arc<StagingDir>,
    listing: Listing,
    artifact: &Artifact,
    saving: &SaveOptions,
) -> Result<()> {
    let (size, folder) = (listing.bytes, artifact.folder());
    let (to, from) = (partial.clone(), folder.clone());
    let begin = move || merge(to.handle(), &listing, &from).context(|| writing(&to));
    let (manifest, journal, files) = blocking(begin).await?;
    let (files, there) = (Arc::new(files), manifest.there);
    free_space::check(free_space::free(partial.handle(), partial.path())?.bytes, size - there, &artifact.uri)?;
    saving.watch.begins(&artifact.what, size, there, Some(partial.path()));
    let items = items(&manifest, folder.clone(), files.clone())?;
    fetch(&*cloud.objects, items, Some(Arc::new(journal)), &on_bytes(&saving.watch)).await?;
    check_all(cloud, &manifest, &folder, &files, artifact, saving).await
}

/// The entries of a manifest, so many at a time as are in memory.
fn chunks(manifest: &Manifest) -> Result<impl Stream<Item = Result<Vec<Entry>>> + use<>> {
    let reading = || "read what was noted of the objects".to_owned();
    let entries = manifest.entries().context(reading)?;
    Ok(try_unfold(entries, move |mut entries: Entries| {
        blocking(move || {
            let chunk = entries.by_ref().take(CHUNK).collect::<io::Result<Vec<_>>>().context(reading)?;
            Ok((!chunk.is_empty()).then_some((chunk, entries)))
        })
    }))
}

/// What is to be fetched of each object. An empty one has nothing that could be missing: its file may be there.
fn items(manifest: &Manifest, folder: S3Uri, files: Arc<DirHandle>) -> Result<impl Stream<Item = Result<Item>> + use<>> {
    let chunks = chunks(manifest)?.and_then(move |chunk| {
        let (folder, files) = (folder.clone(), files.clone());
        blocking(move || {
            let items: Vec<_> = chunk.into_iter().filter_map(|entry| item(&entry, &folder, &files)).collect();
            make_folders(&files, &items).context(|| "make the folders of what is fetched".to_owned())?;
            Ok(stream::iter(items.into_iter().map(Ok)))
        })
    });
    Ok(chunks.try_flatten())
}

fn item(entry: &Entry, folder: &S3Uri, files: &Arc<DirHandle>) -> Option<Item> {
    let below = &entry.below;
    let missing = entry.known.missing(below.size);
    let object = (!missing.is_empty() || below.size == 0).then(|| Arc::new(below.object(folder)))?;
    Some(Item { object, number: entry.number, missing, to: To::File(files.clone(), Arc::from(below.path())) })
}

fn make_folders(files: &DirHandle, items: &[Item]) -> io::Result<()> {
    let mut last = None;
    for item in items {
        let To::File(_, path) = &item.to else { continue };
        let folder = path.parent().unwrap_or(Path::new(""));
        // Keys are in order: those of one folder come one after the other.
        if last != Some(folder) {
            files.make_folders(folder)?;
            last = Some(folder);
        }
    }
    Ok(())
}

fn check_size(size: u64, saving: &SaveOptions) -> Result<()> {
    match saving.max_size {
        Some(most) if size > most => Err(Error::failure(format!("the files have {size} bytes, more than {most}"))
            .hint("allow more by --max-size SIZE")),
        _ => Ok(()),
    }
}

/// Holds all files against S3's checksums, and tells of them.
async fn check_all(
    cloud: &Cloud,
    manifest: &Manifest,
    folder: &S3Uri,
    files: &Arc<DirHandle>,
    artifact: &Artifact,
    saving: &SaveOptions,
) -> Result<()> {
    let mut chunks = std::pin::pin!(chunks(manifest)?);
    while let Some(chunk) = chunks.try_next().await? {
        let belows = stream::iter(chunk).map(|entry| with_checksum(cloud, folder, entry.below));
        let belows: Vec<_> = belows.buffered(PARALLEL).try_collect().await?;
        let (files, what, saving) = (files.clone(), artifact.what.clone(), saving.clone());
        let check = move |(below, checksum): &(Below, Option<Checksum>)| {
            check(&files, below, checksum.as_ref(), &what, &saving)
        };
        blocking(move || belows.iter().try_for_each(check)).await?;
    }
    Ok(())
}

/// An object with S3's checksum where it came in several pieces. Others came at once, and their requests brought their
/// checksums along.
async fn with_checksum(cloud: &Cloud, folder: &S3Uri, below: Below) -> Result<(Below, Option<Checksum>)> {
    if below.size <= PART {
        return Ok((below, None));
    }
    let object = below.object(folder);
    let found = cloud.objects.stat(&object.uri).await?;
    let found = found
        .filter(|found| found.size == object.size && (found.version == object.version || object.version.is_none()));
    match found {
        Some(found) => Ok((below, found.checksum)),
        None => Err(CloudError::Replaced(object.uri.to_string()).into()),
    }
}

/// Holds a file against S3's checksum, and tells of it.
fn check(files: &DirHandle, below: &Below, checksum: Option<&Checksum>, what: &str, saving: &SaveOptions) -> Result<()> {
    let path = below.path();
    let digest = saving.watch.digests();
    let mut sum = None;
    if digest || checksum.is_some() {
        let file = files.open_file(path, OFlag::O_RDONLY).context(|| reading(path))?;
        let mut file = Checked::new(file, checksum.cloned());
        let read = if digest {
            sha256(&mut file, |_| {}).map(Some)
        } else {
            io::copy(&mut file, &mut io::sink()).map(|_| None)
        };
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            // It is fetched again the next time.
            remove(files, path).context(|| format!("remove {}", path.display()))?;
        }
        sum = read.context(|| reading(path))?;
    }
    saving.watch.file(what, path, below.size, sum).context(|| reading(path))
}

fn reading(path: &Path) -> String {
    format!("read {}", path.display())
}
