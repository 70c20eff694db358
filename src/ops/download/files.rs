//! Downloads the objects below a prefix, each to a file of its own.
//!
//! There can be millions of objects. Their list is in a [`manifest`](super::manifest) on disk, and at most
//! [`CHUNK_OBJECTS`] of them are in memory at a time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, try_unfold};
use futures_util::{Stream, StreamExt, TryStreamExt};
use nix::fcntl::OFlag;

use super::artifacts::{ArtifactSource, ObjectPages};
use super::fetch::{FetchItem, FetchTarget, RANGE_BYTES, fetch};
use super::free_space;
use super::keys::{Clashes, PrefixEntry, prefix_entries, refuse_unsafe};
use super::layout::FILES;
use super::manifest::{Manifest, ManifestEntries, ManifestEntry, ObjectListing, merge, remove};
use super::options::SaveOptions;
use super::staging::{StagingDir, Target};
use super::verify::VerifyingReader;
use super::watch::on_bytes;
use crate::archive::{DirHandle, Unpacked};
use crate::cloud::{Cloud, CloudError};
use crate::error::{Error, Result, WithContext};
use crate::model::checksum::Checksum;
use crate::model::{S3Uri, sha256};
use crate::ops::blocking;

/// Maximum number of concurrent HeadObject calls.
const MAX_CONCURRENT_STATS: usize = 16;
/// Maximum number of objects in memory.
const CHUNK_OBJECTS: usize = 1000;

/// Saves the files in a folder. Returns `None`, and creates nothing, if no file matches `--only`.
pub(super) async fn save(
    cloud: &Cloud,
    files: ObjectPages<'_>,
    artifact: &ArtifactSource,
    saving: &SaveOptions,
    path: PathBuf,
) -> Result<Option<Unpacked>> {
    let target = Target::new(path, saving);
    let partial = Arc::new(blocking(move || StagingDir::open(&target)).await?);
    let listing = list(files, &partial, artifact, saving).await?;
    let count = listing.count;
    let bytes = listing.bytes;
    if count == 0 {
        return Ok(None);
    }
    check_size(bytes, saving)?;
    let saved = fetch_all(cloud, &partial, listing, artifact, saving).await;
    saved.map_err(|error| partial.hint(error))?;
    blocking(move || partial.finish(FILES)).await?;
    Ok(Some(Unpacked { files: count, bytes, ..Unpacked::default() }))
}

/// Lists the selected objects to a file. Fails if a key is unsafe, or both a file and a folder.
async fn list(
    files: ObjectPages<'_>,
    partial: &Arc<StagingDir>,
    artifact: &ArtifactSource,
    saving: &SaveOptions,
) -> Result<ObjectListing> {
    let folder = artifact.folder();
    let mut pages = files.pages();
    let begun = partial.clone();
    let mut listing = blocking(move || ObjectListing::begin(begun.handle()).context(|| writing(&begun))).await?;
    while let Some(page) = pages.try_next().await? {
        let wanted: Vec<_> = prefix_entries(&folder, page).filter(|entry| saving.wants(entry.path())).collect();
        let to = partial.clone();
        listing = blocking(move || {
            wanted.iter().try_for_each(|entry| refuse_unsafe(&entry.key))?;
            wanted.iter().try_for_each(|entry| listing.add(entry)).context(|| writing(&to))?;
            Ok(listing)
        })
        .await?;
    }
    let to = partial.clone();
    blocking(move || {
        let listing = listing.finish().context(|| writing(&to))?;
        let mut clashes = Clashes::default();
        for below in listing.objects().context(|| writing(&to))? {
            clashes.add(&below.context(|| writing(&to))?.key)?;
        }
        Ok(listing)
    })
    .await
}

fn writing(partial: &StagingDir) -> String {
    format!("write what is fetched to {}", partial.path().display())
}

/// Fetches what is missing, and verifies all files.
async fn fetch_all(
    cloud: &Cloud,
    partial: &Arc<StagingDir>,
    listing: ObjectListing,
    artifact: &ArtifactSource,
    saving: &SaveOptions,
) -> Result<()> {
    let size = listing.bytes;
    let folder = artifact.folder();
    let to = partial.clone();
    let from = folder.clone();
    let begin = move || merge(to.handle(), &listing, &from).context(|| writing(&to));
    let (manifest, journal, files) = blocking(begin).await?;
    let files = Arc::new(files);
    let present = manifest.present;
    free_space::check(free_space::free(partial.handle(), partial.path())?.bytes, size - present, &artifact.uri)?;
    saving.watch.begin(&artifact.what, size, present, Some(partial.path()));
    let items = fetch_items(&manifest, folder.clone(), files.clone())?;
    fetch(&*cloud.objects, items, Some(Arc::new(journal)), &on_bytes(&saving.watch)).await?;
    check_all(cloud, &manifest, &folder, &files, artifact, saving).await
}

/// Returns the entries of a manifest in chunks.
fn chunks(manifest: &Manifest) -> Result<impl Stream<Item = Result<Vec<ManifestEntry>>> + use<>> {
    let reading = || "read what was noted of the objects".to_owned();
    let entries = manifest.entries().context(reading)?;
    Ok(try_unfold(entries, move |mut entries: ManifestEntries| {
        blocking(move || {
            let chunk = entries.by_ref().take(CHUNK_OBJECTS).collect::<io::Result<Vec<_>>>().context(reading)?;
            Ok((!chunk.is_empty()).then_some((chunk, entries)))
        })
    }))
}

/// Returns what must be fetched of each object. An empty object is always fetched, because the journal cannot tell
/// whether its file exists.
fn fetch_items(
    manifest: &Manifest,
    folder: S3Uri,
    files: Arc<DirHandle>,
) -> Result<impl Stream<Item = Result<FetchItem>> + use<>> {
    let chunks = chunks(manifest)?.and_then(move |chunk| {
        let folder = folder.clone();
        let files = files.clone();
        blocking(move || {
            let items: Vec<_> = chunk.into_iter().filter_map(|entry| fetch_item(&entry, &folder, &files)).collect();
            make_folders(&files, &items).context("make the folders of what is fetched")?;
            Ok(stream::iter(items.into_iter().map(Ok)))
        })
    });
    Ok(chunks.try_flatten())
}

/// Returns what must be fetched of an object; `None` if it is complete.
fn fetch_item(entry: &ManifestEntry, folder: &S3Uri, files: &Arc<DirHandle>) -> Option<FetchItem> {
    let below = &entry.below;
    let missing = entry.known.missing(below.size);
    let object = (!missing.is_empty() || below.size == 0).then(|| Arc::new(below.object(folder)))?;
    Some(FetchItem {
        object,
        number: entry.number,
        missing,
        to: FetchTarget::File(files.clone(), Arc::from(below.path())),
    })
}

/// Creates the parent folders of the items' files.
fn make_folders(files: &DirHandle, items: &[FetchItem]) -> io::Result<()> {
    let mut last = None;
    for item in items {
        let FetchTarget::File(_, path) = &item.to else { continue };
        let folder = path.parent().unwrap_or(Path::new(""));
        // Keys are sorted: those of one folder follow each other.
        if last != Some(folder) {
            files.create_folders(folder)?;
            last = Some(folder);
        }
    }
    Ok(())
}

/// Fails if the files are larger than `--max-size`.
fn check_size(size: u64, saving: &SaveOptions) -> Result<()> {
    match saving.max_size {
        Some(most) if size > most => Err(Error::failure(format!("the files have {size} bytes, more than {most}"))
            .hint("allow more by --max-size SIZE")),
        _ => Ok(()),
    }
}

/// Verifies all files against S3's checksums, and reports them to the watch.
async fn check_all(
    cloud: &Cloud,
    manifest: &Manifest,
    folder: &S3Uri,
    files: &Arc<DirHandle>,
    artifact: &ArtifactSource,
    saving: &SaveOptions,
) -> Result<()> {
    let mut chunks = std::pin::pin!(chunks(manifest)?);
    while let Some(chunk) = chunks.try_next().await? {
        let belows = stream::iter(chunk).map(|entry| with_checksum(cloud, folder, entry.below));
        let belows: Vec<_> = belows.buffered(MAX_CONCURRENT_STATS).try_collect().await?;
        let files = files.clone();
        let what = artifact.what.clone();
        let saving = saving.clone();
        let check = move |(below, checksum): &(PrefixEntry, Option<Checksum>)| {
            check(&files, below, checksum.as_ref(), &what, &saving)
        };
        blocking(move || belows.iter().try_for_each(check)).await?;
    }
    Ok(())
}

/// Looks up the checksum of an object that was fetched in several ranges. One that was fetched with a single request
/// was verified by that request.
async fn with_checksum(cloud: &Cloud, folder: &S3Uri, below: PrefixEntry) -> Result<(PrefixEntry, Option<Checksum>)> {
    if below.size <= RANGE_BYTES {
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

/// Verifies a file against S3's checksum, and reports it to the watch.
fn check(
    files: &DirHandle,
    below: &PrefixEntry,
    checksum: Option<&Checksum>,
    what: &str,
    saving: &SaveOptions,
) -> Result<()> {
    let path = below.path();
    let digest = saving.watch.digests();
    let mut sum = None;
    if digest || checksum.is_some() {
        let file = files.open_file(path, OFlag::O_RDONLY).context(|| reading(path))?;
        let mut file = VerifyingReader::new(file, checksum.cloned());
        let read = if digest {
            sha256(&mut file, |_| {}).map(Some)
        } else {
            io::copy(&mut file, &mut io::sink()).map(|_| None)
        };
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            // The next download fetches it again.
            remove(files, path).context(|| format!("remove {}", path.display()))?;
        }
        sum = read.context(|| reading(path))?;
    }
    saving.watch.file_saved(what, path, below.size, sum).context(|| reading(path))
}

fn reading(path: &Path) -> String {
    format!("read {}", path.display())
}
